"""`MeasurementStore` in memory."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from chassis.bulk import Outcome
from chassis.query.selection import Selection
from services.sla.measurements.outage_rules import Outage
from services.sla.measurements.rules import Window
from services.sla.measurements.store import LISTING
from tests.support.fakes.listing import page
from tests.support.fakes.staging import Stage, Staged

GETTERS: dict[str, Callable[[Outage], Any]] = {"id": lambda o: o.id, "start": lambda o: o.start}


class FakeMeasurements:
    """Behaves as `MeasurementStore` does."""

    def __init__(self, *outages: Outage) -> None:
        self._stage: Stage[Outage] = Stage()
        self._stage.kept = {o.id: o for o in outages}

    @property
    def kept(self) -> dict[str, Outage]:
        return self._stage.kept

    async def transact(self, work: Callable[[Any], Awaitable[list[Outcome]]]) -> list[Outcome]:
        return await self._stage.transact(work)

    async def read(self, transaction: Any, outage_ids: Sequence[str]) -> dict[str, Outage]:
        known = self._stage.sees(transaction)
        return {i: known[i] for i in outage_ids if i in known}

    async def put(self, transaction: Staged[Outage], outages: Sequence[Outage]) -> None:
        transaction.kept.update({o.id: o for o in outages})

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Outage], str]:
        own = [o for o in self.kept.values() if o.customer_id in customer_ids]
        return page(own, selection, LISTING, GETTERS)

    async def within(self, customer_ids: Sequence[str], product_id: str, period: Window) -> list[Outage]:
        return [
            o
            for o in self.kept.values()
            if o.customer_id in customer_ids
            and product_id in ("", o.product_id)
            and o.start < period.end
            and (o.end is None or o.end > period.start)
        ]
