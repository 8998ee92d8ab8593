"""How far a section can be trusted, and how long its service may take."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.experience.rules import (
    Answered,
    Declined,
    Failed,
    Freshness,
    Remembered,
    Told,
    judge,
    section_seconds,
    worth_joining,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE = Remembered("before", NOW - timedelta(minutes=5))


def test_an_answer_is_fresh_as_of_now() -> None:
    assert judge(Answered("now"), BEFORE, NOW) == Told(Freshness.FRESH, "now", NOW)


def test_a_failure_shows_what_is_remembered_with_its_own_time() -> None:
    assert judge(Failed("UNAVAILABLE"), BEFORE, NOW) == Told(Freshness.STALE, "before", BEFORE.time, "UNAVAILABLE")


def test_a_failure_without_memory_leaves_the_section_missing() -> None:
    told: Told[str] = judge(Failed("DEADLINE_EXCEEDED"), None, NOW)
    assert told == Told(Freshness.MISSING, None, None, "DEADLINE_EXCEEDED")


def test_what_is_remembered_never_stands_in_for_a_no() -> None:
    assert judge(Declined("NO_CHAMPION"), BEFORE, NOW) == Told(Freshness.ABSENT, None, NOW, "NO_CHAMPION")


@pytest.mark.parametrize(
    ("left", "seconds"), [(None, 2.0), (60.0, 2.0), (1.0, 0.9), (0.0, 0.0), (2.0, 1.8), (2.5, 2.0)]
)
def test_a_section_takes_nine_tenths_of_what_is_left_and_no_more_than_its_bound(
    left: float | None, seconds: float
) -> None:
    assert section_seconds(left, 2.0) == pytest.approx(seconds)


@pytest.mark.parametrize(("left", "worth"), [(2.0, True), (1.0, True), (0.99, False), (-1.0, False)])
def test_a_call_is_joined_while_it_has_half_the_newcomers_patience(left: float, worth: bool) -> None:
    assert worth_joining(left, 2.0) is worth
