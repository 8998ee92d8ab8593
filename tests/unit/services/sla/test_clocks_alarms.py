"""Clocks: the next alarm, the hit rate, and what cannot be judged. Hours count from a Monday, 00:00 UTC."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from chassis.rules import Invalid, NotFound
from services.sla.agreements.rules import AgreementRef, Metric, Objective
from services.sla.calendars.rules import Calendar, WeeklyInterval, around_the_clock
from services.sla.clocks.rules import (
    Alarm,
    AlarmKind,
    ClockState,
    Event,
    EventKind,
    Mode,
    Terms,
    evaluate,
    hit_rate,
    next_alarm,
    single_terms,
    terms_of,
)

HOUR = 3600
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
NAIVE = MONDAY.replace(tzinfo=None)
ALWAYS = around_the_clock()
OFFICE = Calendar("office", 1, "UTC", tuple(WeeklyInterval(day, 9 * HOUR, 17 * HOUR) for day in range(5)))


def at(hour: float) -> datetime:
    return MONDAY + timedelta(hours=hour)


def event(kind: str, hour: float, **changes: object) -> Event:
    return Event(EventKind(kind), at(hour), **changes)  # type: ignore[arg-type]


def objective(calendar: Calendar, tolerance: float = 0) -> Objective:
    held = frozenset({"held"})
    return Objective(Metric.RESOLUTION, "s", 8 * HOUR, calendar=calendar.ref, pause_states=held, tolerance=tolerance)


def terms(calendar: Calendar = ALWAYS, tolerance: float = 0) -> Terms:
    return single_terms(objective(calendar, tolerance), calendar)


def judge(log: list[Event], hour: float, under: Terms | None = None, cycle: int = 1) -> ClockState:
    return evaluate(log, under or terms(), at(hour), cycle=cycle)


OPENED = event("opened", 0)


def test_the_next_alarm_is_the_next_threshold_and_at_last_the_breach() -> None:
    looks = [0, 6, 7.2, 8]
    alarms = [next_alarm(judge([OPENED], look)) for look in looks]
    assert alarms == [
        Alarm(at(6), AlarmKind.JEOPARDY, 0.75),
        Alarm(at(7.2), AlarmKind.JEOPARDY, 0.9),
        Alarm(at(8), AlarmKind.BREACH, None),
        None,
    ]


def test_thresholds_fall_on_whole_seconds_rounded_up() -> None:
    ten_seconds = single_terms(Objective(Metric.RESOLUTION, "s", 10, calendar=ALWAYS.ref), ALWAYS)
    crossings = judge([OPENED], 1, ten_seconds).crossings
    assert [(crossing.at - MONDAY).total_seconds() for crossing in crossings] == [8, 9, 10]


def test_an_alarm_falls_into_business_hours() -> None:
    assert next_alarm(judge([event("opened", 12)], 20, terms(OFFICE))) == Alarm(at(24 + 10), AlarmKind.JEOPARDY, 0.75)


def test_nothing_alarms_while_a_clock_is_paused_stopped_or_broken() -> None:
    paused, stopped = event("state_changed", 2, state="held"), event("resolved", 3)
    assert [next_alarm(judge(log, 9)) for log in ([OPENED, paused], [OPENED, stopped], [OPENED])] == [None] * 3


def test_a_breach_that_falls_on_a_threshold_wins_over_it() -> None:
    assert next_alarm(judge([OPENED], 7.5)) == Alarm(at(8), AlarmKind.BREACH, None)
    assert next_alarm(judge([OPENED], 7.5, terms(tolerance=HOUR))) == Alarm(at(8), AlarmKind.JEOPARDY, 1.0)


def test_a_running_or_paused_clock_is_never_a_hit() -> None:
    running, paused = judge([OPENED], 1), judge([event("opened", 0, state="held")], 1)
    met, breached = judge([OPENED, event("resolved", 1)], 2), judge([OPENED], 9)
    missed, cancelled = judge([OPENED, event("resolved", 9)], 9), judge([OPENED, event("cancelled", 1)], 2)
    result = hit_rate([running, paused, met, breached, missed, cancelled])
    assert (result.met, result.missed, result.undecided, result.cancelled) == (1, 2, 2, 1)
    assert result.rate == pytest.approx(1 / 3)
    assert hit_rate([running, paused, cancelled]).rate is None


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("log", lambda: judge([], 1)),
        ("log", lambda: judge([event("resolved", 1)], 1)),
        ("log", lambda: judge([OPENED], 1, cycle=2)),
        ("log", lambda: judge([OPENED], 1, cycle=0)),
        ("as_of", lambda: evaluate([OPENED], terms(), NAIVE)),
        ("occurred_at", lambda: Event(EventKind.OPENED, NAIVE)),
        ("occurred_at", lambda: event("opened", -60 * 366 * 24)),
        ("target", lambda: terms(Calendar("rare", 1, "UTC", (WeeklyInterval(0, 0, 1),)))),
        ("state", lambda: event("state_changed", 1)),
        ("priority", lambda: event("priority_changed", 1)),
        ("agreement", lambda: event("agreement_changed", 1)),
        ("metric", lambda: single_terms(Objective(Metric.LATENCY, "ms", 20), ALWAYS)),
        ("metric", lambda: terms_of(Metric.LATENCY, [], [])),
    ],
)
def test_what_cannot_be_judged_is_refused_with_its_field(field: str, make: Callable[[], object]) -> None:
    with pytest.raises(Invalid) as refusal:
        make()
    assert refusal.value.field == field


def test_an_unknown_agreement_or_calendar_is_told() -> None:
    log = [event("opened", 0, agreement=AgreementRef("lost", 1))]
    with pytest.raises(NotFound, match="lost version 1"):
        judge(log, 1, terms_of(Metric.RESOLUTION, [], []))
    with pytest.raises(NotFound, match="office version 1"):
        single_terms(objective(OFFICE), ALWAYS)


def test_a_log_that_names_no_agreement_is_promised_nothing() -> None:
    assert judge([OPENED], 1, terms_of(Metric.RESOLUTION, [], [])).mode is Mode.NO_TARGET
