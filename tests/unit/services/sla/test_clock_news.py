"""What there is to tell of a clock, and when time alone changes it. Hours count from a Monday, 00:00 UTC."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from services.sla.agreements.rules import AgreementRef, Metric
from services.sla.clocks.record_rules import Clock, NewsKind, clock_id, judged, news
from services.sla.clocks.rules import Status, terms_of
from services.sla.clocks.ticket_rules import Ticket
from tests.unit.services.sla.builders import agreement, at, ticket, version

AGREED = version(agreement())
TERMS = terms_of(Metric.RESOLUTION, [AGREED.agreement], [AGREED.calendar])
OPEN = ticket((0, "ACKNOWLEDGED"))


def clock(one: Ticket = OPEN, hour: float = 0) -> Clock:
    return judged(one, AgreementRef("standard", 1), TERMS, at(hour), 1)


def told(before: Clock | None, after: Clock) -> list[tuple[str, float, float]]:
    return [(n.kind.value, (n.time - at(0)) / timedelta(hours=1), n.threshold) for n in news(before, after)]


def test_a_clock_is_named_after_its_ticket_and_metric() -> None:
    assert clock().id == clock_id("t1", Metric.RESOLUTION) == "t1:RESOLUTION"


def test_a_new_clock_tells_that_it_started_and_one_that_has_not_changed_tells_nothing() -> None:
    assert told(None, clock()) == [("started", 0, 0)]
    assert told(clock(), clock(hour=1)) == []


def test_each_threshold_and_the_breach_are_told_once_at_their_true_instants() -> None:
    looks = [clock(hour=hour) for hour in (0, 6.5, 7, 9, 10)]
    assert [told(*pair) for pair in pairwise(looks)] == [
        [("in_jeopardy", 6, 0.75)],
        [],
        [("in_jeopardy", 7.2, 0.9), ("in_jeopardy", 8, 1.0), ("breached", 8, 0)],
        [],
    ]


def test_a_historic_ticket_tells_its_whole_story_in_order() -> None:
    late = ticket((0, "ACKNOWLEDGED"), (7, "IN_PROGRESS"), (9, "RESOLVED"))
    assert [kind for kind, _, _ in told(None, clock(late, 1000))] == [
        "started", "in_jeopardy", "in_jeopardy", "in_jeopardy", "breached", "changed",
    ]  # fmt: skip
    assert told(None, clock(late, 1000))[-1] == ("changed", 9, 0)
    assert clock(late, 1000).status is Status.MISSED


def test_a_pause_a_new_target_and_a_stop_are_changes() -> None:
    paused = ticket((0, "ACKNOWLEDGED"), (1, "PENDING"))
    assert told(clock(), clock(paused, 2)) == [("changed", 1, 0)]
    assert told(clock(), clock(ticket((0, "ACKNOWLEDGED"), (1, "ACKNOWLEDGED", "LOW")), 2)) == [("changed", 1, 0)]
    assert told(clock(), clock(ticket((0, "ACKNOWLEDGED"), (1, "RESOLVED")), 2)) == [("changed", 1, 0)]


def test_work_on_a_ticket_that_moves_no_clock_tells_nothing() -> None:
    assert told(clock(), clock(ticket((0, "ACKNOWLEDGED"), (1, "IN_PROGRESS")), 2)) == []


def test_a_late_resolution_takes_a_breach_back_and_a_later_breach_is_told_again() -> None:
    breached = clock(hour=9)
    in_time = clock(ticket((0, "ACKNOWLEDGED"), (7.5, "RESOLVED")), 10)
    assert told(breached, in_time) == [("changed", 7.5, 0)]
    again = clock(ticket((0, "ACKNOWLEDGED"), (7.5, "RESOLVED"), (20, "IN_PROGRESS")), 21)
    assert ("breached", 20.5, 0) in told(in_time, again)


def test_a_breach_and_a_stop_heard_together_are_both_told() -> None:
    missed = clock(ticket((0, "ACKNOWLEDGED"), (9, "RESOLVED")), 10)
    kinds = [kind for kind, _, _ in told(clock(hour=7.5), missed)]
    assert kinds == [NewsKind.IN_JEOPARDY, NewsKind.BREACHED, NewsKind.CHANGED]


def test_the_alarm_stands_at_the_next_threshold_or_breach_and_nowhere_when_nothing_can_come() -> None:
    assert [clock(hour=hour).next_alarm for hour in (0, 6, 7.3, 8)] == [at(6), at(7.2), at(8), None]
    assert clock(ticket((0, "ACKNOWLEDGED"), (1, "PENDING")), 2).next_alarm is None
    assert clock(ticket((0, "ACKNOWLEDGED"), (1, "CLOSED")), 2).next_alarm is None


def test_an_alarm_between_two_milliseconds_waits_for_the_second_of_them() -> None:
    odd = replace(OPEN, open_time=at(0) + timedelta(microseconds=300))
    assert clock(odd, 1).next_alarm == at(6) + timedelta(milliseconds=1)


def test_an_event_dated_by_a_machine_ahead_of_ours_counts_when_its_time_has_come() -> None:
    ahead = ticket((0, "ACKNOWLEDGED"), (1, "RESOLVED"))
    early = clock(ahead, 0.9)
    assert (early.status, early.next_alarm) == (Status.RUNNING, at(1))
    assert clock(ahead, 1).status is Status.MET


def test_only_a_clock_that_runs_in_time_has_a_due_time() -> None:
    paused, met = ticket((0, "ACKNOWLEDGED"), (1, "PENDING")), ticket((0, "ACKNOWLEDGED"), (1, "CLOSED"))
    assert clock(hour=3).due_time == at(8)
    assert [clock(one, 9).due_time for one in (OPEN, paused, met)] == [None] * 3
