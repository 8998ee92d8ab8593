"""Waiting for a condition."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(holds: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Returns once `holds`. Raises TimeoutError if it does not within `seconds`."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for is no event of ours
            await asyncio.sleep(0.001)


async def until_settled(holds: Callable[[], Awaitable[bool]], *, seconds: float = 30.0) -> None:
    """Like `until`, for a condition that has to be asked for over a wire."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - what is waited for is no event of ours
            await asyncio.sleep(0.05)
