"""Lets reads, or writes, that arrive while one is under way share the next round trip.

An idle coalescer adds no wait: the first item leaves at once. Under load the batch grows by itself with the latency of
the store, which is what makes it right without a setting.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

import pymongo

from chassis.call import remaining

K = TypeVar("K")
V = TypeVar("V")
# Takes the items of a batch and answers for each, in order: a value, or the exception that is this item's own.
Flush = Callable[[Sequence[K]], Awaitable[Sequence[V | BaseException]]]

# Turns of the event loop without a newcomer after which a batch leaves, for each item that batches held of late. A lone
# caller is kept for two turns, some ten microseconds; under load a turn is full of other work, and patience makes
# batches of 14 where six turns made batches of six (measured with 32 calls in flight). More gains no company.
TURNS_PER_ITEM = 2
MOST_TURNS = 24


class _Waiting(Generic[K, V]):
    __slots__ = ("deadline", "future", "item")

    def __init__(self, item: K, future: "asyncio.Future[V]", deadline: float | None) -> None:
        self.item = item
        self.future = future
        self.deadline = deadline


class Coalescer(Generic[K, V]):
    """Shares round trips between callers, and gives each its own outcome.

    A caller that is cancelled while it waits takes its item out of the next batch; an item whose batch has left
    goes through. An exception from `flush` itself is everybody's in that batch, and nobody else's.
    """

    def __init__(self, flush: Flush[K, V], *, most: int = 256, at_once: int = 1) -> None:
        """Sends at most `most` items in a batch, and at most `at_once` batches at a time."""
        self._flush = flush
        self._most = most
        self._free = at_once
        self._queue: deque[_Waiting[K, V]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        # How many items batches held of late, the last one counting half.
        self._recent = 1.0

    async def submit(self, item: K) -> V:
        """The outcome of `item`.

        Raises:
            whatever `flush` answers for this item, or raises for its batch.
        """
        left = remaining()
        deadline = None if left is None else time.monotonic() + left
        waiting = _Waiting[K, V](item, asyncio.get_running_loop().create_future(), deadline)
        self._queue.append(waiting)
        if self._free:
            self._free -= 1
            # A context of its own: the batch belongs to no one caller, nor do its deadline and its trace.
            task = asyncio.create_task(self._drain(), context=Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await waiting.future

    async def _drain(self) -> None:
        try:
            while self._queue:
                await self._gather()
                if batch := self._take():
                    await self._send(batch)
        finally:
            self._free += 1

    async def _gather(self) -> None:
        """Lets callers who are on their way get in: what the event loop has in hand is handled before the batch leaves.

        Not a wait: it ends as soon as a few turns of the loop bring nobody, which takes microseconds when idle.
        """
        patience = min(MOST_TURNS, int(TURNS_PER_ITEM * self._recent))
        quiet = 0
        while quiet < patience and len(self._queue) < self._most:
            before = len(self._queue)
            await asyncio.sleep(0)
            quiet = 0 if len(self._queue) > before else quiet + 1
        self._recent = (self._recent + max(1, len(self._queue))) / 2

    def _take(self) -> list[_Waiting[K, V]]:
        batch: list[_Waiting[K, V]] = []
        while self._queue and len(batch) < self._most:
            waiting = self._queue.popleft()
            if not waiting.future.done():
                batch.append(waiting)
        return batch

    async def _send(self, batch: list[_Waiting[K, V]]) -> None:
        try:
            with _bound(batch):
                outcomes = await self._flush([waiting.item for waiting in batch])
            if len(outcomes) != len(batch):
                raise RuntimeError(f"a flush of {len(batch)} items answered for {len(outcomes)}")
        except BaseException as error:
            for waiting in batch:
                if not waiting.future.done():
                    waiting.future.set_exception(_own(error))
            if not isinstance(error, Exception):
                raise
            return
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if waiting.future.done():
                continue
            if isinstance(outcome, BaseException):
                waiting.future.set_exception(outcome)
            else:
                waiting.future.set_result(outcome)


def _own(error: BaseException) -> BaseException:
    """What a caller is told when its batch fails; a cancelled batch must not look like a cancelled caller."""
    if isinstance(error, asyncio.CancelledError):
        return RuntimeError("the process is stopping")
    return error


def _bound(batch: Sequence[_Waiting[K, V]]) -> "contextlib.AbstractContextManager[object]":
    """The store's deadline for a batch: that of its most patient caller."""
    deadlines = [waiting.deadline for waiting in batch]
    known = [d for d in deadlines if d is not None]
    if len(known) < len(deadlines):
        return contextlib.nullcontext()
    return pymongo.timeout(max(0.001, max(known) - time.monotonic()))
