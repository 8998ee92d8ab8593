"""Batches of bulk loads, as the nouns of this service load them: fast while all is well, exact when it is not."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from chassis.bulk import Outcome
from chassis.rules import AlreadyExists, Conflict, Invalid, Refusal, Refused
from services.customer_info.loads.rules import Overtaken

R = TypeVar("R")
Outcomes = list[Outcome | Refusal]

# What looking again does not change: somebody has the identifier, the person is gone.
FINAL = frozenset({"EXTERNAL_ID_TAKEN", "IDENTIFIER_TAKEN", "ERASED"})
# How often a row that meets a concurrent writer looks again; each time somebody else got further.
ATTEMPTS = 5


class Keep(Protocol):
    """What a batch does beside its own writes, so that the load it is part of can be gone on with."""

    async def turn(self) -> None:
        """Waits until all that came before the batch is written: nothing of it may be, before."""

    async def note(self, transaction: Any, outcomes: Outcomes) -> None:
        """Keeps what became of all of the batch, in the one transaction that writes it."""


# Loads all rows or none; raises AlreadyExists, Conflict or Refused when one of them is in another's way.
Load = Callable[[Sequence[R], Keep | None], Awaitable[Outcomes]]


class _WithRepeated:
    """A `Keep` that is told of the rows that stand in the batch once, and tells of all."""

    def __init__(self, keep: Keep, all_of: Callable[[Outcomes], Outcomes]) -> None:
        self.turn = keep.turn
        self._keep = keep
        self._all_of = all_of

    async def note(self, transaction: Any, outcomes: Outcomes) -> None:
        await self._keep.note(transaction, self._all_of(outcomes))


async def each_once(rows: Sequence[R], ids: Sequence[str], load: Load[R], keep: Keep | None = None) -> Outcomes:
    """Loads rows, the n-th with the n-th of `ids`; answers for each in order. An id that came before is refused."""
    firsts: dict[str, int] = {}
    for n, row_id in enumerate(ids):
        firsts.setdefault(row_id, n)

    def all_of(loaded: Outcomes) -> Outcomes:
        outcomes: Outcomes = [Invalid("the same id stands in this batch twice", field="id") for _ in rows]
        for n, outcome in zip(firsts.values(), loaded, strict=True):
            outcomes[n] = outcome
        return outcomes

    once = rows if len(firsts) == len(rows) else [rows[n] for n in firsts.values()]
    kept = keep if keep is None or once is rows else _WithRepeated(keep, all_of)
    loaded = await _in_halves(once, load, ATTEMPTS, kept)
    return loaded if once is rows else all_of(loaded)


async def _in_halves(rows: Sequence[R], load: Load[R], attempts: int, keep: Keep | None = None) -> Outcomes:
    """Loads rows together or, when one is in another's way, each half by itself: the culprits end up alone."""
    if not rows:
        return []
    try:
        return await load(rows, keep)
    except Overtaken:
        raise
    except (AlreadyExists, Conflict, Refused) as refusal:
        if keep is not None:
            await keep.turn()
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
