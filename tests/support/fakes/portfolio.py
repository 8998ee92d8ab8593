"""`ProductStore` in memory."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.events.outbox import Happening
from chassis.query.selection import Selection
from chassis.rules import AlreadyExists, Conflict
from services.customer_info.customers.looking_up import Holding
from services.customer_info.identifier_rules import Key
from services.customer_info.portfolio.identifier_rules import EXCLUSIVE, key, taken
from services.customer_info.portfolio.rules import CURRENT, MOST, Product
from services.customer_info.portfolio.store import LISTING, PORTFOLIO
from services.customer_info.portfolio.view_rules import FamilyRow, Placed, Sum, by_node
from tests.support.fakes.listing import page
from tests.support.fakes.staging import Stage, Staged

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
GETTERS: dict[str, Callable[[Product], Any]] = {
    "id": lambda p: p.id,
    "customer_id": lambda p: p.customer_id,
    "family": lambda p: p.family,
    "name": lambda p: p.name,
    "status": lambda p: p.status,
    "account_id": lambda p: p.account_id,
    "node_id": lambda p: p.node_ids,
    "update_time": lambda p: p.update_time,
}


class FakeProducts:
    """Behaves as `ProductStore` does. `rivals` are put in place by somebody else before the next load."""

    def __init__(self, *products: Product) -> None:
        self._stage: Stage[Product] = Stage()
        self._stage.kept = {p.id: p for p in products}
        self.rivals: list[Product] = []
        self.loads: list[tuple[int, int]] = []
        self.former: list[Product] = []

    @property
    def kept(self) -> dict[str, Product]:
        return self._stage.kept

    @property
    def events(self) -> list[Happening]:
        return self._stage.events

    async def transact(self, work: Callable[[Any], Awaitable[Product]]) -> Product:
        return await self._stage.transact(work)

    async def once(self, request_id: str, content: bytes, work: Callable[[Any], Awaitable[Product]]) -> Product:
        return await self._stage.once(request_id, content, work)

    async def current(self, customer_ids: Sequence[str]) -> list[Product]:
        return self._current(customer_ids)[:MOST]

    async def all(self, customer_ids: Sequence[str]) -> list[Product]:
        return self._of(customer_ids)[:MOST]

    async def portfolio(
        self, customer_ids: Sequence[str], selection: Selection, *, include_ceased: bool
    ) -> tuple[list[Product], str]:
        return page(
            self._of(customer_ids) if include_ceased else self._current(customer_ids), selection, PORTFOLIO, GETTERS
        )

    async def placed(self, customer_ids: Sequence[str]) -> list[Placed]:
        found = [(p.node_ids, p.monthly_price) for p in self._current(customer_ids)]
        return [Placed(nodes, m.currency if m else "", 1, m.micros if m else 0) for nodes, m in found]

    async def by_node(self, customer_ids: Sequence[str]) -> dict[str, Sum]:
        return by_node(await self.placed(customer_ids))

    async def at_nodes(self, customer_ids: Sequence[str], node_ids: Sequence[str]) -> list[Product]:
        return [p for p in self._current(customer_ids) if not set(p.node_ids).isdisjoint(node_ids)][:MOST]

    async def family_rows(self, customer_ids: Sequence[str], at: datetime, days: Sequence[int]) -> list[FamilyRow]:
        return [_row(p, at, days) for p in self._of(customer_ids)]

    async def holders(self, keys: Sequence[Key]) -> list[Holding]:
        having = (p for p in self.kept.values() if p.status in CURRENT)
        found = {p.customer_id: p.id for p in having if any(key(i) in keys for i in p.identifiers)}
        return [Holding("product", product_id, owner) for owner, product_id in found.items()]

    async def read(self, transaction: Any, product_id: str) -> Product | None:
        return self._stage.sees(transaction).get(product_id)

    async def many(self, product_ids: Sequence[str]) -> dict[str, Product]:
        return {i: self.kept[i] for i in product_ids if i in self.kept}

    async def page(self, selection: Selection) -> tuple[list[Product], str]:
        return page(self.kept.values(), selection, LISTING, GETTERS)

    async def following(self, selection: Selection, product_id: str, most: int) -> list[Product]:
        everything, _ = await self.page(replace(selection, page_size=len(self.kept) + 1))
        return sorted((p for p in everything if p.id > product_id), key=lambda p: p.id)[:most]

    async def insert(self, transaction: Staged[Product], product: Product, *happenings: Happening) -> None:
        if product.id in transaction.kept:
            known = {"type": "product", "id": product.id}
            raise AlreadyExists("there is a product with this id", field="product.id", metadata=known)
        _check_identifiers(transaction, product)
        transaction.kept[product.id] = product
        transaction.events += happenings

    async def replace(self, transaction: Staged[Product], product: Product, *happenings: Happening) -> None:
        _check_identifiers(transaction, product)
        self.former.append(transaction.kept[product.id])
        transaction.kept[product.id] = product
        transaction.events += happenings

    async def load(
        self,
        new: Sequence[Product],
        changed: Sequence[Product],
        happenings: Sequence[Happening],
        beside: Callable[[Any], Awaitable[None]] | None = None,
        begin: Callable[[Any], Awaitable[datetime]] | None = None,
    ) -> None:
        self.loads.append((len(new), len(changed)))
        while self.rivals:
            rival = self.rivals.pop()
            before = self.kept.get(rival.id)
            self.kept[rival.id] = replace(rival, version=before.version + 1 if before else 1)

        async def work(transaction: Staged[Product]) -> Product | None:
            at = LONG_AGO if begin is None else await begin(transaction)
            for product in new:
                await self.insert(transaction, _written(product, at))
            for product in changed:
                if transaction.kept[product.id].version != product.version - 1:
                    raise Conflict("somebody changed a product of the batch first")
                await self.replace(transaction, _written(product, at))
            transaction.events += [replace(happening, time=max(happening.time, at)) for happening in happenings]
            if beside is not None:
                await beside(transaction)
            return None

        await self._stage.transact(work)

    async def forget(self, transaction: Staged[Product], customer_ids: Sequence[str]) -> None:
        for product in list(transaction.kept.values()):
            if product.customer_id in customer_ids:
                listed = tuple(c for c in product.characteristics if c[0] not in product.unlisted)
                transaction.kept[product.id] = replace(
                    product, identifiers=(), characteristics=listed, unlisted=frozenset()
                )

    def _of(self, customer_ids: Sequence[str]) -> list[Product]:
        found = [p for p in self.kept.values() if p.customer_id in customer_ids]
        return sorted(found, key=lambda p: (p.family, p.name, p.id))

    def _current(self, customer_ids: Sequence[str]) -> list[Product]:
        return [p for p in self._of(customer_ids) if p.status in CURRENT]


def _written(product: Product, at: datetime) -> Product:
    return replace(product, update_time=max(product.update_time or at, at))


def _row(product: Product, at: datetime, days: Sequence[int]) -> FamilyRow:
    price, end = product.monthly_price, product.commitment[1]
    ends = tuple(int(end is not None and at <= end < at + timedelta(days=horizon)) for horizon in days)
    currency, micros = (price.currency, price.micros) if price else ("", 0)
    return FamilyRow(product.family, product.status, currency, 1, micros, ends)


def _check_identifiers(transaction: Staged[Product], product: Product) -> None:
    if product.status not in CURRENT:
        return
    for other in transaction.kept.values():
        theirs = {key(i) for i in other.identifiers if i.kind in EXCLUSIVE}
        both = [i for i in product.identifiers if i.kind in EXCLUSIVE and key(i) in theirs]
        if both and other.id != product.id and other.status in CURRENT:
            raise taken(both[0].kind, other.id)
