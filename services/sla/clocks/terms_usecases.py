"""The terms of agreements, kept in memory: laying out a calendar's year costs more than all the clocks judged by it."""

from collections.abc import Collection, Mapping

from services.sla.agreements.rules import CLOCK_METRICS, AgreementRef, Metric
from services.sla.agreements.usecases import Agreements
from services.sla.agreements.version_rules import AgreementVersion
from services.sla.clocks.rules import Terms, terms_of

MOST_REMEMBERED = 5_000
# The terms of one agreement version, by the metrics that its clocks judge.
ByMetric = Mapping[Metric, Terms]


class TermsBook:
    """Terms by agreement version; a version never changes, so what was read once holds for ever."""

    def __init__(self, agreements: Agreements) -> None:
        self._agreements = agreements
        self._known: dict[AgreementRef, ByMetric] = {}

    async def read(self, refs: Collection[AgreementRef]) -> dict[AgreementRef, ByMetric]:
        """The terms of those of the versions that there are."""
        found = {ref: self._known[ref] for ref in refs if ref in self._known}
        unknown = {ref for ref in refs if ref not in found}
        if unknown:
            for version in (await self._agreements.versions(unknown)).values():
                found[version.ref] = self.keep(version)
        return found

    def keep(self, version: AgreementVersion) -> ByMetric:
        """The terms of a version that was read already."""
        known = self._known.get(version.ref)
        if known is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            known = self._known[version.ref] = _terms(version)
        return known


def _terms(version: AgreementVersion) -> ByMetric:
    timed = sorted({o.metric for o in version.agreement.objectives} & CLOCK_METRICS)
    return {metric: terms_of(metric, [version.agreement], [version.calendar]) for metric in timed}
