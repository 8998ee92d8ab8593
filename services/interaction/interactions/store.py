"""Interactions in MongoDB: the only file of this noun that knows it. Append-only: entries are inserted, and never
changed, but for the texts of a person who was erased.

The collection is its own source of events: an entry is the fact that it tells of, and needs no second write.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from holdfast.common.v1 import types_pb2
from holdfast.events.v1 import events_pb2
from holdfast.interaction.v1 import interactions_pb2 as pb
from pymongo.errors import BulkWriteError, WriteError

from chassis.bulk import Outcome
from chassis.call import traceparent
from chassis.coalesce import Coalescer
from chassis.events.outbox import TYPE_PREFIX, Source
from chassis.mongo.client import Document, Store, by_id
from chassis.mongo.faults import DUPLICATE_KEY
from chassis.mongo.parts import in_parts
from chassis.mongo.schema import Collection, Index
from chassis.query import fields
from chassis.query.listing import Listing
from chassis.query.selection import Order, Selection
from chassis.rules import Refusal, Unavailable
from chassis.times import to_timestamp
from services.interaction.interactions.rules import Times
from services.interaction.privacy.rules import ERASED

SAMPLED = "-01"

INTERACTIONS = Collection(
    "interactions",
    required={
        "customer_id": "string",
        "channel": "int",
        "direction": "int",
        "occur_time": "date",
        "receive_time": "date",
        "record_time": "date",
    },
    optional={
        "stage": "int",
        "category": "string",
        "note": "string",
        "source": "string",
        "message_id": "string",
        "redact_time": "date",
    },
    # Every index costs every entry: a history is short enough to look through for channel, stage or category.
    indexes=[
        Index(
            [("customer_id", 1), ("occur_time", -1), ("_id", -1)], serves="ListInteractions, newest first; redaction"
        ),
        Index(
            [("source", 1), ("message_id", 1)],
            serves="the same message of a sender is logged once, and found again",
            unique=True,
            partial={"message_id": {"$exists": True}},
        ),
    ],
)
LISTING = Listing(
    "interactions",
    {
        "channel": fields.enum("channel", pb.Channel),
        "direction": fields.enum("direction", pb.Direction),
        "stage": fields.enum("stage", pb.LifeStage),
        "category": fields.text("category"),
        "occur_time": fields.time("occur_time"),
    },
    [Order("occur_time", descending=True)],
)


class InteractionStore:
    """The entries of one operator."""

    def __init__(self, store: Store) -> None:
        self._interactions = store.collection(INTERACTIONS.name)
        self._writes: Coalescer[Document, Document | None] = Coalescer(self._write)
        self._reads: Coalescer[str, Document | None] = Coalescer(self._read)

    async def add(self, entry: pb.Interaction, times: Times) -> pb.Interaction | None:
        """Adds an entry; None, or the one that was there with its message id. Durable on a majority, journaled.

        Entries that come together share a round trip.
        """
        found = await self._writes.submit(to_document(entry, times, _kept_trace()))
        return None if found is None else from_document(found)

    async def add_all(self, entries: Sequence[tuple[pb.Interaction, Times]]) -> list[Outcome | Refusal]:
        """Adds many in one round trip; created, unchanged (its message id was there), or a refusal for each."""
        trace = _kept_trace()
        codes = await self._insert([to_document(entry, times, trace) for entry, times in entries])
        outcomes: list[Outcome | Refusal] = [Outcome.CREATED] * len(entries)
        for place, code in codes.items():
            outcomes[place] = Outcome.UNCHANGED if code == DUPLICATE_KEY else Refusal("the store refused it")
        return outcomes

    async def get(self, entry_id: str) -> pb.Interaction | None:
        """One entry; reads that come together share a round trip."""
        found = await self._reads.submit(entry_id)
        return None if found is None else from_document(found)

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[pb.Interaction], str]:
        """A page of the entries of a customer who has these ids, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        page = await LISTING.page(self._interactions, selection, {"customer_id": {"$in": list(customer_ids)}})
        return [from_document(d) for d in page.documents], page.next_page_token

    async def redact(self, customer_id: str, at: datetime) -> int:
        """Takes the texts out of all entries under an id; how many had any.

        Part by part, each durable by itself: cut off, it goes on with what is left when it is called again.
        """
        done = 0
        with_text = self._interactions.find(with_text_filter(customer_id), {"_id": 1})
        async for ids in in_parts(with_text):
            done += len(ids)
            await self._interactions.update_many({"_id": {"$in": ids}}, redaction(at))
        return done

    async def _read(self, ids: Sequence[str]) -> list[Document | None]:
        return await by_id(self._interactions, ids)

    async def _write(self, documents: Sequence[Document]) -> list[Document | BaseException | None]:
        """One batch: for each None, the original of a duplicate, or the fault that is its own."""
        codes = await self._insert(documents)
        outcomes: list[Document | BaseException | None] = [None] * len(documents)
        if not codes:
            return outcomes
        keys = {n: _key(documents[n]) for n, code in codes.items() if code == DUPLICATE_KEY}
        originals = await self._originals(list(keys.values()))
        for n, code in codes.items():
            if n not in keys:
                outcomes[n] = WriteError("the store does not take the entry", code)
            else:
                # One that was there and is gone again was removed in between: the next attempt finds its place free.
                outcomes[n] = originals.get(keys[n]) or Unavailable("the store is busy with the same message")
        return outcomes

    async def _insert(self, documents: Sequence[Document]) -> Mapping[int, int]:
        """Adds what can be added; the error codes of the others, by place."""
        try:
            await self._interactions.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if error.details.get("writeConcernErrors"):
                # What was added may yet be undone by a fail-over: nobody is told that it is safe.
                raise Unavailable("the store could not confirm the write") from error
            return {fault["index"]: fault["code"] for fault in error.details["writeErrors"]}
        return {}

    async def _originals(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Document]:
        """Entries by their senders' message ids. The write that ran into them has waited until they were durable."""
        if not keys:
            return {}
        cursor = self._interactions.find(duplicates_filter(keys))
        return {_key(d): d async for d in cursor}


