"""Everything that is held on a customer. Nothing of it is personal but its ids: an erasure leaves it as it is."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from chassis.exporting import Pages, walk
from chassis.following import WHOSE, Ids
from chassis.query.selection import Selection
from services.sla.agreements import wire as agreements_wire
from services.sla.agreements.version_rules import AgreementVersion
from services.sla.clocks import wire as clocks_wire
from services.sla.clocks.record_rules import Clock
from services.sla.measurements import wire as measurements_wire
from services.sla.measurements.outage_rules import Outage

ClockPage = Callable[[Selection], Awaitable[tuple[Sequence[Clock], str]]]
OutagePage = Callable[[Sequence[str], Selection], Awaitable[tuple[Sequence[Outage], str]]]
Covering = Callable[[Iterable[str]], Awaitable[Sequence[AgreementVersion]]]


class Exporting:
    """Shows everything that is held on a customer."""

    def __init__(self, lineage: Ids, clocks: ClockPage, agreements: Covering, outages: OutagePage) -> None:
        """`agreements` finds all versions of those that cover, or once covered, some ids, or everybody."""
        self._lineage = lineage
        self._clocks = clocks
        self._agreements = agreements
        self._outages = outages

    async def export(self, customer_id: str) -> Mapping[str, Pages]:
        """All records under whichever of a customer's ids, kind by kind, each in the form that callers know it in."""
        ids = await self._lineage.of(customer_id)
        return {
            "clocks": self._all_clocks(ids),
            "agreements": self._own_agreements(ids),
            "outages": self._all_outages(ids),
        }

    async def _all_clocks(self, ids: Sequence[str]) -> Pages:
        async for page in walk(self._clocks, Selection().where(WHOSE, *ids)):
            yield [clocks_wire.message(clock) for clock in page]

    async def _own_agreements(self, ids: Sequence[str]) -> Pages:
        found = await self._agreements(ids)
        yield [agreements_wire.message(one) for one in found if one.agreement.scope.customer_id in ids]

    async def _all_outages(self, ids: Sequence[str]) -> Pages:
        async for page in walk(lambda selection: self._outages(ids, selection), Selection()):
            yield [measurements_wire.message(outage) for outage in page]
