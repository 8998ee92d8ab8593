"""Waiting in tests: for a condition, never for time."""

import asyncio
import time
from collections.abc import Awaitable, Callable

PAUSE_SECONDS = 0.05


async def until(holds: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Returns once `holds`. Raises TimeoutError if it does not within `seconds`."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for is no event of ours
            await asyncio.sleep(0.001)


async def eventually(condition: Callable[[], Awaitable[bool]], what: str = "it", seconds: float = 30.0) -> None:
    """Returns as soon as `condition`, which is asked for over a wire, holds; fails, saying `what` did not come."""
    until = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < until, f"{what} did not come within {seconds:g} s"
        await asyncio.sleep(PAUSE_SECONDS)
