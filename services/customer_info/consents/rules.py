"""What is recorded of a customer's consent. Pure: no I/O, no clock, no randomness.

Records are added, never changed: what a customer may be contacted for is what all of them come to (`contact_rules`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from chassis.rules import Invalid, NotFound, Refused

# More grounds and prohibitions than this are a mistake of some system; withdrawals are taken without limit.
MOST_RECORDS = 1000
# What the store can tell apart: a record is never as old as the one before it.
TICK = timedelta(milliseconds=1)


class Basis(StrEnum):
    """Why processing is lawful: GDPR, art. 6(1), points (a) to (f)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal_obligation"
    VITAL_INTERESTS = "vital_interests"
    PUBLIC_TASK = "public_task"
    LEGITIMATE_INTERESTS = "legitimate_interests"


class Channel(StrEnum):
    """Ways in which a customer is contacted."""

    EMAIL = "email"
    SMS = "sms"
    CALL = "call"
    POST = "post"
    APP = "app"
    SOCIAL = "social"
    CHAT = "chat"
    VISIT = "visit"


EVERY_CHANNEL = frozenset(Channel)


class Extent(StrEnum):
    """How far a do-not-contact entry goes."""

    UNSOLICITED = "unsolicited"
    ALL_BUT_REQUIRED = "all_but_required"


class Why(StrEnum):
    """Why a customer is not to be contacted."""

    CUSTOMER_REQUEST = "customer_request"
    PREFERENCE_LIST = "preference_list"
    BEREAVEMENT = "bereavement"
    VULNERABLE = "vulnerable"
    LEGAL_DISPUTE = "legal_dispute"
    OTHER = "other"


class Kind(StrEnum):
    """What a record says."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    DO_NOT_CONTACT = "do_not_contact"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class Given:
    """A lawful basis for a purpose, from `start` until before `end`, for some channels (empty: all)."""

    purpose: str
    basis: Basis
    channels: tuple[Channel, ...] = ()
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A withdrawal of consent, or an objection, for some channels (empty: all)."""

    purpose: str
    channels: tuple[Channel, ...] = ()


@dataclass(frozen=True, slots=True)
class DoNotContact:
    """No contact, through some channels and for some purposes (empty: all), from `start` until before `end`."""

    extent: Extent = Extent.UNSOLICITED
    channels: tuple[Channel, ...] = ()
    purposes: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class Lifted:
    """The do-not-contact entry in another record holds no more."""

    record_id: str


Change = Given | Withdrawn | DoNotContact | Lifted
KINDS: dict[type[Change], Kind] = {
    Given: Kind.GIVEN,
    Withdrawn: Kind.WITHDRAWN,
    DoNotContact: Kind.DO_NOT_CONTACT,
    Lifted: Kind.LIFTED,
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a record comes from: the channel, what proves it (a type and an id), and a note, which is never shown."""

    channel: str = ""
    evidence: tuple[str, str] | None = None
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Record:
    """One record: what it says, where it comes from, who recorded it, and when."""

    id: str
    customer_id: str
    change: Change
    time: datetime
    source: Source = Source()
    by: str = ""

    @property
    def kind(self) -> Kind:
        """What it says, by name."""
        return KINDS[type(self.change)]


def covered(channels: Iterable[Channel]) -> frozenset[Channel]:
    """The channels that a list of channels stands for: all, if it is empty."""
    return frozenset(channels) or EVERY_CHANNEL


def record_time(before: Iterable[Record], at: datetime) -> datetime:
    """When a record that follows `before` is made: at `at` or, whatever the clocks say, right after the latest."""
    latest = max((r.time for r in before), default=None)
    return at if latest is None else max(at, latest + TICK)


def check(change: Change, source: Source, before: Iterable[Record]) -> None:
    """Passes a change that makes sense after the records `before`.

    Raises:
        Invalid: it ends before it starts, or a consent that nothing proves.
        NotFound: it lifts an entry that is not there.
        Refused: that entry was lifted before, or there are too many grounds and prohibitions.
    """
    if isinstance(change, Given | DoNotContact) and change.start and change.end and change.end <= change.start:
        raise Invalid("ends before it starts", field="valid.end")
    if isinstance(change, Given) and change.basis is Basis.CONSENT and not (source.channel or source.evidence):
        # GDPR, art. 7(1): whoever relies on consent must be able to demonstrate it.
        raise Invalid("a consent says where it was given, or what proves it", field="source")
    if isinstance(change, Lifted):
        _check_lifting(change, before)
    if isinstance(change, Given | DoNotContact):
        _check_room(before)


def _check_room(before: Iterable[Record]) -> None:
    if sum(isinstance(r.change, Given | DoNotContact) for r in before) >= MOST_RECORDS:
        raise Refused(f"a customer has at most {MOST_RECORDS} grounds and prohibitions", metadata={"state": "full"})


def _check_lifting(change: Lifted, before: Iterable[Record]) -> None:
    known = list(before)
    if not any(r.id == change.record_id and isinstance(r.change, DoNotContact) for r in known):
        raise NotFound(
            "there is no such do-not-contact entry",
            field="record_id",
            metadata={"type": "do_not_contact", "id": change.record_id},
        )
    if any(isinstance(r.change, Lifted) and r.change.record_id == change.record_id for r in known):
        raise Refused("the entry was lifted before", field="record_id", metadata={"state": "lifted"})
