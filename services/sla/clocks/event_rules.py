"""The event log of a ticket or an order: the only input, beside the terms, of a clock's verdict."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from operator import attrgetter

from chassis.rules import Invalid
from services.sla.agreements.rules import AgreementRef
from services.sla.calendars.instant_rules import to_micros
from services.sla.calendars.year_rules import year_of


class EventKind(StrEnum):
    """What happened. For an order, `opened` is its acceptance and `resolved` its completion (activation)."""

    OPENED = "opened"
    AGREEMENT_CHANGED = "agreement_changed"
    PRIORITY_CHANGED = "priority_changed"
    STATE_CHANGED = "state_changed"
    CUSTOMER_REPLIED = "customer_replied"
    RESPONDED = "responded"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    REOPENED = "reopened"


_RANK = {kind: rank for rank, kind in enumerate(EventKind)}
_NEEDS = {
    EventKind.STATE_CHANGED: "state",
    EventKind.PRIORITY_CHANGED: "priority",
    EventKind.AGREEMENT_CHANGED: "agreement",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the log.

    One save of a ticket may change several things at once: any event may carry the state, the priority and the
    agreement that hold from it on, whatever its kind; None leaves them as they were.

    Attributes:
        occurred_at: when it happened (aware), not when it was received or recorded.
        sequence: orders events of one instant, as their source numbered them.

    Raises:
        Invalid: on construction: a naive instant, a year outside 1970 to 2199, or a change without what it changes to.
    """

    kind: EventKind
    occurred_at: datetime
    sequence: int = 0
    state: str | None = None
    priority: str | None = None
    agreement: AgreementRef | None = None
    micros: int = field(init=False, repr=False, compare=False)
    order: tuple[object, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        micros = to_micros(self.occurred_at, "occurred_at")
        year_of(micros, "occurred_at")
        needed = _NEEDS.get(self.kind)
        if needed and not getattr(self, needed):
            raise Invalid(f"An event {self.kind} names the new {needed}.", field=needed)
        agreement = (self.agreement.id, self.agreement.version) if self.agreement else ("", 0)
        # Content breaks what ties are left, so that the order never depends on the order of arrival.
        order = (micros, self.sequence, _RANK[self.kind], self.state or "", self.priority or "", *agreement)
        object.__setattr__(self, "micros", micros)
        object.__setattr__(self, "order", order)


_ORDER = attrgetter("order")


def in_order(log: Iterable[Event]) -> list[Event]:
    """The log by time of occurrence, then sequence; late arrivals take their place."""
    return sorted(log, key=_ORDER)
