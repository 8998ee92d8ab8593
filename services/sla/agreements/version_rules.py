"""Versions of an agreement: what is kept of each, and when a put makes a new one. A version never changes once made."""

from dataclasses import dataclass, replace
from datetime import datetime

from chassis.rules import Invalid
from services.sla.agreements.rules import CLOCK_METRICS, Agreement, AgreementRef
from services.sla.calendars.rules import Calendar
from services.sla.clocks.term_rules import terms_of


@dataclass(frozen=True, slots=True)
class AgreementVersion:
    """One version as it is kept: the promises, the calendar that counts their time, and the name people use."""

    name: str
    agreement: Agreement
    calendar: Calendar
    create_time: datetime | None = None

    @property
    def ref(self) -> AgreementRef:
        return self.agreement.ref


def next_version(newest: AgreementVersion | None, wish: AgreementVersion, at: datetime) -> AgreementVersion:
    """The version that a put of `wish` makes after `newest` (None: there is none yet).

    It is `newest` itself where the content is the same.

    Raises:
        Invalid: a target that could never fall due in the calendar's hours.
    """
    if newest is not None and _numbered(wish, newest.ref.version, newest.create_time) == newest:
        return newest
    version = _numbered(wish, 1 if newest is None else newest.ref.version + 1, at)
    check(version)
    return version


def check(version: AgreementVersion) -> None:
    """Passes a version whose every promise can be judged.

    Raises:
        Invalid: a target that could never fall due in the calendar's hours.
    """
    for place, objective in enumerate(version.agreement.objectives):
        if objective.metric in CLOCK_METRICS:
            try:
                terms_of(objective.metric, [version.agreement], [version.calendar])
            except Invalid as error:
                raise Invalid(error.message, field=f"agreement.objectives[{place}].targets") from error


def _numbered(wish: AgreementVersion, number: int, at: datetime | None) -> AgreementVersion:
    return replace(wish, agreement=replace(wish.agreement, version=number), create_time=at)
