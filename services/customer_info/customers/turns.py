"""Takes turns within a process: who would only meet conflicts in the store waits here, where waiting costs nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")


class Turns:
    """One turn at a time for each key. It orders the callers of one process; between processes the store decides.

    MongoDB does not queue writers of one document: all but one begin anew, after ever longer pauses. Of 64 moves of one
    tree at once the last one took 21 s; in turns it takes as long as 64 moves do. Who holds a customer (`holding.py`)
    writes its document.
    """

    def __init__(self) -> None:
        # A lock lives as long as somebody holds it or waits for it.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def take(self, key: str, work: Callable[[], Awaitable[T]]) -> T:
        """Does `work` when everybody who came before with the same key has done theirs."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        async with lock:
            return await work()
