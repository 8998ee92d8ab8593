"""What a bulk load is, and how it moves on. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chassis.rules import Invalid, Refused

# As many refusals as a summary holds: beyond them, rows that fail are counted only.
MOST_FAULTS = 1000


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

    One without an id is nobody's to go on with, and is kept nowhere.
    """

    id: str
    kind: str
    by: str = ""
    position: int = 0
    counts: Counts = Counts()
    faults: tuple[Fault, ...] = ()
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


def check_follows(first_row: int, done: int) -> None:
    """Passes when a message that begins with `first_row` leaves nothing out after the `done` rows that came.

    Raises:
        Invalid: it does.
    """
    if first_row > done + 1:
        raise Invalid(f"leaves out the rows from {done + 1} on", field="first_row")


def moved_on(load: Load, rows: int, counts: Counts, faults: Sequence[Fault], at: datetime) -> Load:
    """`load` with `rows` more rows done."""
    room = MOST_FAULTS - len(load.faults)
    return replace(
        load,
        position=load.position + rows,
        counts=load.counts + counts,
        faults=(*load.faults, *faults[:room]) if faults else load.faults,
        update_time=at,
        complete_time=None,
    )
