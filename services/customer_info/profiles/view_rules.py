"""The personalised view: a profile beside what the other services told. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.customer_info.profiles.fact_rules import Facts, Shown, added, shown, together
from services.customer_info.profiles.rules import Profile, open_at

# A service gives a sign every five seconds, be it that it has no news: this many are missed before it counts as silent.
SILENT_AFTER = timedelta(seconds=30)


class Freshness(StrEnum):
    """How far a section can be trusted."""

    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Told:
    """What is kept of a section for one record: facts, and the time of the last event that they are of."""

    facts: Facts
    time: datetime


def more(known: Told | None, said: Told) -> Told:
    """What is known once something more is said."""
    return said if known is None else Told(added(known.facts, said.facts), max(known.time, said.time))


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section as it is shown. `heard_time`: when its service was last heard from; None: never."""

    name: str
    service: str
    freshness: Freshness
    told_time: datetime | None
    heard_time: datetime | None
    facts: Mapping[str, Shown]


@dataclass(frozen=True, slots=True)
class View:
    """How to deal with a customer now. `within_contact_window`: None, it has none."""

    profile: Profile
    language: str
    within_contact_window: bool | None
    sections: tuple[SectionView, ...]


def view(profile: Profile, language: str, sections: Iterable[SectionView], at: datetime) -> View:
    """The view at `at` of a customer who is addressed in `language` where the profile names none."""
    window = profile.contact_window
    return View(profile, profile.language or language, None if window is None else open_at(window, at), tuple(sections))


def section(name: str, service: str, told: Sequence[Told], heard_time: datetime | None, at: datetime) -> SectionView:
    """A section from what was told of each record of a customer."""
    if not told:
        return SectionView(name, service, Freshness.MISSING, None, heard_time, {})
    silent = heard_time is None or at - heard_time > SILENT_AFTER
    freshness = Freshness.STALE if silent else Freshness.FRESH
    facts = shown(together(t.facts for t in told))
    return SectionView(name, service, freshness, max(t.time for t in told), heard_time, facts)
