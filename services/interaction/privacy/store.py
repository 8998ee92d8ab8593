"""Erasures in MongoDB: the only file of this noun that knows it. A document is the id of somebody who was erased."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import UpdateOne

from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.schema import Collection, Index
from chassis.times import now
from services.interaction.privacy.usecases import Erasure

ERASURES = Collection(
    "erasures",
    required={"erase_time": "date"},
    # When the next pass over the person's texts is due; absent: all is done.
    optional={"due_time": "date", "redact_time": "date"},
    indexes=[
        Index([("due_time", 1)], serves="whose texts are next", partial={"due_time": {"$exists": True}}),
        Index([("erase_time", 1), ("_id", 1)], serves="who was erased of late"),
    ],
)


class ErasureStore:
    """Who was erased, and what is left to do of it."""

    def __init__(self, store: Store) -> None:
        self._erasures = store.collection(ERASURES.name)

    async def add(self, transaction: Transaction, customer_ids: Sequence[str]) -> None:
        """Notes that somebody was erased, by all ids; who was erased before stays as it is."""
        at = now()
        noted = {"erase_time": at, "due_time": at}
        writes = [UpdateOne({"_id": who}, {"$setOnInsert": noted}, upsert=True) for who in customer_ids]
        await self._erasures.bulk_write(writes, ordered=False, session=transaction)

    async def since(self, at: datetime) -> list[tuple[str, datetime]]:
        """Who was erased at that time or later, and when; the earliest first."""
        cursor = self._erasures.find({"erase_time": {"$gte": at}}, {"erase_time": 1}).sort(
            [("erase_time", 1), ("_id", 1)]
        )
        return [(d["_id"], d["erase_time"]) async for d in cursor]

    async def due(self, at: datetime) -> Erasure | None:
        """The erasure whose next pass has been due for longest; None: there is nothing to do."""
        async for found in self._erasures.find({"due_time": {"$lte": at}}).sort("due_time", 1).limit(1):
            return Erasure(found["_id"], found["erase_time"], found.get("redact_time"))
        return None

    async def passed(self, customer_id: str, at: datetime, again: datetime | None) -> None:
        """Notes that a pass ended at `at`, and when the next one is due; None: it was the last."""
        update: Document = {"$set": {"redact_time": at}, "$unset": {"due_time": ""}}
        if again is not None:
            update = {"$set": {"redact_time": at, "due_time": again}}
        await self._erasures.update_one({"_id": customer_id}, update)
