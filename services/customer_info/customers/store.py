"""Customers in MongoDB: the only file of this noun that knows it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from pymongo import ReplaceOne

from chassis.coalesce import Coalescer
from chassis.events.outbox import Happening, Outbox
from chassis.mongo.client import Document, Store, Transaction, by_id
from chassis.mongo.requests import Requests
from chassis.mongo.schema import Collection, Index
from chassis.query import fields
from chassis.query.listing import Listing
from chassis.query.selection import Order, Selection
from chassis.rules import AlreadyExists, Conflict, Refusal
from chassis.vault.joint import SEALED_WITH
from chassis.vault.vault import Vault
from services.customer_info.customers.documents import all_opened, all_sealed, from_document
from services.customer_info.customers.import_rules import taken
from services.customer_info.customers.looking_up import MOST_FOUND
from services.customer_info.customers.rules import Category, Customer, ExternalId, Status
from services.customer_info.customers.standing_rules import Standing
from services.customer_info.history.rules import version_key
from services.customer_info.history.store import History
from services.customer_info.identifier_rules import Key, external_key
from services.customer_info.store import TRAIL, holder, refused_key

T = TypeVar("T")

KIND = "customer"
# What only indexes need stays in the store.
SHOWN = {"external_keys": 0, "lookup": 0, "terms": 0}
RARE = {"category": {"$in": [Category.WHOLESALE.value, Category.PARTNER.value]}}
CUSTOMERS = Collection(
    "customers",
    required={
        "status": "string",
        "category": "string",
        "kind": "string",
        "version": ["int", "long"],
        "create_time": "date",
        "update_time": "date",
        **TRAIL,
    },
    optional={
        "sealed": "binData",
        "external_keys": "array",
        "lookup": "array",
        "terms": "array",
        "parent_id": "string",
        "since": "date",
        "merged_into": "string",
        SEALED_WITH: "array",
        "erase_time": "date",
    },
    indexes=[
        Index(
            [("external_keys", 1)],
            serves="an external id belongs to one customer",
            unique=True,
            partial={"external_keys": {"$exists": True}},
        ),
        Index([("lookup", 1)], serves="LookupCustomer: any identifier in one read"),
        Index([("terms", 1)], serves="SearchCustomers, and the candidates of FindDuplicates"),
        Index([("status", 1), ("create_time", -1), ("_id", -1)], serves="ListCustomers, newest first"),
        Index([("status", 1), ("update_time", -1), ("_id", -1)], serves="ListCustomers by last change"),
        # Nearly everybody is retail: those are as quickly found by their status, and cost nothing here.
        Index(
            [("category", 1), ("create_time", -1), ("_id", -1)],
            serves="ListCustomers of wholesale or partners, newest first",
            partial=RARE,
        ),
        Index(
            [("category", 1), ("update_time", -1), ("_id", -1)],
            serves="ListCustomers of wholesale or partners by last change",
            partial=RARE,
        ),
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

    def __init__(self, store: Store, vault: Vault, history: History) -> None:
        self._store = store
        self._vault = vault
        self._history = history
        self._customers = store.collection(CUSTOMERS.name)
        self._requests = Requests(store)
        self._outbox = Outbox(store)
        self._reads: Coalescer[str, Document | None] = Coalescer(self._read)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` in a transaction."""
        return await self._store.transact(work)

    async def once(
        self, method: str, request_id: str, content: bytes, work: Callable[[Transaction], Awaitable[Customer]]
    ) -> Customer:
        """Runs `work` in a transaction, once per `method` and `request_id`; a retry gets the first answer."""

        async def kept(transaction: Transaction) -> Document:
            return (await self._documents([await work(transaction)]))[0]

        fingerprint = self._vault.fingerprint(content)
        return await self._opened(await self._requests.once(method, request_id, fingerprint, kept))

    async def get(self, customer_id: str) -> Customer | None:
        """One customer; reads that come together share a round trip."""
        found = await self._reads.submit(customer_id)
        return None if found is None else await self._opened(found)

    async def read(self, transaction: Transaction, customer_id: str) -> Customer | None:
        """One customer, as the transaction sees it."""
        found = await self._customers.find_one({"_id": customer_id}, SHOWN, session=transaction)
        return None if found is None else await self._opened(found)

    async def as_of(self, customer_id: str, at: datetime) -> Customer | None:
        """One customer as it stood at `at`; None where there was none."""
        found = await self._reads.submit(customer_id)
        if found is not None and found["update_time"] > at:
            found = await self._history.as_of(KIND, customer_id, at)
        return None if found is None else await self._opened(found)

    async def many_as_of(self, customer_ids: Sequence[str], at: datetime) -> dict[str, Customer]:
        """Those of the customers that were there at `at`, as they stood then, by id."""
        kept = [d async for d in self._customers.find({"_id": {"$in": list(customer_ids)}}, SHOWN)]
        return {c.id: c for c in await self._all_opened(await self._history.many_as_of(KIND, kept, at))}

    async def version(self, transaction: Transaction, customer_id: str, version: int) -> Customer | None:
        """One customer in one of its versions, former or present."""
        found = await self._customers.find_one({"_id": customer_id}, SHOWN, session=transaction)
        if found is not None and found["version"] != version:
            key = version_key(KIND, customer_id, version)
            found = (await self._history.versions([key])).get(key)
        return None if found is None else await self._opened(found)

    async def merged_into(self, transaction: Transaction, customer_ids: Sequence[str]) -> dict[str, str]:
        """Which record each of the customers was merged into, of those that were."""
        merged = {"_id": {"$in": list(customer_ids)}, "merged_into": {"$exists": True}}
        cursor = self._customers.find(merged, {"merged_into": 1}, session=transaction)
        return {d["_id"]: d["merged_into"] async for d in cursor}

    async def many(self, customer_ids: Sequence[str]) -> dict[str, Customer]:
        """Those of the customers that are there, by id."""
        cursor = self._customers.find({"_id": {"$in": list(customer_ids)}}, SHOWN)
        return {c.id: c for c in await self._all_opened([d async for d in cursor])}

    async def present(self, customer_ids: Sequence[str]) -> set[str]:
        """Those of the ids that are customers'; answered from the index alone."""
        return {d["_id"] async for d in self._customers.find({"_id": {"$in": list(customer_ids)}}, {"_id": 1})}

    async def standings(self, customer_ids: Sequence[str]) -> dict[str, Standing]:
        """How those of the customers stand that are there, by id: nothing is opened for it."""
        shown = {"merged_into": 1, "erase_time": 1, "parent_id": 1}
        return {
            d["_id"]: Standing(d["_id"], d.get("merged_into", ""), d.get("erase_time"), d.get("parent_id", ""))
            async for d in self._customers.find({"_id": {"$in": list(customer_ids)}}, shown)
        }

    async def find(self, keys: Sequence[Key]) -> list[Customer]:
        """The customers that any of the look-up keys belongs to, or did once; at most `MOST_FOUND`."""
        tokens = [self._vault.token(*key) for key in keys]
        condition = {"lookup": tokens[0] if len(tokens) == 1 else {"$in": tokens}}
        return await self._all_opened([d async for d in self._customers.find(condition, SHOWN).limit(MOST_FOUND)])

    async def external_holders(self, ids: Iterable[ExternalId]) -> dict[ExternalId, str]:
        """Whose the external ids are, of those that somebody has: one indexed read for all of them."""
        tokens = {self._vault.token(*external_key(e.issuer, e.value)): e for e in ids}
        if not tokens:
            return {}
        cursor = self._customers.find({"external_keys": {"$in": list(tokens)}}, {"external_keys": 1})
        return {tokens[token]: d["_id"] async for d in cursor for token in d["external_keys"] if token in tokens}

    async def children(self, transaction: Transaction, customer_ids: Sequence[str]) -> list[str]:
        """The ids of those whose parent is any of the customers; answered from an index alone."""
        below = {"parent_id": {"$in": list(customer_ids)}}
        return [d["_id"] async for d in self._customers.find(below, {"_id": 1}, session=transaction)]

    async def page(self, selection: Selection) -> tuple[list[Customer], str]:
        """A page of customers and the next page's token; archived ones only if `status` is asked for.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        page = await LISTING.page(self._customers, selection, _listed(selection))
        return await self._all_opened(page.documents), page.next_page_token

    async def following(self, selection: Selection, customer_id: str, most: int) -> list[Customer]:
        """At most `most` of the same customers in the order of their ids, from the one after this id; nobody erased.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        chosen = LISTING.filter(selection, {**_listed(selection), "erase_time": None, "_id": {"$gt": customer_id}})
        # All of the collection in its own order: what is left out is cheaper to pass over than to sort.
        cursor = self._customers.find(chosen, SHOWN).sort("_id", 1).hint([("_id", 1)]).limit(most)
        return await self._all_opened([d async for d in cursor])

    async def hold(self, transaction: Transaction, customer_ids: Sequence[str]) -> None:
        """Keeps the customers as they are until the transaction ends: who changes one meanwhile waits, and looks again.

        A transaction reads a snapshot, and only two that write the same thing get in each other's way.
        """
        held = {"_id": {"$in": list(customer_ids)}}
        await self._customers.update_many(held, {"$inc": {"holds": 1}}, session=transaction)

    async def hold_unerased(self, transaction: Transaction, customer_ids: Sequence[str]) -> None:
        """Holds customers of whom something personal is going to be written, each named once.

        Raises:
            Conflict: one of them was erased, or is not there.
        """
        held = {"_id": {"$in": list(customer_ids)}, "erase_time": None}
        done = await self._customers.update_many(held, {"$inc": {"holds": 1}}, session=transaction)
        if done.matched_count < len(customer_ids):
            raise Conflict("somebody erased a customer first")

    async def insert(self, transaction: Transaction, customer: Customer, *happenings: Happening) -> None:
        """Adds a customer and what it has to tell.

        Raises:
            AlreadyExists: its id, or one of its external ids, is another's.
            Refused: a person of this id was erased.
        """
        try:
            await self._customers.insert_many(await self._documents([customer]), session=transaction)
        except Exception as error:
            if taken := await self._taken(error, [customer]):
                raise taken from error
            raise
        await self._outbox.add(transaction, *happenings)

    async def replace(self, transaction: Transaction, customer: Customer, *happenings: Happening) -> None:
        """Puts the next version of a customer in place of the one before, which is kept, and what it has to tell.

        Raises:
            AlreadyExists: one of its external ids is another's.
            Refused: the person was erased.
        """
        document = (await self._documents([customer]))[0]
        try:
            before = await self._customers.find_one_and_replace({"_id": customer.id}, document, session=transaction)
        except Exception as error:
            if taken := await self._taken(error, [customer]):
                raise taken from error
            raise
        await self._history.keep(transaction, KIND, [before])
        await self._outbox.add(transaction, *happenings)

    async def load(
        self,
        new: Sequence[Customer],
        changed: Sequence[Customer],
        happenings: Sequence[Happening],
        turn: Callable[[], Awaitable[None]] | None = None,
        beside: Callable[[Transaction], Awaitable[None]] | None = None,
    ) -> None:
        """Adds and replaces many in one transaction, and what `beside` writes in it: all or none.

        `turn` is awaited when everything is sealed and ready to be written.

        Raises:
            AlreadyExists: an id or an external id is another's; nothing was changed.
            Conflict: somebody changed one of them meanwhile; nothing was changed.
            Refused: one of them was erased; nothing was changed.
        """
        added, replaced = await self._documents(new), await self._documents(changed)
        if turn is not None:
            await turn()

        async def work(transaction: Transaction) -> None:
            if added:
                await self._customers.insert_many(added, session=transaction)
            if replaced:
                before = self._customers.find({"_id": {"$in": [d["_id"] for d in replaced]}}, session=transaction)
                await self._history.keep(transaction, KIND, [d async for d in before])
                writes = [ReplaceOne({"_id": d["_id"], "version": d["version"] - 1}, d) for d in replaced]
                done = await self._customers.bulk_write(writes, ordered=False, session=transaction)
                if done.matched_count < len(replaced):
                    raise Conflict("somebody changed a customer of the batch first")
            await self._outbox.add(transaction, *happenings)
            if beside is not None:
                await beside(transaction)

        try:
            await self._store.transact(work)
        except Exception as error:
            if taken := await self._taken(error, [*new, *changed]):
                raise taken from error
            raise

    async def _read(self, ids: Sequence[str]) -> list[Document | None]:
        return await by_id(self._customers, ids, SHOWN)

    async def _opened(self, document: Mapping[str, Any]) -> Customer:
        if SEALED_WITH in document:
            return (await all_opened([dict(document)], self._vault))[0]
        return from_document(document, await self._vault.key(document["_id"]))

    async def _all_opened(self, documents: Sequence[Document]) -> list[Customer]:
        return await all_opened(documents, self._vault)

    async def _documents(self, customers: Sequence[Customer]) -> list[Document]:
        return await all_sealed(customers, self._vault)

    async def _taken(self, error: Exception, customers: Sequence[Customer]) -> Refusal | None:
        """What a caller is told of a write that a unique index refused, without the identifier; None: another fault."""
        key = refused_key(error)
        if key is None:
            return None
        token = key.get("external_keys")
        if token is None:
            known = {"type": "customer", "id": str(key.get("_id", ""))}
            return AlreadyExists("there is a customer with this id", field="customer.id", metadata=known)
        asked = (e for c in customers for e in c.external_ids)
        issuer = next((e.issuer for e in asked if self._vault.token(*external_key(e.issuer, e.value)) == token), "")
        return taken(issuer, await holder(self._customers, {"external_keys": token}))


def _listed(selection: Selection) -> Document:
    """Which customers lists show: archived ones only if `status` is asked for, none that was merged into another."""
    # Every list names its statuses, be it all of them: each is read in the order of an index, and they are merged.
    return {"status": {"$in": [s.value for s in Status if selection.asks_for("status") or s is not Status.ARCHIVED]}}
