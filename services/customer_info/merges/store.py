"""Merges in MongoDB: the only file of this noun that knows it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.requests import Requests
from chassis.mongo.schema import Collection, Index
from services.customer_info.merges.list_rules import Keep
from services.customer_info.merges.rules import Merge, Outcome

T = TypeVar("T")
MERGES = Collection(
    "merges",
    required={
        "survivor_id": "string",
        "duplicate_id": "string",
        "survivor_before": ["int", "long"],
        "survivor_after": ["int", "long"],
        "merge_time": "date",
        "merged_by": "string",
        "outcomes": "array",
    },
    optional={"unmerge_time": "date", "unmerged_by": "string"},
    indexes=[
        Index([("duplicate_id", 1), ("merge_time", -1)], serves="ListMerges"),
        Index([("survivor_id", 1), ("merge_time", -1)], serves="ListMerges; the merges that hold"),
    ],
)
MOST_LISTED = 1000


class MergeStore:
    """The merges of one operator's customers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._merges = store.collection(MERGES.name)
        self._requests = Requests(store)

    async def once(self, request_id: str, content: bytes, work: Callable[[Transaction], Awaitable[Merge]]) -> Merge:
        """Runs `work` in a transaction, once per `request_id`; a retry gets the first answer."""

        async def kept(transaction: Transaction) -> Document:
            return to_document(await work(transaction))

        return from_document(await self._requests.once("Merge", request_id, content, kept))

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` in a transaction."""
        return await self._store.transact(work)

    async def insert(self, transaction: Transaction, merge: Merge) -> None:
        """Adds a merge."""
        await self._merges.insert_one(to_document(merge), session=transaction)

    async def replace(self, transaction: Transaction, merge: Merge) -> None:
        """Says that a merge was undone."""
        await self._merges.replace_one({"_id": merge.id}, to_document(merge), session=transaction)

    async def holding(self, transaction: Transaction, survivor_id: str) -> list[Merge]:
        """The merges into a record that were not undone, in their order, whatever the clocks said."""
        condition = {"survivor_id": survivor_id, "unmerge_time": {"$exists": False}}
        found = [from_document(m) async for m in self._merges.find(condition, session=transaction)]
        return sorted(found, key=lambda merge: merge.survivor_before)

    async def of(self, customer_ids: Sequence[str]) -> list[Merge]:
        """The merges in which any of the records took part, latest first, at most 1000."""
        ids = list(customer_ids)
        condition = {"$or": [{"duplicate_id": {"$in": ids}}, {"survivor_id": {"$in": ids}}]}
        latest = self._merges.find(condition).sort("merge_time", -1).limit(MOST_LISTED)
        return sorted([from_document(m) async for m in latest], key=lambda m: (m.merge_time, m.id), reverse=True)


def to_document(merge: Merge) -> Document:
    """A merge as it is kept."""
    kept = {name: value for name, value in asdict(merge).items() if name not in ("id", "outcomes") and value}
    outcomes = [{**asdict(o), "keep": o.keep.value} for o in merge.outcomes]
    return {"_id": merge.id, **kept, "outcomes": outcomes}


def from_document(kept: Document) -> Merge:
    """A merge from what is kept."""
    values: dict[str, Any] = {name: value for name, value in kept.items() if name not in ("_id", "outcomes")}
    outcomes = tuple(Outcome(**{**o, "keep": Keep(o["keep"])}) for o in kept["outcomes"])
    return Merge(id=kept["_id"], **values, outcomes=outcomes)
