"""Clocks in MongoDB: the only file of this noun that knows it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from pymongo import ReplaceOne

from chassis.coalesce import Coalescer
from chassis.events.outbox import Happening, Outbox
from chassis.mongo import schema
from chassis.mongo.client import Document, Store, Transaction, by_id
from chassis.mongo.schema import Index
from chassis.query import fields
from chassis.query.listing import Listing
from chassis.query.selection import Order, Selection
from chassis.rules import Conflict
from services.sla.clocks.documents import from_document, to_document
from services.sla.clocks.record_rules import UNDECIDED, Clock, Standing
from services.sla.clocks.rules import Status

MOST_RUNNING = 100
CLOCKS = schema.Collection(
    "clocks",
    required={
        "metric": "string",
        "ticket_id": "string",
        "customer_id": "string",
        "ticket": "object",
        "agreement_id": "string",
        "agreement_version": ["int", "long"],
        "state": "string",
        "start_time": "date",
        "target_seconds": ["int", "long"],
        "elapsed_seconds": "double",
        "evaluate_time": "date",
        "change_time": "date",
        "crossings": "array",
        "priority": "string",
        "version": ["int", "long"],
    },
    optional={"due_time": "date", "stop_time": "date", "breach_time": "date", "next_alarm": "date"},
    indexes=[
        Index([("next_alarm", 1)], serves="the alarm loop", partial={"next_alarm": {"$exists": True}}),
        Index(
            [("ticket_id", 1), ("start_time", -1), ("_id", -1)], serves="clocks of a ticket that changes; ListClocks"
        ),
        Index([("customer_id", 1), ("start_time", -1), ("_id", -1)], serves="ListClocks of a customer, newest first"),
        Index(
            [("customer_id", 1), ("state", 1), ("start_time", -1), ("_id", -1)],
            serves="GetCustomerSla: counts, from the index alone; ListClocks of a customer by state",
        ),
        Index([("customer_id", 1), ("due_time", 1), ("_id", 1)], serves="GetCustomerSla: nearest due time first"),
        Index([("state", 1), ("start_time", -1), ("_id", -1)], serves="ListClocks by state, newest first"),
        Index([("state", 1), ("due_time", 1), ("_id", 1)], serves="ListClocks by state, nearest due time first"),
        Index([("start_time", -1), ("_id", -1)], serves="ListClocks, newest first"),
        Index([("due_time", 1), ("_id", 1)], serves="ListClocks by due time"),
    ],
)
LISTING = Listing(
    "clocks",
    {
        "state": fields.choice("state", {f"CLOCK_STATE_{s.name}": s.value for s in Status}),
        "customer_id": fields.text("customer_id"),
        "ticket_id": fields.text("ticket_id"),
        "due_time": fields.time("due_time"),
        "start_time": fields.time("start_time"),
    },
    [Order("start_time", descending=True)],
)


class ClockStore:
    """The clocks of one operator."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._clocks = store.collection(CLOCKS.name)
        self._outbox = Outbox(store)
        self._reads: Coalescer[str, Document | None] = Coalescer(self._read)

    async def transact(self, work: Callable[[Transaction], Awaitable[int]]) -> int:
        """Runs `work` in a transaction."""
        return await self._store.transact(work)

    async def get(self, clock_id: str) -> Clock | None:
        """One clock; reads that come together share a round trip."""
        found = await self._reads.submit(clock_id)
        return None if found is None else from_document(found)

    async def page(self, selection: Selection) -> tuple[list[Clock], str]:
        """A page of clocks and the next page's token; nearest due time first where it is asked by due time.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        if not selection.order and selection.asks_for("due_time"):
            selection = replace(selection, order=(Order("due_time"),))
        page = await LISTING.page(self._clocks, selection)
        return [from_document(d) for d in page.documents], page.next_page_token

    async def standing(self, customer_ids: Sequence[str]) -> Standing:
        """How the clocks of a customer who has these ids stand, in one round trip."""
        running: list[Clock] = []
        counts: dict[Status, int] = {}
        for document in await self._store.aggregate(CLOCKS.name, standing_pipeline(customer_ids)):
            if "count" in document:
                counts[Status(document["_id"])] = document["count"]
            else:
                running.append(from_document(document))
        return Standing(running[:MOST_RUNNING], counts)

    async def of_tickets(self, transaction: Transaction, ticket_ids: Sequence[str]) -> list[Clock]:
        """All clocks of the tickets, as the transaction sees them."""
        cursor = self._clocks.find({"ticket_id": {"$in": list(ticket_ids)}}, session=transaction)
        return [from_document(d) async for d in cursor]

    async def read(self, transaction: Transaction, clock_ids: Sequence[str]) -> list[Clock]:
        """Those of the clocks that there are, as the transaction sees them."""
        cursor = self._clocks.find({"_id": {"$in": list(clock_ids)}}, session=transaction)
        return [from_document(d) async for d in cursor]

    async def save(
        self,
        transaction: Transaction,
        new: Sequence[Clock],
        changed: Sequence[Clock],
        happenings: Sequence[Happening],
    ) -> None:
        """Adds clocks, puts the next version of others in place of the one before, and tells of it.

        Raises:
            Conflict: one of them is not at the version before; the transaction is undone.
        """
        if new:
            await self._clocks.insert_many([to_document(clock) for clock in new], session=transaction)
        if changed:
            swaps = [ReplaceOne({"_id": c.id, "version": c.version - 1}, to_document(c)) for c in changed]
            result = await self._clocks.bulk_write(swaps, ordered=False, session=transaction)
            if result.matched_count != len(swaps):
                raise Conflict("a clock changed meanwhile")
        await self._outbox.add(transaction, *happenings)

    async def alarms(self, until: datetime, most: int, *, latest_first: bool = False) -> list[tuple[str, datetime]]:
        """Clocks whose alarm is due until then, with its time; the earliest first, or the latest."""
        cursor = self._clocks.find({"next_alarm": {"$lte": until}}, {"next_alarm": 1})
        ordered = cursor.sort("next_alarm", -1 if latest_first else 1).limit(most)
        return [(d["_id"], d["next_alarm"]) async for d in ordered]

    async def _read(self, ids: Sequence[str]) -> list[Document | None]:
        return await by_id(self._clocks, ids)


def count_stages(customer_ids: Sequence[str]) -> list[Document]:
    """How many clocks of a customer stand in each state."""
    return [{"$match": {"customer_id": _any(customer_ids)}}, {"$group": {"_id": "$state", "count": {"$sum": 1}}}]


def due_stages(customer_ids: Sequence[str]) -> list[Document]:
    """A customer's clocks that have a due time, nearest first."""
    return [
        {"$match": {"customer_id": _any(customer_ids), "due_time": {"$type": "date"}}},
        {"$sort": {"due_time": 1, "_id": 1}},
        {"$limit": MOST_RUNNING},
    ]


def paused_stages(customer_ids: Sequence[str]) -> list[Document]:
    """A customer's undecided clocks that have none: they stand still, or nothing is promised to their priority."""
    undecided = sorted(status.value for status in UNDECIDED)
    return [
        {"$match": {"customer_id": _any(customer_ids), "state": {"$in": undecided}, "due_time": {"$exists": False}}},
        {"$limit": MOST_RUNNING},
    ]


def standing_pipeline(customer_ids: Sequence[str]) -> list[Document]:
    """Counts first, then the undecided clocks: those with a due time before those without."""
    return [
        *count_stages(customer_ids),
        {"$unionWith": {"coll": CLOCKS.name, "pipeline": due_stages(customer_ids)}},
        {"$unionWith": {"coll": CLOCKS.name, "pipeline": paused_stages(customer_ids)}},
    ]


def _any(customer_ids: Sequence[str]) -> Document:
    return {"$in": list(customer_ids)}
