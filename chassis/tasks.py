"""Ending tasks: a cancellation may be lost, and then who waits for the end of the task waits for ever."""

import asyncio
from collections.abc import Collection
from typing import Any, Final

AGAIN_SECONDS: Final = 3.0
"""When a task that has not ended is cancelled once more: long enough to put things in order, short for who waits."""


async def end(tasks: Collection[asyncio.Future[Any]]) -> None:
    """Cancels tasks, and returns when all are over, whatever came of them.

    A wait that ends in the moment of a cancellation may swallow it: `asyncio.wait_for` does so before Python 3.12
    (bpo-37658), and drivers are built on that. So who goes on is cancelled again.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_SECONDS)
    for task in tasks:
        if not task.cancelled():
            # Nobody else asks, and what nobody asked for is complained of.
            task.exception()
