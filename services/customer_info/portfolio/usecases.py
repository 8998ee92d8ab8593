"""What happens to products, one function per method."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from holdfast.customer_info.v1 import portfolio_pb2 as pb

from chassis import etag
from chassis.bulk import Outcome
from chassis.events.outbox import Happening
from chassis.ids import new_id
from chassis.query.selection import Selection
from chassis.rules import NotFound, Refusal
from chassis.times import now
from services.customer_info.customers.rules import Customer, Money
from services.customer_info.loading import Outcomes, each_once
from services.customer_info.portfolio import rules, wire
from services.customer_info.portfolio.rules import Product, Row, Status


class Products(Protocol):
    """What the use cases ask of a store; `ProductStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[Product]]) -> Product: ...

    async def once(self, request_id: str, content: bytes, work: Callable[[Any], Awaitable[Product]]) -> Product: ...

    async def current(self, customer_id: str) -> list[Product]: ...

    async def all(self, customer_id: str) -> list[Product]: ...

    async def totals(self, customer_id: str) -> list[Money]: ...

    async def read(self, transaction: Any, product_id: str) -> Product | None: ...

    async def many(self, product_ids: Sequence[str]) -> dict[str, Product]: ...

    async def page(self, selection: Selection) -> tuple[list[Product], str]: ...

    async def insert(self, transaction: Any, product: Product, *happenings: Happening) -> None: ...

    async def replace(self, transaction: Any, product: Product, *happenings: Happening) -> None: ...

    async def load(
        self, new: Sequence[Product], changed: Sequence[Product], happenings: Sequence[Happening]
    ) -> None: ...


class Owners(Protocol):
    """What the use cases ask of the store of customers."""

    async def read(self, transaction: Any, customer_id: str) -> Customer | None: ...

    async def present(self, customer_ids: Sequence[str]) -> set[str]: ...


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What one customer has, by family and name, and what it costs a month, a currency each."""

    products: list[Product]
    monthly_total: list[Money]


class PortfolioUseCases:
    """Adds, reads, moves and loads products."""

    def __init__(self, store: Products, customers: Owners) -> None:
        self._store = store
        self._customers = customers

    async def add(self, wish: Product, request_id: str, content: bytes) -> Product:
        """Adds a product to a customer's portfolio; a retry with the same `request_id` gets the same one.

        Raises:
            Invalid: it is inconsistent; AlreadyExists: its id is taken; NotFound: no such customer; Refused: the
                customer has left.
        """

        async def work(transaction: Any) -> Product:
            owner = await self._customers.read(transaction, wish.customer_id)
            if owner is None:
                raise no_owner(wish.customer_id)
            rules.check_owner(owner.status)
            product = rules.added(wish, wish.id or new_id(), now())
            await self._store.insert(transaction, product, added_event(product))
            return product

        return await self._store.once(request_id, content, work)

    async def portfolio(self, customer_id: str, *, include_ceased: bool) -> Portfolio:
        """What a customer has, at most 1000 products; nothing where there is no such customer.

        The totals are of everything it has, also beyond the thousandth.
        """
        products = await (self._store.all(customer_id) if include_ceased else self._store.current(customer_id))
        if len(products) < rules.MOST:
            return Portfolio(products, rules.totals(products))
        return Portfolio(products, await self._store.totals(customer_id))

    async def page(self, selection: Selection) -> tuple[list[Product], str]:
        """A page of products of all customers, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.page(selection)

    async def change_status(self, product_id: str, status: Status, given_etag: str) -> Product:
        """Moves a product along.

        Raises:
            NotFound, Conflict (etag), Refused (no such arrow).
        """

        async def work(transaction: Any) -> Product:
            before = await self._store.read(transaction, product_id)
            if before is None:
                raise NotFound("there is no such product", metadata={"type": "product", "id": product_id})
            etag.check(given_etag, before.version)
            after = rules.moved(before, status, now())
            if after is not before:
                await self._store.replace(transaction, after, changed_event(after))
            return after

        return await self._store.transact(work)

    async def load(self, rows: Sequence[Row]) -> Outcomes:
        """Makes, changes or leaves each product, by its id; answers for each in order."""
        return await each_once(rows, [row.wish.id for row in rows], self._load)

    async def _load(self, rows: Sequence[Row]) -> Outcomes:
        owners = await self._customers.present(list({row.wish.customer_id for row in rows}))
        known = await self._store.many([row.wish.id for row in rows])
        outcomes: Outcomes = []
        new: list[Product] = []
        changed: list[Product] = []
        events: list[Happening] = []
        for row in rows:
            before, at = known.get(row.wish.id), now()
            try:
                if row.wish.customer_id not in owners:
                    raise no_owner(row.wish.customer_id)
                if before is None:
                    new.append(rules.loaded(row, at))
                    events.append(added_event(new[-1]))
                    outcomes.append(Outcome.CREATED)
                    continue
                after, names = rules.imported(before, row, at)
                if names:
                    changed.append(after)
                    events.append(changed_event(after))
                outcomes.append(Outcome.UPDATED if names else Outcome.UNCHANGED)
            except Refusal as refusal:
                outcomes.append(refusal)
        if new or changed:
            await self._store.load(new, changed, events)
        return outcomes


def no_owner(customer_id: str) -> NotFound:
    """The refusal of a product whose customer is not there."""
    return NotFound(
        "there is no such customer", field="product.customer_id", metadata={"type": "customer", "id": customer_id}
    )


def added_event(product: Product) -> Happening:
    """Tells that a product was added."""
    return _event(product, pb.ProductAdded(product=wire.facts(product)))


def changed_event(product: Product) -> Happening:
    """Tells that a product changed."""
    return _event(product, pb.ProductChanged(product=wire.facts(product)))


def _event(product: Product, data: pb.ProductAdded | pb.ProductChanged) -> Happening:
    assert product.update_time is not None, "a stored product has one"
    return Happening(product.id, product.version, data, product.update_time, product.customer_id)
