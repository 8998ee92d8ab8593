"""How far each section of a customer's story can be trusted, and how long its service may take to tell it."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Generic, TypeVar

C = TypeVar("C")
K = TypeVar("K")

# What is left after the sections must carry the answer back to a caller who waits no longer than it said.
SHARE_FOR_SECTIONS = 0.9
# A call under way is joined only while it has this share of the patience the newcomer would have brought itself.
SHARE_WORTH_JOINING = 0.5


class Section(Enum):
    """A section of the story; its value is its field in `GetCustomer360Response`."""

    CUSTOMER = "customer"
    PORTFOLIO = "portfolio"
    INTERACTIONS = "interactions"
    TICKETS = "tickets"
    SLA = "sla"
    SCORE = "score"


class Freshness(Enum):
    """How far a section can be trusted; `SectionStatus.Freshness` says what each means."""

    FRESH = 1
    STALE = 2
    MISSING = 3
    ABSENT = 4


@dataclass(frozen=True, slots=True)
class Answered(Generic[C]):
    """The service told its section."""

    content: C


@dataclass(frozen=True, slots=True)
class Declined:
    """The service answered that there is nothing to tell, or nothing for this caller; `reason` is an `ErrorReason`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The service did not answer, or not sensibly; `reason` is the name of an `ErrorReason`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Remembered(Generic[C]):
    """What a service last told, and when."""

    content: C
    time: datetime


@dataclass(frozen=True, slots=True)
class Told(Generic[C]):
    """A section as the caller gets it.

    `content` is None where nothing can be shown; `as_of` is when the service said so, None if it never did;
    `reason` is the name of an `ErrorReason`, empty where the section is fresh.
    """

    freshness: Freshness
    content: C | None
    as_of: datetime | None
    reason: str = ""


def judge(outcome: Answered[C] | Declined | Failed, remembered: Remembered[C] | None, now: datetime) -> Told[C]:
    """What to tell of a section whose service came to `outcome` at `now`.

    What is remembered stands in for a service that fails, never for one that declines.
    """
    match outcome:
        case Answered(content):
            return Told(Freshness.FRESH, content, now)
        case Declined(reason):
            return Told(Freshness.ABSENT, None, now, reason)
        case Failed(reason):
            if remembered is None:
                return Told(Freshness.MISSING, None, None, reason)
            return Told(Freshness.STALE, remembered.content, remembered.time, reason)


def section_seconds(left: float | None, most: float) -> float:
    """Seconds a section may take, of a caller who waits `left` more (None: for ever), and at `most`."""
    return most if left is None else min(most, left * SHARE_FOR_SECTIONS)


def worth_joining(left: float, seconds: float) -> bool:
    """Whether a call with `left` seconds to go serves a newcomer who would give its own call `seconds`."""
    return left >= seconds * SHARE_WORTH_JOINING
