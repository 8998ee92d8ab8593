"""What becomes of the rows of a bulk stream: each has its own outcome, and a bad one stops no other."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from google.protobuf.message import Message
from holdfast.common.v1 import rows_pb2

from chassis import validation
from chassis.rules import Invalid, Refusal

MOST_ERRORS = 1000
M = TypeVar("M", bound=Message)
R = TypeVar("R")


class Outcome(Enum):
    """What one row did."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass
class Tally:
    """Counts outcomes while a stream runs."""

    received: int = 0
    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    failed: int = 0
    errors: list[rows_pb2.RowError] = field(default_factory=list)

    def number(self) -> int:
        """The number of the row that comes next, from 1."""
        self.received += 1
        return self.received

    def note(self, row: int, outcome: Outcome | Refusal) -> None:
        """Notes what row `row` did."""
        if isinstance(outcome, Outcome):
            self.counts[outcome] += 1
            return
        self.failed += 1
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(row_error(row, outcome))

    def summary(self) -> rows_pb2.BulkSummary:
        """All of it, as it goes to the caller."""
        return rows_pb2.BulkSummary(
            received=self.received,
            created=self.counts[Outcome.CREATED],
            updated=self.counts[Outcome.UPDATED],
            unchanged=self.counts[Outcome.UNCHANGED],
            failed=self.failed,
            errors=self.errors,
        )


async def note_rows(
    tally: Tally,
    rows: Iterable[M],
    read: Callable[[M], R],
    load: Callable[[Sequence[R]], Awaitable[Sequence[Outcome | Refusal]]],
    *,
    needs_id: bool = True,
) -> None:
    """Checks each row by itself, loads the good ones together, and notes what became of each, in order.

    `read` makes of a checked row what `load` takes, or raises a `Refusal`; `load` answers for each.
    """
    good: list[R] = []
    refusals: list[Refusal | None] = []
    for row in rows:
        refusal = refusal_of(row, needs_id=needs_id)
        if refusal is None:
            try:
                good.append(read(row))
            except Refusal as wrong:
                refusal = wrong
        refusals.append(refusal)
    loaded = iter(await load(good) if good else ())
    for refused in refusals:
        tally.note(tally.number(), refused or next(loaded))


def row_error(row: int, refusal: Refusal) -> rows_pb2.RowError:
    """The error of one row."""
    return rows_pb2.RowError(row=row, reason=refusal.reason, field=refusal.field or "", message=refusal.message)


def refusal_of(row: Message, *, needs_id: bool = False, may_lack: Collection[str] = ()) -> Refusal | None:
    """Why `row` breaks the rules of its proto; None if it does not. With `needs_id`, it must name its `id`.

    `may_lack` are paths of fields that may be unset, since the row does not tell of them.
    """
    try:
        validation.check(row, may_lack=may_lack)
        if needs_id and not getattr(row, "id", ""):
            raise Invalid("a row of a bulk load names its id", field="id")
    except Refusal as refusal:
        return refusal
    return None
