"""The outbox: events wait in the database of the service that caused them, written in the transaction of the change."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from holdfast.events.v1 import events_pb2

from chassis.call import traceparent
from chassis.ids import new_id
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.schema import Collection
from chassis.times import now, to_timestamp

TYPE_PREFIX = "type.googleapis.com/"

# The primary key is a UUIDv7: a sweep of the outbox in its order needs no other index.
OUTBOX = Collection(
    "outbox",
    required={"type": "string", "subject": "string", "time": "date", "sequence": ["int", "long"], "data": "binData"},
    optional={"customer_id": "string", "traceparent": "string"},
)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened, as a use case tells it.

    `subject` is the id of the thing it happened to, `sequence` that thing's version after it, `data` the event's own
    message (whose full name is the event's type), `time` when it happened.
    """

    subject: str
    sequence: int
    data: Message
    time: datetime
    customer_id: str = ""


class Outbox:
    """The events of one service."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(OUTBOX.name)

    async def add(self, transaction: Transaction, *happenings: Happening) -> None:
        """Writes events in the transaction of the changes they tell of."""
        if happenings:
            await self._collection.insert_many([document(h) for h in happenings], session=transaction)


def document(happening: Happening) -> Document:
    """An event as the outbox keeps it."""
    kept: Document = {
        "_id": new_id(),
        "type": happening.data.DESCRIPTOR.full_name,
        "subject": happening.subject,
        "customer_id": happening.customer_id,
        "time": happening.time,
        "sequence": happening.sequence,
        "data": happening.data.SerializeToString(),
    }
    trace = traceparent()
    if trace:
        kept["traceparent"] = trace
    return kept


@dataclass(frozen=True, slots=True)
class Source:
    """A collection whose inserts are events: the outbox, or an append-only collection of facts.

    `types` are the full names of the events it yields; `event` turns a document into one (source and id are set by the
    feed).
    """

    collection: str
    types: frozenset[str]
    event: Callable[[Document], events_pb2.Event]


def outbox_source(kinds: Sequence[type[Message]]) -> Source:
    """The outbox as a source of events of `kinds`."""
    return Source(OUTBOX.name, frozenset(k.DESCRIPTOR.full_name for k in kinds), _event)


def _event(kept: Document) -> events_pb2.Event:
    return events_pb2.Event(
        type=kept["type"],
        subject=kept["subject"],
        time=to_timestamp(kept.get("time") or now()),
        customer_id=kept.get("customer_id", ""),
        sequence=kept["sequence"],
        traceparent=kept.get("traceparent", ""),
        data=Any(type_url=TYPE_PREFIX + kept["type"], value=kept["data"]),
    )
