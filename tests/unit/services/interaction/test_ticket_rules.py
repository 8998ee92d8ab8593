"""What may become of a ticket."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Invalid, Refused
from services.interaction.tickets.rules import (
    FINAL,
    MOST_CHANGES,
    MOST_NOTE_CHARACTERS,
    PRIORITIES,
    TAKEN_UP,
    TRANSITIONS,
    Change,
    Draft,
    Level,
    Note,
    Priority,
    State,
    Step,
    Ticket,
    changed,
    opened,
)
from tests.unit.services.interaction.builders import CUSTOMER, NOW

HOUR = timedelta(hours=1)
S = State


def fresh(**fields: object) -> Ticket:
    return opened(Draft(CUSTOMER, "no connection", **fields), "t1", NOW)  # type: ignore[arg-type]


def through(*states: State) -> Ticket:
    ticket = fresh()
    for n, state in enumerate(states, 1):
        ticket = changed(ticket, Change(state), "ada", NOW + n * HOUR)
    return ticket


def test_a_new_ticket_is_acknowledged_since_it_was_opened() -> None:
    ticket = fresh()
    assert ticket.history == (Step(S.ACKNOWLEDGED, Priority.MEDIUM, NOW),)
    assert (ticket.open_time, ticket.update_time, ticket.version) == (NOW, NOW, 1)
    assert ticket.response_time is None
    assert ticket.resolve_time is None


def test_a_ticket_may_have_been_opened_before_it_is_told_of() -> None:
    ticket = fresh(open_time=NOW - HOUR)
    assert ticket.open_time == ticket.history[0].time == NOW - HOUR
    assert ticket.update_time == NOW


@pytest.mark.parametrize("state", [s for s in State if s is not S.ACKNOWLEDGED])
def test_a_ticket_cannot_begin_in_another_state(state: State) -> None:
    with pytest.raises(Invalid) as refused:
        opened(Draft(CUSTOMER, "no connection", state=state), "t1", NOW, "ticket.")
    assert refused.value.field == "ticket.state"


def test_a_ticket_is_not_opened_in_the_future() -> None:
    assert fresh(open_time=NOW + timedelta(minutes=5)).open_time > NOW
    with pytest.raises(Invalid, match="future"):
        fresh(open_time=NOW + timedelta(minutes=6))


def test_priority_follows_from_impact_and_urgency() -> None:
    assert len(PRIORITIES) == 9
    order = list(Level)
    ranks = {p: n for n, p in enumerate(Priority)}
    for impact, urgency in PRIORITIES:
        assert PRIORITIES[impact, urgency] is PRIORITIES[urgency, impact]
        for higher in order[order.index(impact) :]:
            assert ranks[PRIORITIES[higher, urgency]] >= ranks[PRIORITIES[impact, urgency]]
    assert fresh(impact=Level.HIGH, urgency=Level.HIGH).priority is Priority.CRITICAL
    assert fresh(impact=Level.LOW, urgency=Level.LOW).priority is Priority.LOW


@given(st.sampled_from(State), st.sampled_from(State))
def test_a_ticket_moves_along_its_arrows_only(before: State, after: State) -> None:
    ticket = replace(fresh(), state=before)
    if before is after:
        assert changed(ticket, Change(after), "ada", NOW) is ticket
    elif after in TRANSITIONS[before]:
        assert changed(ticket, Change(after), "ada", NOW).state is after
    else:
        with pytest.raises(Refused) as refused:
            changed(ticket, Change(after), "ada", NOW)
        allowed = ", ".join(sorted(TRANSITIONS[before])) or "none"
        assert refused.value.reason == "FORBIDDEN_TRANSITION"
        assert refused.value.metadata == {"from": before, "to": after, "allowed": allowed}


def test_only_rejected_cancelled_and_closed_are_final() -> None:
    assert {S.REJECTED, S.CANCELLED, S.CLOSED} == FINAL
    reachable = {S.ACKNOWLEDGED}
    while more := {after for state in reachable for after in TRANSITIONS[state]} - reachable:
        reachable |= more
    assert reachable == set(State)


@given(st.lists(st.tuples(st.sampled_from(State), st.integers(-48, 48)), max_size=12))
def test_whatever_happens_a_ticket_stays_consistent(wishes: list[tuple[State, int]]) -> None:
    ticket = fresh()
    for state, hour in wishes:
        try:
            ticket = changed(ticket, Change(state), "ada", NOW + hour * HOUR)
        except Refused:
            continue
    times = [step.time for step in ticket.history]
    assert times == sorted(times)
    assert ticket.update_time == times[-1]
    assert ticket.history[-1].state is ticket.state
    assert ticket.version == len(ticket.history)
    taken = [step.time for step in ticket.history if step.state in TAKEN_UP]
    assert ticket.response_time == (taken[0] if taken else None)
    resolved = [step.time for step in ticket.history if step.state is S.RESOLVED]
    assert ticket.resolve_time == (resolved[-1] if ticket.state in (S.RESOLVED, S.CLOSED) else None)


def test_a_ticket_is_answered_when_it_is_first_taken_up() -> None:
    for state in TAKEN_UP:
        assert through(state).response_time == NOW + HOUR
    assert through(S.IN_PROGRESS, S.PENDING).response_time == NOW + HOUR
    for state in (S.REJECTED, S.CANCELLED):
        assert through(state).response_time is None


def test_a_reopened_ticket_is_not_resolved_until_it_is_again() -> None:
    assert through(S.RESOLVED).resolve_time == NOW + HOUR
    assert through(S.RESOLVED, S.IN_PROGRESS).resolve_time is None
    assert through(S.RESOLVED, S.IN_PROGRESS, S.RESOLVED, S.CLOSED).resolve_time == NOW + 3 * HOUR


def test_a_change_of_impact_is_history_when_it_changes_the_priority() -> None:
    raised = changed(fresh(), Change(impact=Level.HIGH), "ada", NOW + HOUR)
    assert raised.priority is Priority.HIGH
    assert raised.history[-1] == Step(S.ACKNOWLEDGED, Priority.HIGH, NOW + HOUR)
    same = changed(fresh(impact=Level.LOW, urgency=Level.LOW), Change(urgency=Level.MEDIUM), "ada", NOW + HOUR)
    assert same.urgency is Level.MEDIUM
    assert same.priority is Priority.LOW
    assert len(same.history) == 1
    assert same.version == 2


def test_state_and_impact_changed_together_are_one_step() -> None:
    after = changed(fresh(), Change(S.IN_PROGRESS, Level.HIGH, Level.HIGH, "on it"), "ada", NOW + HOUR)
    assert after.history[1:] == (Step(S.IN_PROGRESS, Priority.CRITICAL, NOW + HOUR),)
    assert after.notes == (Note("ada", "on it", NOW + HOUR),)
    assert after.version == 2


def test_a_final_ticket_takes_notes_and_nothing_else() -> None:
    closed = through(S.RESOLVED, S.CLOSED)
    noted = changed(closed, Change(note="thanks"), "ada", NOW + 5 * HOUR)
    assert noted.notes[-1].text == "thanks"
    assert noted.version == closed.version + 1
    assert noted.history == closed.history
    with pytest.raises(Refused) as refused:
        changed(closed, Change(impact=Level.HIGH), "ada", NOW + 5 * HOUR)
    assert refused.value.reason == "FORBIDDEN_TRANSITION"


def test_a_change_that_changes_nothing_is_none() -> None:
    ticket = fresh()
    assert changed(ticket, Change(), "ada", NOW + HOUR) is ticket
    assert changed(ticket, Change(S.ACKNOWLEDGED, Level.MEDIUM), "ada", NOW + HOUR) is ticket


def test_a_ticket_holds_so_many_notes_and_no_more() -> None:
    ticket = fresh()
    long = "x" * (MOST_NOTE_CHARACTERS // 4)
    for _ in range(4):
        ticket = changed(ticket, Change(note=long), "ada", NOW)
    with pytest.raises(Invalid) as refused:
        changed(ticket, Change(note="x"), "ada", NOW)
    assert refused.value.field == "note"


def test_a_ticket_changes_so_often_and_no_more() -> None:
    ticket = fresh()
    ticket = replace(ticket, history=ticket.history * MOST_CHANGES)
    with pytest.raises(Refused, match="at most 1000 times"):
        changed(ticket, Change(S.HELD), "ada", NOW)
