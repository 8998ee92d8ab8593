"""A calendar laid out over one UTC year, so that counting is two binary searches instead of a walk over days."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate

from chassis.rules import Invalid
from services.sla.calendars.definition_rules import Calendar, Hours, load_zone
from services.sla.calendars.instant_rules import DAY_SECONDS, EPOCH, SECOND

FIRST_YEAR, LAST_YEAR = 1970, 2199
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class YearTable:
    """The open spans of one UTC year in microseconds since 1970, in order, merged where they touch.

    `counted[i]` is the open time from the start of the year to the end of span i. `holidays` are the spans of local
    holidays; they carry the reason why time did not count.
    """

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    counted: tuple[int, ...]
    holidays: tuple[Span, ...]

    @property
    def total(self) -> int:
        return self.counted[-1] if self.counted else 0

    def count_until(self, instant: int) -> int:
        """Open microseconds between the start of the year and an instant of it."""
        last = bisect_right(self.starts, instant) - 1
        if last < 0:
            return 0
        return self.counted[last] - max(0, self.ends[last] - instant)

    def reach(self, count: int) -> int:
        """The first instant at which `count` open microseconds (0 < count <= total) of the year are over."""
        span = bisect_left(self.counted, count)
        return self.ends[span] - (self.counted[span] - count)


_YEAR_STARTS = tuple(
    int((datetime(year, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) * SECOND
    for year in range(FIRST_YEAR, LAST_YEAR + 2)
)


def year_of(instant: int, field: str) -> int:
    """The UTC year of an instant.

    Raises:
        Invalid: outside 1970 to 2199, for which no table is built.
    """
    if not _YEAR_STARTS[0] <= instant < _YEAR_STARTS[-1]:
        raise Invalid(f"The instant lies outside the years {FIRST_YEAR} to {LAST_YEAR}.", field=field)
    return FIRST_YEAR + bisect_right(_YEAR_STARTS, instant) - 1


@lru_cache(maxsize=1024)
def year_table(calendar: Calendar, year: int) -> YearTable:
    """The table of a calendar for a UTC year between 1970 and 2199."""
    opened: list[Span] = []
    closed: list[Span] = []
    by_weekday = tuple(calendar.hours_of_weekday(weekday) for weekday in range(7))
    special = {entry.day: entry.hours for entry in calendar.special_days}
    for day, since, until, offset in _local_days(calendar.zone, year):
        midnight = (day.toordinal() - _EPOCH_ORDINAL) * DAY_SECONDS - offset
        holiday = day in calendar.holidays
        hours: Hours = ((0, DAY_SECONDS),) if holiday else special.get(day, by_weekday[day.weekday()])
        spans = closed if holiday else opened
        for start, end in hours:
            _append(spans, max(since, midnight + start) * SECOND, min(until, midnight + end) * SECOND)
    counted = tuple(accumulate(end - start for start, end in opened))
    return YearTable(tuple(start for start, _ in opened), tuple(end for _, end in opened), counted, tuple(closed))


def _append(spans: list[Span], start: int, end: int) -> None:
    if start >= end:
        return
    if spans and spans[-1][1] == start:
        spans[-1] = (spans[-1][0], end)
    else:
        spans.append((start, end))


def _local_days(zone: str, year: int) -> Iterator[tuple[date, int, int, int]]:
    """Every stretch of a local date under one UTC offset: (date, from, until, offset), in seconds since 1970.

    A date whose offset changes comes once for each offset; a date that a zone skipped does not come at all.
    """
    for since, until, offset in _offsets(zone, year):
        for number in range((since + offset) // DAY_SECONDS, (until + offset - 1) // DAY_SECONDS + 1):
            yield date.fromordinal(number + _EPOCH_ORDINAL), since, until, offset


@lru_cache(maxsize=512)
def _offsets(zone: str, year: int) -> tuple[tuple[int, int, int], ...]:
    """The stretches of a UTC year under one offset from UTC: (from, until, offset), in seconds."""
    first, last = (_YEAR_STARTS[year - FIRST_YEAR + step] // SECOND for step in (0, 1))
    stretches: list[tuple[int, int, int]] = []
    since, offset = first, _offset_at(zone, first)
    # No zone changed its offset twice within six days since 1970, so one look a day misses no change.
    for look in range(first + DAY_SECONDS, last, DAY_SECONDS):
        if _offset_at(zone, look) != offset:
            change = _find_change(zone, look - DAY_SECONDS, look)
            stretches.append((since, change, offset))
            since, offset = change, _offset_at(zone, change)
    if _offset_at(zone, last - 1) != offset:
        change = _find_change(zone, last - DAY_SECONDS, last - 1)
        stretches.append((since, change, offset))
        since, offset = change, _offset_at(zone, change)
    return (*stretches, (since, last, offset))


def _find_change(zone: str, before: int, after: int) -> int:
    """The first second under the offset of `after`, given another offset at `before`."""
    old = _offset_at(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset_at(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset_at(zone: str, second: int) -> int:
    offset = (EPOCH + timedelta(seconds=second)).astimezone(load_zone(zone)).utcoffset()
    assert offset is not None
    return offset.days * DAY_SECONDS + offset.seconds
