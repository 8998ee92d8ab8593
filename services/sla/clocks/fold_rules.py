"""The walk over a log that turns events into elapsed time, crossings and a breach.

Nothing is computed at an event that changes neither the mode nor the promise, so the walk costs what changes cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.sla.agreements.rules import AgreementRef, Metric
from services.sla.calendars.instant_rules import SECOND, from_micros
from services.sla.calendars.rules import Calendar, add_business_micros, business_micros
from services.sla.clocks.event_rules import Event, EventKind
from services.sla.clocks.term_rules import Mark, Promise, Terms


class Mode(StrEnum):
    """What a clock is doing over a stretch of time."""

    RUNNING = "running"
    PAUSED = "paused"
    NO_TARGET = "no_target"
    STOPPED = "after_stop"


@dataclass(frozen=True, slots=True)
class Crossing:
    """A jeopardy threshold, reached at `at` under a target of `target_seconds`."""

    threshold: float
    at: datetime
    target_seconds: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A period over which the clock did one thing. A pause names the ticket's state, a run the calendar it counts."""

    start: datetime
    end: datetime
    mode: Mode
    counted_seconds: float
    paused_by: str | None
    calendar: Calendar | None


_COMPLETED = frozenset({EventKind.RESOLVED, EventKind.CLOSED})
# A customer whose problem is solved has been answered, so a resolution also stops a response clock.
_STOPS = {
    Metric.FIRST_RESPONSE: _COMPLETED | {EventKind.RESPONDED},
    Metric.NEXT_RESPONSE: _COMPLETED | {EventKind.RESPONDED},
    Metric.RESOLUTION: _COMPLETED,
    Metric.ACTIVATION: _COMPLETED,
}
_UNDONE_BY_REOPENING = frozenset({Metric.RESOLUTION, Metric.ACTIVATION})


def starts(log: Sequence[Event], metric: Metric) -> list[Event]:
    """The events that start a clock, in order: the opening, or each reply that begins a wait for the next response."""
    if metric is not Metric.NEXT_RESPONSE:
        return next(([event] for event in log if event.kind is EventKind.OPENED), [])
    found: list[Event] = []
    waiting = False
    for event in log:
        if event.kind is EventKind.CUSTOMER_REPLIED and not waiting:
            found.append(event)
            waiting = True
        elif event.kind in _STOPS[metric]:
            waiting = False
    return found


