"""Products in MongoDB: the only file of this noun that knows it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any

from pymongo import ReplaceOne

from chassis.coalesce import Coalescer
from chassis.events.outbox import Happening, Outbox
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.requests import Requests
from chassis.mongo.schema import Collection, Index
from chassis.query import fields
from chassis.query.listing import Listing
from chassis.query.selection import Order, Selection
from chassis.rules import AlreadyExists, Conflict
from services.customer_info.customers.rules import Money
from services.customer_info.portfolio.rules import (
    CURRENT,
    MOST,
    Product,
    ServiceIdentifier,
    Status,
    StatusChange,
    Term,
)
from services.customer_info.store import money_document, money_of, refused_key, without_none

BY_FAMILY = [("family", 1), ("name", 1), ("_id", 1)]
PRODUCTS = Collection(
    "products",
    required={
        "customer_id": "string",
        "family": "string",
        "name": "string",
        "status": "string",
        "history": "array",
        "version": ["int", "long"],
        "update_time": "date",
    },
    optional={"monthly_price": "object", "term": "object", "identifiers": "array"},
    indexes=[
        Index([("customer_id", 1), *BY_FAMILY], serves="GetPortfolio, one customer or many, in its order"),
        Index([("customer_id", 1), ("update_time", -1), ("_id", -1)], serves="ListProducts of some customers"),
        Index([("family", 1), ("update_time", -1), ("_id", -1)], serves="ListProducts of some families"),
        Index([("status", 1), ("update_time", -1), ("_id", -1)], serves="ListProducts in some states"),
        Index([("update_time", -1), ("_id", -1)], serves="ListProducts by last change"),
    ],
)
LISTING = Listing(
    "products",
    {
        "customer_id": fields.text("customer_id"),
        "family": fields.text("family"),
        "status": fields.choice("status", {f"PRODUCT_STATUS_{s.name}": s.value for s in Status}),
        "update_time": fields.time("update_time"),
    },
    [Order("update_time", descending=True)],
)
# Portfolios that are read together hold less than this; a larger lot is divided.
MOST_TOGETHER = 4 * MOST
NOT_CEASED: Document = {"status": {"$in": sorted(CURRENT)}}


class ProductStore:
    """Products of one operator's customers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._products = store.collection(PRODUCTS.name)
        self._requests = Requests(store)
        self._outbox = Outbox(store)
        self._current: Coalescer[str, list[Document]] = Coalescer(self._read_current)
        self._all: Coalescer[str, list[Document]] = Coalescer(self._read_all)

    async def transact(self, work: Callable[[Transaction], Awaitable[Product]]) -> Product:
        """Runs `work` in a transaction."""
        return await self._store.transact(work)

    async def once(self, request_id: str, content: bytes, work: Callable[[Transaction], Awaitable[Product]]) -> Product:
        """Runs `work` in a transaction, once per `request_id`; a retry gets the first answer."""

        async def kept(transaction: Transaction) -> Document:
            return to_document(await work(transaction))

        return from_document(await self._requests.once("AddProduct", request_id, content, kept))

    async def current(self, customer_id: str) -> list[Product]:
        """What a customer has that has not ceased, by family and name, at most 1000; reads that come together share."""
        return [from_document(d) for d in await self._current.submit(customer_id)]

    async def all(self, customer_id: str) -> list[Product]:
        """The same with what has ceased."""
        return [from_document(d) for d in await self._all.submit(customer_id)]

    async def totals(self, customer_id: str) -> list[Money]:
        """What all that has not ceased costs a month, a currency each, by its code."""
        pipeline: list[Document] = [
            {"$match": {"customer_id": customer_id, **NOT_CEASED, "monthly_price": {"$exists": True}}},
            {"$group": {"_id": "$monthly_price.currency", "micros": {"$sum": "$monthly_price.micros"}}},
        ]
        found = await self._store.aggregate(PRODUCTS.name, pipeline)
        return sorted((Money(d["_id"], int(d["micros"])) for d in found), key=lambda m: m.currency)

    async def read(self, transaction: Transaction, product_id: str) -> Product | None:
        """One product, as the transaction sees it."""
        found = await self._products.find_one({"_id": product_id}, session=transaction)
        return None if found is None else from_document(found)

    async def many(self, product_ids: Sequence[str]) -> dict[str, Product]:
        """Those of the products that are there, by id."""
        cursor = self._products.find({"_id": {"$in": list(product_ids)}})
        return {d["_id"]: from_document(d) async for d in cursor}

    async def page(self, selection: Selection) -> tuple[list[Product], str]:
        """A page of products and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        page = await LISTING.page(self._products, selection)
        return [from_document(d) for d in page.documents], page.next_page_token

    async def insert(self, transaction: Transaction, product: Product, *happenings: Happening) -> None:
        """Adds a product and what it has to tell.

        Raises:
            AlreadyExists: its id is another's.
        """
        try:
            await self._products.insert_one(to_document(product), session=transaction)
        except Exception as error:
            if refused_key(error) is not None:
                raise _taken(product.id) from error
            raise
        await self._outbox.add(transaction, *happenings)

    async def replace(self, transaction: Transaction, product: Product, *happenings: Happening) -> None:
        """Puts the next version of a product in place of the one before, and what it has to tell."""
        await self._products.replace_one({"_id": product.id}, to_document(product), session=transaction)
        await self._outbox.add(transaction, *happenings)

    async def load(self, new: Sequence[Product], changed: Sequence[Product], happenings: Sequence[Happening]) -> None:
        """Adds and replaces many in one transaction: all or none.

        Raises:
            AlreadyExists: an id is another's; nothing was changed.
            Conflict: somebody changed one of them meanwhile; nothing was changed.
        """

        async def work(transaction: Transaction) -> None:
            if new:
                await self._products.insert_many([to_document(p) for p in new], session=transaction)
            if changed:
                writes = [ReplaceOne({"_id": p.id, "version": p.version - 1}, to_document(p)) for p in changed]
                done = await self._products.bulk_write(writes, ordered=False, session=transaction)
                if done.matched_count < len(changed):
                    raise Conflict("somebody changed a product of the batch first")
            await self._outbox.add(transaction, *happenings)

        try:
            await self._store.transact(work)
        except Exception as error:
            key = refused_key(error)
            if key is not None:
                raise _taken(str(key.get("_id", ""))) from error
            raise

    async def _read_current(self, customer_ids: Sequence[str]) -> list[list[Document]]:
        return await self._read(customer_ids, NOT_CEASED)

    async def _read_all(self, customer_ids: Sequence[str]) -> list[list[Document]]:
        return await self._read(customer_ids, {})

    async def _read(self, customer_ids: Sequence[str], condition: Document) -> list[list[Document]]:
        """The portfolio of each customer, in one round trip unless they are very large."""
        wanted = list(dict.fromkeys(customer_ids))
        if len(wanted) == 1:
            cursor = self._products.find({"customer_id": wanted[0], **condition}).sort(BY_FAMILY).limit(MOST)
            documents = [d async for d in cursor]
            return [documents for _ in customer_ids]
        cursor = self._products.find({"customer_id": {"$in": wanted}, **condition})
        documents = [d async for d in cursor.sort([("customer_id", 1), *BY_FAMILY]).limit(MOST_TOGETHER)]
        found: dict[str, list[Document]] = {customer_id: [] for customer_id in wanted}
        if len(documents) == MOST_TOGETHER:
            # Somebody among them has very much: each half by itself, until the others are read without it.
            middle = len(wanted) // 2
            for half in (wanted[:middle], wanted[middle:]):
                found.update(zip(half, await self._read(half, condition), strict=True))
        else:
            for document in documents:
                found[document["customer_id"]].append(document)
        return [found[customer_id][:MOST] for customer_id in customer_ids]


def _taken(product_id: str) -> AlreadyExists:
    return AlreadyExists(
        "there is a product with this id", field="product.id", metadata={"type": "product", "id": product_id}
    )


def to_document(product: Product) -> Document:
    """A product as it is kept."""
    document: Document = {
        "_id": product.id,
        "customer_id": product.customer_id,
        "family": product.family,
        "name": product.name,
        "status": product.status.value,
        "identifiers": [asdict(i) for i in product.identifiers],
        "characteristics": [list(pair) for pair in product.characteristics],
        "history": [{"status": c.status.value, "time": c.time} for c in product.history],
        "version": product.version,
        "update_time": product.update_time,
    }
    if product.monthly_price:
        document["monthly_price"] = money_document(product.monthly_price)
    if product.term:
        document["term"] = without_none(asdict(product.term))
    return document


def from_document(document: Document) -> Product:
    """A product from what is kept."""
    term: dict[str, Any] | None = document.get("term")
    return Product(
        id=document["_id"],
        customer_id=document["customer_id"],
        family=document["family"],
        name=document["name"],
        status=Status(document["status"]),
        monthly_price=money_of(document, "monthly_price"),
        term=Term(**term) if term is not None else None,
        identifiers=tuple(ServiceIdentifier(i["kind"], i["value"]) for i in document.get("identifiers", ())),
        characteristics=tuple((n, v) for n, v in document.get("characteristics", ())),
        history=tuple(StatusChange(Status(c["status"]), c["time"]) for c in document["history"]),
        version=document["version"],
        update_time=document["update_time"],
    )
