"""`ClockStore` in memory."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from chassis.events.outbox import Happening
from chassis.query.selection import Order, Selection
from chassis.rules import Conflict
from services.sla.clocks.record_rules import UNDECIDED, Clock, Standing
from services.sla.clocks.store import LISTING, MOST_RUNNING
from tests.support.fakes.listing import page
from tests.support.fakes.staging import Stage, Staged

NEVER = datetime.max.replace(tzinfo=UTC)
GETTERS: dict[str, Callable[[Clock], Any]] = {
    "id": lambda c: c.id,
    "state": lambda c: c.status.value,
    "customer_id": lambda c: c.ticket.customer_id,
    "ticket_id": lambda c: c.ticket.id,
    "due_time": lambda c: c.due_time,
    "start_time": lambda c: c.start_time,
}


class FakeClocks:
    """Behaves as `ClockStore` does. `writes` counts the clocks that were saved."""

    def __init__(self, *clocks: Clock) -> None:
        self._stage: Stage[Clock] = Stage()
        self._stage.kept = {c.id: c for c in clocks}
        self.writes = 0

    @property
    def kept(self) -> dict[str, Clock]:
        return self._stage.kept

    @property
    def events(self) -> list[Happening]:
        return self._stage.events

    async def transact(self, work: Callable[[Any], Awaitable[int]]) -> int:
        return await self._stage.transact(work)

    async def get(self, clock_id: str) -> Clock | None:
        return self.kept.get(clock_id)

    async def page(self, selection: Selection) -> tuple[list[Clock], str]:
        if not selection.order and selection.asks_for("due_time"):
            selection = replace(selection, order=(Order("due_time"),))
        # What has no due time answers to no question about it.
        dated = not selection.asks_for("due_time")
        return page([c for c in self.kept.values() if dated or c.due_time], selection, LISTING, GETTERS)

    async def standing(self, customer_ids: Sequence[str]) -> Standing:
        own = [c for c in self.kept.values() if c.ticket.customer_id in customer_ids]
        running = [c for c in own if c.status in UNDECIDED]
        running.sort(key=lambda c: (c.due_time or NEVER, c.id))
        return Standing(running[:MOST_RUNNING], dict(Counter(c.status for c in own)))

    async def of_tickets(self, transaction: Any, ticket_ids: Sequence[str]) -> list[Clock]:
        return [c for c in self._stage.sees(transaction).values() if c.ticket.id in ticket_ids]

    async def read(self, transaction: Any, clock_ids: Sequence[str]) -> list[Clock]:
        return [c for c in self._stage.sees(transaction).values() if c.id in clock_ids]

    async def save(
        self,
        transaction: Staged[Clock],
        new: Sequence[Clock],
        changed: Sequence[Clock],
        happenings: Sequence[Happening],
    ) -> None:
        for clock in new:
            assert clock.id not in transaction.kept, "a clock is made once"
            transaction.kept[clock.id] = clock
        for clock in changed:
            before = transaction.kept.get(clock.id)
            if before is None or before.version != clock.version - 1:
                raise Conflict("a clock changed meanwhile")
            transaction.kept[clock.id] = clock
        transaction.events += happenings
        self.writes += len(new) + len(changed)

    async def alarms(self, until: datetime, most: int, *, latest_first: bool = False) -> list[tuple[str, datetime]]:
        due = [(c.id, c.next_alarm) for c in self.kept.values() if c.next_alarm and c.next_alarm <= until]
        return sorted(due, key=lambda found: found[1], reverse=latest_first)[:most]
