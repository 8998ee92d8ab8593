"""From the past of a ticket to the log of its clocks. Hours count from a Monday, 00:00 UTC."""

from itertools import permutations

import pytest

from services.sla.agreements.rules import AgreementRef, Metric
from services.sla.clocks.event_rules import EventKind
from services.sla.clocks.record_rules import judge
from services.sla.clocks.rules import ClockState, Status, terms_of
from services.sla.clocks.ticket_rules import ENDS, KINDS, Ticket, TicketState, event_log, is_promised, newest
from services.sla.clocks.wire import ticket as from_facts
from tests.unit.services.sla.builders import ADA, HOUR, agreement, at, facts, ticket, version

REF = AgreementRef("standard", 1)
AGREED = version(agreement())
TERMS = {m: terms_of(m, [AGREED.agreement], [AGREED.calendar]) for m in (Metric.FIRST_RESPONSE, Metric.RESOLUTION)}


def verdict(one: Ticket, hour: float, metric: Metric = Metric.RESOLUTION) -> ClockState:
    return judge(one, REF, TERMS[metric], at(hour))


def test_every_state_of_a_ticket_means_something_to_a_clock() -> None:
    assert set(KINDS) == set(TicketState)
    assert {KINDS[state] for state in ENDS} == {EventKind.RESOLVED, EventKind.CLOSED, EventKind.CANCELLED}


@pytest.mark.parametrize(
    ("state", "response", "resolution"),
    [
        ("ACKNOWLEDGED", Status.BREACHED, Status.RUNNING),
        ("PENDING", Status.MET, Status.PAUSED),
        ("HELD", Status.MET, Status.RUNNING),
        ("IN_PROGRESS", Status.MET, Status.RUNNING),
        ("RESOLVED", Status.MET, Status.MET),
        ("CLOSED", Status.MET, Status.MET),
        ("CANCELLED", Status.CANCELLED, Status.CANCELLED),
        ("REJECTED", Status.CANCELLED, Status.CANCELLED),
    ],
)
def test_what_a_state_entered_in_time_means(state: str, response: Status, resolution: Status) -> None:
    one = ticket((0, "ACKNOWLEDGED"), (0.5, state))
    assert verdict(one, 2, Metric.FIRST_RESPONSE).status is response
    assert verdict(one, 2).status is resolution


def test_a_pause_state_of_the_agreement_stops_the_time_and_another_state_lets_it_run_on() -> None:
    one = ticket((0, "ACKNOWLEDGED"), (1, "IN_PROGRESS"), (2, "PENDING"), (12, "IN_PROGRESS"), (17, "RESOLVED"))
    state = verdict(one, 20)
    assert (state.status, state.elapsed_seconds) == (Status.MET, 7 * HOUR)


def test_a_reopened_ticket_goes_on_with_its_elapsed_time() -> None:
    one = ticket((0, "ACKNOWLEDGED"), (5, "RESOLVED"), (20, "IN_PROGRESS"))
    state = verdict(one, 22)
    assert (state.status, state.elapsed_seconds) == (Status.RUNNING, 7 * HOUR)
    assert verdict(one, 24).breached_at == at(23)


def test_a_refused_ticket_that_is_taken_up_after_all_is_answered_by_that() -> None:
    one = ticket((0, "ACKNOWLEDGED"), (0.25, "REJECTED"), (0.5, "IN_PROGRESS"))
    assert verdict(one, 3, Metric.FIRST_RESPONSE).status is Status.MET


def test_a_change_of_priority_counts_from_then_on() -> None:
    one = ticket((0, "ACKNOWLEDGED", "LOW"), (6, "IN_PROGRESS", "LOW"), (7, "IN_PROGRESS", "HIGH"))
    assert verdict(one, 6.5).target_seconds == 24 * HOUR
    assert verdict(one, 7.5).due_at == at(8)


def test_nothing_happens_to_a_ticket_before_it_is_opened() -> None:
    one = ticket((-3, "IN_PROGRESS"), (2, "RESOLVED"), opened=0)
    assert [event.occurred_at for event in event_log(one, REF)] == [at(0), at(0), at(2)]
    state = verdict(one, 3)
    assert (state.status, state.elapsed_seconds) == (Status.MET, 2 * HOUR)


def test_a_past_that_is_told_in_another_order_is_the_same_past() -> None:
    visits = [(0.0, "ACKNOWLEDGED"), (1.0, "PENDING"), (3.0, "IN_PROGRESS"), (4.0, "RESOLVED")]
    states = {verdict(ticket(*order, opened=0), 9).elapsed_seconds for order in permutations(visits)}
    assert states == {2 * HOUR}


def test_of_what_was_heard_of_a_ticket_the_newest_counts_in_whatever_order_it_came() -> None:
    heard = [ticket((0, "ACKNOWLEDGED")), ticket((0, "ACKNOWLEDGED"), (1, "IN_PROGRESS")), ticket((0, "ACKNOWLEDGED"))]
    assert {newest(order)["t1"].sequence for order in permutations(heard)} == {2}


def test_a_priority_without_a_target_is_promised_nothing_until_it_gets_one() -> None:
    assert not is_promised(ticket((0, "ACKNOWLEDGED", "MEDIUM")), REF, TERMS[Metric.RESOLUTION])
    changed = ticket((0, "ACKNOWLEDGED", "MEDIUM"), (1, "ACKNOWLEDGED", "HIGH"))
    assert is_promised(changed, REF, TERMS[Metric.RESOLUTION])
    assert verdict(changed, 2).due_at == at(8)


def test_what_events_tell_of_a_ticket_is_its_whole_past() -> None:
    one = ticket((0, "ACKNOWLEDGED", "LOW"), (1, "HELD"), (2, "CLOSED", "CRITICAL"), customer_id=ADA)
    assert from_facts(facts(one), one.sequence) == one


def test_a_ticket_told_without_a_past_has_its_present_state() -> None:
    told = facts(ticket((0, "ACKNOWLEDGED"), (1, "HELD")))
    del told.history[:]
    (visit,) = from_facts(told, 2).visits
    assert (visit.state, visit.priority, visit.time) == (TicketState.HELD, "HIGH", at(1))
