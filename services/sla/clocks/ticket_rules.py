"""What a ticket's past means for its clocks: the table from the states of TMF621 to the events of a clock's log."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.sla.agreements.rules import AgreementRef
from services.sla.clocks.event_rules import Event, EventKind
from services.sla.clocks.term_rules import Terms


class TicketState(StrEnum):
    """The states of TMF621, as agreements name them among their `pause_states`."""

    ACKNOWLEDGED = "ACKNOWLEDGED"
    REJECTED = "REJECTED"
    PENDING = "PENDING"
    HELD = "HELD"
    IN_PROGRESS = "IN_PROGRESS"
    CANCELLED = "CANCELLED"
    CLOSED = "CLOSED"
    RESOLVED = "RESOLVED"


KINDS: Mapping[TicketState, EventKind] = {
    # Received is not taken up yet: the first response is still owed.
    TicketState.ACKNOWLEDGED: EventKind.STATE_CHANGED,
    # Only who has taken a ticket up knows whom it waits for: these answer the customer as work on it does, and so the
    # ticket's own `response_time` has it. Whether a clock stands still meanwhile, the agreement says.
    TicketState.PENDING: EventKind.RESPONDED,
    TicketState.HELD: EventKind.RESPONDED,
    TicketState.IN_PROGRESS: EventKind.RESPONDED,
    TicketState.RESOLVED: EventKind.RESOLVED,
    TicketState.CLOSED: EventKind.CLOSED,
    TicketState.CANCELLED: EventKind.CANCELLED,
    TicketState.REJECTED: EventKind.CANCELLED,
}
"""What entering a state means. Entering any other state from one of `ENDS` is a reopening as well."""

ENDS = frozenset({TicketState.RESOLVED, TicketState.CLOSED, TicketState.CANCELLED, TicketState.REJECTED})


@dataclass(frozen=True, slots=True)
class Visit:
    """A state a ticket entered, or a priority it got in it, and when."""

    state: TicketState
    priority: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Ticket:
    """What clocks need to know of a ticket. `sequence` is its version; `visits` its whole past up to that version."""

    id: str
    customer_id: str
    open_time: datetime
    visits: tuple[Visit, ...]
    sequence: int

    @property
    def age(self) -> tuple[int, int]:
        """Orders what was heard of one ticket: the greatest knows most."""
        return self.sequence, len(self.visits)


def newest(tickets: Iterable[Ticket]) -> dict[str, Ticket]:
    """What knows most of each ticket, by id; the order in which it was heard does not matter."""
    known: dict[str, Ticket] = {}
    for ticket in tickets:
        before = known.get(ticket.id)
        if before is None or before.age < ticket.age:
            known[ticket.id] = ticket
    return known


def event_log(ticket: Ticket, agreement: AgreementRef) -> tuple[Event, ...]:
    """The log of the ticket's clocks under the agreement; nothing happens to a ticket before it is opened."""
    visits = sorted(ticket.visits, key=lambda visit: visit.time)
    priority = visits[0].priority if visits else None
    opened = Event(EventKind.OPENED, ticket.open_time, priority=priority or None, agreement=agreement)
    return (opened, *_entered(ticket, visits))


def _entered(ticket: Ticket, visits: Iterable[Visit]) -> Iterator[Event]:
    before: TicketState | None = None
    for place, visit in enumerate(visits, start=1):
        at = max(visit.time, ticket.open_time)
        priority = visit.priority or None
        if before in ENDS and visit.state not in ENDS:
            yield Event(EventKind.REOPENED, at, 2 * place, visit.state, priority)
        yield Event(KINDS[visit.state], at, 2 * place + 1, visit.state, priority)
        before = visit.state


def is_promised(ticket: Ticket, agreement: AgreementRef, terms: Terms) -> bool:
    """Whether the terms ever promised a target to the ticket, at one of the priorities it had."""
    promises = (terms.promise(agreement, visit.priority) for visit in ticket.visits)
    return any(promise is not None and promise.target_seconds is not None for promise in promises)
