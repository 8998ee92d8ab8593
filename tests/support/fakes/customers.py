"""`CustomerStore` in memory."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from chassis.events.outbox import Happening
from chassis.query.selection import Selection
from chassis.rules import AlreadyExists, Conflict
from services.customer_info.customers import looking_up_rules
from services.customer_info.customers.looking_up import MOST_FOUND
from services.customer_info.customers.rules import (
    Customer,
    ExternalId,
    Individual,
    Status,
)
from services.customer_info.customers.standing_rules import Standing
from services.customer_info.customers.store import LISTING
from services.customer_info.identifier_rules import Key
from tests.support.fakes.listing import page
from tests.support.fakes.staging import Stage, Staged

T = TypeVar("T")
GETTERS: dict[str, Callable[[Customer], Any]] = {
    "id": lambda c: c.id,
    "status": lambda c: c.status,
    "kind": lambda c: "individual" if isinstance(c.party, Individual) else "organization",
    "category": lambda c: c.category,
    "parent_id": lambda c: c.parent_id,
    "create_time": lambda c: c.create_time,
    "update_time": lambda c: c.update_time,
}


class FakeCustomers:
    """Behaves as `CustomerStore` does. `rivals` are put in place by somebody else before the next load."""

    def __init__(self, *customers: Customer) -> None:
        self._stage: Stage[Customer] = Stage()
        self._stage.kept = {c.id: c for c in customers}
        self.rivals: list[Customer] = []
        self.loads: list[tuple[int, int]] = []
        self.held: list[str] = []
        self.former: dict[str, list[Customer]] = {}

    @property
    def kept(self) -> dict[str, Customer]:
        return self._stage.kept

    @property
    def events(self) -> list[Happening]:
        return self._stage.events

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T:
        return await self._stage.transact(work)

    async def once(
        self, method: str, request_id: str, content: bytes, work: Callable[[Any], Awaitable[Customer]]
    ) -> Customer:
        return await self._stage.once(f"{method}:{request_id}" if request_id else "", content, work)

    async def get(self, customer_id: str) -> Customer | None:
        return self.kept.get(customer_id)

    async def read(self, transaction: Any, customer_id: str) -> Customer | None:
        return self._stage.sees(transaction).get(customer_id)

    async def many(self, customer_ids: Sequence[str]) -> dict[str, Customer]:
        return {i: self.kept[i] for i in customer_ids if i in self.kept}

    async def present(self, customer_ids: Sequence[str]) -> set[str]:
        return set(customer_ids) & set(self.kept)

    async def standings(self, customer_ids: Sequence[str]) -> dict[str, Standing]:
        found = [self.kept[i] for i in customer_ids if i in self.kept]
        return {c.id: Standing(c.id, c.merged_into, c.erase_time, c.parent_id) for c in found}

    async def as_of(self, customer_id: str, at: datetime) -> Customer | None:
        now = self.kept.get(customer_id)
        versions = [*self.former.get(customer_id, ()), *([now] if now else ())]
        valid = [c for c in versions if c.update_time is None or c.update_time <= at]
        return valid[-1] if valid else None

    async def many_as_of(self, customer_ids: Sequence[str], at: datetime) -> dict[str, Customer]:
        found = {i: await self.as_of(i, at) for i in customer_ids}
        return {i: c for i, c in found.items() if c is not None}

    async def find(self, keys: Sequence[Key]) -> list[Customer]:
        found = [c for c in self.kept.values() if not c.merged_into and not c.erase_time]
        return [c for c in found if not looking_up_rules.keys(c).isdisjoint(keys)][:MOST_FOUND]

    async def external_holders(self, ids: Iterable[ExternalId]) -> dict[ExternalId, str]:
        ids = set(ids)
        having = (c for c in self.kept.values() if not c.merged_into and not c.erase_time)
        return {e: c.id for c in having for e in c.external_ids if e in ids}

    async def children(self, transaction: Any, customer_ids: Sequence[str]) -> list[str]:
        return [c.id for c in self._stage.sees(transaction).values() if c.parent_id in customer_ids]

    async def page(self, selection: Selection) -> tuple[list[Customer], str]:
        everything = list(self.kept.values())
        everything = [c for c in everything if not c.merged_into]
        shown = [c for c in everything if selection.asks_for("status") or c.status is not Status.ARCHIVED]
        return page(shown, selection, LISTING, GETTERS)

    async def following(self, selection: Selection, customer_id: str, most: int) -> list[Customer]:
        everything, _ = await self.page(replace(selection, page_size=len(self.kept) + 1))
        found = [c for c in everything if not c.erase_time and c.id > customer_id]
        return sorted(found, key=lambda c: c.id)[:most]

    async def hold(self, transaction: Staged[Customer], customer_ids: Sequence[str]) -> None:
        self.held += customer_ids

    async def hold_unerased(self, transaction: Any, customer_ids: Sequence[str]) -> None:
        if any(i not in self.kept or self.kept[i].erase_time for i in customer_ids):
            raise Conflict("somebody erased a customer first")
        self.held += customer_ids

    async def insert(self, transaction: Staged[Customer], customer: Customer, *happenings: Happening) -> None:
        if customer.id in transaction.kept:
            known = {"type": "customer", "id": customer.id}
            raise AlreadyExists("there is a customer with this id", field="customer.id", metadata=known)
        _check_external_ids(transaction, customer)
        transaction.kept[customer.id] = customer
        transaction.events += happenings

    async def replace(self, transaction: Staged[Customer], customer: Customer, *happenings: Happening) -> None:
        _check_external_ids(transaction, customer)
        self.former.setdefault(customer.id, []).append(transaction.kept[customer.id])
        transaction.kept[customer.id] = customer
        transaction.events += happenings

    async def load(
        self,
        new: Sequence[Customer],
        changed: Sequence[Customer],
        happenings: Sequence[Happening],
        turn: Callable[[], Awaitable[None]] | None = None,
        beside: Callable[[Any], Awaitable[None]] | None = None,
    ) -> None:
        if turn is not None:
            await turn()
        self.loads.append((len(new), len(changed)))
        while self.rivals:
            rival = self.rivals.pop()
            before = self.kept.get(rival.id)
            self.kept[rival.id] = replace(rival, version=before.version + 1 if before else 1)

        async def work(transaction: Staged[Customer]) -> None:
            for customer in new:
                await self.insert(transaction, customer)
            for customer in changed:
                if transaction.kept[customer.id].version != customer.version - 1:
                    raise Conflict("somebody changed a customer of the batch first")
                await self.replace(transaction, customer)
            transaction.events += happenings
            if beside is not None:
                await beside(transaction)

        await self.transact(work)


def _check_external_ids(transaction: Staged[Customer], customer: Customer) -> None:
    for other in transaction.kept.values():
        taken = set(other.external_ids) & set(customer.external_ids)
        if other.id != customer.id and taken:
            raise AlreadyExists(
                "an external id belongs to another customer",
                reason="EXTERNAL_ID_TAKEN",
                field="customer.external_ids",
                metadata={"issuer": taken.pop().issuer, "id": other.id},
            )
