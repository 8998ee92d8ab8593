"""Calendars: laws that hold for every calendar, and a minute-by-minute oracle that knows none of the tricks."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from services.sla.calendars.rules import (
    Calendar,
    SpecialDay,
    WeeklyInterval,
    add_business_seconds,
    business_seconds,
    intervals,
)

MINUTE = timedelta(minutes=1)
# Noon UTC of a day on which each zone changes its offset, or skips a date; and an ordinary day.
CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29, 12, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 12, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 12, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 12, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 12, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 12, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 1, 1, 0, tzinfo=UTC)),
    ("UTC", datetime(2024, 12, 31, 23, tzinfo=UTC)),
]


@st.composite
def hours(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    """Hours of a day on whole minutes, one or two stretches, which may touch."""
    edges = sorted(draw(st.lists(st.integers(0, 1440), min_size=4, max_size=4)))
    pairs = [(edges[0] * 60, edges[1] * 60), (edges[2] * 60, edges[3] * 60)]
    return tuple((start, end) for start, end in pairs if start < end) or ((0, 86_400),)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Calendar, datetime]:
    """A calendar whose holidays and special days lie around an offset change, and the time of that change."""
    zone, change = draw(st.sampled_from(CHANGES))
    weekdays = draw(st.sets(st.integers(0, 6), min_size=1))
    weekly = tuple(WeeklyInterval(day, *span) for day in sorted(weekdays) for span in draw(hours()))
    near = st.integers(-3, 3).map(lambda days: change.date() + timedelta(days=days))
    holidays: set[date] = draw(st.sets(near, max_size=2))
    special = draw(st.dictionaries(near.filter(lambda day: day not in holidays), hours(), max_size=2))
    days = tuple(SpecialDay(day, own) for day, own in special.items())
    return Calendar("drawn", 1, zone, weekly, frozenset(holidays), days), change


def is_open(calendar: Calendar, instant: datetime) -> bool:
    shown = instant.astimezone(ZoneInfo(calendar.zone))
    second = shown.hour * 3600 + shown.minute * 60 + shown.second
    if shown.date() in calendar.holidays:
        return False
    own = {entry.day: entry.hours for entry in calendar.special_days}
    regular = tuple((entry.start, entry.end) for entry in calendar.weekly if entry.weekday == shown.weekday())
    return any(start <= second < end for start, end in own.get(shown.date(), regular))


@settings(max_examples=150)
@given(calendars(), st.integers(-3000, 3000), st.integers(0, 3000))
def test_counting_agrees_with_looking_at_the_wall_clock_every_minute(
    drawn: tuple[Calendar, datetime], offset: int, length: int
) -> None:
    calendar, change = drawn
    start = change + offset * MINUTE
    seen = 60 * sum(is_open(calendar, start + step * MINUTE) for step in range(length))
    assert business_seconds(calendar, start, start + length * MINUTE) == seen


@settings(max_examples=100)
@given(calendars(), st.integers(-3000, 3000), st.integers(1, 400))
def test_a_due_time_is_the_first_minute_at_which_enough_minutes_were_open(
    drawn: tuple[Calendar, datetime], offset: int, minutes: int
) -> None:
    calendar, change = drawn
    start = change + offset * MINUTE
    due = add_business_seconds(calendar, start, minutes * 60)
    if due - start > timedelta(days=5):
        # The oracle would look for too long; that nothing came sooner is what it can tell.
        assert sum(is_open(calendar, start + step * MINUTE) for step in range(5 * 1440)) < minutes
        return
    instant, left = start, minutes
    while left:
        left -= is_open(calendar, instant)
        instant += MINUTE
    assert due == instant


@settings(max_examples=200)
@given(calendars(), st.lists(st.integers(-40 * 86_400 * 10**6, 400 * 86_400 * 10**6), min_size=3, max_size=3))
def test_the_parts_of_a_split_period_add_up_to_the_whole(drawn: tuple[Calendar, datetime], offsets: list[int]) -> None:
    calendar, change = drawn
    first, middle, last = (change + timedelta(microseconds=offset) for offset in sorted(offsets))
    whole = timedelta(seconds=business_seconds(calendar, first, last))
    parts = [business_seconds(calendar, first, middle), business_seconds(calendar, middle, last)]
    assert sum((timedelta(seconds=part) for part in parts), timedelta()) == whole


@settings(max_examples=200)
@given(calendars(), st.integers(-40 * 86_400 * 10**6, 40 * 86_400 * 10**6), st.integers(0, 60 * 10**6))
def test_adding_is_the_inverse_of_counting(drawn: tuple[Calendar, datetime], offset: int, weeks: int) -> None:
    calendar, change = drawn
    start = change + timedelta(microseconds=offset)
    # In millionths of a week's hours, so that rarely open calendars are not asked for centuries.
    micros = weeks * sum(entry.end - entry.start for entry in calendar.weekly)
    due = add_business_seconds(calendar, start, micros / 10**6)
    assert business_seconds(calendar, start, due) == micros / 10**6
    if micros:
        assert business_seconds(calendar, start, due - timedelta(microseconds=1)) == (micros - 1) / 10**6


@settings(max_examples=200)
@given(calendars(), st.integers(-10_000, 10_000), st.integers(0, 600_000))
def test_intervals_tile_the_period_and_their_open_parts_are_what_counts(
    drawn: tuple[Calendar, datetime], offset: int, length: int
) -> None:
    calendar, change = drawn
    start = change + offset * MINUTE
    end = start + length * MINUTE
    parts = list(intervals(calendar, start, end))
    edges = [start, *(part.end for part in parts)]
    assert [part.start for part in parts] == edges[:-1]
    assert edges[-1] == end
    assert all(left.reason != right.reason for left, right in pairwise(parts))
    counted = sum(((part.end - part.start) for part in parts if part.counted), timedelta())
    assert counted.total_seconds() == business_seconds(calendar, start, end)
