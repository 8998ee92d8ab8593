"""Bulk loads, as the nouns of this service run them: fast while all goes well, exact when something does not."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from google.protobuf.message import Message

from chassis.bulk import Outcome, Tally, note_rows
from chassis.rules import AlreadyExists, Conflict, Invalid, Refusal, Refused

M = TypeVar("M", bound=Message)
R = TypeVar("R")
Outcomes = list[Outcome | Refusal]
# Loads all rows or none; raises AlreadyExists, Conflict or Refused when one of them is in another's way.
Load = Callable[[Sequence[R]], Awaitable[Outcomes]]

# What looking again does not change: somebody has the identifier, the person is gone.
FINAL = frozenset({"EXTERNAL_ID_TAKEN", "IDENTIFIER_TAKEN", "ERASED"})
# How often a row that meets a concurrent writer looks again; each time somebody else got further.
ATTEMPTS = 5


async def note(tally: Tally, messages: Sequence[M], convert: Callable[[M], R], load: Load[R]) -> None:
    """As `note_rows`, with the paths of fields as they stand in a row."""

    def read(message: M) -> R:
        try:
            return convert(message)
        except Refusal as refusal:
            raise in_row(refusal) from refusal

    async def loaded(rows: Sequence[R]) -> Outcomes:
        return [o if isinstance(o, Outcome) else in_row(o) for o in await load(rows)]

    await note_rows(tally, messages, read, loaded)


async def each_once(rows: Sequence[R], ids: Sequence[str], load: Load[R]) -> Outcomes:
    """Loads rows, the n-th with the n-th of `ids`; answers for each in order. An id that came before is refused."""
    firsts: dict[str, int] = {}
    for n, row_id in enumerate(ids):
        firsts.setdefault(row_id, n)
    outcomes: Outcomes = [Invalid("the same id stands in this batch twice", field="id") for _ in rows]
    loaded = await _in_halves([rows[n] for n in firsts.values()], load, ATTEMPTS)
    for n, outcome in zip(firsts.values(), loaded, strict=True):
        outcomes[n] = outcome
    return outcomes


async def _in_halves(rows: Sequence[R], load: Load[R], attempts: int) -> Outcomes:
    """Loads rows together or, when one is in another's way, each half by itself: the culprits end up alone."""
    if not rows:
        return []
    try:
        return await load(rows)
    except (AlreadyExists, Conflict, Refused) as refusal:
        if len(rows) > 1:
            middle = len(rows) // 2
            first = await _in_halves(rows[:middle], load, attempts)
            return [*first, *await _in_halves(rows[middle:], load, attempts)]
        if attempts == 1 or refusal.reason in FINAL:
            return [refusal]
    return await _in_halves(rows, load, attempts - 1)


def in_row(refusal: Refusal) -> Refusal:
    """`refusal` with the path of its field as it stands in a row, where no request is around the thing."""
    if refusal.field:
        refusal.field = refusal.field.removeprefix("customer.").removeprefix("product.")
    return refusal
