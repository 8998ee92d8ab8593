"""Tickets in MongoDB: the only file of this noun that knows it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from chassis.coalesce import Coalescer
from chassis.events.outbox import Happening, Outbox
from chassis.mongo.client import Document, Store, Transaction, by_id
from chassis.mongo.faults import duplicate
from chassis.mongo.parts import in_parts
from chassis.mongo.requests import REQUESTS, Requests
from chassis.mongo.schema import Collection, Index
from chassis.query import fields
from chassis.query.listing import Listing
from chassis.query.selection import Order, Selection
from chassis.rules import AlreadyExists
from services.interaction.privacy.rules import ERASED
from services.interaction.tickets.rules import Kind, Level, Note, Priority, State, Step, Ticket

TICKETS = Collection(
    "tickets",
    required={
        "customer_id": "string",
        "kind": "string",
        "state": "string",
        "impact": "string",
        "urgency": "string",
        "priority": "string",
        "title": "string",
        "open_time": "date",
        "update_time": "date",
        "history": "array",
        "version": ["int", "long"],
    },
    optional={
        "response_time": "date",
        "resolve_time": "date",
        "notes": "array",
        "product_id": "string",
        "redact_time": "date",
    },
    indexes=[
        Index(
            [("customer_id", 1), ("open_time", -1), ("_id", -1)], serves="ListCustomerTickets, newest first; redaction"
        ),
        Index(
            [("customer_id", 1), ("update_time", -1), ("_id", -1)], serves="ListTickets of a customer by last change"
        ),
        Index([("open_time", -1), ("_id", -1)], serves="ListTickets, newest first"),
        Index([("update_time", -1), ("_id", -1)], serves="ListTickets by last change"),
        Index([("state", 1), ("open_time", -1), ("_id", -1)], serves="ListTickets in some states: a queue"),
        Index([("state", 1), ("update_time", -1), ("_id", -1)], serves="a queue by last change"),
    ],
)
# The answers kept for retries hold whole tickets: texts are taken out of them, too.
ANSWERS = replace(
    REQUESTS, indexes=[*REQUESTS.indexes, Index([("answer.customer_id", 1)], serves="redaction of kept answers")]
)
_CUSTOMER_FIELDS = {
    "state": fields.choice("state", {f"TICKET_STATE_{s.name}": s.value for s in State}),
    "type": fields.choice("kind", {f"TICKET_TYPE_{k.name}": k.value for k in Kind}),
    "priority": fields.choice("priority", {f"TICKET_PRIORITY_{p.name}": p.value for p in Priority}),
    "open_time": fields.time("open_time"),
}
_NEWEST_FIRST = [Order("open_time", descending=True)]
CUSTOMER_LISTING = Listing("customer_tickets", _CUSTOMER_FIELDS, _NEWEST_FIRST)
LISTING = Listing(
    "tickets",
    {**_CUSTOMER_FIELDS, "customer_id": fields.text("customer_id"), "update_time": fields.time("update_time")},
    _NEWEST_FIRST,
)


class TicketStore:
    """Tickets of one operator."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tickets = store.collection(TICKETS.name)
        self._answers = store.collection(ANSWERS.name)
        self._requests = Requests(store)
        self._outbox = Outbox(store)
        self._reads: Coalescer[str, Document | None] = Coalescer(self._read)

    async def transact(self, work: Callable[[Transaction], Awaitable[Ticket]]) -> Ticket:
        """Runs `work` in a transaction."""
        return await self._store.transact(work)

    async def once(self, request_id: str, content: bytes, work: Callable[[Transaction], Awaitable[Ticket]]) -> Ticket:
        """Runs `work` in a transaction, once per `request_id`; a retry gets the first answer."""

        async def kept(transaction: Transaction) -> Document:
            return to_document(await work(transaction))

        return from_document(await self._requests.once("OpenTicket", request_id, content, kept))

    async def get(self, ticket_id: str) -> Ticket | None:
        """One ticket; reads that come together share a round trip."""
        found = await self._reads.submit(ticket_id)
        return None if found is None else from_document(found)

    async def read(self, transaction: Transaction, ticket_id: str) -> Ticket | None:
        """One ticket, as the transaction sees it."""
        found = await self._tickets.find_one({"_id": ticket_id}, session=transaction)
        return None if found is None else from_document(found)

    async def known(self, ticket_ids: Sequence[str]) -> set[str]:
        """Those of the ids that tickets have."""
        return {d["_id"] async for d in self._tickets.find({"_id": {"$in": list(ticket_ids)}}, {"_id": 1})}

    async def page(self, selection: Selection) -> tuple[list[Ticket], str]:
        """A page of all tickets and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        page = await LISTING.page(self._tickets, selection)
        return [from_document(d) for d in page.documents], page.next_page_token

    async def page_of_customer(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Ticket], str]:
        """A page of the tickets of a customer who has these ids, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        page = await CUSTOMER_LISTING.page(self._tickets, selection, {"customer_id": {"$in": list(customer_ids)}})
        return [from_document(d) for d in page.documents], page.next_page_token

    async def insert(self, transaction: Transaction, ticket: Ticket, *happenings: Happening) -> None:
        """Adds a ticket and what it has to tell.

        Raises:
            AlreadyExists: its id is another's.
        """
        try:
            await self._tickets.insert_one(to_document(ticket), session=transaction)
        except Exception as error:
            if duplicate(error):
                raise AlreadyExists(
                    "there is a ticket with this id", field="ticket.id", metadata={"type": "ticket", "id": ticket.id}
                ) from error
            raise
        await self._outbox.add(transaction, *happenings)

    async def replace(self, transaction: Transaction, ticket: Ticket, *happenings: Happening) -> None:
        """Puts the next version of a ticket in place of the one before, and what it has to tell."""
        await self._tickets.replace_one({"_id": ticket.id}, to_document(ticket), session=transaction)
        await self._outbox.add(transaction, *happenings)

    async def load(self, tickets: Sequence[Ticket], happenings: Sequence[Happening]) -> None:
        """Adds many tickets and what they have to tell in one transaction: all or none.

        Raises:
            AlreadyExists: an id is another's; nothing was added.
        """

        async def work(transaction: Transaction) -> None:
            await self._tickets.insert_many([to_document(t) for t in tickets], session=transaction)
            await self._outbox.add(transaction, *happenings)

        try:
            await self._store.transact(work)
        except Exception as error:
            if duplicate(error):
                raise AlreadyExists("an id of the batch is taken") from error
            raise

    async def redact(self, customer_id: str, at: datetime) -> int:
        """Takes the texts out of all tickets under an id and of answers kept for retries; how many tickets had any.

        Part by part, each durable by itself: cut off, it goes on with what is left when it is called again.
        """
        done = 0
        async for ids in in_parts(self._tickets.find(with_text_filter(customer_id), {"_id": 1})):
            done += len(ids)
            # The etag changes, so that nobody writes back what was read before.
            versioned = [*redaction("", at), {"$set": {"version": {"$add": ["$version", 1]}}}]
            await self._tickets.update_many({"_id": {"$in": ids}}, versioned)
        await self._answers.update_many({"answer.customer_id": customer_id}, redaction("answer.", at))
        return done

    async def _read(self, ids: Sequence[str]) -> list[Document | None]:
        return await by_id(self._tickets, ids)


