"""A ticket's past, replayed from a bulk load."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Invalid, Refusal, Refused
from services.interaction.tickets.rules import TRANSITIONS, Draft, Level, PastStep, Priority, State, Ticket, replayed
from tests.unit.services.interaction.builders import NOW, hours, past, step

S = State


@st.composite
def walks(draw: st.DrawFn) -> tuple[PastStep, ...]:
    """A way along the arrows from acknowledged, with times that never run backwards."""
    state, at, steps = S.ACKNOWLEDGED, 0.0, []
    for _ in range(draw(st.integers(0, 10))):
        arrows = sorted(TRANSITIONS[state])
        if not arrows:
            break
        state = draw(st.sampled_from(arrows))
        at += draw(st.floats(0, 2))
        steps.append(step(state, at))
    return tuple(steps)


def attempt(draft: Draft) -> list[Ticket] | Refusal:
    try:
        return replayed(draft, NOW)
    except Refusal as refusal:
        return refusal


@given(walks())
def test_every_step_makes_a_version_and_the_last_is_where_it_stands(steps: tuple[PastStep, ...]) -> None:
    versions = replayed(past(*steps), NOW)
    assert [v.version for v in versions] == list(range(1, len(steps) + 2))
    assert [v.state for v in versions] == [S.ACKNOWLEDGED, *(s.state for s in steps)]
    assert [v.update_time for v in versions] == [hours(0), *(s.time for s in steps)]
    for n, version in enumerate(versions):
        assert version.history == versions[-1].history[: n + 1]


@given(walks())
def test_what_was_told_can_be_told_again(steps: tuple[PastStep, ...]) -> None:
    draft = past(*steps)
    kept = replayed(draft, NOW)[-1]
    told = tuple(PastStep(s.state, s.priority, s.time) for s in kept.history)
    assert replayed(replace(draft, past=told, state=kept.state), NOW)[-1] == kept


@given(st.lists(st.tuples(st.sampled_from(State), st.floats(-1, 30)), max_size=8))
def test_any_past_is_replayed_or_refused_with_its_field(told: list[tuple[State, float]]) -> None:
    outcome = attempt(past(*(step(state, at) for state, at in told)))
    if isinstance(outcome, Refusal):
        assert str(outcome.field).startswith("history[")
        return
    times = [s.time for s in outcome[-1].history]
    assert times == sorted(times)
    assert times[-1] <= NOW + timedelta(minutes=5)


def test_a_forbidden_step_is_named() -> None:
    with pytest.raises(Refused) as refused:
        replayed(past(step(S.IN_PROGRESS, 1), step(S.CLOSED, 2)), NOW)
    assert refused.value.field == "history[1]"
    assert refused.value.reason == "FORBIDDEN_TRANSITION"


def test_times_run_forwards_from_the_opening_to_now() -> None:
    for steps, field in (
        ((step(S.IN_PROGRESS, -1),), "history[0].time"),
        ((step(S.IN_PROGRESS, 2), step(S.HELD, 1)), "history[1].time"),
        ((step(S.IN_PROGRESS, 25),), "history[0].time"),
    ):
        with pytest.raises(Invalid) as refused:
            replayed(past(*steps), NOW)
        assert refused.value.field == field
    for opening in (None, NOW + timedelta(hours=1), NOW.replace(year=1969)):
        with pytest.raises(Invalid) as refused:
            replayed(past(open_time=opening), NOW)
        assert refused.value.field == "open_time"


def test_a_step_that_changes_nothing_is_refused() -> None:
    with pytest.raises(Invalid, match="changes neither"):
        replayed(past(step(S.IN_PROGRESS, 1), step(S.IN_PROGRESS, 2)), NOW)


def test_the_history_may_begin_with_the_opening() -> None:
    versions = replayed(past(step(S.ACKNOWLEDGED, 0), step(S.IN_PROGRESS, 1)), NOW)
    assert len(versions) == 2


def test_priorities_of_the_past_stand_as_told() -> None:
    steps = (step(S.IN_PROGRESS, 1, Priority.LOW), step(S.IN_PROGRESS, 2, Priority.HIGH), step(S.RESOLVED, 3))
    versions = replayed(past(*steps, impact=Level.HIGH, urgency=Level.MEDIUM), NOW)
    assert [v.priority for v in versions] == [Priority.LOW, Priority.LOW, Priority.HIGH, Priority.HIGH]


def test_the_ticket_stands_where_its_history_ends() -> None:
    with pytest.raises(Invalid) as refused:
        replayed(past(step(S.IN_PROGRESS, 1), state=S.CLOSED), NOW)
    assert refused.value.field == "state"
    with pytest.raises(Invalid) as refused:
        replayed(past(step(S.IN_PROGRESS, 1, Priority.CRITICAL)), NOW)
    assert refused.value.field == "history"
