"""A lease in the store: of any number of replicas, one does the work, and another takes over when it falls silent."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from pymongo import ReturnDocument
from pymongo.errors import PyMongoError

from chassis.ids import new_id
from chassis.log import logger
from chassis.mongo.client import Store
from chassis.mongo.faults import duplicate
from chassis.mongo.schema import Collection
from chassis.tasks import end

LEASES = Collection("leases", required={"holder": "string", "expire_time": "date"})
TERM = timedelta(seconds=6)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_log = logger("lease")


class Lease:
    """The right to do one job, for one replica at a time.

    Time is the store's, so that replicas need not agree on theirs. A replica that stalls past its term may find that
    another one works beside it for a moment: work under a lease must be harmless when done twice.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._collection = store.collection(LEASES.name)
        self._name = name
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{new_id()[-12:]}"

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Waits for the lease, does `work` while it holds, gives it back at the end.

        Returns when `work` does, or when the lease is lost; call it again to stand in line again.
        """
        while not await self._take():  # noqa: ASYNC110 - the store has no event for a lease that runs out
            await asyncio.sleep(TERM.total_seconds() / 6)
        _log.info("lease_taken", name=self._name)
        task = asyncio.ensure_future(work())
        keeper = asyncio.ensure_future(self._keep())
        try:
            done, _ = await asyncio.wait({task, keeper}, return_when=asyncio.FIRST_COMPLETED)
            if task in done:
                await task
        finally:
            await end([task, keeper])
            await self._give_back()

    async def _take(self) -> bool:
        """Takes the lease if it is free, renews it if it is ours; whether it is ours now."""
        free = {"$or": [{"$eq": ["$holder", self._holder]}, {"$lt": [{"$ifNull": ["$expire_time", EPOCH]}, "$$NOW"]}]}
        ours = {"holder": self._holder, "expire_time": {"$add": ["$$NOW", int(TERM.total_seconds() * 1000)]}}
        try:
            found = await self._collection.find_one_and_update(
                {"_id": self._name},
                [{"$set": {name: {"$cond": [free, value, f"${name}"]} for name, value in ours.items()}}],
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except PyMongoError as error:
            # Two replicas made the record at the same moment; the other one was first.
            if duplicate(error):
                return False
            raise
        return bool(found["holder"] == self._holder)

    async def _keep(self) -> None:
        """Renews the lease in time; returns when it is lost."""
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        while True:
            await asyncio.sleep(TERM.total_seconds() / 3)
            try:
                if not await self._take():
                    break
                renewed = loop.time()
            except PyMongoError:
                if loop.time() - renewed > TERM.total_seconds():
                    break
        _log.warning("lease_lost", name=self._name)

    async def _give_back(self) -> None:
        with contextlib.suppress(PyMongoError):
            await self._collection.delete_one({"_id": self._name, "holder": self._holder})
