"""Clocks: every decided rule by example. Hours count from a Monday, 00:00 UTC."""

from datetime import UTC, datetime, timedelta

import pytest

from services.sla.agreements.rules import Agreement, AgreementRef, Metric, Objective, PriorityTarget, Scope
from services.sla.calendars.rules import Calendar, WeeklyInterval, around_the_clock
from services.sla.clocks.rules import (
    Alarm,
    AlarmKind,
    ClockState,
    Event,
    EventKind,
    Mode,
    Status,
    Terms,
    cycles,
    evaluate,
    next_alarm,
    single_terms,
    terms_of,
)

HOUR = 3600
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
ALWAYS = around_the_clock()
OFFICE = Calendar("office", 1, "UTC", tuple(WeeklyInterval(day, 9 * HOUR, 17 * HOUR) for day in range(5)))
TARGETS = (PriorityTarget("critical", 4 * HOUR), PriorityTarget("low", 24 * HOUR))


def at(hour: float) -> datetime:
    return MONDAY + timedelta(hours=hour)


def event(kind: str, hour: float, sequence: int = 0, **changes: object) -> Event:
    return Event(EventKind(kind), at(hour), sequence, **changes)  # type: ignore[arg-type]


def objective(calendar: Calendar = ALWAYS, **changes: object) -> Objective:
    values: dict[str, object] = {
        "metric": Metric.RESOLUTION, "unit": "s", "target": 8 * HOUR, "targets": TARGETS,
        "calendar": calendar.ref, "pause_states": frozenset({"pending", "held"}),
    }  # fmt: skip
    return Objective(**(values | changes))  # type: ignore[arg-type]


def terms(calendar: Calendar = ALWAYS, **changes: object) -> Terms:
    return single_terms(objective(calendar, **changes), calendar)


def judge(log: list[Event], hour: float, under: Terms | None = None, cycle: int = 1) -> ClockState:
    return evaluate(log, under or terms(), at(hour), cycle=cycle)


