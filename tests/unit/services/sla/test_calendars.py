"""Calendars: what is refused, and business time by hand-computed examples, most of them around clock changes."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from chassis.rules import Invalid
from services.sla.calendars.rules import (
    Calendar,
    OpenReason,
    SpecialDay,
    WeeklyInterval,
    add_business_seconds,
    around_the_clock,
    business_seconds,
    intervals,
)

HOUR = 3600
NINE_TO_FIVE = tuple(WeeklyInterval(day, 9 * HOUR, 17 * HOUR) for day in range(5))
EVERY_DAY = tuple(WeeklyInterval(day, 0, 24 * HOUR) for day in range(7))


def office(zone: str = "Europe/Berlin", **changes: object) -> Calendar:
    values: dict[str, object] = {"id": "office", "version": 1, "zone": zone, "weekly": NINE_TO_FIVE, **changes}
    return Calendar(**values)  # type: ignore[arg-type]


def local(zone: str, *parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone), fold=fold)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("weekly", lambda: office(weekly=())),
        ("weekly", lambda: office(weekly=(), special_days=(SpecialDay(date(2026, 1, 2), ((0, HOUR),)),))),
        ("weekly", lambda: office(weekly=(WeeklyInterval(7, 0, HOUR),))),
        ("weekly", lambda: office(weekly=(WeeklyInterval(0, HOUR, HOUR),))),
        ("weekly", lambda: office(weekly=(WeeklyInterval(0, 0, 24 * HOUR + 1),))),
        ("weekly", lambda: office(weekly=(WeeklyInterval(0, 0, 2 * HOUR), WeeklyInterval(0, HOUR, 3 * HOUR)))),
        ("zone", lambda: office("Europe/Atlantis")),
        ("zone", lambda: office("../etc/passwd")),
        ("zone", lambda: office("Europe")),
        ("zone", lambda: office("")),
        ("id", lambda: office(id="")),
        ("version", lambda: office(version=0)),
        ("special_days", lambda: office(special_days=(SpecialDay(date(2026, 1, 2), ()),))),
        (
            "special_days",
            lambda: office(
                holidays=frozenset({date(2026, 1, 2)}), special_days=(SpecialDay(date(2026, 1, 2), ((0, HOUR),)),)
            ),
        ),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused_with_its_field(field: str, make: Callable[[], Calendar]) -> None:
    with pytest.raises(Invalid) as refusal:
        make()
    assert refusal.value.field == field


def test_nights_and_weekends_do_not_count() -> None:
    start = local("Europe/Berlin", 2026, 1, 9, 16)
    assert business_seconds(office(), start, local("Europe/Berlin", 2026, 1, 12, 10)) == 2 * HOUR


def test_a_period_over_several_years_adds_up() -> None:
    weekdays_2024_and_2025 = 262 + 261
    start, end = local("Europe/Berlin", 2024, 1, 1), local("Europe/Berlin", 2026, 1, 1)
    assert business_seconds(office(), start, end) == weekdays_2024_and_2025 * 8 * HOUR


def test_a_target_that_ends_at_closing_time_is_due_at_closing_time() -> None:
    start = local("Europe/Berlin", 2026, 1, 9, 16)
    assert add_business_seconds(office(), start, HOUR) == local("Europe/Berlin", 2026, 1, 9, 17)
    assert add_business_seconds(office(), start, HOUR + 1) == local("Europe/Berlin", 2026, 1, 12, 9, 0, 1)


def test_a_target_that_ends_at_midnight_of_new_year_is_due_then() -> None:
    calendar = Calendar("x", 1, "UTC", (WeeklyInterval(2, 0, 24 * HOUR), WeeklyInterval(4, 0, 24 * HOUR)))
    assert add_business_seconds(calendar, datetime(2025, 12, 31, 23, tzinfo=UTC), HOUR) == datetime(
        2026, 1, 1, tzinfo=UTC
    )


def test_zero_seconds_are_due_at_once_even_when_closed() -> None:
    saturday = local("Europe/Berlin", 2026, 1, 10, 12)
    assert add_business_seconds(office(), saturday, 0) == saturday


def test_seconds_and_their_parts_are_kept() -> None:
    start = local("Europe/Berlin", 2026, 1, 9, 16, 59, 58, 250_000)
    due = add_business_seconds(office(), start, 2.5)
    assert due == local("Europe/Berlin", 2026, 1, 12, 9, 0, 0, 750_000)
    assert business_seconds(office(), start, due) == 2.5


def test_several_intervals_a_day_leave_out_the_lunch_break() -> None:
    weekly = (WeeklyInterval(0, 13 * HOUR, 17 * HOUR), WeeklyInterval(0, 8 * HOUR, 12 * HOUR))
    start = local("Europe/Berlin", 2026, 1, 12, 11)
    assert business_seconds(office(weekly=weekly), start, local("Europe/Berlin", 2026, 1, 12, 14)) == 2 * HOUR


def test_holidays_are_closed_and_special_days_have_their_own_hours() -> None:
    calendar = office(
        holidays=frozenset({date(2026, 1, 1)}), special_days=(SpecialDay(date(2026, 1, 3), ((10 * HOUR, 12 * HOUR),)),)
    )
    start, end = local("Europe/Berlin", 2026, 1, 1), local("Europe/Berlin", 2026, 1, 4)
    assert business_seconds(calendar, start, end) == (8 + 2) * HOUR


def test_round_the_clock_counts_every_second() -> None:
    calendar = around_the_clock()
    start = datetime(2026, 3, 28, tzinfo=UTC)
    assert calendar.always_open
    assert business_seconds(calendar, start, start + timedelta(days=900)) == 900 * 24 * HOUR
    assert add_business_seconds(calendar, start, 12.5) == start + timedelta(seconds=12.5)


def test_an_open_week_with_a_holiday_is_not_round_the_clock() -> None:
    calendar = office(weekly=EVERY_DAY, holidays=frozenset({date(2026, 1, 1)}))
    start = local("Europe/Berlin", 2025, 12, 31, 12)
    assert not calendar.always_open
    assert business_seconds(calendar, start, start + timedelta(days=2)) == 24 * HOUR


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23.0),
        ("Europe/Berlin", date(2026, 10, 25), 25.0),
        ("America/New_York", date(2026, 3, 8), 23.0),
        ("America/New_York", date(2026, 11, 1), 25.0),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Pacific/Apia", date(2011, 12, 29), 24.0),
        ("Pacific/Apia", date(2011, 12, 30), 0.0),
        ("Pacific/Apia", date(2011, 12, 31), 24.0),
    ],
)
def test_a_day_open_from_midnight_to_midnight_counts_its_real_length(zone: str, day: date, hours: float) -> None:
    weekly = (WeeklyInterval(day.weekday(), 0, 24 * HOUR),)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    counted = business_seconds(office(zone, weekly=weekly), noon - timedelta(days=3), noon + timedelta(days=3))
    assert counted == hours * HOUR


def test_the_hour_skipped_in_spring_counts_nothing() -> None:
    calendar = office(weekly=(WeeklyInterval(6, 1 * HOUR, 4 * HOUR),))
    start = local("Europe/Berlin", 2026, 3, 29)
    assert business_seconds(calendar, start, local("Europe/Berlin", 2026, 3, 29, 12)) == 2 * HOUR
    assert add_business_seconds(calendar, start, 1.5 * HOUR) == local("Europe/Berlin", 2026, 3, 29, 3, 30)


def test_hours_that_lie_within_the_skipped_hour_count_nothing_that_day() -> None:
    calendar = office(weekly=(WeeklyInterval(6, 2 * HOUR, 3 * HOUR),))
    start = local("Europe/Berlin", 2026, 3, 29)
    assert business_seconds(calendar, start, start + timedelta(days=1)) == 0
    assert add_business_seconds(calendar, start, HOUR) == local("Europe/Berlin", 2026, 4, 5, 3)


def test_a_change_on_the_last_day_of_a_year_is_seen() -> None:
    calendar = office("Asia/Kathmandu", weekly=(WeeklyInterval(2, 1 * HOUR, 2 * HOUR),))
    due = add_business_seconds(calendar, datetime(1985, 12, 31, 12, tzinfo=UTC), HOUR)
    assert due == datetime(1985, 12, 31, 20, 15, tzinfo=UTC)


def test_the_hour_repeated_in_autumn_counts_twice() -> None:
    calendar = office(weekly=(WeeklyInterval(6, 2 * HOUR + 1800, 3 * HOUR + 1800),))
    parts = intervals(calendar, local("Europe/Berlin", 2026, 10, 25), local("Europe/Berlin", 2026, 10, 26))
    assert [(part.start, part.end) for part in parts if part.counted] == [
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), datetime(2026, 10, 25, 2, 30, tzinfo=UTC)),
    ]


def test_last_winter_is_counted_with_the_offset_of_last_winter() -> None:
    start, end = datetime(2026, 1, 12, 8, tzinfo=UTC), datetime(2026, 7, 13, 7, tzinfo=UTC)
    assert add_business_seconds(office(), start - timedelta(hours=5), 1) == start + timedelta(seconds=1)
    assert add_business_seconds(office(), end - timedelta(hours=5), 1) == end + timedelta(seconds=1)


def test_a_skipped_day_shifts_nothing_for_the_days_around_it() -> None:
    calendar = office("Pacific/Apia")
    thursday, monday = local("Pacific/Apia", 2011, 12, 29, 16), local("Pacific/Apia", 2012, 1, 2, 10)
    assert business_seconds(calendar, thursday, monday) == 2 * HOUR


def test_every_part_of_a_period_has_its_reason() -> None:
    calendar = office(holidays=frozenset({date(2026, 1, 12)}))
    friday, tuesday = local("Europe/Berlin", 2026, 1, 9, 16), local("Europe/Berlin", 2026, 1, 13, 10)
    parts = list(intervals(calendar, friday, tuesday))
    assert [(part.reason, (part.end - part.start) / timedelta(hours=1)) for part in parts] == [
        (OpenReason.OPEN, 1),
        (OpenReason.CLOSED, 55),
        (OpenReason.HOLIDAY, 24),
        (OpenReason.CLOSED, 9),
        (OpenReason.OPEN, 1),
    ]
    assert all(left.end == right.start for left, right in pairwise(parts))


def test_intervals_join_over_the_new_year() -> None:
    calendar = office("UTC", weekly=EVERY_DAY[:6])
    start = datetime(2025, 12, 30, tzinfo=UTC)
    assert len(list(intervals(calendar, start, start + timedelta(days=4)))) == 1


def test_an_empty_period_has_no_intervals() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert list(intervals(office(), start, start)) == list(intervals(around_the_clock(), start, start)) == []


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("end", lambda now: business_seconds(office(), now, now - timedelta(seconds=1))),
        ("end", lambda now: intervals(office(), now, now - timedelta(seconds=1))),
        ("start", lambda now: business_seconds(office(), now.replace(tzinfo=None), now)),
        ("start", lambda now: business_seconds(office(), now.replace(year=1969), now)),
        ("end", lambda now: business_seconds(office(), now, now.replace(year=2200))),
        ("seconds", lambda now: add_business_seconds(office(), now, -1)),
        ("seconds", lambda now: add_business_seconds(office(), now, float("nan"))),
        ("seconds", lambda now: add_business_seconds(office(), now.replace(year=2198), 1e9)),
        ("seconds", lambda now: add_business_seconds(around_the_clock(), now, 1e10)),
    ],
)
def test_a_period_that_cannot_be_counted_is_refused_with_its_field(
    field: str, call: Callable[[datetime], object]
) -> None:
    with pytest.raises(Invalid) as refusal:
        call(datetime(2026, 1, 1, tzinfo=UTC))
    assert refusal.value.field == field


def test_versions_of_a_calendar_are_counted_apart() -> None:
    first, second = office(), office(weekly=NINE_TO_FIVE[:1])
    start, end = local("Europe/Berlin", 2026, 1, 5), local("Europe/Berlin", 2026, 1, 12)
    assert hash(first) == hash(second)
    assert business_seconds(first, start, end) == 40 * HOUR
    assert business_seconds(second, start, end) == 8 * HOUR
