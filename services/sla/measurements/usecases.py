"""What happens to measurements, one function per method."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from chassis.bulk import Outcome
from chassis.following import Ids
from chassis.query.selection import Selection
from chassis.times import now
from services.sla.measurements.outage_rules import Outage, ProductAvailability, by_product, period_of
from services.sla.measurements.rules import Window


class Measurements(Protocol):
    """What the use cases ask of a store; `MeasurementStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[list[Outcome]]]) -> list[Outcome]: ...

    async def read(self, transaction: Any, outage_ids: Sequence[str]) -> dict[str, Outage]: ...

    async def put(self, transaction: Any, outages: Sequence[Outage]) -> None: ...

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Outage], str]: ...

    async def within(self, customer_ids: Sequence[str], product_id: str, period: Window) -> list[Outage]: ...


class MeasurementUseCases:
    """Records outages, and tells availability."""

    def __init__(self, store: Measurements, lineage: Ids) -> None:
        self._store = store
        self._lineage = lineage

    async def record(self, outages: Sequence[Outage]) -> list[Outcome]:
        """Makes, changes or leaves each outage, by its id; answers for each in order. A later row of an id wins."""
        if not outages:
            return []

        async def work(transaction: Any) -> list[Outcome]:
            known = await self._store.read(transaction, [outage.id for outage in outages])
            put: dict[str, Outage] = {}
            outcomes: list[Outcome] = []
            for outage in outages:
                before = known.get(outage.id)
                if before == outage:
                    outcomes.append(Outcome.UNCHANGED)
                    continue
                known[outage.id] = put[outage.id] = outage
                outcomes.append(Outcome.CREATED if before is None else Outcome.UPDATED)
            if put:
                await self._store.put(transaction, list(put.values()))
            return outcomes

        return await self._store.transact(work)

    async def availability(
        self, customer_id: str, product_id: str, start: datetime | None, end: datetime | None
    ) -> tuple[Window, list[ProductAvailability]]:
        """The period, and the availability of each of the customer's products (or the one named) with an outage in it.

        Raises:
            Invalid: one end of the period without the other, or an end that is not after the start.
        """
        at = now()
        period = period_of(start, end, at)
        outages = await self._store.within(await self._lineage.of(customer_id), product_id, period)
        return period, by_product(outages, period, at)
