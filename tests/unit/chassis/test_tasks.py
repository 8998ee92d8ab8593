"""Tasks are over when somebody has ended them."""

import asyncio

import pytest

from chassis import tasks


async def test_a_task_that_missed_its_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "AGAIN_SECONDS", 0.01)
    missed, begun = 0, asyncio.Event()

    async def hard_of_hearing() -> None:
        nonlocal missed
        begun.set()
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                missed += 1
                if missed == 3:
                    raise

    task = asyncio.create_task(hard_of_hearing())
    await begun.wait()
    await tasks.end([task])
    assert task.cancelled()
    assert missed == 3


async def test_whatever_came_of_a_task_it_is_over() -> None:
    async def fails() -> None:
        raise ValueError("nobody asks")

    failed, waits = asyncio.create_task(fails()), asyncio.create_task(asyncio.Event().wait())
    await asyncio.wait({failed})
    await tasks.end([failed, waits])
    assert (failed.done(), waits.cancelled()) == (True, True)
    await tasks.end([])
