"""Products in MongoDB: the only file of this noun that knows it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pymongo import ReplaceOne

from chassis.coalesce import Coalescer
from chassis.events.outbox import Happening, Outbox
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.parts import update_in_parts
from chassis.mongo.requests import Requests
from chassis.mongo.schema import Collection, Index
from chassis.query import fields
from chassis.query.listing import Listing
from chassis.query.selection import Order, Selection
from chassis.rules import AlreadyExists, Conflict, Refusal
from chassis.vault.vault import Vault
from services.customer_info.customers.looking_up import Holding
from services.customer_info.history.store import History
from services.customer_info.identifier_rules import Key
from services.customer_info.portfolio.documents import first_of_each, from_document, is_sealed, to_document, token
from services.customer_info.portfolio.identifier_rules import taken
from services.customer_info.portfolio.rules import CURRENT, MOST, Product, Status
from services.customer_info.portfolio.view_rules import FamilyRow, Placed, Sum, by_node, merged
from services.customer_info.store import TRAIL, holder, refused_key

KIND = "product"
BY_FAMILY = [("family", 1), ("name", 1), ("_id", 1)]
OF_CUSTOMER = [("customer_id", 1), *BY_FAMILY]
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
    optional={
        "monthly_price": "object",
        "one_time_price": "object",
        "term": "object",
        "commitment_end": "date",
        "node_ids": "array",
        "account_id": "string",
        "sealed": "binData",
        "lookup": "array",
        "identifier_keys": "array",
        **TRAIL,
    },
    indexes=[
        Index(OF_CUSTOMER, serves="GetPortfolio, one customer or many, in its order; the other views"),
        Index([("customer_id", 1), ("update_time", -1), ("_id", -1)], serves="ListProducts of some customers"),
        Index([("family", 1), ("update_time", -1), ("_id", -1)], serves="ListProducts of some families"),
        Index([("status", 1), ("update_time", -1), ("_id", -1)], serves="ListProducts in some states"),
        Index([("update_time", -1), ("_id", -1)], serves="ListProducts by last change"),
        Index(
            [("node_ids", 1), ("update_time", -1), ("_id", -1)],
            serves="ListProducts at some nodes",
            partial={"node_ids": {"$exists": True}},
        ),
        Index(
            [("account_id", 1), ("update_time", -1), ("_id", -1)],
            serves="ListProducts of some accounts, and whether products are billed to one",
            partial={"account_id": {"$exists": True}},
        ),
        Index([("lookup", 1)], serves="whose an identifier is, in one read", partial={"lookup": {"$exists": True}}),
        Index(
            [("identifier_keys", 1)],
            serves="an identifier belongs to one product that has not ceased",
            unique=True,
            partial={"identifier_keys": {"$exists": True}},
        ),
    ],
)
LISTING = Listing(
    "products",
    {
        "customer_id": fields.text("customer_id"),
        "family": fields.text("family"),
        "status": fields.choice("status", {f"PRODUCT_STATUS_{s.name}": s.value for s in Status}),
        "account_id": fields.text("account_id"),
        "node_id": fields.text("node_ids"),
        "update_time": fields.time("update_time"),
    },
    [Order("update_time", descending=True)],
)
# What one customer has, in the order of its portfolio.
PORTFOLIO = Listing(
    "portfolio", {n: fields.text(n, sortable=True) for n in ("family", "name")}, [Order("family"), Order("name")]
)
# What serves look-ups stays where it is when a product is read.
SHOWN = {"lookup": 0, "identifier_keys": 0}
# Portfolios that are read together hold less than this; a larger lot is divided.
MOST_TOGETHER = 4 * MOST
NOT_CEASED: Document = {"status": {"$in": sorted(CURRENT)}}
# Products of one number that are looked at for two that are not the same customer's.
MOST_SHARING = 64
# The ids of one customer: its own, and those of the records that were merged into it.
Ids = tuple[str, ...]


class ProductStore:
    """Products of one operator's customers."""

    def __init__(self, store: Store, vault: Vault, history: History) -> None:
        self._store = store
        self._vault = vault
        self._history = history
        self._products = store.collection(PRODUCTS.name)
        self._requests = Requests(store)
        self._outbox = Outbox(store)
        self._current: Coalescer[Ids, list[Product]] = Coalescer(self._read_current)
        self._all: Coalescer[Ids, list[Product]] = Coalescer(self._read_all)

    async def transact(self, work: Callable[[Transaction], Awaitable[Product]]) -> Product:
        """Runs `work` in a transaction."""
        return await self._store.transact(work)

    async def once(self, request_id: str, content: bytes, work: Callable[[Transaction], Awaitable[Product]]) -> Product:
        """Runs `work` in a transaction, once per `request_id`; a retry gets the first answer."""

        async def kept(transaction: Transaction) -> Document:
            (document,) = await self._documents([await work(transaction)])
            # A retry wants the answer; what finds the product is the product's alone.
            return {name: value for name, value in document.items() if name not in SHOWN}

        fingerprint = self._vault.fingerprint(content)
        return (await self._opened([await self._requests.once("AddProduct", request_id, fingerprint, kept)]))[0]

    async def current(self, customer_ids: Ids) -> list[Product]:
        """What a customer has that has not ceased, by family and name, at most 1000; reads that come together share."""
        return await self._current.submit(customer_ids)

    async def all(self, customer_ids: Ids) -> list[Product]:
        """The same with what has ceased."""
        return await self._all.submit(customer_ids)

    async def portfolio(
        self, customer_ids: Ids, selection: Selection, *, include_ceased: bool
    ) -> tuple[list[Product], str]:
        """A page of the same, as long as it may be, and the next page's token.

        Raises:
            Invalid: the token is not one of this portfolio.
        """
        whose = {"customer_id": {"$in": list(customer_ids)}, **({} if include_ceased else NOT_CEASED)}
        page = await PORTFOLIO.page(self._products, selection, whose)
        return await self._opened(page.documents), page.next_page_token

    async def placed(self, customer_ids: Sequence[str]) -> list[Placed]:
        """All that a customer has that has not ceased, by the nodes at which it stands and by currency."""
        found = await self._store.aggregate(
            PRODUCTS.name,
            [
                {"$match": {"customer_id": {"$in": list(customer_ids)}, **NOT_CEASED}},
                {
                    "$group": {
                        "_id": {"nodes": {"$ifNull": ["$node_ids", []]}, "currency": "$monthly_price.currency"},
                        "count": {"$sum": 1},
                        "micros": {"$sum": "$monthly_price.micros"},
                    }
                },
            ],
            hint=dict(OF_CUSTOMER),
        )
        return [
            Placed(tuple(d["_id"]["nodes"]), d["_id"].get("currency") or "", int(d["count"]), int(d["micros"]))
            for d in found
        ]

    async def by_node(self, customer_ids: Sequence[str]) -> dict[str, Sum]:
        """What stands at each node of the customer's hierarchies and has not ceased."""
        return by_node(await self.placed(customer_ids))

    async def at_nodes(self, customer_ids: Sequence[str], node_ids: Sequence[str]) -> list[Product]:
        """What a customer has at these nodes and has not ceased, by family and name, at most 1000."""
        condition = {"customer_id": {"$in": list(customer_ids)}, "node_ids": {"$in": list(node_ids)}, **NOT_CEASED}
        cursor = self._products.find(condition, SHOWN).sort(BY_FAMILY).hint(OF_CUSTOMER).limit(MOST)
        return await self._opened([d async for d in cursor])

    async def family_rows(self, customer_ids: Sequence[str], at: datetime, days: Sequence[int]) -> list[FamilyRow]:
        """All that a customer has or had by family, state and currency, and how many commitments end within `days`."""

        def until(horizon: int) -> Document:
            spans = [{"$gte": ["$commitment_end", at]}, {"$lt": ["$commitment_end", at + timedelta(days=horizon)]}]
            return {"$sum": {"$cond": [{"$and": spans}, 1, 0]}}

        key = {"family": "$family", "status": "$status", "currency": "$monthly_price.currency"}
        sums = {"count": {"$sum": 1}, "micros": {"$sum": "$monthly_price.micros"}}
        found = await self._store.aggregate(
            PRODUCTS.name,
            [
                {"$match": {"customer_id": {"$in": list(customer_ids)}}},
                {"$group": {"_id": key, **sums, **{f"ends_{n}": until(horizon) for n, horizon in enumerate(days)}}},
            ],
            hint=dict(OF_CUSTOMER),
        )
        return [
            FamilyRow(
                d["_id"]["family"],
                Status(d["_id"]["status"]),
                d["_id"].get("currency") or "",
                int(d["count"]),
                int(d["micros"]),
                tuple(int(d[f"ends_{n}"]) for n in range(len(days))),
            )
            for d in found
        ]

    async def read(self, transaction: Transaction, product_id: str) -> Product | None:
        """One product, as the transaction sees it."""
        found = await self._products.find_one({"_id": product_id}, SHOWN, session=transaction)
        return None if found is None else (await self._opened([found]))[0]

    async def billed(self, transaction: Transaction, account_id: str) -> bool:
        """Whether products that have not ceased are billed to an account."""
        theirs = {"account_id": account_id, **NOT_CEASED}
        return await self._products.find_one(theirs, {"_id": 1}, session=transaction) is not None

    async def many(self, product_ids: Sequence[str]) -> dict[str, Product]:
        """Those of the products that are there, by id."""
        cursor = self._products.find({"_id": {"$in": list(product_ids)}}, SHOWN)
        return {p.id: p for p in await self._opened([d async for d in cursor])}

    async def holders(self, keys: Sequence[Key]) -> list[Holding]:
        """Products that have not ceased and that any of the look-up keys belongs to: one a customer."""
        tokens = [self._vault.token(*key) for key in keys]
        cursor = self._products.find({"lookup": {"$in": tokens}}, {"customer_id": 1}).limit(MOST_SHARING)
        found: dict[str, Holding] = {}
        async for d in cursor:
            found.setdefault(d["customer_id"], Holding(KIND, d["_id"], d["customer_id"]))
        return list(found.values())

    async def page(self, selection: Selection) -> tuple[list[Product], str]:
        """A page of products and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        page = await LISTING.page(self._products, selection)
        return await self._opened(page.documents), page.next_page_token

    async def following(self, selection: Selection, product_id: str, most: int) -> list[Product]:
        """At most `most` products in the order of their ids, from the one after this id.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        chosen = LISTING.filter(selection, {"_id": {"$gt": product_id}})
        # All of the collection in its own order: what is left out is cheaper to pass over than to sort.
        cursor = self._products.find(chosen, SHOWN).sort("_id", 1).hint([("_id", 1)]).limit(most)
        return await self._opened([d async for d in cursor])

    async def insert(self, transaction: Transaction, product: Product, *happenings: Happening) -> None:
        """Adds a product and what it has to tell.

        Raises:
            AlreadyExists: its id, or an identifier that only one can have, is another's.
            Refused: there is something to seal, and the customer was erased.
        """
        document = (await self._documents([product]))[0]
        try:
            await self._products.insert_one(document, session=transaction)
        except Exception as error:
            if refusal := await self._taken(error, [product]):
                raise refusal from error
            raise
        await self._outbox.add(transaction, *happenings)

    async def replace(self, transaction: Transaction, product: Product, *happenings: Happening) -> None:
        """Puts the next version of a product in place of the one before, which is kept, and what it has to tell.

        Raises:
            AlreadyExists: an identifier that only one can have is another's.
            Refused: there is something to seal, and the customer was erased.
        """
        document = (await self._documents([product]))[0]
        try:
            before = await self._products.find_one_and_replace({"_id": product.id}, document, session=transaction)
        except Exception as error:
            if refusal := await self._taken(error, [product]):
                raise refusal from error
            raise
        await self._history.keep(transaction, KIND, [before])
        await self._outbox.add(transaction, *happenings)

    async def load(
        self,
        new: Sequence[Product],
        changed: Sequence[Product],
        happenings: Sequence[Happening],
        beside: Callable[[Transaction], Awaitable[None]] | None = None,
        begin: Callable[[Transaction], Awaitable[datetime]] | None = None,
    ) -> None:
        """Adds and replaces many in one transaction, and what `beside` writes in it: all or none.

        `begin` comes first in the transaction. The time that it answers with is when they are written, in place of what
        they and the happenings say; without it, that stands.

        Raises:
            AlreadyExists: an id, or an identifier that only one can have, is another's; nothing was changed.
            Conflict: somebody changed one of them meanwhile; nothing was changed.
            Refused: there is something to seal of a customer who was erased; nothing was changed.
        """
        added, replaced = await self._documents(new), await self._documents(changed)

        async def work(transaction: Transaction) -> None:
            told = happenings
            if begin is not None:
                at = await begin(transaction)
                for document in (*added, *replaced):
                    document["update_time"] = max(document["update_time"], at)
                told = [replace(happening, time=max(happening.time, at)) for happening in happenings]
            if added:
                await self._products.insert_many(added, session=transaction)
            if replaced:
                before = self._products.find({"_id": {"$in": [d["_id"] for d in replaced]}}, session=transaction)
                await self._history.keep(transaction, KIND, [d async for d in before])
                writes = [ReplaceOne({"_id": d["_id"], "version": d["version"] - 1}, d) for d in replaced]
                done = await self._products.bulk_write(writes, ordered=False, session=transaction)
                if done.matched_count < len(replaced):
                    raise Conflict("somebody changed a product of the batch first")
            await self._outbox.add(transaction, *told)
            if beside is not None:
                await beside(transaction)

        try:
            await self._store.transact(work)
        except Exception as error:
            if refusal := await self._taken(error, [*new, *changed]):
                raise refusal from error
            raise

    async def forget(self, transaction: Transaction, customer_ids: Sequence[str]) -> None:
        """Takes what is sealed, and what finds it, out of these customers' products."""
        gone = {"$unset": {"sealed": "", "lookup": "", "identifier_keys": ""}}
        await update_in_parts(self._products, {"customer_id": {"$in": list(customer_ids)}}, gone, transaction)

    async def _read_current(self, asked: Sequence[Ids]) -> list[list[Product]]:
        return await self._read(asked, NOT_CEASED)

    async def _read_all(self, asked: Sequence[Ids]) -> list[list[Product]]:
        return await self._read(asked, {})

    async def _read(self, asked: Sequence[Ids], condition: Document) -> list[list[Product]]:
        """The portfolio of each customer, in one round trip unless they are very large."""
        wanted = list(dict.fromkeys(customer_id for ids in asked for customer_id in ids))
        documents = await self._found(wanted, condition)
        found: dict[str, list[Product]] = {customer_id: [] for customer_id in wanted}
        for product in await self._opened(documents):
            found[product.customer_id].append(product)
        return [found[ids[0]] if len(ids) == 1 else merged([found[i] for i in ids]) for ids in asked]

    async def _found(self, wanted: Sequence[str], condition: Document) -> list[Document]:
        """The first 1000 documents of each of these customers, in its order."""
        if len(wanted) == 1:
            cursor = self._products.find({"customer_id": wanted[0], **condition}, SHOWN)
            return [d async for d in cursor.sort(BY_FAMILY).limit(MOST)]
        cursor = self._products.find({"customer_id": {"$in": list(wanted)}, **condition}, SHOWN)
        documents = [d async for d in cursor.sort(OF_CUSTOMER).limit(MOST_TOGETHER)]
        if len(documents) < MOST_TOGETHER:
            return first_of_each(documents)
        # Somebody among them has very much: each half by itself, until the others are read without it.
        middle = len(wanted) // 2
        first = await self._found(wanted[:middle], condition)
        return [*first, *await self._found(wanted[middle:], condition)]

    async def _opened(self, documents: Sequence[Document]) -> list[Product]:
        owners = {d["customer_id"] for d in documents if "sealed" in d}
        keys = await self._vault.keys(owners) if owners else {}
        return [from_document(d, keys.get(d["customer_id"])) for d in documents]

    async def _documents(self, products: Sequence[Product]) -> list[Document]:
        owners = {p.customer_id for p in products if is_sealed(p)}
        keys = await self._vault.make(owners) if owners else {}
        return [to_document(p, keys.get(p.customer_id), self._vault) for p in products]

    async def _taken(self, error: Exception, products: Sequence[Product]) -> Refusal | None:
        """What a caller is told of a write that a unique index refused, without the identifier; None: another fault."""
        key = refused_key(error)
        if key is None:
            return None
        refused = key.get("identifier_keys")
        if refused is None:
            known = {"type": KIND, "id": str(key.get("_id", ""))}
            return AlreadyExists("there is a product with this id", field="product.id", metadata=known)
        having = [(p.id, i.kind) for p in products for i in p.identifiers if token(i, self._vault) == refused]
        # Nobody has it but two of these: the first of them would.
        return taken(having[0][1], await holder(self._products, {"identifier_keys": refused}) or having[0][0])
