"""What a bulk load is, and how it moves on. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chassis.rules import Invalid, Refused

# As many refusals as a summary holds: beyond them, rows that fail are counted only.
MOST_FAULTS = 1000
# Digits of the number of a row: no load is longer.
LONGEST_ROW = 15


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of rows."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.failed + other.failed,
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """Why the row of this number was refused; nothing personal."""

    row: int
    reason: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Load:
    """A bulk load. `position` rows of it are done, refused ones among them; `by` is who runs it.

    `digest` stands for these rows: whoever sends them again sends the same. `faults` are the first of those there are.
    One without an id is nobody's to go on with, and is kept nowhere.
    """

    id: str
    kind: str
    by: str = ""
    position: int = 0
    counts: Counts = Counts()
    faults: tuple[Fault, ...] = ()
    digest: bytes = b""
    create_time: datetime | None = None
    update_time: datetime | None = None
    complete_time: datetime | None = None


class Overtaken(Refused):
    """Another stream goes on with the load: this one must not."""


def overtaken() -> Overtaken:
    """The refusal of a stream whose load is not where it left it."""
    return Overtaken("another stream goes on with this load", metadata={"state": "under way elsewhere"})


def check_goes_on(load: Load, kind: str, by: str) -> None:
    """Passes when `by` may go on with `load` as one of `kind`.

    Raises:
        Invalid: it is somebody else's, or of another kind (REQUEST_ID_REUSED).
    """
    if load.by != by:
        raise Invalid("this id is of another caller's load", field="load_id", reason="REQUEST_ID_REUSED")
    if load.kind != kind:
        raise Invalid(f"this id is of a load of {load.kind}", field="load_id", reason="REQUEST_ID_REUSED")


def check_same(load: Load, load_id: str) -> None:
    """Passes when a later message of a stream belongs to `load`.

    Raises:
        Invalid: it names another load.
    """
    if load_id and load_id != load.id:
        raise Invalid("the stream began with another load, or with none", field="load_id")


def check_same_rows(load: Load, digest: bytes) -> None:
    """Passes when the rows that stand for `digest` are those of `load` that are done.

    Raises:
        Invalid: they are others (REQUEST_ID_REUSED).
    """
    if load.digest != digest:
        raise Invalid("this id is of a load of other rows", field="load_id", reason="REQUEST_ID_REUSED")


def check_all_shown(load: Load, rows: int) -> None:
    """Passes when a stream that ends after the first `rows` rows of `load` has shown all that are done, or none.

    Only all of them together can be told from others: `digest` stands for no fewer.

    Raises:
        Invalid: it has shown some (REQUEST_ID_REUSED).
    """
    if 0 < rows < load.position:
        raise Invalid("this id is of a load of more rows", field="load_id", reason="REQUEST_ID_REUSED")


def row_of_token(token: str) -> int:
    """The row after which a page of refusals begins; 0 for the first page.

    Raises:
        Invalid: the token is none of this list.
    """
    if not token:
        return 0
    if not (token.isascii() and token.isdecimal() and len(token) <= LONGEST_ROW):
        raise Invalid("the page token is not one of this list", field="page.page_token", reason="INVALID_PAGE_TOKEN")
    return int(token)


def check_follows(first_row: int, done: int) -> None:
    """Passes when a message that begins with `first_row` leaves nothing out after the `done` rows that came.

    Raises:
        Invalid: it does.
    """
    if first_row > done + 1:
        raise Invalid(f"leaves out the rows from {done + 1} on", field="first_row")


def moved_on(
    load: Load, rows: int, counts: Counts, faults: Sequence[Fault], at: datetime, *, digest: bytes = b""
) -> Load:
    """`load` with `rows` more rows done; `digest` stands for all that are done then."""
    room = MOST_FAULTS - len(load.faults)
    return replace(
        load,
        position=load.position + rows,
        counts=load.counts + counts,
        faults=(*load.faults, *faults[:room]) if faults else load.faults,
        digest=digest,
        update_time=at,
        complete_time=None,
    )
