"""Waiting in tests: for a condition, never for time."""

import asyncio
import time
from collections.abc import Awaitable, Callable

PAUSE_SECONDS = 0.05


async def eventually(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = 30.0) -> None:
    """Returns as soon as `condition` holds; fails, saying `what` did not come, when it has not held in time."""
    until = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < until, f"{what} did not come within {seconds:g} s"
        await asyncio.sleep(PAUSE_SECONDS)
