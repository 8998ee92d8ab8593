"""Measurements: availability without maintenance, outages from samples, and nearest-rank percentiles."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Invalid
from services.sla.measurements.rules import (
    UpSample,
    Window,
    availability,
    outages_from_samples,
    outside,
    percentile,
)

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
NAIVE = MIDNIGHT.replace(tzinfo=None)


def at(hour: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hour)


def window(start: float, end: float) -> Window:
    return Window(at(start), at(end))


DAY = window(0, 24)


def test_availability_is_up_time_over_the_period() -> None:
    assert availability(DAY, [window(1, 7)]).percent == 75


def test_outages_that_overlap_or_leave_the_period_count_once_and_within_it() -> None:
    result = availability(DAY, [window(2, 4), window(1, 3), window(-5, 1), window(23, 30), window(40, 50)])
    assert result.down_seconds == 5 * 3600


def test_maintenance_shortens_the_agreed_time_and_hides_the_outage_within_it() -> None:
    result = availability(DAY, [window(3, 6)], [window(4, 8), window(5, 9)])
    assert result.agreed_seconds == 19 * 3600
    assert result.excluded_seconds == 5 * 3600
    assert result.down_seconds == 1 * 3600


def test_a_period_of_nothing_but_maintenance_has_no_availability() -> None:
    assert availability(DAY, [window(1, 2)], [window(-1, 25)]).percent is None


@given(
    st.lists(st.tuples(st.integers(-5, 30), st.integers(1, 9)), max_size=6),
    st.lists(st.tuples(st.integers(-5, 30), st.integers(1, 9)), max_size=6),
)
def test_availability_agrees_with_looking_every_hour(
    outages: list[tuple[int, int]], works: list[tuple[int, int]]
) -> None:
    down, excluded = ([window(start, start + length) for start, length in pairs] for pairs in (outages, works))
    agreed = [hour for hour in range(24) if not any(w.contains(at(hour)) for w in excluded)]
    lost = [hour for hour in agreed if any(w.contains(at(hour)) for w in down)]
    result = availability(DAY, down, excluded)
    assert (result.agreed_seconds, result.down_seconds) == (len(agreed) * 3600, len(lost) * 3600)


def test_an_outage_lasts_from_the_first_sample_down_to_the_next_up() -> None:
    samples = [
        UpSample(at(hour), up) for hour, up in [(0, True), (3, False), (1, False), (5, True), (2, False), (9, False)]
    ]
    assert outages_from_samples(samples, at(12)) == (window(1, 5), window(9, 12))


def test_samples_after_the_end_do_not_count() -> None:
    assert outages_from_samples([UpSample(at(1), up=False), UpSample(at(5), up=True)], at(4)) == (window(1, 4),)


def test_a_sample_down_outweighs_a_sample_up_of_the_same_instant() -> None:
    samples = [UpSample(at(1), up=False), UpSample(at(1), up=True), UpSample(at(2), up=True)]
    assert outages_from_samples(samples, at(4)) == (window(1, 2),)


def test_values_measured_during_maintenance_are_left_out() -> None:
    assert outside([(at(1), 10.0), (at(2), 99.0), (at(3), 11.0)], [window(2, 3)]) == [10.0, 11.0]


@pytest.mark.parametrize(("percent", "rank"), [(0.1, 1), (50, 500), (99, 990), (99.9, 999), (99.91, 1000), (100, 1000)])
def test_a_percentile_is_the_value_of_the_nearest_rank(percent: float, rank: int) -> None:
    assert percentile(range(1000, 0, -1), percent) == rank


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=40), st.integers(1, 1000))
def test_a_percentile_is_the_smallest_value_that_enough_values_do_not_exceed(values: list[int], permille: int) -> None:
    enough = [value for value in values if 1000 * sum(other <= value for other in values) >= permille * len(values)]
    assert percentile(values, permille / 10) == min(enough)


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("end", lambda: window(2, 2)),
        ("start", lambda: Window(NAIVE, at(1))),
        ("end", lambda: Window(at(1), NAIVE)),
        ("at", lambda: UpSample(NAIVE, up=True)),
        ("values", lambda: percentile([], 50)),
        ("values", lambda: percentile([1.0, float("nan")], 50)),
        ("percent", lambda: percentile([1.0], 0)),
        ("percent", lambda: percentile([1.0], 100.5)),
        ("percent", lambda: percentile([1.0], float("nan"))),
    ],
)
def test_measurements_that_make_no_sense_are_refused_with_their_field(field: str, make: Callable[[], object]) -> None:
    with pytest.raises(Invalid) as refusal:
        make()
    assert refusal.value.field == field
