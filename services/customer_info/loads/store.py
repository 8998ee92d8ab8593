"""Loads in MongoDB: the only file of this noun that knows it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReplaceOne

from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.schema import Collection, Index
from services.customer_info.loads.rules import LONGEST_ROW, Counts, Fault, Load, overtaken
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
    optional={"complete_time": "date", "digest": "binData"},
    indexes=[
        Index(
            [("update_time", 1)],
            serves="forgets loads that nobody went on with",
            expire_after_seconds=int(KEPT.total_seconds()),
        )
    ],
)
# One document for each refused row: a load may have millions, and one document could not hold them.
LOAD_FAULTS = Collection(
    "load_faults",
    required={"row": ["int", "long"], "reason": "string", "field": "string", "message": "string", "time": "date"},
    indexes=[
        Index(
            [("time", 1)],
            serves="forgets refusals as late as their load at the latest",
            expire_after_seconds=int(KEPT.total_seconds()),
        )
    ],
)


class LoadStore:
    """How far the loads of one operator are."""

    def __init__(self, store: Store) -> None:
        self._loads = store.collection(LOADS.name)
        self._faults = store.collection(LOAD_FAULTS.name)

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

    async def move(
        self, transaction: Transaction | None, before: Load, after: Load, faults: Sequence[Fault] = ()
    ) -> None:
        """Keeps how far a load got, and all `faults` on the way, in the transaction that got it there.

        Raises:
            Overtaken: it is not where it was.
        """
        if faults:
            # Outside of a transaction it may come again: a row has one refusal, whoever finds it.
            kept = [_fault_document(before.id, fault, after.update_time) for fault in faults]
            await self._faults.bulk_write(
                [ReplaceOne({"_id": d["_id"]}, d, upsert=True) for d in kept], ordered=False, session=transaction
            )
        change: Document = {
            "$set": {
                "position": after.position,
                "counts": asdict(after.counts),
                "digest": after.digest,
                "update_time": after.update_time,
            },
            "$unset": {"complete_time": ""},
        }
        if fresh := after.faults[len(before.faults) :]:
            change["$push"] = {"faults": {"$each": [asdict(fault) for fault in fresh]}}
        where = {"_id": before.id, "position": before.position}
        done = await self._loads.update_one(where, change, session=transaction)
        if not done.matched_count:
            raise overtaken()

    async def faults(self, load_id: str, after_row: int, most: int) -> list[Fault]:
        """At most `most` refusals of a load in the order of their rows, from the one after this row."""
        whose = {"$gt": _fault_id(load_id, after_row), "$lte": _fault_id(load_id, 10**LONGEST_ROW - 1)}
        cursor = self._faults.find({"_id": whose}).sort("_id", 1).limit(most)
        return [Fault(d["row"], d["reason"], d["field"], d["message"]) async for d in cursor]

    async def complete(self, load: Load, at: datetime) -> None:
        """Keeps that a stream of the load came to its end."""
        await self._loads.update_one({"_id": load.id, "position": load.position}, {"$set": {"complete_time": at}})


def _fault_id(load_id: str, row: int) -> str:
    return f"{load_id}:{row:0{LONGEST_ROW}d}"


def _fault_document(load_id: str, fault: Fault, at: datetime | None) -> Document:
    return {"_id": _fault_id(load_id, fault.row), **asdict(fault), "time": at}


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
        digest=bytes(kept.get("digest", b"")),
    )
