"""Scores everybody anew: when another model becomes champion, and each customer when its windows have moved.

One replica does it, the holder of a lease. Each batch is a transaction that also keeps how far the walk is: whatever
is killed in between, the next holder goes on where the last transaction ended.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar

from chassis.log import logger
from chassis.times import now
from services.retention.features.rules import Reading
from services.retention.scores.usecases import Champion, Champions, ScoreUseCases

T = TypeVar("T")
BATCH = 500
"""Customers of one transaction: large enough to share its price, small enough not to hold up the event loop."""
PAUSE_SECONDS = 0.5
TELL_SECONDS = 5.0
_log = logger("rescoring")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the walk over all customers is: with which model, up to which id, how many, and whether it is done."""

    model_id: str = ""
    last: str = ""
    done: int = 0
    finished: bool = False


class Walks(Protocol):
    """What rescoring asks of a store."""

    async def progress(self, transaction: Any) -> Progress: ...

    async def advance(self, transaction: Any, progress: Progress) -> None: ...


class Readings(Protocol):
    """What rescoring asks of features."""

    async def count(self) -> int: ...

    async def after(self, transaction: Any, last: str, most: int, at: datetime) -> dict[str, Reading]: ...

    async def due(self, transaction: Any, most: int, at: datetime) -> dict[str, Reading]: ...


class Transact(Protocol):
    """Runs work in a transaction."""

    async def __call__(self, work: Callable[[Any], Awaitable[T]]) -> T: ...


class Rescoring:
    """The one who scores everybody anew."""

    def __init__(
        self, transact: Transact, store: Walks, readings: Readings, champions: Champions, scores: ScoreUseCases
    ) -> None:
        self._transact = transact
        self._store = store
        self._readings = readings
        self._champions = champions
        self._scores = scores
        self._told = 0.0

    async def run(self) -> None:
        """For ever; nothing is lost when it is cut off."""
        await asyncio.to_thread(_warm)
        while True:
            if not await self.step():
                await asyncio.sleep(PAUSE_SECONDS)

    async def step(self) -> bool:
        """Scores one batch; False when there is nobody to score."""
        return await self._transact(self._walk) or await self._transact(self._due)

    async def _walk(self, transaction: Any) -> bool:
        champion = await self._champions.of(transaction)
        if champion is None:
            return False
        progress = await self._store.progress(transaction)
        if progress.model_id != champion.id:
            # Back to a champion of before, or on to the next: whoever was scored, was scored by another.
            progress = Progress(champion.id)
        if progress.finished:
            return False
        at = now()
        readings = await self._readings.after(transaction, progress.last, BATCH, at)
        await self._scores.score(transaction, champion, readings, at)
        await self._store.advance(transaction, _advanced(progress, readings))
        await self._tell(champion, progress, finished=not readings)
        return True

    async def _due(self, transaction: Any) -> bool:
        champion = await self._champions.of(transaction)
        if champion is None:
            return False
        at = now()
        readings = await self._readings.due(transaction, BATCH, at)
        await self._scores.score(transaction, champion, readings, at)
        return bool(readings)

    async def _tell(self, champion: Champion, progress: Progress, *, finished: bool) -> None:
        clock = asyncio.get_running_loop().time()
        if finished:
            _log.info("rescored", model=champion.id, customers=progress.done)
        elif clock - self._told > TELL_SECONDS:
            self._told = clock
            _log.info("rescoring", model=champion.id, customers=progress.done, of=await self._readings.count())


def _advanced(progress: Progress, readings: dict[str, Reading]) -> Progress:
    if not readings:
        return replace(progress, finished=True)
    return replace(progress, last=max(readings), done=progress.done + len(readings))


def _warm() -> None:
    """Loads numpy aside from the event loop, where it is installed."""
    try:
        from services.retention.models import batch  # noqa: F401
    except ModuleNotFoundError:
        _log.info("rescoring_without_numpy")
