"""Customers in MongoDB: the only file of this noun that knows it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from pymongo import ReplaceOne

from chassis.coalesce import Coalescer
from chassis.events.outbox import Happening, Outbox
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.requests import Requests
from chassis.mongo.schema import Collection, Index
from chassis.query import fields
from chassis.query.listing import Listing
from chassis.query.selection import Order, Selection
from chassis.rules import AlreadyExists, Conflict, Refusal
from services.customer_info.customers.rules import (
    SEPARATOR,
    Billed,
    Billing,
    Category,
    ContactMedium,
    Customer,
    ExternalId,
    Individual,
    MediumKind,
    Organization,
    PaymentMethod,
    Status,
    external_key,
    medium_key,
)
from services.customer_info.store import money_of, refused_key, without_none

T = TypeVar("T")

CUSTOMERS = Collection(
    "customers",
    required={
        "status": "string",
        "category": "string",
        "kind": "string",
        "party": "object",
        "lookup": "array",
        "version": ["int", "long"],
        "create_time": "date",
        "update_time": "date",
    },
    optional={"external_keys": "array", "contact_media": "array", "parent_id": "string", "since": "date"},
    indexes=[
        Index(
            [("external_keys", 1)],
            serves="an external id belongs to one customer",
            unique=True,
            partial={"external_keys": {"$exists": True}},
        ),
        Index([("lookup", 1)], serves="LookupCustomer: any identifier in one read"),
        Index([("status", 1), ("create_time", -1), ("_id", -1)], serves="ListCustomers, newest first"),
        Index([("status", 1), ("update_time", -1), ("_id", -1)], serves="ListCustomers by last change"),
        Index(
            [("parent_id", 1), ("create_time", -1), ("_id", -1)],
            serves="ListCustomers of one parent, newest first",
            partial={"parent_id": {"$exists": True}},
        ),
        Index(
            [("parent_id", 1), ("update_time", -1), ("_id", -1)],
            serves="ListCustomers of one parent by last change",
            partial={"parent_id": {"$exists": True}},
        ),
    ],
)
LISTING = Listing(
    "customers",
    {
        "status": fields.choice("status", {f"CUSTOMER_STATUS_{s.name}": s.value for s in Status}),
        "kind": fields.choice("kind", ["individual", "organization"]),
        "category": fields.choice("category", {f"CUSTOMER_CATEGORY_{c.name}": c.value for c in Category}),
        "parent_id": fields.text("parent_id"),
        "create_time": fields.time("create_time"),
        "update_time": fields.time("update_time"),
    },
    [Order("create_time", descending=True)],
)


class CustomerStore:
    """Customers of one operator."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._customers = store.collection(CUSTOMERS.name)
        self._requests = Requests(store)
        self._outbox = Outbox(store)
        self._reads: Coalescer[str, Document | None] = Coalescer(self._read)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` in a transaction."""
        return await self._store.transact(work)

    async def once(
        self, request_id: str, content: bytes, work: Callable[[Transaction], Awaitable[Customer]]
    ) -> Customer:
        """Runs `work` in a transaction, once per `request_id`; a retry gets the first answer."""

        async def kept(transaction: Transaction) -> Document:
            return to_document(await work(transaction))

        return from_document(await self._requests.once("CreateCustomer", request_id, content, kept))

    async def get(self, customer_id: str) -> Customer | None:
        """One customer; reads that come together share a round trip."""
        found = await self._reads.submit(customer_id)
        return None if found is None else from_document(found)

    async def read(self, transaction: Transaction, customer_id: str) -> Customer | None:
        """One customer, as the transaction sees it."""
        found = await self._customers.find_one({"_id": customer_id}, session=transaction)
        return None if found is None else from_document(found)

    async def many(self, customer_ids: Sequence[str]) -> dict[str, Customer]:
        """Those of the customers that are there, by id."""
        cursor = self._customers.find({"_id": {"$in": list(customer_ids)}})
        return {d["_id"]: from_document(d) async for d in cursor}

    async def present(self, customer_ids: Sequence[str]) -> set[str]:
        """Those of the ids that are customers'; answered from the index alone."""
        return {d["_id"] async for d in self._customers.find({"_id": {"$in": list(customer_ids)}}, {"_id": 1})}

    async def find(self, key: str) -> list[Customer]:
        """The customers that the look-up key `key` belongs to, at most two: more than one is not an answer."""
        return [from_document(d) async for d in self._customers.find({"lookup": key}).limit(2)]

    async def page(self, selection: Selection) -> tuple[list[Customer], str]:
        """A page of customers and the next page's token; archived ones only if `status` is asked for.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        # Every list names its statuses, be it all of them: each is read in the order of an index, and they are merged.
        shown = [s.value for s in Status if selection.asks_for("status") or s is not Status.ARCHIVED]
        base = {"status": {"$in": shown}}
        page = await LISTING.page(self._customers, selection, base)
        return [from_document(d) for d in page.documents], page.next_page_token

    async def hold(self, transaction: Transaction, customer_ids: Sequence[str]) -> None:
        """Keeps the customers as they are until the transaction ends: who changes one meanwhile waits, and looks again.

        A transaction reads a snapshot, and only two that write the same thing get in each other's way.
        """
        held = {"_id": {"$in": list(customer_ids)}}
        await self._customers.update_many(held, {"$inc": {"holds": 1}}, session=transaction)

    async def insert(self, transaction: Transaction, customer: Customer, *happenings: Happening) -> None:
        """Adds a customer and what it has to tell.

        Raises:
            AlreadyExists: its id, or one of its external ids, is another's.
        """
        try:
            await self._customers.insert_one(to_document(customer), session=transaction)
        except Exception as error:
            if taken := await self._taken(error):
                raise taken from error
            raise
        await self._outbox.add(transaction, *happenings)

    async def replace(self, transaction: Transaction, customer: Customer, *happenings: Happening) -> None:
        """Puts the next version of a customer in place of the one before, and what it has to tell.

        Raises:
            AlreadyExists: one of its external ids is another's.
        """
        try:
            await self._customers.replace_one({"_id": customer.id}, to_document(customer), session=transaction)
        except Exception as error:
            if taken := await self._taken(error):
                raise taken from error
            raise
        await self._outbox.add(transaction, *happenings)

    async def load(self, new: Sequence[Customer], changed: Sequence[Customer], happenings: Sequence[Happening]) -> None:
        """Adds and replaces many in one transaction: all or none.

        Raises:
            AlreadyExists: an id or an external id is another's; nothing was changed.
            Conflict: somebody changed one of them meanwhile; nothing was changed.
        """

        async def work(transaction: Transaction) -> None:
            if new:
                await self._customers.insert_many([to_document(c) for c in new], session=transaction)
            if changed:
                writes = [ReplaceOne({"_id": c.id, "version": c.version - 1}, to_document(c)) for c in changed]
                done = await self._customers.bulk_write(writes, ordered=False, session=transaction)
                if done.matched_count < len(changed):
                    raise Conflict("somebody changed a customer of the batch first")
            await self._outbox.add(transaction, *happenings)

        try:
            await self._store.transact(work)
        except Exception as error:
            if taken := await self._taken(error):
                raise taken from error
            raise

    async def _read(self, ids: Sequence[str]) -> list[Document | None]:
        if len(ids) == 1:
            return [await self._customers.find_one({"_id": ids[0]})]
        found = {d["_id"]: d async for d in self._customers.find({"_id": {"$in": list(set(ids))}})}
        return [found.get(i) for i in ids]

    async def _taken(self, error: Exception) -> Refusal | None:
        """What a caller is told of a write that a unique index refused, without the identifier; None: another fault."""
        key = refused_key(error)
        if key is None:
            return None
        external = key.get("external_keys")
        if external is None:
            known = {"type": "customer", "id": str(key.get("_id", ""))}
            return AlreadyExists("there is a customer with this id", field="customer.id", metadata=known)
        holder = await self._customers.find_one({"external_keys": external}, {"_id": 1})
        return AlreadyExists(
            "an external id belongs to another customer",
            reason="EXTERNAL_ID_TAKEN",
            field="customer.external_ids",
            metadata={"issuer": external.split(SEPARATOR)[1], "id": holder["_id"] if holder else ""},
        )


def to_document(customer: Customer) -> Document:
    """A customer as it is kept."""
    keys = [external_key(e.issuer, e.value) for e in customer.external_ids]
    lookup = {*keys, *(external_key("", e.value) for e in customer.external_ids)}
    lookup |= {
        medium_key(m.kind, m.value) for m in customer.contact_media if m.kind in (MediumKind.EMAIL, MediumKind.PHONE)
    }
    document: Document = {
        "_id": customer.id,
        "kind": "individual" if isinstance(customer.party, Individual) else "organization",
        "party": asdict(customer.party),
        "status": customer.status.value,
        "category": customer.category.value,
        "external_ids": [asdict(e) for e in customer.external_ids],
        "contact_media": [without_none(asdict(m)) for m in customer.contact_media],
        "language": customer.language,
        "characteristics": [list(pair) for pair in customer.characteristics],
        "version": customer.version,
        "create_time": customer.create_time,
        "update_time": customer.update_time,
        "lookup": sorted(lookup),
    }
    if keys:
        document["external_keys"] = keys
    if customer.parent_id:
        document["parent_id"] = customer.parent_id
    if customer.since:
        document["since"] = customer.since
    if customer.billing:
        document["billing"] = without_none(asdict(customer.billing))
    if customer.billed:
        document["billed"] = without_none(asdict(customer.billed))
    return document


def from_document(document: Document) -> Customer:
    """A customer from what is kept."""
    party = document["party"]
    billing, billed = document.get("billing"), document.get("billed")
    return Customer(
        id=document["_id"],
        party=Individual(**party) if document["kind"] == "individual" else Organization(**party),
        status=Status(document["status"]),
        category=Category(document["category"]),
        external_ids=tuple(ExternalId(**e) for e in document.get("external_ids", ())),
        contact_media=tuple(_medium(m) for m in document.get("contact_media", ())),
        parent_id=document.get("parent_id", ""),
        since=document.get("since"),
        language=document.get("language", ""),
        billing=_billing(billing) if billing is not None else None,
        billed=Billed(money_of(billed, "monthly"), money_of(billed, "total")) if billed is not None else None,
        characteristics=tuple((n, v) for n, v in document.get("characteristics", ())),
        version=document["version"],
        create_time=document["create_time"],
        update_time=document["update_time"],
    )


def _medium(kept: Mapping[str, Any]) -> ContactMedium:
    return ContactMedium(MediumKind(kept["kind"]), kept["value"], kept["preferred"], kept.get("start"), kept.get("end"))


def _billing(kept: Mapping[str, Any]) -> Billing:
    method = kept.get("payment_method")
    return Billing(PaymentMethod(method) if method else None, kept["paperless"])