class Fold:
    """The running account of one clock; it lives only while `evaluate` walks the log."""

    __slots__ = (
        "agreement", "breached_at", "cancelled", "crossings", "elapsed", "next_mark", "priority", "promise",
        "reached_at", "since", "started_at", "state", "state_at", "stopped_at", "stopped_in", "stretches", "terms",
    )  # fmt: skip

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.agreement: AgreementRef | None = None
        self.priority: str | None = None
        self.promise: Promise | None = None
        self.state: str | None = None
        self.state_at = 0
        self.started_at: int | None = None
        self.stopped_at: int | None = None
        self.stopped_in: Mode | None = None
        self.cancelled = False
        self.since = 0
        self.elapsed = 0
        self.next_mark = 0
        self.reached_at: int | None = None
        self.breached_at: int | None = None
        self.crossings: dict[tuple[float, int], Crossing] = {}
        self.stretches: list[Stretch] = []

    def apply(self, event: Event, start: Event) -> None:
        """Take in the next event of the sorted log; `start` is the one that starts this clock."""
        at = event.micros
        if event.state is not None and event.state != self.state:
            self._enter_state(event.state, at)
        elif event.state is not None:
            self.state_at = at
        if event.priority is not None or event.agreement is not None:
            self._take_terms(event, at)
        if event is start:
            self.started_at = self.since = at
            self._promise_anew(at)
        elif self.started_at is None:
            return
        elif self.stopped_at is None:
            self._maybe_stop(event.kind, at)
        elif event.kind is EventKind.REOPENED:
            self._maybe_reopen(at)

    def mode(self) -> Mode:
        if self.stopped_at is not None:
            return Mode.STOPPED
        if self.promise is None:
            return Mode.NO_TARGET
        return Mode.PAUSED if self.state in self.promise.objective.pause_states else Mode.RUNNING

    def account(self, until: int, *, ongoing: bool = False) -> None:
        """Book the stretch since the last change. An ongoing clock is broken by reaching its limit, one that changes
        at that very instant is not: a stop exactly when due keeps the promise.
        """
        mode = self.mode()
        counted = 0
        if mode is Mode.RUNNING and self.promise is not None:
            counted = business_micros(self.promise.calendar, self.since, until)
            self._cross_marks(self.promise, until, self.elapsed + counted, ongoing)
            self.elapsed += counted
        if until > self.since:
            calendar = self.promise.calendar if self.promise and mode is Mode.RUNNING else None
            paused_by = self.state if mode is Mode.PAUSED else None
            start, end = from_micros(self.since), from_micros(until)
            self.stretches.append(Stretch(start, end, mode, counted / SECOND, paused_by, calendar))
        self.since = until

    def due_at(self) -> int | None:
        """When the target was reached or will be if nothing changes; None while no time passes towards it."""
        if self.breached_at is not None or self.promise is None or self.promise.target_micros is None:
            return self.reached_at
        mode = self.stopped_in or self.mode()
        if mode is not Mode.RUNNING:
            return None
        if self.reached_at is not None:
            return self.reached_at
        return add_business_micros(self.promise.calendar, self.since, self.promise.target_micros - self.elapsed)

    def _enter_state(self, state: str, at: int) -> None:
        # Two pausing states in a row count alike, but the explanation names each.
        if self._is_live() and (self._pauses(state) or self._pauses(self.state)):
            self.account(at)
        self.state, self.state_at = state, at

    def _pauses(self, state: str | None) -> bool:
        return self.promise is not None and state in self.promise.objective.pause_states

    def _is_live(self) -> bool:
        return self.started_at is not None and self.stopped_at is None

    def _take_terms(self, event: Event, at: int) -> None:
        self.priority = event.priority or self.priority
        self.agreement = event.agreement or self.agreement
        if self._is_live() and self.terms.promise(self.agreement, self.priority) is not self.promise:
            self.account(at)
            self._promise_anew(at)

    def _promise_anew(self, at: int) -> None:
        """Judge from now on by the terms of the present agreement and priority; what was broken stays broken."""
        promise = self.terms.promise(self.agreement, self.priority)
        if promise is self.promise:
            return
        self.promise = promise
        self.next_mark = 0
        if self.breached_at is None:
            self.reached_at = None
        if promise is not None:
            self._pass_marks(promise, at)

    def _pass_marks(self, promise: Promise, at: int) -> None:
        """Marks of a new promise that the elapsed time has passed already are crossed at the change itself."""
        for mark in promise.marks:
            if mark.micros > self.elapsed or (mark.is_breach and mark.micros == self.elapsed):
                break
            self._cross(promise, mark, at)
        target = promise.target_micros
        if self.reached_at is None and target is not None and self.elapsed >= target:
            self.reached_at = at

    def _cross_marks(self, promise: Promise, until: int, elapsed: int, ongoing: bool) -> None:
        target = promise.target_micros
        if self.reached_at is None and target is not None and elapsed >= target:
            self.reached_at = add_business_micros(promise.calendar, self.since, target - self.elapsed)
        for mark in promise.marks[self.next_mark :]:
            if mark.micros > elapsed:
                break
            at = add_business_micros(promise.calendar, self.since, mark.micros - self.elapsed)
            if mark.is_breach and at >= until and not ongoing:
                break
            self._cross(promise, mark, at)

    def _cross(self, promise: Promise, mark: Mark, at: int) -> None:
        self.next_mark += 1
        if self.breached_at is not None:
            return
        if mark.threshold is None or promise.target_seconds is None:
            self.breached_at = at
            return
        key = (mark.threshold, promise.target_seconds)
        self.crossings.setdefault(key, Crossing(mark.threshold, from_micros(at), promise.target_seconds))

    def _maybe_stop(self, kind: EventKind, at: int) -> None:
        cancels = kind is EventKind.CANCELLED
        if cancels or kind in _STOPS[self.terms.metric]:
            self.account(at)
            # What it did up to the stop, not what the saving of the stop turned it into.
            self.stopped_in = self.stretches[-1].mode if self.stretches else self.mode()
            self.stopped_at = at
            self.cancelled = cancels

    def _maybe_reopen(self, at: int) -> None:
        if not self.cancelled and self.terms.metric not in _UNDONE_BY_REOPENING:
            return
        if self.stopped_at is not None and self.state_at < self.stopped_at:
            # Work resumes, unless the save that stopped the clock, or a later one, put the ticket in a pausing state.
            self.state = None
        self.account(at)
        self.stopped_at = self.stopped_in = None
        self.cancelled = False
        self._promise_anew(at)
