"""Clocks: the verdict on a promise, a pure function of event log, calendar version and agreement version.

Decided rules, in the order in which they settle a question:

- Events count by when they occurred (then by sequence); a late arrival re-evaluates the whole log.
- A breach is decided by the due time, not by when somebody looks: a clock stopped after its due time is missed even if
  nobody looked in between; stopped exactly when due, it is met. A clock that still runs when due is breached.
- A target that ends exactly at closing time is due at closing time.
- A change of priority or agreement keeps elapsed time and pauses; only the target, the calendar and the pausing states
  change from then on. What was broken by then stays broken, also when the ticket is cancelled later.
- A pause and a resolution in one save both hold. A reopening resumes the same clock with its elapsed time.
- A priority without a target is promised nothing, but its time counts on by the agreement's first objective for the
  metric, so a later target finds it. A clock that stops without a target is cancelled: there is nothing to judge.
- Under an agreement without any objective for the metric (mode `no_target`) no time counts: no calendar says which.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chassis.rules import Invalid
from services.sla.agreements.rules import Metric
from services.sla.calendars.instant_rules import SECOND, from_micros, to_micros
from services.sla.calendars.rules import add_business_micros
from services.sla.clocks.event_rules import Event, EventKind, in_order
from services.sla.clocks.fold_rules import Crossing, Fold, Mode, Stretch, starts
from services.sla.clocks.term_rules import Promise, Terms, single_terms, terms_of

__all__ = [
    "Alarm",
    "AlarmKind",
    "ClockState",
    "Crossing",
    "Event",
    "EventKind",
    "HitRate",
    "Mode",
    "Promise",
    "Status",
    "Stretch",
    "Terms",
    "cycles",
    "evaluate",
    "hit_rate",
    "next_alarm",
    "single_terms",
    "terms_of",
]


class Status(StrEnum):
    """The verdict. Met, missed and cancelled are final unless the ticket is reopened; a breached clock goes on."""

    RUNNING = "running"
    PAUSED = "paused"
    BREACHED = "breached"
    MET = "met"
    MISSED = "missed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ClockState:
    """A clock as it stands at `as_of`.

    Attributes:
        cycle: 1, or for next responses the number of the wait.
        mode: what the clock does at `as_of`, also where the status is breached.
        elapsed_seconds: what has counted so far, over all targets.
        target_seconds: what is promised now; None: nothing.
        remaining_seconds: target minus elapsed, negative when overrun.
        fraction: elapsed over target; 0 without a target.
        due_at: when the target was reached or will be; for a broken promise, when it was due. None while paused and
            for a clock that stopped in a pause.
        breached_at: when the promise was broken: the due time, moved by the tolerance.
        crossings: jeopardy thresholds reached, in order of time, each once per target.
        paused_by: the state of the ticket that pauses the clock.
        stretches: what the clock did from its start to its stop or to `as_of`, without gaps.
        promise: the terms in force at `as_of`.
    """

    metric: Metric
    cycle: int
    status: Status
    mode: Mode
    as_of: datetime
    started_at: datetime
    stopped_at: datetime | None
    elapsed_seconds: float
    target_seconds: int | None
    remaining_seconds: float | None
    fraction: float
    due_at: datetime | None
    breached_at: datetime | None
    crossings: tuple[Crossing, ...]
    paused_by: str | None
    stretches: tuple[Stretch, ...]
    promise: Promise | None


class AlarmKind(StrEnum):
    """What a timer has to raise."""

    JEOPARDY = "jeopardy"
    BREACH = "breach"


@dataclass(frozen=True, slots=True)
class Alarm:
    """The next instant at which a clock changes by the mere passing of time; a breach has no threshold."""

    at: datetime
    kind: AlarmKind
    threshold: float | None


@dataclass(frozen=True, slots=True)
class HitRate:
    """How many promises were kept. `rate` is kept over decided, None where nothing is decided.

    A breached clock that still runs is decided: missed. Running, paused and cancelled clocks are not.
    """

    met: int
    missed: int
    undecided: int
    cancelled: int

    @property
    def rate(self) -> float | None:
        decided = self.met + self.missed
        return self.met / decided if decided else None


def cycles(log: Iterable[Event], metric: Metric) -> int:
    """How many clocks of a metric a log holds: waits for a next response, else 1 once it is opened."""
    return len(starts(in_order(log), metric))


def evaluate(log: Iterable[Event], terms: Terms, as_of: datetime, *, cycle: int = 1) -> ClockState:
    """The clock of a log at an instant. Events after `as_of` are not seen; before the start it stands at the start.

    Raises:
        Invalid: the log starts no such clock (no opening, or fewer cycles), or `as_of` is naive.
        NotFound: the log names an agreement version that the terms do not hold.
    """
    events = in_order(log)
    beginnings = starts(events, terms.metric)
    if not 1 <= cycle <= len(beginnings):
        raise Invalid(f"The event log starts no clock {cycle} for {terms.metric}.", field="log")
    start = beginnings[cycle - 1]
    now = max(to_micros(as_of, "as_of"), start.micros)
    fold = Fold(terms)
    for event in events:
        if event.micros > now:
            break
        fold.apply(event, start)
    if fold.stopped_at is None:
        fold.account(now, ongoing=True)
    return _state(fold, start, now, cycle)


def next_alarm(state: ClockState) -> Alarm | None:
    """The next jeopardy or breach, if time alone can bring one: not when paused, stopped, broken or without target.

    A breach wins over a threshold of the same instant; `evaluate` at the alarm's time reports both.
    """
    promise = state.promise
    if state.status is not Status.RUNNING or promise is None:
        return None
    elapsed = round(state.elapsed_seconds * SECOND)
    ahead = [mark for mark in promise.marks if mark.micros > elapsed]
    if not ahead:
        return None
    mark = [mark for mark in ahead if mark.micros == ahead[0].micros][-1]
    at = add_business_micros(promise.calendar, to_micros(state.as_of, "as_of"), mark.micros - elapsed)
    return Alarm(from_micros(at), AlarmKind.BREACH if mark.is_breach else AlarmKind.JEOPARDY, mark.threshold)


def hit_rate(clocks: Iterable[ClockState]) -> HitRate:
    """Kept promises among decided ones; a clock that still runs is never a hit."""
    met = missed = undecided = cancelled = 0
    for clock in clocks:
        match clock.status:
            case Status.MET:
                met += 1
            case Status.MISSED | Status.BREACHED:
                missed += 1
            case Status.CANCELLED:
                cancelled += 1
            case Status.RUNNING | Status.PAUSED:
                undecided += 1
    return HitRate(met, missed, undecided, cancelled)


def _state(fold: Fold, start: Event, now: int, cycle: int) -> ClockState:
    promise = fold.promise
    mode = fold.mode()
    target = promise.target_micros if promise else None
    return ClockState(
        metric=fold.terms.metric,
        cycle=cycle,
        status=_status(fold, mode),
        mode=mode,
        as_of=from_micros(now),
        started_at=from_micros(start.micros),
        stopped_at=_instant(fold.stopped_at),
        elapsed_seconds=fold.elapsed / SECOND,
        target_seconds=promise.target_seconds if promise else None,
        remaining_seconds=None if target is None else (target - fold.elapsed) / SECOND,
        fraction=0.0 if target is None else fold.elapsed / target,
        due_at=_instant(fold.due_at()),
        breached_at=_instant(fold.breached_at),
        crossings=tuple(sorted(fold.crossings.values(), key=lambda crossing: crossing.at)),
        paused_by=fold.state if mode is Mode.PAUSED else None,
        stretches=tuple(fold.stretches),
        promise=promise,
    )


def _status(fold: Fold, mode: Mode) -> Status:
    if fold.breached_at is not None:
        return Status.BREACHED if fold.stopped_at is None else Status.MISSED
    if fold.stopped_at is not None:
        judged = fold.promise is not None and fold.promise.target_seconds is not None and not fold.cancelled
        return Status.MET if judged else Status.CANCELLED
    return Status.RUNNING if mode is Mode.RUNNING else Status.PAUSED


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
