"""Scores everybody anew: when another model becomes champion, and each customer when its windows have moved.

One replica does it, the holder of a lease. Each score says which model it is by, so what is left to do is what the
store says: whatever is killed in between, and whoever scored with the model of before at the last moment, the next
batch finds it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from chassis.log import logger
from chassis.times import now
from services.retention.features.rules import Reading
from services.retention.scores.assessment_rules import Champion
from services.retention.scores.usecases import Champions, ScoreUseCases

T = TypeVar("T")
BATCH = 500
"""Customers of one transaction: large enough to share its price, small enough not to hold up the event loop."""
PAUSE_SECONDS = 0.5
TELL_SECONDS = 5.0
_log = logger("rescoring")


class Outdated(Protocol):
    """What rescoring asks of a store of scores."""

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T: ...

    async def outdated(self, transaction: Any, model_id: str, most: int) -> list[str]: ...

    async def count_outdated(self, model_id: str) -> int: ...


class Readings(Protocol):
    """What rescoring asks of features."""

    async def many(self, transaction: Any, customer_ids: Sequence[str], at: datetime) -> dict[str, Reading]: ...

    async def due(self, at: datetime, most: int) -> list[str]: ...


class Rescoring:
    """The one who scores everybody anew."""

    def __init__(self, store: Outdated, readings: Readings, champions: Champions, scores: ScoreUseCases) -> None:
        self._store = store
        self._readings = readings
        self._champions = champions
        self._scores = scores
        self._done = 0
        self._told = 0.0

    async def run(self) -> None:
        """For ever; nothing is lost when it is cut off."""
        await asyncio.to_thread(_warm)
        while True:
            if not await self.step():
                await asyncio.sleep(PAUSE_SECONDS)

    async def step(self) -> bool:
        """Scores one batch; False when there is nobody to score."""
        champion = await self._champions.of(None)
        if champion is None:
            return False
        if await self._store.outdated(None, champion.id, 1):
            done = await self._store.transact(self._by_another_model)
            await self._tell(champion, done)
            return True
        if self._done:
            _log.info("rescored", model=champion.id, customers=self._done)
            self._done = 0
        if await self._readings.due(now(), 1):
            await self._store.transact(self._of_another_time)
            return True
        return False

    async def _by_another_model(self, transaction: Any) -> int:
        champion = await self._champions.of(transaction)
        if champion is None:
            return 0
        at = now()
        left = await self._store.outdated(transaction, champion.id, BATCH)
        readings = await self._readings.many(transaction, left, at)
        await self._scores.score(transaction, champion, readings, at)
        return len(left)

    async def _of_another_time(self, transaction: Any) -> None:
        at = now()
        readings = await self._readings.many(transaction, await self._readings.due(at, BATCH), at)
        await self._scores.rescore(transaction, readings, at)

    async def _tell(self, champion: Champion, done: int) -> None:
        self._done += done
        clock = asyncio.get_running_loop().time()
        if clock - self._told > TELL_SECONDS:
            self._told = clock
            left = await self._store.count_outdated(champion.id)
            _log.info("rescoring", model=champion.id, customers=self._done, left=left)


def _warm() -> None:
    """Loads numpy aside from the event loop, where it is installed."""
    try:
        from services.retention.models import batch  # noqa: F401
    except ModuleNotFoundError:
        _log.info("rescoring_without_numpy")
