"""What a change of a record is, told from its versions. Pure: no I/O, no clock, no randomness."""

import base64
import binascii
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from chassis.rules import Invalid

T = TypeVar("T")

# A record as its noun's contract writes it in JSON, by the names of its fields.
Content = Mapping[str, Any]
# Where a change stands among all: when it was, and which version of which record it made. The greater, the later.
Place = tuple[datetime, str]

# What every change changes, or what tells whose record it is.
BOOKKEEPING = frozenset({"id", "customer_id", "etag", "create_time", "update_time"})
# Who may see personal values; auditors prove what was done, and need none of them.
TRUSTED = frozenset({"agent", "supervisor", "service", "admin"})
TOKEN_FIELD = "page.page_token"  # noqa: S105 - the path of a field, not a secret
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Sight(Enum):
    """What somebody may see of the personal values in former versions."""

    ALL = "all"
    # Those of its own records: not those of whoever was merged with it once, and is another customer now.
    OWN = "own"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a record, as it is kept: `document` may be sealed in part. `time` is when it was made, by whom."""

    kind: str
    record_id: str
    customer_id: str
    version: int
    time: datetime
    by: str
    channel: str
    document: Mapping[str, Any]

    @property
    def key(self) -> str:
        """What no other version has."""
        return version_key(self.kind, self.record_id, self.version)

    @property
    def place(self) -> Place:
        """Where the change that made it stands among all."""
        return self.time, self.key


@dataclass(frozen=True, slots=True)
class FieldChange:
    """What a change did to a field; None: it was not, or is not, set. The values of a `masked` one are not told."""

    name: str
    before: Any
    after: Any
    masked: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """The change that made a version. `erased`: its owner was; `unreadable`: so are personal fields of it, for whatever
    reason, and the change tells of none.
    """

    version: Version
    fields: tuple[FieldChange, ...]
    erased: bool = False
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it stood at a time, without the fields `masked`; `unreadable`: without all that was personal."""

    version: Version
    content: Content
    masked: tuple[str, ...] = ()
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Made(Generic[T]):
    """A version of a record that is no customer's, and who made it through which channel."""

    record: T
    by: str = ""
    channel: str = ""


def version_key(kind: str, record_id: str, version: int) -> str:
    """What no other version has; those of one record in their order. Callers choose ids: a product may have that of its
    customer, a responsibility the name of a family.
    """
    return f"{record_id}:{kind}:{version:010d}"


def version_of(key: str) -> int:
    """The number of the version that has a key.

    Raises:
        Invalid: it is no such key, so it comes from a token that was made up.
    """
    number = key.rpartition(":")[2]
    if not (number.isascii() and number.isdecimal()):
        raise _foreign()
    return int(number)


def changed(before: Content, after: Content, hidden: Collection[str] = ()) -> tuple[FieldChange, ...]:
    """What became of each field between two versions, by name; of those that are `hidden`, without its values."""
    names = sorted((before.keys() | after.keys()) - BOOKKEEPING)
    return tuple(
        FieldChange(name, None, None, masked=True)
        if name in hidden
        else FieldChange(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    )


def personal(opened: Content, closed: Content) -> frozenset[str]:
    """The fields of a record that differ when it is read without its owner's key: these are sealed, so personal."""
    return frozenset(n for n in opened.keys() | closed.keys() if opened.get(n) != closed.get(n))


def without(content: Content, hidden: Iterable[str]) -> dict[str, Any]:
    """`content` without the fields `hidden`."""
    gone = frozenset(hidden)
    return {name: value for name, value in content.items() if name not in gone}


def latest(versions: Iterable[Version], most: int) -> list[Version]:
    """The latest `most` of the versions, latest first, each once: a record may be replaced between two reads."""
    once = {version.key: version for version in versions}
    return sorted(once.values(), key=lambda v: v.place, reverse=True)[:most]


def token(place: Place, mark: str) -> str:
    """The token of the page after the one that ends at `place`; `mark` tells what the list is of."""
    time, key = place
    text = json.dumps([mark, (time - _EPOCH) // _MILLISECOND, key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode()


def place_of(token_text: str, mark: str) -> Place | None:
    """Where the page before ended; None: this is the first page.

    Raises:
        Invalid: the token is not one of this list.
    """
    if not token_text:
        return None
    try:
        given, millis, key = json.loads(base64.b64decode(token_text, altchars=b"-_", validate=True))
        if given != mark or type(millis) is not int or not isinstance(key, str):
            raise ValueError("it is another list's")
        return _EPOCH + millis * _MILLISECOND, key
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise _foreign() from error


def _foreign() -> Invalid:
    return Invalid(
        "the page token is not one of this list, or is for another one",
        field=TOKEN_FIELD,
        reason="INVALID_PAGE_TOKEN",
    )


def mark_of(customer_id: str, kinds: Sequence[str]) -> str:
    """What tells a list of changes from every other one."""
    return blake2b("\x1f".join(["changes", customer_id, *sorted(kinds)]).encode(), digest_size=8).hexdigest()


def asked_kinds(asked: Sequence[str], known: Collection[str]) -> list[str]:
    """The kinds of records that a caller asks for: those named, or all.

    Raises:
        Invalid: there is no such kind.
    """
    for n, kind in enumerate(asked):
        check_kind(kind, known, f"kinds[{n}]")
    return list(asked) or sorted(known)


def check_kind(kind: str, known: Collection[str], field: str) -> None:
    """Passes a kind of records that there is.

    Raises:
        Invalid: there is no such kind; the metadata names those there are.
    """
    if kind not in known:
        allowed = ", ".join(sorted(known))
        raise Invalid(f"there are records of these kinds: {allowed}", field=field, metadata={"allowed": allowed})