def with_text_filter(customer_id: str) -> Document:
    """Finds the tickets under an id that hold text."""
    texts: list[Document] = [
        {"title": {"$ne": ERASED}},
        {"description": {"$nin": [None, ERASED]}},
        {"notes": {"$elemMatch": {"text": {"$ne": ERASED}}}},
    ]
    return {"customer_id": customer_id, "$or": texts}


def redaction(prefix: str, at: datetime) -> list[Document]:
    """What `rules.redacted` does, in place, to the ticket whose fields stand behind a prefix in a document."""
    without_text = {"$map": {"input": f"${prefix}notes", "in": {"$mergeObjects": ["$$this", {"text": ERASED}]}}}
    changed: Document = {
        "title": ERASED,
        "description": {"$cond": [{"$gt": [f"${prefix}description", None]}, ERASED, "$$REMOVE"]},
        "notes": {"$cond": [{"$isArray": f"${prefix}notes"}, without_text, "$$REMOVE"]},
        "redact_time": at,
    }
    return [{"$set": {prefix + name: value for name, value in changed.items()}}]


def to_document(ticket: Ticket) -> Document:
    """A ticket as it is kept: what is empty is not there."""
    document = asdict(ticket)
    document["_id"] = document.pop("id")
    return {name: value for name, value in document.items() if value not in (None, "", ())}


def from_document(document: Mapping[str, Any]) -> Ticket:
    """A ticket from what is kept."""
    kept = document.get
    return Ticket(
        id=document["_id"],
        customer_id=document["customer_id"],
        kind=Kind(document["kind"]),
        state=State(document["state"]),
        impact=Level(document["impact"]),
        urgency=Level(document["urgency"]),
        priority=Priority(document["priority"]),
        title=document["title"],
        description=kept("description", ""),
        category=kept("category", ""),
        product_id=kept("product_id", ""),
        open_time=document["open_time"],
        update_time=document["update_time"],
        history=tuple(_step(s) for s in document["history"]),
        response_time=kept("response_time"),
        resolve_time=kept("resolve_time"),
        notes=tuple(Note(**n) for n in kept("notes", ())),
        version=document["version"],
        redact_time=kept("redact_time"),
    )


def _step(kept: Mapping[str, Any]) -> Step:
    return Step(State(kept["state"]), Priority(kept["priority"]), kept["time"])
