"""Erasures in MongoDB: the only file of this noun that knows it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from chassis.events.outbox import Happening, Outbox
from chassis.exporting import PAGE
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.schema import Collection, Index
from services.customer_info.customers.store import KIND as CUSTOMER
from services.customer_info.history.rules import version_key
from services.customer_info.history.store import HISTORY
from services.customer_info.privacy.rules import Erasure

T = TypeVar("T")
ERASURES = Collection(
    "erasures",
    required={"members": "array", "reason": "string", "asked_by": "string", "ask_time": "date"},
    optional={"done_time": "date"},
    indexes=[
        Index([("members", 1)], serves="whether a customer was erased"),
        Index([("done_time", 1), ("ask_time", 1)], serves="erasures that are not done yet"),
    ],
)


class ErasureStore:
    """The erasures of one operator's customers: kept for ever, to be carried out again on whatever is restored."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._erasures = store.collection(ERASURES.name)
        self._history = store.collection(HISTORY.name)
        self._outbox = Outbox(store)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` in a transaction."""
        return await self._store.transact(work)

    async def read(self, transaction: Transaction, customer_id: str) -> Erasure | None:
        """The erasure of the person whose survivor had this id."""
        found = await self._erasures.find_one({"_id": customer_id}, session=transaction)
        return None if found is None else _erasure(found)

    async def find(self, transaction: Transaction, customer_ids: Sequence[str]) -> Erasure | None:
        """The erasure of the person who had any of these ids."""
        found = await self._erasures.find_one({"members": {"$in": list(customer_ids)}}, session=transaction)
        return None if found is None else _erasure(found)

    async def keep(self, transaction: Transaction, erasure: Erasure) -> None:
        """Keeps that an erasure was asked for, in place of what was known of it."""
        document: Document = {
            "_id": erasure.members[0],
            "members": list(erasure.members),
            "reason": erasure.reason,
            "asked_by": erasure.asked_by,
            "ask_time": erasure.ask_time,
        }
        if erasure.done_time is not None:
            document["done_time"] = erasure.done_time
        await self._erasures.replace_one({"_id": document["_id"]}, document, upsert=True, session=transaction)

    async def latest(self, transaction: Transaction, customer_id: str, version: int) -> int:
        """The latest version there ever was of a record that is in this one; another one only where it was restored.

        The history then knows this version already: it is taken out there, and kept once more when the record changes.
        """
        newest = [("update_time", -1)]
        former = await self._history.find_one(
            {"subject": customer_id, "kind": CUSTOMER}, {"version": 1}, sort=newest, session=transaction
        )
        if former is None or former["version"] < version:
            return version
        await self._history.delete_one({"_id": version_key(CUSTOMER, customer_id, version)}, session=transaction)
        return int(former["version"])

    async def finish(self, transaction: Transaction, erasure: Erasure, at: datetime, *happenings: Happening) -> None:
        """Keeps that nothing is left, and tells of it."""
        await self._erasures.update_one({"_id": erasure.members[0]}, {"$set": {"done_time": at}}, session=transaction)
        await self._outbox.add(transaction, *happenings)

    async def unfinished(self, asked_before: datetime) -> list[Erasure]:
        """Erasures that were asked for before a time and are not done yet, the oldest first."""
        condition = {"done_time": None, "ask_time": {"$lt": asked_before}}
        return [_erasure(e) async for e in self._erasures.find(condition).sort("ask_time", 1).limit(1000)]

    async def everybody(self) -> AsyncIterator[list[str]]:
        """The ids of all who were ever erased, a thousand people at a time."""
        members: list[str] = []
        async for erasure in self._erasures.find({}, {"members": 1}):
            members += erasure["members"]
            if len(members) >= 1000:
                yield members
                members = []
        if members:
            yield members


def _erasure(kept: dict[str, Any]) -> Erasure:
    return Erasure(
        tuple(kept["members"]),
        kept["reason"],
        kept["asked_by"],
        kept["ask_time"],
        kept.get("done_time"),
    )


@dataclass(frozen=True, slots=True)
class Held:
    """Where records that belong to a customer are kept: `owner` names the field that says whose they are.

    With `through`, that field does not name the customer but a record of that other collection that does; with `named`,
    it holds what that makes of the customer's id.
    """

    collection: str
    owner: str = "customer_id"
    through: str = ""
    named: Callable[[str], str] | None = None


class Holdings:
    """Everything that this service keeps on a customer, as it is kept."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def pages(self, held: Held, customer_ids: Sequence[str]) -> AsyncIterator[list[Document]]:
        """The records, some at a time, in no order."""
        owners: list[Any] = list(map(held.named, customer_ids)) if held.named else list(customer_ids)
        if held.through:
            others = self._store.collection(held.through).find({"customer_id": {"$in": owners}}, {"_id": 1})
            owners = [d["_id"] async for d in others]
        cursor = self._store.collection(held.collection).find({held.owner: {"$in": owners}}).batch_size(PAGE)
        page: list[Document] = []
        async for document in cursor:
            page.append(document)
            if len(page) == PAGE:
                yield page
                page = []
        if page:
            yield page
