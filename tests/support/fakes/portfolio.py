"""`ProductStore` in memory."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from chassis.events.outbox import Happening
from chassis.query.selection import Selection
from chassis.rules import AlreadyExists, Conflict
from services.customer_info.customers.rules import Money
from services.customer_info.portfolio import rules
from services.customer_info.portfolio.rules import CURRENT, MOST, Product
from services.customer_info.portfolio.store import LISTING
from tests.support.fakes.listing import page
from tests.support.fakes.staging import Stage, Staged

GETTERS: dict[str, Callable[[Product], Any]] = {
    "id": lambda p: p.id,
    "customer_id": lambda p: p.customer_id,
    "family": lambda p: p.family,
    "status": lambda p: p.status,
    "update_time": lambda p: p.update_time,
}


class FakeProducts:
    """Behaves as `ProductStore` does. `rivals` are put in place by somebody else before the next load."""

    def __init__(self, *products: Product) -> None:
        self._stage: Stage[Product] = Stage()
        self._stage.kept = {p.id: p for p in products}
        self.rivals: list[Product] = []
        self.loads: list[tuple[int, int]] = []

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

    async def current(self, customer_id: str) -> list[Product]:
        return [p for p in self._of(customer_id) if p.status in CURRENT][:MOST]

    async def all(self, customer_id: str) -> list[Product]:
        return self._of(customer_id)[:MOST]

    async def totals(self, customer_id: str) -> list[Money]:
        return rules.totals(self._of(customer_id))

    async def read(self, transaction: Any, product_id: str) -> Product | None:
        return self._stage.sees(transaction).get(product_id)

    async def many(self, product_ids: Sequence[str]) -> dict[str, Product]:
        return {i: self.kept[i] for i in product_ids if i in self.kept}

    async def page(self, selection: Selection) -> tuple[list[Product], str]:
        return page(self.kept.values(), selection, LISTING, GETTERS)

    async def insert(self, transaction: Staged[Product], product: Product, *happenings: Happening) -> None:
        if product.id in transaction.kept:
            known = {"type": "product", "id": product.id}
            raise AlreadyExists("there is a product with this id", field="product.id", metadata=known)
        transaction.kept[product.id] = product
        transaction.events += happenings

    async def replace(self, transaction: Staged[Product], product: Product, *happenings: Happening) -> None:
        transaction.kept[product.id] = product
        transaction.events += happenings

    async def load(self, new: Sequence[Product], changed: Sequence[Product], happenings: Sequence[Happening]) -> None:
        self.loads.append((len(new), len(changed)))
        while self.rivals:
            rival = self.rivals.pop()
            before = self.kept.get(rival.id)
            self.kept[rival.id] = replace(rival, version=before.version + 1 if before else 1)

        async def work(transaction: Staged[Product]) -> Product | None:
            for product in new:
                await self.insert(transaction, product)
            for product in changed:
                if transaction.kept[product.id].version != product.version - 1:
                    raise Conflict("somebody changed a product of the batch first")
                await self.replace(transaction, product)
            transaction.events += happenings
            return None

        await self._stage.transact(work)

    def _of(self, customer_id: str) -> list[Product]:
        found = [p for p in self.kept.values() if p.customer_id == customer_id]
        return sorted(found, key=lambda p: (p.family, p.name, p.id))