def with_text_filter(customer_id: str) -> Document:
    """Finds the entries under an id that hold text, or name somebody."""
    return {
        "customer_id": customer_id,
        "$or": [
            {"note": {"$nin": [None, ERASED]}},
            {"participants": {"$elemMatch": {"id": {"$ne": ""}}}},
            {"items": {"$elemMatch": {"$or": [{"topic": {"$ne": ERASED}}, {"resolution": {"$ne": ""}}]}}},
        ],
    }


def redaction(at: datetime) -> list[Document]:
    """What `wire.redact` does, in place; what an entry does not have, it does not get."""
    changed: Document = {
        "note": {"$cond": [{"$gt": ["$note", None]}, ERASED, "$$REMOVE"]},
        "participants": _each("participants", {"id": ""}),
        "items": _each("items", {"topic": ERASED, "resolution": ""}),
    }
    return [{"$set": {**changed, "redact_time": at}}]


def _each(name: str, changed: Document) -> Document:
    mapped = {"$map": {"input": f"${name}", "in": {"$mergeObjects": ["$$this", changed]}}}
    return {"$cond": [{"$isArray": f"${name}"}, mapped, "$$REMOVE"]}


def duplicates_filter(keys: Sequence[tuple[str, str]]) -> Document:
    """Finds the entries logged under pairs of source and message id."""
    return {"$or": [{"source": source, "message_id": message_id} for source, message_id in dict.fromkeys(keys)]}


def _key(document: Mapping[str, Any]) -> tuple[str, str]:
    return document.get("source", ""), document.get("message_id", "")


def _kept_trace() -> str:
    """The trace context to keep with an entry: a trace that nobody kept is not worth its bytes."""
    trace = traceparent()
    return trace if trace.endswith(SAMPLED) else ""


def to_document(entry: pb.Interaction, times: Times, trace: str = "") -> Document:
    """An entry as it is kept: what is not set is not there."""
    document: Document = {
        "_id": entry.id,
        "customer_id": entry.customer_id,
        "channel": entry.channel,
        "direction": entry.direction,
        "occur_time": times.occur,
        "receive_time": times.receive,
        "record_time": times.record,
    }
    for name in ("stage", "category", "complaint", "note", "source", "message_id", "duration_seconds"):
        value = getattr(entry, name)
        if value:
            document[name] = value
    if entry.HasField("sentiment"):
        document["sentiment"] = entry.sentiment
    participants, items, related = entry.participants, entry.items, entry.related
    if participants:
        document["participants"] = [{"role": p.role, "id": p.id} for p in participants]
    if items:
        document["items"] = [{"topic": i.topic, "resolution": i.resolution} for i in items]
    if related:
        document["related"] = [{"type": r.type, "id": r.id} for r in related]
    if trace:
        document["traceparent"] = trace
    if times.redact is not None:
        document["redact_time"] = times.redact
    return document


def from_document(document: Mapping[str, Any]) -> pb.Interaction:
    """An entry from what is kept."""
    kept = document.get
    redacted = kept("redact_time")
    return pb.Interaction(
        id=document["_id"],
        customer_id=document["customer_id"],
        channel=document["channel"],
        direction=document["direction"],
        stage=kept("stage", 0),
        category=kept("category", ""),
        complaint=bool(kept("complaint")),
        note=kept("note", ""),
        sentiment=kept("sentiment"),
        participants=[pb.Participant(**p) for p in kept("participants", ())],
        items=[pb.InteractionItem(**i) for i in kept("items", ())],
        related=[types_pb2.Reference(**r) for r in kept("related", ())],
        occur_time=to_timestamp(document["occur_time"]),
        receive_time=to_timestamp(document["receive_time"]),
        record_time=to_timestamp(document["record_time"]),
        source=kept("source", ""),
        message_id=kept("message_id", ""),
        duration_seconds=kept("duration_seconds", 0),
        redact_time=None if redacted is None else to_timestamp(redacted),
    )


def event(document: Mapping[str, Any]) -> events_pb2.Event:
    """The event that an entry is: itself, without its note."""
    entry = from_document({**document, "note": ""})
    told = events_pb2.Event(
        type=pb.InteractionLogged.DESCRIPTOR.full_name,
        subject=entry.id,
        time=entry.occur_time,
        customer_id=entry.customer_id,
        sequence=1,
        traceparent=document.get("traceparent", ""),
    )
    told.data.type_url = TYPE_PREFIX + told.type
    told.data.value = pb.InteractionLogged(interaction=entry).SerializeToString()
    return told


SOURCE = Source(INTERACTIONS.name, frozenset({pb.InteractionLogged.DESCRIPTOR.full_name}), event)
