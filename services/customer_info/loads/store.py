"""Loads in MongoDB: the only file of this noun that knows it."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.schema import Collection, Index
from services.customer_info.loads.rules import Counts, Fault, Load, overtaken
from services.customer_info.store import refused_key

# Nobody goes on with a load that has rested so long.
KEPT = timedelta(days=30)
LOADS = Collection(
    "loads",
    required={
        "kind": "string",
        "by": "string",
        "position": ["int", "long"],
        "counts": "object",
        "faults": "array",
        "create_time": "date",
        "update_time": "date",
    },
    optional={"complete_time": "date"},
    indexes=[
        Index(
            [("update_time", 1)],
            serves="forgets loads that nobody went on with",
            expire_after_seconds=int(KEPT.total_seconds()),
        )
    ],
)


class LoadStore:
    """How far the loads of one operator are."""

    def __init__(self, store: Store) -> None:
        self._loads = store.collection(LOADS.name)

    async def get(self, load_id: str) -> Load | None:
        """One load."""
        found = await self._loads.find_one({"_id": load_id})
        return None if found is None else _load(found)

    async def begin(self, load: Load) -> Load:
        """Keeps a new load; answers with the one of this id that is there already, if there is one."""
        try:
            await self._loads.insert_one(_document(load))
        except Exception as error:
            if refused_key(error) is None:
                raise
            # Read by whoever has just met it; only the clock takes loads away, a month after they moved.
            return await self.get(load.id) or load
        return load

    async def move(self, transaction: Transaction | None, before: Load, after: Load) -> None:
        """Keeps how far a load got, in the transaction that got it there.

        Raises:
            Overtaken: it is not where it was.
        """
        change: Document = {
            "$set": {"position": after.position, "counts": asdict(after.counts), "update_time": after.update_time},
            "$unset": {"complete_time": ""},
        }
        if fresh := after.faults[len(before.faults) :]:
            change["$push"] = {"faults": {"$each": [asdict(fault) for fault in fresh]}}
        where = {"_id": before.id, "position": before.position}
        done = await self._loads.update_one(where, change, session=transaction)
        if not done.matched_count:
            raise overtaken()

    async def complete(self, load: Load, at: datetime) -> None:
        """Keeps that a stream of the load came to its end."""
        await self._loads.update_one({"_id": load.id, "position": load.position}, {"$set": {"complete_time": at}})


def _document(load: Load) -> Document:
    return {
        "_id": load.id,
        "kind": load.kind,
        "by": load.by,
        "position": load.position,
        "counts": asdict(load.counts),
        "faults": [asdict(fault) for fault in load.faults],
        "create_time": load.create_time,
        "update_time": load.update_time,
    }


def _load(kept: Mapping[str, Any]) -> Load:
    return Load(
        id=kept["_id"],
        kind=kept["kind"],
        by=kept["by"],
        position=kept["position"],
        counts=Counts(**kept["counts"]),
        faults=tuple(Fault(**fault) for fault in kept["faults"]),
        create_time=kept["create_time"],
        update_time=kept["update_time"],
        complete_time=kept.get("complete_time"),
    )
