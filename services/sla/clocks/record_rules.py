"""A clock as it is kept: the ticket's past, the agreement it is judged by, and the verdict as last evaluated."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.sla.agreements.rules import AgreementRef, Metric
from services.sla.calendars.instant_rules import from_micros, to_micros
from services.sla.clocks.rules import ClockState, Crossing, Event, Status, Terms, evaluate
from services.sla.clocks.rules import next_alarm as alarm_of
from services.sla.clocks.ticket_rules import Ticket, event_log

_MILLISECOND = 1_000
UNDECIDED = frozenset({Status.RUNNING, Status.PAUSED})
"""What runs, or will go on, in time: it counts neither as kept nor as broken."""


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise on one ticket. `version` counts its changes, from 1.

    Attributes:
        due_time: when the target will be used up; only while the clock runs in time.
        priority: the ticket's as of `evaluate_time`; empty where it has none.
        target_seconds: what is promised to that priority; 0: nothing.
        next_alarm: when time alone, or an event dated later than `evaluate_time`, changes the verdict; None: never.
    """

    id: str
    metric: Metric
    ticket: Ticket
    agreement: AgreementRef
    status: Status
    start_time: datetime
    due_time: datetime | None
    stop_time: datetime | None
    breach_time: datetime | None
    target_seconds: int
    elapsed_seconds: float
    evaluate_time: datetime
    change_time: datetime
    crossings: tuple[Crossing, ...]
    priority: str
    next_alarm: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A customer's clocks: those undecided, nearest due time first, at most 100, and the number of each status."""

    running: list[Clock]
    counts: dict[Status, int]


def clock_id(ticket_id: str, metric: Metric) -> str:
    """The id of the clock of a ticket that judges the metric."""
    return f"{ticket_id}:{metric.name}"


def judge(ticket: Ticket, agreement: AgreementRef, terms: Terms, at: datetime) -> ClockState:
    """How the clock of the ticket stands at an instant, with every stretch of its life.

    Raises:
        Invalid: an instant outside the years that calendars cover.
        NotFound: the terms are not those of the agreement.
    """
    return evaluate(event_log(ticket, agreement), terms, at)


def judged(ticket: Ticket, agreement: AgreementRef, terms: Terms, at: datetime, version: int) -> Clock:
    """The clock of the ticket as it is to be kept, evaluated at an instant.

    Raises:
        Invalid, NotFound: as `judge` does.
    """
    log = event_log(ticket, agreement)
    state = evaluate(log, terms, at)
    seen = [event for event in log if event.occurred_at <= state.as_of]
    return Clock(
        id=clock_id(ticket.id, terms.metric),
        metric=terms.metric,
        ticket=ticket,
        agreement=agreement,
        status=state.status,
        start_time=state.started_at,
        due_time=state.due_at if state.status is Status.RUNNING else None,
        stop_time=state.stopped_at,
        breach_time=state.breached_at,
        target_seconds=state.target_seconds or 0,
        elapsed_seconds=state.elapsed_seconds,
        evaluate_time=state.as_of,
        change_time=max(event.occurred_at for event in seen),
        crossings=state.crossings,
        priority=next((event.priority for event in reversed(seen) if event.priority), ""),
        next_alarm=_next_alarm(state, log),
        version=version,
    )


def _next_alarm(state: ClockState, log: tuple[Event, ...]) -> datetime | None:
    """The next threshold or breach, or the next event of the log that is still to come, on a whole millisecond.

    An event comes from a machine whose time may be ahead of ours: it counts when its time has come here.
    Rounded up, since an evaluation before the alarm's own instant would find nothing to tell.
    """
    alarm = alarm_of(state)
    ahead = [event.occurred_at for event in log if event.occurred_at > state.as_of]
    if alarm is not None:
        ahead.append(alarm.at)
    if not ahead:
        return None
    micros = to_micros(min(ahead), "next_alarm")
    return from_micros(-(-micros // _MILLISECOND) * _MILLISECOND)


class NewsKind(StrEnum):
    """What there is to tell of a clock."""

    STARTED = "started"
    IN_JEOPARDY = "in_jeopardy"
    BREACHED = "breached"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened to a clock, and when; only jeopardy has a threshold."""

    kind: NewsKind
    time: datetime
    threshold: float = 0.0


def news(before: Clock | None, after: Clock) -> list[News]:
    """What the evaluation `after` tells that `before` (None: there was no clock) did not, in order of time.

    A threshold is told once per target, a breach once until it is taken back by a late event. A clock that is new and
    has ended already tells of its start and of its end.
    """
    told = {(c.threshold, c.target_seconds) for c in before.crossings} if before else set()
    found = [
        News(NewsKind.IN_JEOPARDY, crossing.at, crossing.threshold)
        for crossing in after.crossings
        if (crossing.threshold, crossing.target_seconds) not in told
    ]
    breached = after.breach_time is not None and (before is None or before.breach_time is None)
    if breached and after.breach_time is not None:
        found.append(News(NewsKind.BREACHED, after.breach_time))
    if before is None:
        found.append(News(NewsKind.STARTED, after.start_time))
        if after.stop_time is not None:
            found.append(News(NewsKind.CHANGED, after.stop_time))
    elif _face(before) != _face(after) and not (breached and _only_breached(before, after)):
        found.append(News(NewsKind.CHANGED, after.change_time))
    order = list(NewsKind)
    return sorted(found, key=lambda one: (one.kind is not NewsKind.STARTED, one.time, order.index(one.kind)))


def _face(clock: Clock) -> tuple[object, ...]:
    """What a caller sees of a clock beyond the passing of time."""
    return clock.status, clock.due_time, clock.stop_time, clock.breach_time, clock.target_seconds, clock.priority


def _only_breached(before: Clock, after: Clock) -> bool:
    """Whether the breach says all of it: the clock ran, and still does, under the same target."""
    return (
        before.status is Status.RUNNING
        and after.status is Status.BREACHED
        and (before.target_seconds, before.priority) == (after.target_seconds, after.priority)
    )
