"""The coalescer shares round trips, and gives each caller its own outcome."""

import asyncio
from collections.abc import Sequence

import pytest

from chassis.coalesce import Coalescer


class Store:
    """Answers batches when told to, and remembers them."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fault: Exception | None = None

    async def flush(self, items: Sequence[int]) -> list[int | BaseException]:
        self.batches.append(list(items))
        await self.gate.wait()
        if self.fault:
            raise self.fault
        return [ValueError(f"odd {i}") if i % 2 else i * 10 for i in items]


async def until_flying(store: Store, batches: int = 1) -> None:
    while len(store.batches) < batches:  # noqa: ASYNC110 - the loop's own turns are what is waited for
        await asyncio.sleep(0)


async def test_an_idle_coalescer_sends_the_first_item_alone() -> None:
    store = Store()
    assert await Coalescer(store.flush).submit(2) == 20
    assert store.batches == [[2]]


async def test_items_that_arrive_while_one_is_in_flight_share_the_next_round_trip() -> None:
    store = Store()
    store.gate.clear()
    coalescer = Coalescer(store.flush)
    first = asyncio.ensure_future(coalescer.submit(0))
    await until_flying(store)
    rest = [asyncio.ensure_future(coalescer.submit(n)) for n in (2, 4, 6)]
    await asyncio.sleep(0)
    store.gate.set()
    assert await asyncio.gather(first, *rest) == [0, 20, 40, 60]
    assert store.batches == [[0], [2, 4, 6]]


async def test_each_caller_gets_its_own_error_and_no_other() -> None:
    store = Store()
    outcomes = await asyncio.gather(
        *(Coalescer.submit(c, n) for c in [Coalescer(store.flush)] for n in range(50)), return_exceptions=True
    )
    for n, outcome in enumerate(outcomes):
        if n % 2:
            assert isinstance(outcome, ValueError)
            assert str(outcome) == f"odd {n}"
        else:
            assert outcome == n * 10


async def test_a_failed_batch_fails_its_callers_and_leaves_the_next_batch_alone() -> None:
    store = Store()
    store.gate.clear()
    store.fault = OSError("the store is away")
    coalescer = Coalescer(store.flush)
    first = asyncio.ensure_future(coalescer.submit(2))
    await until_flying(store)
    second = asyncio.ensure_future(coalescer.submit(4))
    store.gate.set()
    with pytest.raises(OSError, match="away"):
        await first
    with pytest.raises(OSError, match="away"):
        await second
    store.fault = None
    assert await coalescer.submit(6) == 60


async def test_a_caller_cancelled_while_it_waits_takes_its_item_out_and_harms_nobody() -> None:
    store = Store()
    store.gate.clear()
    coalescer = Coalescer(store.flush)
    first = asyncio.ensure_future(coalescer.submit(0))
    await until_flying(store)
    gone = asyncio.ensure_future(coalescer.submit(2))
    stays = asyncio.ensure_future(coalescer.submit(4))
    await asyncio.sleep(0)
    gone.cancel()
    store.gate.set()
    assert [await first, await stays] == [0, 40]
    assert store.batches == [[0], [4]]
    assert gone.cancelled()


async def test_a_caller_cancelled_in_flight_does_not_cancel_its_batch() -> None:
    store = Store()
    store.gate.clear()
    coalescer = Coalescer(store.flush)
    gone = asyncio.ensure_future(coalescer.submit(0))
    stays = asyncio.ensure_future(coalescer.submit(2))
    await until_flying(store)
    assert store.batches == [[0, 2]]
    gone.cancel()
    store.gate.set()
    assert await stays == 20


async def test_a_batch_never_exceeds_its_bound() -> None:
    store = Store()
    coalescer = Coalescer(store.flush, most=7)
    await asyncio.gather(*(coalescer.submit(n * 2) for n in range(40)))
    assert [i for batch in store.batches for i in batch] == [n * 2 for n in range(40)]
    assert max(len(b) for b in store.batches) == 7


async def test_a_flush_that_forgets_an_item_is_found_out() -> None:
    async def forgetful(items: Sequence[int]) -> list[int | BaseException]:
        return list(items[1:])

    with pytest.raises(RuntimeError, match="answered for 0"):
        await Coalescer(forgetful).submit(1)
