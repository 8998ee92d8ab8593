"""Callers of one process take turns."""

import asyncio
import gc
from functools import partial

import pytest

from services.customer_info.customers.turns import Turns


async def test_those_with_the_same_key_come_one_after_the_other_in_order() -> None:
    turns, told = Turns(), list[str]()

    async def work(name: str) -> str:
        told.append(f"{name} begins")
        await asyncio.sleep(0)
        told.append(f"{name} ends")
        return name

    names = ["a", "b", "c"]
    assert await asyncio.gather(*(turns.take("tree", partial(work, n)) for n in names)) == names
    assert told == [f"{n} {what}" for n in names for what in ("begins", "ends")]


async def test_those_with_other_keys_do_not_wait() -> None:
    turns, gate = Turns(), asyncio.Event()
    slow = asyncio.create_task(turns.take("one", gate.wait))
    await asyncio.sleep(0)

    async def quick() -> str:
        return "done"

    assert await turns.take("other", quick) == "done"
    assert not slow.done()
    gate.set()
    assert await slow


async def test_a_failure_or_a_caller_that_leaves_holds_nobody_up() -> None:
    turns, gate = Turns(), asyncio.Event()
    first = asyncio.create_task(turns.take("tree", gate.wait))
    waiting = asyncio.create_task(turns.take("tree", gate.wait))
    await asyncio.sleep(0)
    waiting.cancel()
    first.cancel()
    await asyncio.gather(first, waiting, return_exceptions=True)

    async def broken() -> None:
        raise LookupError("no")

    with pytest.raises(LookupError):
        await turns.take("tree", broken)
    gate.set()
    assert await turns.take("tree", gate.wait)


async def test_a_key_that_nobody_waits_for_is_forgotten() -> None:
    turns = Turns()
    await turns.take("tree", _nothing)
    gc.collect()
    assert not turns._locks


async def _nothing() -> None:
    return None
