"""What a profile is, and what may become of it. Pure: no I/O, no clock, no randomness."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import MAXYEAR, MINYEAR, UTC, datetime, time, timedelta
from enum import IntEnum, StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from chassis.rules import Invalid

# What the store can tell apart: a version is never as old as the one before it.
TICK = timedelta(milliseconds=1)
# After 400 years the calendar comes again, days of the week and all, and with it the turns of the clocks.
CYCLE = timedelta(days=146_097)
LAST = datetime.max.replace(tzinfo=UTC)


class Channel(StrEnum):
    """A channel through which the operator can reach a customer."""

    CALL = "call"
    SMS = "sms"
    EMAIL = "email"
    POST = "post"
    APP = "app"
    CHAT = "chat"
    SOCIAL = "social"
    VISIT = "visit"


class Source(StrEnum):
    """How an interest is known."""

    STATED = "stated"
    DERIVED = "derived"


class Day(IntEnum):
    """A day of the week, as ISO 8601 counts them."""

    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6
    SUNDAY = 7


@dataclass(frozen=True, slots=True)
class Preference:
    """Through what to reach a customer for one purpose, the first choice first."""

    purpose: str
    channels: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class Hours:
    """The same hours on some days: from the minute `start` of the day until before the minute `end`, at most 1440."""

    days: tuple[Day, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Window:
    """When a customer may be contacted, by the clock on its wall."""

    time_zone: str
    hours: tuple[Hours, ...]


@dataclass(frozen=True, slots=True)
class Interest:
    """Something that a customer likes, and how much: more than 0, at most 1."""

    tag: str
    source: Source
    weight: float


@dataclass(frozen=True, slots=True)
class Profile:
    """How a customer wants to be dealt with. `version` counts its changes, from 1; 0: nobody told anything yet.

    `cleared` are fields that are empty since somebody emptied them, and not since nobody told anything.
    """

    customer_id: str
    language: str = ""
    channels: tuple[Preference, ...] = ()
    contact_window: Window | None = None
    accessibility_needs: tuple[str, ...] = ()
    interests: tuple[Interest, ...] = ()
    newsletter_topics: tuple[str, ...] = ()
    cleared: frozenset[str] = frozenset()
    id: str = ""
    version: int = 0
    create_time: datetime | None = None
    update_time: datetime | None = None


UPDATABLE = (
    "language",
    "channels",
    "contact_window",
    "accessibility_needs",
    "interests",
    "newsletter_topics",
)


def updated(
    own: Profile, wish: Profile, names: Iterable[str], fresh_id: str, at: datetime, *, shown: Profile | None = None
) -> tuple[Profile, frozenset[str]]:
    """`own` with the fields `names` of `wish`, and the names of those that differ from what is `shown`; itself if none.

    What is shown is `own`, unless a record that was merged into this one lends to it. What is lent never becomes its
    own: whoever writes back what was read has said nothing. The first change makes the profile, with `fresh_id`.

    Raises:
        Invalid: it would be inconsistent.
    """
    values = {name: getattr(wish, name) for name in names}
    changed = frozenset(name for name, value in values.items() if value != getattr(shown or own, name))
    if not changed:
        return own, changed
    if own.update_time:
        at = max(at, own.update_time + TICK)
    after = replace(
        own,
        **{name: values[name] for name in changed},
        cleared=(own.cleared - changed) | {name for name in changed if not values[name]},
        id=own.id or fresh_id,
        version=own.version + 1,
        create_time=own.create_time or at,
        update_time=at,
    )
    check(after)
    return after, changed


def of_customer(ids: Sequence[str], kept: Mapping[str, Profile]) -> Profile:
    """The profile of a customer who has the `ids`, its survivor's first, from those kept for any of them.

    Each field is as the first of them told that told it, if only that it is empty. It is the survivor's profile all the
    same, with its version: the others' fields are lent to it for as long as they are one customer.
    """
    own = kept.get(ids[0], Profile(ids[0]))
    others = [kept[i] for i in ids[1:] if i in kept]
    lent = {}
    for name in UPDATABLE:
        lender = next((p for p in (own, *others) if _tells(p, name)), own)
        if lender is not own:
            lent[name] = getattr(lender, name)
    return replace(own, **lent) if lent else own


def _tells(profile: Profile, name: str) -> bool:
    return bool(getattr(profile, name)) or name in profile.cleared


def check(profile: Profile) -> None:
    """Passes a consistent profile.

    Raises:
        Invalid: a purpose or an interest twice, a time zone that there is not, hours that end before they start or
            overlap.
    """
    _check_once([p.purpose for p in profile.channels], "profile.channels", "purpose")
    _check_once([i.tag for i in profile.interests], "profile.interests", "tag")
    window = profile.contact_window
    if window is None:
        return
    _zone(window.time_zone)
    for n, hours in enumerate(window.hours):
        if hours.end <= hours.start:
            raise Invalid("they end before they start", field=f"profile.contact_window.hours[{n}].end")
    for day in Day:
        spans = sorted((h.start, h.end) for h in window.hours if day in h.days)
        if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
            raise Invalid(f"hours of {day.name.lower()} overlap", field="profile.contact_window.hours")


def open_at(window: Window, at: datetime) -> bool:
    """Whether `at` lies in the window: what the clock on the customer's wall shows then counts, summer or winter."""
    wall = _within(at).astimezone(_zone(window.time_zone))
    minute = wall.hour * 60 + wall.minute
    return any(wall.isoweekday() in h.days and h.start <= minute < h.end for h in window.hours)


def opening(window: Window, at: datetime) -> datetime | None:
    """When the window opens next after `at`, at which it is shut; None: not before the last year ends, or never."""
    zone = _zone(window.time_zone)
    asked, at = at, _within(at)
    # Two weeks: this weekday's hours may be over, and next week's be those that clocks leave out as they go forward.
    days = [timedelta(days=n) for n in range(15)]
    today = at.astimezone(zone).date()
    starts = [
        datetime.combine(today + n, time(h.start // 60, h.start % 60, fold=fold), zone).astimezone(UTC)
        for n in days
        for h in window.hours
        if (today + n).isoweekday() in h.days
        # What clocks show twice as they go back.
        for fold in (0, 1)
    ]
    # As clocks go forward, hours may have begun in what they leave out; as they go back, some that are over come again.
    turns = (_turn(zone, at.replace(microsecond=0) + n) for n in days)
    times = sorted({*starts, *(turn for turn in turns if turn)})
    wait = next((t - at for t in times if t > at and open_at(window, t)), None)
    return None if wait is None or wait > LAST - asked else asked + wait


def _within(at: datetime) -> datetime:
    """`at` or, of the first year and of the last one, the time of another year that is like it: in some time zone their
    days have no date.
    """
    if at.year == MINYEAR:
        return at + CYCLE
    return at - CYCLE if at.year == MAXYEAR else at


def _turn(zone: ZoneInfo, since: datetime) -> datetime | None:
    """When clocks go forward or back in the day after `since`, to the second; None: not then. Once at most."""

    def turned(second: int) -> bool:
        return (since + timedelta(seconds=second)).astimezone(zone).utcoffset() != before

    before = since.astimezone(zone).utcoffset()
    seconds = range(24 * 60 * 60)
    return since + timedelta(seconds=bisect_left(seconds, x=True, key=turned)) if turned(len(seconds)) else None


def _check_once(names: Sequence[str], field: str, what: str) -> None:
    for n, name in enumerate(names):
        if name in names[:n]:
            raise Invalid(f"this {what} stands there twice", field=f"{field}[{n}].{what}")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise Invalid("there is no such time zone", field="profile.contact_window.time_zone") from error
