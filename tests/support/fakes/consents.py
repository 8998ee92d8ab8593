"""`ConsentStore` in memory."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from chassis.events.outbox import Happening
from chassis.query.selection import Selection
from services.customer_info.consents.rules import Given, Record, Withdrawn
from services.customer_info.consents.store import LISTING
from tests.support.fakes.listing import page
from tests.support.fakes.staging import Stage, Staged

GETTERS: dict[str, Callable[[Record], Any]] = {
    "id": lambda r: r.id,
    "kind": lambda r: r.kind,
    "purpose": lambda r: r.change.purpose if isinstance(r.change, Given | Withdrawn) else None,
    "time": lambda r: r.time,
}


class FakeConsents:
    """Behaves as `ConsentStore` does."""

    def __init__(self, *records: Record) -> None:
        self._stage: Stage[Record] = Stage()
        self._stage.kept = {r.id: r for r in records}

    @property
    def kept(self) -> dict[str, Record]:
        return self._stage.kept

    @property
    def events(self) -> list[Happening]:
        return self._stage.events

    async def once(
        self, method: str, request_id: str, content: bytes, work: Callable[[Any], Awaitable[Record]]
    ) -> Record:
        return await self._stage.once(f"{method}:{request_id}" if request_id else "", content, work)

    async def read(self, transaction: Any, customer_ids: Sequence[str]) -> list[Record]:
        found = [r for r in self._stage.sees(transaction).values() if r.customer_id in customer_ids]
        return [_bare(r) for r in sorted(found, key=lambda r: (r.time, r.id), reverse=True)]

    async def insert(self, transaction: Staged[Record], record: Record, *happenings: Happening) -> None:
        transaction.kept[record.id] = record
        transaction.events += happenings

    async def known(self, customer_id: str) -> list[Record]:
        return [_bare(r) for r in self.kept.values() if r.customer_id == customer_id]

    async def known_of_many(self, customer_ids: Sequence[str]) -> dict[str, list[Record]]:
        return {customer_id: await self.known(customer_id) for customer_id in customer_ids}

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Record], str]:
        return page([r for r in self.kept.values() if r.customer_id in customer_ids], selection, LISTING, GETTERS)

    async def of(self, customer_ids: Sequence[str]) -> list[Record]:
        found = [r for r in self.kept.values() if r.customer_id in customer_ids]
        return sorted(found, key=lambda r: (r.time, r.id))

    async def forget(self, transaction: Staged[Record], customer_ids: Sequence[str]) -> None:
        for record_id in [r.id for r in transaction.kept.values() if r.customer_id in customer_ids]:
            del transaction.kept[record_id]


def _bare(record: Record) -> Record:
    """A record as those see it who decide: without its note."""
    return replace(record, source=replace(record.source, note=""))