def hours(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / HOUR


OPENED = event("opened", 0)


def test_a_running_clock_tells_what_has_passed_what_is_left_and_when_it_is_due() -> None:
    state = judge([OPENED], 2)
    assert (state.status, state.due_at, state.fraction) == (Status.RUNNING, at(8), 0.25)
    assert (hours(state.elapsed_seconds), hours(state.remaining_seconds)) == (2, 6)


def test_a_clock_stopped_exactly_when_due_is_met() -> None:
    state = judge([OPENED, event("resolved", 8)], 30)
    assert (state.status, state.breached_at, state.stopped_at, state.due_at) == (Status.MET, None, at(8), at(8))


def test_a_met_clock_still_tells_when_it_would_have_been_due() -> None:
    assert judge([OPENED, event("resolved", 3)], 30).due_at == at(8)


def test_a_late_resolution_between_two_looks_is_missed_since_its_due_time() -> None:
    log = [OPENED, event("resolved", 8.001)]
    assert judge(log, 7.9).status is Status.RUNNING
    late = judge(log, 9)
    assert (late.status, late.breached_at) == (Status.MISSED, at(8))


def test_a_clock_that_still_runs_at_its_due_time_is_breached_then() -> None:
    state = judge([OPENED], 8)
    assert (state.status, state.breached_at, state.due_at) == (Status.BREACHED, at(8), at(8))
    assert hours(judge([OPENED], 10).remaining_seconds) == -2


def test_a_target_that_ends_at_closing_time_is_broken_at_closing_time() -> None:
    friday_close = 4 * 24 + 17
    log = [event("opened", 4 * 24 + 9), event("resolved", friday_close + 20)]
    state = judge(log, 200, terms(OFFICE))
    assert (state.status, state.breached_at) == (Status.MISSED, at(friday_close))
    in_time = judge([log[0], event("resolved", friday_close)], 200, terms(OFFICE))
    assert in_time.status is Status.MET


def test_only_business_hours_count() -> None:
    state = judge([event("opened", 16)], 24 + 10, terms(OFFICE))
    assert (hours(state.elapsed_seconds), state.due_at) == (2, at(24 + 16))


def test_a_paused_clock_stands_still_and_is_due_nowhen() -> None:
    state = judge([OPENED, event("state_changed", 2, state="pending")], 100)
    assert (state.status, state.paused_by, state.due_at) == (Status.PAUSED, "pending", None)
    assert hours(state.elapsed_seconds) == 2
    assert next_alarm(state) is None


def test_a_pause_moves_the_due_time_by_its_length() -> None:
    log = [OPENED, event("state_changed", 2, state="pending"), event("state_changed", 5, state="active")]
    assert judge(log, 6).due_at == at(11)


def test_one_pausing_state_after_another_is_one_pause() -> None:
    log = [OPENED, event("state_changed", 2, state="pending"), event("state_changed", 4, state="held")]
    state = judge(log, 9)
    assert (hours(state.elapsed_seconds), state.paused_by) == (2, "held")
    assert [stretch.paused_by for stretch in state.stretches] == [None, "pending", "held"]


def test_a_ticket_opened_in_a_pausing_state_does_not_run() -> None:
    assert hours(judge([event("opened", 0, state="held")], 9).elapsed_seconds) == 0


def test_a_clock_paused_exactly_when_due_is_broken_only_when_it_runs_on() -> None:
    log = [OPENED, event("state_changed", 8, state="pending")]
    assert judge(log, 20).status is Status.PAUSED
    assert judge([*log, event("resolved", 20)], 30).status is Status.MET
    resumed = judge([*log, event("state_changed", 20, state="active")], 20)
    assert (resumed.status, resumed.breached_at) == (Status.BREACHED, at(20))


@pytest.mark.parametrize("resolve_first", [True, False])
def test_a_pause_and_a_resolution_in_one_save_keep_the_earlier_pause(resolve_first: bool) -> None:
    log = [
        OPENED,
        event("state_changed", 2, state="pending"),
        event("state_changed", 20, 1 + resolve_first, state="held"),
        event("resolved", 20, 2 - resolve_first),
    ]
    state = judge(log, 30)
    assert (state.status, hours(state.elapsed_seconds)) == (Status.MET, 2)


@pytest.mark.parametrize("resolve_first", [True, False])
def test_a_pause_saved_with_a_resolution_still_pauses_the_reopened_clock(resolve_first: bool) -> None:
    log = [
        OPENED,
        event("state_changed", 2, 1 + resolve_first, state="pending"),
        event("resolved", 2, 2 - resolve_first),
        event("reopened", 10),
    ]
    assert judge(log, 20).status is Status.PAUSED
    assert hours(judge(log, 20).elapsed_seconds) == 2


def test_a_pause_and_a_resolution_may_come_in_one_event() -> None:
    log = [OPENED, event("resolved", 2, state="pending"), event("reopened", 10)]
    assert (judge(log, 5).status, judge(log, 5).due_at) == (Status.MET, at(8))
    assert judge(log, 20).status is Status.PAUSED


def test_reopening_resumes_the_same_clock_with_its_elapsed_time() -> None:
    log = [OPENED, event("resolved", 3), event("closed", 4), event("reopened", 10)]
    state = judge(log, 11)
    assert (state.status, hours(state.elapsed_seconds), state.due_at) == (Status.RUNNING, 4, at(15))
    assert [stretch.mode for stretch in state.stretches] == [Mode.RUNNING, Mode.STOPPED, Mode.RUNNING]


def test_reopening_ends_a_pause_that_began_before_the_resolution() -> None:
    log = [OPENED, event("state_changed", 1, state="pending"), event("resolved", 3), event("reopened", 10)]
    assert judge(log, 11).status is Status.RUNNING


def test_reopening_a_missed_clock_goes_on_as_breached() -> None:
    state = judge([OPENED, event("resolved", 9), event("reopened", 20)], 21)
    assert (state.status, state.breached_at, hours(state.elapsed_seconds)) == (Status.BREACHED, at(8), 10)


def test_a_change_of_priority_keeps_elapsed_time_and_pauses_and_moves_only_the_target() -> None:
    log = [
        event("opened", 0, priority="low"),
        event("state_changed", 1, state="pending"),
        event("state_changed", 11, state="active"),
        event("priority_changed", 12, priority="critical"),
    ]
    state = judge(log, 12)
    assert (hours(state.elapsed_seconds), state.target_seconds, state.due_at) == (2, 4 * HOUR, at(14))


def test_a_sharper_target_that_has_passed_already_is_broken_at_the_change() -> None:
    log = [event("opened", 0, priority="low"), event("priority_changed", 6, priority="critical")]
    state = judge(log, 7)
    assert (state.status, state.breached_at, state.due_at) == (Status.BREACHED, at(6), at(6))
    saved_with_a_resolution = [*log, event("resolved", 6, 1)]
    assert judge(saved_with_a_resolution, 7).status is Status.MISSED


def test_a_sharper_target_that_is_just_reached_is_kept_by_a_resolution_in_the_same_save() -> None:
    log = [event("opened", 0, priority="low"), event("priority_changed", 4, priority="critical")]
    assert judge([*log, event("resolved", 4, 1)], 7).status is Status.MET
    assert judge([*log, event("resolved", 5)], 7).breached_at == at(4)


def test_a_broken_promise_stays_broken_under_a_softer_target() -> None:
    log = [event("opened", 0, priority="critical"), event("priority_changed", 6, priority="low")]
    state = judge(log, 7)
    assert (state.status, state.breached_at, state.due_at) == (Status.BREACHED, at(4), at(4))
    assert next_alarm(state) is None


def test_a_softer_target_taken_exactly_when_due_saves_the_promise() -> None:
    log = [event("opened", 0, priority="critical"), event("priority_changed", 4, priority="low")]
    assert (judge(log, 5).status, judge(log, 5).due_at) == (Status.RUNNING, at(24))


def test_a_change_of_priority_after_the_stop_counts_from_the_reopening() -> None:
    log = [event("opened", 0, priority="low"), event("resolved", 6), event("priority_changed", 7, priority="critical")]
    assert judge(log, 8).status is Status.MET
    reopened = judge([*log, event("reopened", 9)], 9)
    assert (reopened.status, reopened.breached_at) == (Status.BREACHED, at(9))


def test_a_change_of_agreement_changes_target_calendar_and_pauses_from_then_on() -> None:
    basic = Agreement("basic", 1, Scope(), (objective(OFFICE, targets=()),), MONDAY)
    gold_objective = objective(ALWAYS, target=6 * HOUR, targets=(), pause_states=frozenset())
    gold = Agreement("gold", 3, Scope("ada"), (gold_objective,), MONDAY)
    under = terms_of(Metric.RESOLUTION, [basic, gold], [OFFICE, ALWAYS])
    log = [
        event("opened", 10, agreement=AgreementRef("basic", 1)),
        event("state_changed", 12, state="pending"),
        event("agreement_changed", 20, agreement=AgreementRef("gold", 3)),
    ]
    state = judge(log, 21, under)
    assert (hours(state.elapsed_seconds), state.status, state.due_at) == (3, Status.RUNNING, at(24))


def test_priorities_of_one_agreement_may_count_by_different_calendars() -> None:
    critical = objective(ALWAYS, target=None, targets=(PriorityTarget("critical", 4 * HOUR),))
    rest = objective(OFFICE, targets=())
    under = terms_of(Metric.RESOLUTION, [Agreement("a", 1, Scope(), (critical, rest), MONDAY)], [ALWAYS, OFFICE])
    log = [
        event("opened", 0, priority="low", agreement=AgreementRef("a", 1)),
        event("priority_changed", 10, priority="critical"),
    ]
    assert judge(log, 10, under).due_at == at(13)


def test_a_priority_without_a_target_keeps_its_time_for_a_later_target() -> None:
    under = terms(target=None)
    log = [event("opened", 0, priority="planning"), event("priority_changed", 10, priority="low")]
    state = judge(log, 9, under)
    assert (state.status, state.target_seconds, state.due_at, state.fraction) == (Status.RUNNING, None, None, 0)
    assert hours(state.elapsed_seconds) == 9
    assert judge(log, 11, under).due_at == at(24)
    assert judge([log[0], event("resolved", 5)], 9, under).status is Status.CANCELLED


def test_no_time_counts_under_an_agreement_that_says_nothing_of_the_metric() -> None:
    silent = Agreement("a", 1, Scope(), (objective(metric=Metric.FIRST_RESPONSE),), MONDAY)
    gold = Agreement("a", 2, Scope(), (objective(),), MONDAY)
    under = terms_of(Metric.RESOLUTION, [silent, gold], [ALWAYS])
    log = [
        event("opened", 0, agreement=AgreementRef("a", 1)),
        event("agreement_changed", 50, agreement=AgreementRef("a", 2)),
    ]
    assert (judge(log, 40, under).status, judge(log, 40, under).mode) == (Status.PAUSED, Mode.NO_TARGET)
    assert judge(log, 51, under).due_at == at(58)


def test_cancelling_leaves_nothing_to_judge_unless_the_promise_was_broken_before() -> None:
    assert judge([OPENED, event("cancelled", 3)], 30).status is Status.CANCELLED
    assert judge([OPENED, event("cancelled", 9)], 30).status is Status.MISSED
    assert judge([OPENED, event("cancelled", 3), event("reopened", 4)], 5).status is Status.RUNNING


def test_a_tolerance_moves_the_breach_but_not_the_due_time() -> None:
    under = terms(tolerance=HOUR)
    overdue = judge([OPENED], 8.5, under)
    assert (overdue.status, overdue.due_at, overdue.breached_at) == (Status.RUNNING, at(8), None)
    assert next_alarm(overdue) == Alarm(at(9), AlarmKind.BREACH, None)
    assert judge([OPENED], 9, under).breached_at == at(9)
    assert judge([OPENED, event("resolved", 9)], 30, under).status is Status.MET


def test_jeopardy_is_told_with_the_time_at_which_each_threshold_was_reached() -> None:
    assert judge([OPENED], 5.9).crossings == ()
    crossings = judge([OPENED], 30).crossings
    assert [(crossing.threshold, crossing.at) for crossing in crossings] == [
        (0.75, at(6)),
        (0.9, at(7.2)),
        (1.0, at(8)),
    ]


def test_a_threshold_is_reached_again_under_a_new_target() -> None:
    log = [event("opened", 0, priority="critical"), event("priority_changed", 3.5, priority="low")]
    crossings = judge(log, 20).crossings
    assert [(crossing.at, crossing.target_seconds) for crossing in crossings] == [
        (at(3), 4 * HOUR), (at(18), 24 * HOUR),
    ]  # fmt: skip


def test_a_first_response_stops_its_clock_for_good() -> None:
    under = terms(metric=Metric.FIRST_RESPONSE)
    log = [OPENED, event("responded", 3), event("responded", 9), event("resolved", 10), event("reopened", 11)]
    state = judge(log, 30, under)
    assert (state.status, state.stopped_at) == (Status.MET, at(3))
    assert judge([OPENED, event("responded", 3)], 30).status is Status.BREACHED, "a response is no resolution"


def test_a_resolution_without_a_response_stops_the_response_clock() -> None:
    assert judge([OPENED, event("resolved", 3)], 30, terms(metric=Metric.FIRST_RESPONSE)).stopped_at == at(3)


def test_each_wait_for_a_next_response_is_a_clock_of_its_own() -> None:
    under = terms(metric=Metric.NEXT_RESPONSE)
    log = [
        OPENED,
        event("responded", 1),
        event("customer_replied", 2),
        event("customer_replied", 3),
        event("responded", 4),
        event("customer_replied", 20),
    ]
    assert cycles(log, Metric.NEXT_RESPONSE) == 2
    assert [(state.started_at, state.status) for state in (judge(log, 40, under, cycle) for cycle in (1, 2))] == [
        (at(2), Status.MET), (at(20), Status.BREACHED),
    ]  # fmt: skip


def test_the_completion_of_an_order_stops_its_activation_clock() -> None:
    assert judge([OPENED, event("resolved", 5)], 30, terms(metric=Metric.ACTIVATION)).status is Status.MET


def test_events_that_repeat_change_nothing() -> None:
    log = [
        OPENED,
        event("state_changed", 2, state="pending"),
        event("state_changed", 5, state="active"),
        event("resolved", 9),
    ]
    assert judge(log + log, 30) == judge(log, 30)


def test_events_are_not_seen_before_they_occur() -> None:
    log = [OPENED, event("resolved", 3), event("reopened", 10)]
    assert [judge(log, look).status for look in (2, 3, 9, 10)] == [
        Status.RUNNING, Status.MET, Status.MET, Status.RUNNING,
    ]  # fmt: skip


def test_a_clock_looked_at_before_its_start_stands_at_its_start() -> None:
    state = judge([OPENED, event("resolved", 1)], -5)
    assert (state.status, state.elapsed_seconds, state.as_of) == (Status.RUNNING, 0, at(0))
