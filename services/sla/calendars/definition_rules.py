"""What a calendar is: weekly opening hours in an IANA time zone, with holidays and special days."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from chassis.rules import Invalid
from services.sla.calendars.instant_rules import DAY_SECONDS

Hours = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, order=True)
class WeeklyInterval:
    """Open on every such weekday (0 = Monday) from `start` up to, but not including, `end`.

    Both are seconds of the local wall clock since midnight; `end` may be 86,400, the midnight that ends the day.
    Hours that pass midnight are two intervals, one on each day.
    """

    weekday: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, order=True)
class SpecialDay:
    """A local date that has hours of its own, (start, end) in seconds of the day, instead of its weekday's."""

    day: date
    hours: Hours


@dataclass(frozen=True, slots=True, order=True)
class CalendarRef:
    """Names one version of a calendar; a version never changes once used."""

    id: str
    version: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """When time counts.

    An instant counts if the wall clock of `zone` then shows a time within the hours of that local date. So the hour
    that is skipped in spring counts nothing, and the hour that is repeated in autumn counts twice.

    Attributes:
        zone: IANA name, such as "Europe/Berlin".
        weekly: at least one interval; several a day may touch but not overlap.
        holidays: local dates on which nothing counts.
        special_days: local dates with hours of their own; a date may not be a holiday as well.
        always_open: true for a calendar that never closes (24x7).

    Raises:
        Invalid: on construction, with the field named. A calendar without weekly hours is refused: it never opens.
    """

    id: str
    version: int
    zone: str
    weekly: tuple[WeeklyInterval, ...]
    holidays: frozenset[date] = frozenset()
    special_days: tuple[SpecialDay, ...] = ()
    always_open: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weekly", tuple(sorted(self.weekly)))
        object.__setattr__(self, "holidays", frozenset(self.holidays))
        object.__setattr__(self, "special_days", tuple(sorted(self.special_days)))
        _check(self)
        whole_week = all(_covers_day(self.hours_of_weekday(weekday)) for weekday in range(7))
        object.__setattr__(self, "always_open", whole_week and not self.holidays and not self.special_days)

    def __hash__(self) -> int:
        # The identity is enough to spread the keys of the cache of year tables, and cheaper than hashing every holiday.
        return hash((self.id, self.version))

    @property
    def ref(self) -> CalendarRef:
        return CalendarRef(self.id, self.version)

    def hours_of_weekday(self, weekday: int) -> Hours:
        """The (start, end) seconds of the regular hours of a weekday, 0 = Monday."""
        return tuple((interval.start, interval.end) for interval in self.weekly if interval.weekday == weekday)


def around_the_clock(calendar_id: str = "24x7", version: int = 1) -> Calendar:
    """The calendar in which every second counts."""
    return Calendar(calendar_id, version, "UTC", tuple(WeeklyInterval(day, 0, DAY_SECONDS) for day in range(7)))


@lru_cache(maxsize=1024)
def load_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name.

    Raises:
        Invalid: the time-zone database has no such name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid("The time zone is not a name of the IANA time-zone database.", field="zone") from None


def _check(calendar: Calendar) -> None:
    if not calendar.id:
        raise Invalid("A calendar needs an id.", field="id")
    if calendar.version < 1:
        raise Invalid("A calendar's version starts at 1.", field="version")
    load_zone(calendar.zone)
    if not calendar.weekly:
        raise Invalid("A calendar without weekly hours never opens, so no target could ever fall due.", field="weekly")
    if any(not 0 <= interval.weekday <= 6 for interval in calendar.weekly):
        raise Invalid("A weekday is 0 (Monday) to 6 (Sunday).", field="weekly")
    for weekday in range(7):
        _check_hours(calendar.hours_of_weekday(weekday), "weekly")
    _check_special_days(calendar)


def _check_special_days(calendar: Calendar) -> None:
    seen = set(calendar.holidays)
    for special in calendar.special_days:
        if special.day in seen:
            raise Invalid("A date is a holiday or one special day, not both or twice.", field="special_days")
        if not special.hours:
            raise Invalid("A special day without hours is a holiday: list it there.", field="special_days")
        _check_hours(special.hours, "special_days")
        seen.add(special.day)


def _check_hours(hours: Iterable[tuple[int, int]], where: str) -> None:
    hours = tuple(hours)
    if any(not 0 <= start < end <= DAY_SECONDS for start, end in hours):
        raise Invalid("Hours start before they end, within the seconds 0 to 86400 of a day.", field=where)
    if any(left[1] > right[0] for left, right in pairwise(hours)):
        raise Invalid("The hours of a day are listed in order and do not overlap.", field=where)


def _covers_day(hours: Hours) -> bool:
    reached = 0
    for start, end in hours:
        if start != reached:
            return False
        reached = end
    return reached == DAY_SECONDS
