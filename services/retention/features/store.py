"""Features and outcomes in MongoDB: the only file of this noun that knows it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from holdfast.events.v1 import events_pb2
from pymongo import InsertOne, ReplaceOne

from chassis.coalesce import Coalescer
from chassis.events.listener import DEAD_LETTERS
from chassis.mongo.client import Document, Store, Transaction, by_id
from chassis.mongo.schema import Collection, Index
from chassis.rules import Unavailable
from services.retention.features.kept import Kept, Labelled, Outcome
from services.retention.features.rules import (
    NAMES,
    SCHEMA_VERSION,
    OutcomeRecorded,
    Reading,
    State,
    from_document,
    to_document,
)

T = TypeVar("T")

# One document an id. Beside the state of that id stands what a score reads, so that it need not read, and rebuild,
# states: the reading of the whole customer, with the survivor of its ids; the others have none, nor have the erased.
FEATURES = Collection(
    "features",
    required={
        "state": "object",
        "values": "array",
        "schema": ["int", "long"],
        "currency": "string",
        "is_customer": "bool",
        "until": "date",
        "revision": ["int", "long"],
        "update_time": "date",
    },
    optional={"erase_time": "date"},
    indexes=[Index([("until", 1), ("_id", 1)], serves="rescoring: whose windows have moved")],
)
OUTCOMES = Collection("outcomes", required={"churned": "bool", "observe_time": "date"})
_READING = {"values": 1, "schema": 1, "currency": 1, "is_customer": 1, "until": 1}
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# A reading that is none: no feature table has this version, and it is never due.
NO_SCHEMA, FOR_EVER = 0, datetime(9999, 1, 1, tzinfo=UTC)


class FeatureStore:
    """What is known of the customers of one operator, and who of them left."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._features = store.collection(FEATURES.name)
        self._outcomes = store.collection(OUTCOMES.name)
        self._letters = store.collection(DEAD_LETTERS.name)
        self._states: Coalescer[str, Document | None] = Coalescer(self._read_states)
        self._readings: Coalescer[str, Document | None] = Coalescer(self._read_readings)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` in a transaction, and again when the store asks for it."""
        return await self._store.transact(work)

    async def state(self, customer_id: str) -> State | None:
        """The state kept under an id; reads that come together share a round trip."""
        found = await self._states.submit(customer_id)
        return None if found is None else from_document(found["state"])

    async def reading(self, customer_id: str) -> Reading | None:
        """A customer's features as they were read last, without the state; it may have ceased to hold, or be none."""
        found = await self._readings.submit(customer_id)
        return None if found is None else reading_of(found)

    async def states(self, transaction: Transaction, customer_ids: Sequence[str]) -> dict[str, Kept]:
        """What is kept under those of the ids that are there."""
        condition = {"_id": {"$in": list(customer_ids)}}
        cursor = self._features.find(condition, {"state": 1, "revision": 1, "erase_time": 1}, session=transaction)
        return {
            d["_id"]: Kept(d["_id"], from_document(d["state"]), d["revision"], "erase_time" in d) async for d in cursor
        }

    async def erased(self, transaction: Transaction, customer_ids: Sequence[str]) -> set[str]:
        """Those of the ids whose person was erased."""
        condition = {"_id": {"$in": list(customer_ids)}, "erase_time": {"$exists": True}}
        return {d["_id"] async for d in self._features.find(condition, {"_id": 1}, session=transaction)}

    async def keep(
        self, transaction: Transaction, changes: Sequence[tuple[Kept, Reading | None]], at: datetime
    ) -> None:
        """Puts the next revision of each in place of the one that was read; without a reading, it has none of its own.

        Raises:
            Unavailable: somebody else changed one of them since; the transaction must be undone.
        """
        if not changes:
            return
        writes: list[Any] = []
        for kept, reading in changes:
            document = document_of(kept, reading, at)
            guard = {"_id": kept.customer_id, "revision": kept.revision}
            writes.append(ReplaceOne(guard, document) if kept.revision else InsertOne(document))
        done = await self._features.bulk_write(writes, ordered=False, session=transaction)
        if done.matched_count + done.inserted_count != len(writes):
            raise Unavailable("the features of a customer changed in between")

    async def readings(self, transaction: Transaction, customer_ids: Sequence[str]) -> dict[str, Reading]:
        """The readings of those of the customers that are there, by id; some may have ceased to hold."""
        cursor = self._features.find({"_id": {"$in": list(customer_ids)}}, _READING, session=transaction)
        return {d["_id"]: reading_of(d) async for d in cursor}

    async def due(self, at: datetime, most: int) -> list[str]:
        """Up to `most` customers whose readings no longer hold at `at`, those that ended first."""
        cursor = self._features.find({"until": {"$lte": at}}, {"_id": 1}).sort([("until", 1), ("_id", 1)]).limit(most)
        return [d["_id"] async for d in cursor]

    async def outcomes(self, transaction: Transaction, customer_ids: Sequence[str]) -> dict[str, OutcomeRecorded]:
        """Those of the outcomes that are known, by customer."""
        cursor = self._outcomes.find({"_id": {"$in": list(customer_ids)}}, session=transaction)
        return {d["_id"]: _outcome(d) async for d in cursor}

    async def keep_outcomes(self, transaction: Transaction, outcomes: Mapping[str, OutcomeRecorded]) -> None:
        """Puts these in place of what was known."""
        if not outcomes:
            return
        writes = [
            ReplaceOne({"_id": who}, {"churned": fact.churned, "observe_time": fact.at}, upsert=True)
            for who, fact in outcomes.items()
        ]
        await self._outcomes.bulk_write(writes, ordered=False, session=transaction)

    async def forget(self, transaction: Transaction, customer_ids: Sequence[str]) -> None:
        """Deletes the outcomes of a person, and those events that were set aside because they could not be applied."""
        await self._outcomes.delete_many({"_id": {"$in": list(customer_ids)}}, session=transaction)
        letters = self._letters.find({"listener": {"$gt": ""}}, {"event": 1}, session=transaction)
        theirs = [d["_id"] async for d in letters if _whose(d) in customer_ids]
        if theirs:
            await self._letters.delete_many({"_id": {"$in": theirs}}, session=transaction)

    async def outcome_count(self) -> int:
        """About how many outcomes are known."""
        return int(await self._outcomes.estimated_document_count())

    async def labelled_after(self, last: str, most: int) -> list[Labelled]:
        """The next `most` customers with an outcome after `last`, in the order of ids; empty: there are no more."""
        cursor = self._outcomes.find({"_id": {"$gt": last}}).sort("_id", 1).limit(most)
        outcomes = {d["_id"]: _outcome(d) async for d in cursor}
        known = self._features.find({"_id": {"$in": list(outcomes)}}, {"state": 1})
        states = {d["_id"]: from_document(d["state"]) async for d in known}
        return [Labelled(Outcome(who, fact), states.get(who)) for who, fact in outcomes.items()]

    async def _read_states(self, ids: Sequence[str]) -> list[Document | None]:
        return await by_id(self._features, ids, {"state": 1})

    async def _read_readings(self, ids: Sequence[str]) -> list[Document | None]:
        return await by_id(self._features, ids, _READING)


def document_of(kept: Kept, reading: Reading | None, at: datetime) -> Document:
    """The next revision of what is kept under an id."""
    read = reading or Reading(values=(), currency="", is_customer=False, until=FOR_EVER)
    document: Document = {
        "_id": kept.customer_id,
        "state": to_document(kept.state),
        "values": list(read.values),
        "schema": SCHEMA_VERSION if reading else NO_SCHEMA,
        "currency": read.currency,
        "is_customer": read.is_customer,
        "until": read.until,
        "revision": kept.revision + 1,
        "update_time": at,
    }
    if kept.erased:
        document["erase_time"] = at
    return document


def reading_of(document: Mapping[str, Any]) -> Reading:
    """A reading from what is kept; one of another feature table, or of none, holds no longer."""
    if document["schema"] != SCHEMA_VERSION:
        return Reading((None,) * len(NAMES), "", document["is_customer"], NEVER)
    return Reading(tuple(document["values"]), document["currency"], document["is_customer"], document["until"])


def _whose(letter: Mapping[str, Any]) -> str:
    return str(events_pb2.Event.FromString(letter["event"]).customer_id)


def _outcome(document: Mapping[str, Any]) -> OutcomeRecorded:
    return OutcomeRecorded(at=document["observe_time"], churned=document["churned"])
