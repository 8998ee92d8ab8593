"""Streams that last for ever end when the process drains: their listeners go on with another replica."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from chassis.rules import Unavailable
from chassis.tasks import end

T = TypeVar("T")
_EVENTS: dict[asyncio.AbstractEventLoop, asyncio.Event] = {}


def _event() -> asyncio.Event:
    return _EVENTS.setdefault(asyncio.get_running_loop(), asyncio.Event())


def announce() -> None:
    """Ends every stream that `until_stopping` watches in this event loop."""
    _event().set()


async def until_stopping(source: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """What `source` yields, until the process drains.

    Raises:
        Unavailable: the process drains (DRAINING).
    """
    stop = asyncio.ensure_future(_event().wait())
    step: asyncio.Future[T] | None = None
    try:
        while True:
            step = asyncio.ensure_future(anext(source))
            await asyncio.wait({step, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not step.done():
                raise Unavailable("this replica is about to stop; another one serves", reason="DRAINING")
            try:
                item = step.result()
            except StopAsyncIteration:
                return
            yield item
    finally:
        await end([stop] if step is None else [stop, step])
