"""Counting business time: how much of a period counts, when a target falls due, and why the rest does not count.

Everything is exact to the microsecond; nothing is rounded to minutes. A target that ends exactly at closing time is
due at closing time, not at the next opening.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chassis.rules import Invalid
from services.sla.calendars.definition_rules import Calendar, CalendarRef, SpecialDay, WeeklyInterval, around_the_clock
from services.sla.calendars.instant_rules import SECOND, from_micros, to_micros
from services.sla.calendars.year_rules import LAST_YEAR, YearTable, year_of, year_table

__all__ = [
    "Calendar",
    "CalendarInterval",
    "CalendarRef",
    "OpenReason",
    "SpecialDay",
    "WeeklyInterval",
    "add_business_micros",
    "add_business_seconds",
    "around_the_clock",
    "business_micros",
    "business_seconds",
    "intervals",
]


class OpenReason(StrEnum):
    """Why time counts or does not."""

    OPEN = "open"
    CLOSED = "closed"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class CalendarInterval:
    """A stretch from `start` up to, but not including, `end` (both UTC) that counts wholly or not at all."""

    start: datetime
    end: datetime
    reason: OpenReason

    @property
    def counted(self) -> bool:
        return self.reason is OpenReason.OPEN


def business_seconds(calendar: Calendar, start: datetime, end: datetime) -> float:
    """Real seconds between two aware instants that fall into the calendar's hours.

    Raises:
        Invalid: `end` is before `start`, an instant is naive, or outside the years 1970 to 2199.
    """
    return business_micros(calendar, to_micros(start, "start"), to_micros(end, "end")) / SECOND


def add_business_seconds(calendar: Calendar, start: datetime, seconds: float) -> datetime:
    """The first instant (UTC) at which `seconds` of business time have passed since `start`.

    Zero seconds are due at `start` itself, even outside the hours.

    Raises:
        Invalid: negative or infinite seconds, a naive instant, or a due time outside the years 1970 to 2199.
    """
    if not math.isfinite(seconds):
        raise Invalid("Business time is a finite number of seconds.", field="seconds")
    return from_micros(add_business_micros(calendar, to_micros(start, "start"), round(seconds * SECOND)))


def business_micros(calendar: Calendar, start: int, end: int) -> int:
    """`business_seconds` over microseconds since 1970, exact."""
    if end < start:
        raise Invalid("A period ends before it starts.", field="end")
    first, last = year_of(start, "start"), year_of(end, "end")
    if calendar.always_open:
        return end - start
    before = year_table(calendar, first).count_until(start)
    whole_years = sum(year_table(calendar, year).total for year in range(first, last))
    return whole_years + year_table(calendar, last).count_until(end) - before


def add_business_micros(calendar: Calendar, start: int, count: int) -> int:
    """`add_business_seconds` over microseconds since 1970, exact."""
    if count < 0:
        raise Invalid("Business time is added, not taken away.", field="seconds")
    year = year_of(start, "start")
    if count == 0:
        return start
    if calendar.always_open:
        year_of(start + count, "seconds")
        return start + count
    table = year_table(calendar, year)
    goal = table.count_until(start) + count
    while goal > table.total:
        if year == LAST_YEAR:
            raise Invalid(f"The target would fall due after the year {LAST_YEAR}.", field="seconds")
        goal -= table.total
        year += 1
        table = year_table(calendar, year)
    return table.reach(goal)


def intervals(calendar: Calendar, start: datetime, end: datetime) -> Iterator[CalendarInterval]:
    """The period split into stretches that count or do not, each with its reason, in order and without gaps.

    Raises:
        Invalid: on the call, for the same reasons as `business_seconds`.
    """
    since, until = to_micros(start, "start"), to_micros(end, "end")
    if until < since:
        raise Invalid("A period ends before it starts.", field="end")
    years = range(year_of(since, "start"), year_of(until, "end") + 1)
    if calendar.always_open:
        return iter(
            [CalendarInterval(from_micros(since), from_micros(until), OpenReason.OPEN)] if since < until else []
        )
    return _merged(_tiles(calendar, years, since, until))


def _tiles(calendar: Calendar, years: range, since: int, until: int) -> Iterator[tuple[int, int, OpenReason]]:
    for year in years:
        for start, end, reason in _marked(year_table(calendar, year), since, until):
            if since < start:
                yield since, start, OpenReason.CLOSED
            yield start, end, reason
            since = end
    if since < until:
        yield since, until, OpenReason.CLOSED


def _marked(table: YearTable, since: int, until: int) -> list[tuple[int, int, OpenReason]]:
    marked = [(start, end, OpenReason.OPEN) for start, end in zip(table.starts, table.ends, strict=True)]
    marked += [(start, end, OpenReason.HOLIDAY) for start, end in table.holidays]
    return sorted(
        (max(start, since), min(end, until), reason) for start, end, reason in marked if start < until and end > since
    )


def _merged(tiles: Iterator[tuple[int, int, OpenReason]]) -> Iterator[CalendarInterval]:
    pending: tuple[int, int, OpenReason] | None = None
    for start, end, reason in tiles:
        if pending and pending[2] is reason:
            pending = (pending[0], end, reason)
            continue
        if pending:
            yield CalendarInterval(from_micros(pending[0]), from_micros(pending[1]), pending[2])
        pending = (start, end, reason)
    if pending:
        yield CalendarInterval(from_micros(pending[0]), from_micros(pending[1]), pending[2])
