"""Clocks: laws that hold for every log, and a minute-by-minute oracle of the verdict."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from services.sla.agreements.rules import Agreement, AgreementRef, Metric, Objective, PriorityTarget, Scope
from services.sla.calendars.rules import Calendar, WeeklyInterval, around_the_clock
from services.sla.clocks.explanation_rules import explain
from services.sla.clocks.rules import ClockState, Event, EventKind, Status, evaluate, next_alarm, terms_of

MINUTE = timedelta(minutes=1)
START = datetime(2026, 3, 28, 6, tzinfo=UTC)  # The Saturday before the clocks of Berlin go forward.
LENGTH = 3 * 1440

ALWAYS = around_the_clock()
BERLIN = Calendar(
    "berlin",
    1,
    "Europe/Berlin",
    tuple(WeeklyInterval(day, *span) for day in (0, 1, 5, 6) for span in ((3600, 43_200), (46_800, 61_200))),
    frozenset({date(2026, 3, 31)}),
)
CALENDARS = {calendar.ref: calendar for calendar in (ALWAYS, BERLIN)}


def resolution(calendar: Calendar, target: int | None, held: set[str], **targets: int) -> Objective:
    listed = tuple(PriorityTarget(name, minutes * 60) for name, minutes in targets.items())
    value = None if target is None else target * 60
    return Objective(Metric.RESOLUTION, "s", value, listed, calendar=calendar.ref, pause_states=frozenset(held))


AGREEMENTS = {
    agreement.ref: agreement
    for agreement in (
        Agreement("basic", 1, Scope(), (resolution(BERLIN, 600, {"pending"}, high=240),), START),
        Agreement("gold", 1, Scope(), (resolution(ALWAYS, 300, {"held"}, high=120),), START),
        Agreement("gold", 2, Scope(), (resolution(ALWAYS, None, {"held", "pending"}, high=90, low=700),), START),
    )
}
TERMS = terms_of(Metric.RESOLUTION, AGREEMENTS.values(), CALENDARS.values())


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """A log on whole minutes, in which several events often share an instant, and sometimes a sequence."""
    moments = draw(st.lists(st.integers(0, LENGTH), min_size=1, max_size=3))

    def one(kind: EventKind, minute: int) -> Event:
        state = draw(st.sampled_from(["active", "pending", "held"]))
        priority = draw(st.sampled_from(["high", "low"]))
        agreement = draw(st.sampled_from(sorted(AGREEMENTS)))
        wanted = draw(st.sets(st.sampled_from(["state", "priority", "agreement"]), max_size=1))
        wanted |= {kind.removesuffix("_changed")}
        return Event(
            kind,
            START + minute * MINUTE,
            draw(st.integers(0, 3)),
            state=state if "state" in wanted else None,
            priority=priority if "priority" in wanted else None,
            agreement=agreement if "agreement" in wanted else None,
        )

    opened = Event(EventKind.OPENED, START + draw(st.integers(0, 600)) * MINUTE, agreement=AgreementRef("basic", 1))
    minutes = st.one_of(st.sampled_from(moments), st.integers(0, LENGTH))
    kinds = st.sampled_from([kind for kind in EventKind if kind is not EventKind.OPENED])
    drawn = draw(st.lists(st.tuples(kinds, minutes), max_size=12))
    return [opened, *(one(kind, minute) for kind, minute in drawn)]


class Oracle:
    """Lives through the log minute by minute and keeps nothing but the rules as they are written."""

    def __init__(self) -> None:
        self.elapsed = 0
        self.state: str | None = None
        self.priority: str | None = None
        self.agreement = AgreementRef("basic", 1)
        self.objective = AGREEMENTS[self.agreement].objectives[0]
        self.target: int | None = None
        self.started = self.stopped = self.cancelled = False
        self.stopped_at = self.state_at = START
        self.breached_at: datetime | None = None

    def terms(self) -> None:
        self.objective = AGREEMENTS[self.agreement].objectives[0]
        target = self.objective.target_for(self.priority)
        self.target = None if target is None else int(target) // 60

    def running(self) -> bool:
        return self.started and not self.stopped and self.state not in self.objective.pause_states

    def take(self, event: Event) -> None:
        if event.state:
            self.state, self.state_at = event.state, event.occurred_at
        self.priority = event.priority or self.priority
        self.agreement = event.agreement or self.agreement
        if event.kind is EventKind.OPENED:
            self.started = True
        if not self.started:
            return
        if not self.stopped:
            self.terms()
            self.look(event.occurred_at, at_change=True)
        if event.kind in (EventKind.RESOLVED, EventKind.CLOSED, EventKind.CANCELLED) and not self.stopped:
            self.stopped, self.stopped_at = True, event.occurred_at
            self.cancelled = event.kind is EventKind.CANCELLED
        elif event.kind is EventKind.REOPENED and self.stopped:
            self.stopped = self.cancelled = False
            self.state = self.state if self.state_at >= self.stopped_at else None
            self.terms()
            self.look(event.occurred_at, at_change=True)

    def look(self, now: datetime, *, at_change: bool = False) -> None:
        if self.breached_at is not None or not self.started or self.stopped or self.target is None:
            return
        if self.elapsed > self.target or (self.elapsed == self.target and self.running() and not at_change):
            self.breached_at = now

    def live_through(self, log: list[Event], until: int) -> None:
        left = sorted(log, key=lambda event: event.order)
        for minute in range(until + 1):
            now = START + minute * MINUTE
            while left and left[0].occurred_at <= now:
                self.take(left.pop(0))
            self.look(now)
            if minute < until and self.running() and shows_open(self.objective, now):
                self.elapsed += 1

    def status(self) -> Status:
        if self.breached_at is not None:
            return Status.MISSED if self.stopped else Status.BREACHED
        if self.stopped:
            return Status.CANCELLED if self.cancelled or self.target is None else Status.MET
        return Status.RUNNING if self.running() else Status.PAUSED


def shows_open(objective: Objective, now: datetime) -> bool:
    assert objective.calendar is not None
    calendar = CALENDARS[objective.calendar]
    shown = now.astimezone(ZoneInfo(calendar.zone))
    second = shown.hour * 3600 + shown.minute * 60
    regular = calendar.hours_of_weekday(shown.weekday())
    return shown.date() not in calendar.holidays and any(start <= second < end for start, end in regular)


def judge(log: list[Event], minute: float) -> ClockState:
    return evaluate(log, TERMS, START + minute * MINUTE)


@settings(max_examples=200)
@given(logs(), st.integers(600, LENGTH))
def test_the_verdict_agrees_with_living_through_the_log_minute_by_minute(log: list[Event], minute: int) -> None:
    oracle = Oracle()
    oracle.live_through(log, minute)
    state = judge(log, minute)
    assert state.elapsed_seconds == oracle.elapsed * 60
    assert state.breached_at == oracle.breached_at
    assert state.status is oracle.status()


@settings(max_examples=150)
@given(logs().flatmap(lambda log: st.tuples(st.just(log), st.permutations(log))), st.integers(0, LENGTH))
def test_the_order_of_arrival_does_not_change_the_verdict(logs: tuple[list[Event], list[Event]], minute: int) -> None:
    assert judge(logs[0], minute) == judge(logs[1], minute)


@settings(max_examples=150)
@given(logs(), st.integers(600, LENGTH))
def test_what_happens_later_does_not_change_the_verdict_of_an_earlier_moment(log: list[Event], minute: int) -> None:
    known = [event for event in log if event.occurred_at <= START + minute * MINUTE]
    assert judge(known, minute) == judge(log, minute)


@settings(max_examples=150)
@given(logs(), st.lists(st.integers(0, LENGTH), max_size=6))
def test_looking_in_between_changes_nothing_and_what_was_raised_stays(log: list[Event], looks: list[int]) -> None:
    final = judge(log, LENGTH)
    for look in looks:
        seen = judge(log, look)
        assert set(seen.crossings) <= set(final.crossings)
        assert seen.breached_at in (None, final.breached_at)


@settings(max_examples=150)
@given(logs())
def test_a_timer_that_wakes_at_events_and_alarms_raises_exactly_what_the_whole_log_tells(log: list[Event]) -> None:
    moments = sorted({event.occurred_at for event in log} | {START + LENGTH * MINUTE})
    now = next(event.occurred_at for event in log if event.kind is EventKind.OPENED)
    raised: dict[object, datetime] = {}
    while True:
        state = evaluate([event for event in log if event.occurred_at <= now], TERMS, now)
        facts = [*state.crossings] + (["breach"] if state.breached_at else [])
        for fact in facts:
            raised.setdefault(fact, now)
        alarm = next_alarm(state)
        ahead = [moment for moment in (*moments, *([alarm.at] if alarm else [])) if moment > now]
        if not ahead or min(ahead) > moments[-1]:
            break
        assert alarm is None or alarm.at > now
        now = min(ahead)
    final = evaluate(log, TERMS, moments[-1])
    expected: dict[object, datetime] = {crossing: crossing.at for crossing in final.crossings}
    if final.breached_at:
        expected["breach"] = final.breached_at
    assert raised == expected


@settings(max_examples=150)
@given(logs(), st.integers(0, LENGTH))
def test_an_explanation_has_no_gaps_and_its_counted_seconds_are_the_elapsed_time(log: list[Event], minute: int) -> None:
    state = judge(log, minute)
    parts = explain(state)
    assert all(left.end == right.start for left, right in pairwise(parts))
    if parts:
        assert (parts[0].start, parts[-1].end) == (state.started_at, state.as_of)
    assert sum(part.counted_seconds for part in parts) == state.elapsed_seconds
    assert all(part.counted == (part.counted_seconds > 0) for part in parts)
