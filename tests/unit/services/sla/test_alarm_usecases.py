"""The timers: who looks, for what, and for how long nobody needs to."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from chassis.times import now
from services.sla.clocks.alarm_usecases import LATE, LOOK, Alarms
from services.sla.clocks.usecases import ClockUseCases
from tests.support.fakes.agreements import FakeAgreements
from tests.support.fakes.clocks import FakeClocks
from tests.support.fakes.lineage import FakeLineage
from tests.support.polling import until


class Waiting(ClockUseCases):
    """Alarms by their time from the start of the test; notes which are rung."""

    def __init__(self, **alarms: timedelta) -> None:
        super().__init__(FakeClocks(), FakeAgreements(), FakeLineage())
        self.start = now()
        self.waiting = {name: self.start + when for name, when in alarms.items()}
        self.rung: list[str] = []
        self.fails = 0

    async def alarms(self, until: datetime, most: int, *, latest_first: bool = False) -> list[tuple[str, datetime]]:
        if self.fails:
            self.fails -= 1
            raise ConnectionError("the store is away")
        found = [(name, time) for name, time in self.waiting.items() if time <= until]
        return sorted(found, key=lambda one: one[1], reverse=latest_first)[:most]

    async def ring(self, clock_ids: Sequence[str], at: datetime) -> int:
        self.rung += clock_ids
        for name in clock_ids:
            del self.waiting[name]
        return len(clock_ids)


class Held:
    """A lease that its holder keeps until it is told otherwise."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()
        self.taken = asyncio.Event()

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.ensure_future(work())
        self.taken.set()
        await self.lost.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        # Somebody else has it now.
        await asyncio.Event().wait()


async def leading(clocks: ClockUseCases) -> tuple[Alarms, Held, "asyncio.Task[None]"]:
    turn = Held()
    alarms = Alarms(clocks, turn)
    task = asyncio.create_task(alarms.stand())
    await turn.taken.wait()
    await asyncio.sleep(0)
    return alarms, turn, task


async def test_the_leader_rings_what_is_due_and_sleeps_until_the_next() -> None:
    clocks = Waiting(due=timedelta(0), soon=timedelta(milliseconds=150), later=timedelta(hours=1))
    alarms, _, task = await leading(clocks)
    assert await alarms.look() == timedelta(0)
    assert clocks.rung == ["due"]
    pause = await alarms.look()
    assert timedelta(0) < pause <= timedelta(milliseconds=150)
    del clocks.waiting["soon"]
    assert await alarms.look() == LOOK
    task.cancel()


async def test_a_follower_rings_only_what_the_leader_has_left_lying_and_begins_at_the_other_end() -> None:
    clocks = Waiting(fresh=timedelta(0), older=-2 * LATE, old=-LATE)
    alarms = Alarms(clocks, Held())
    assert await alarms.look() == timedelta(0)
    assert clocks.rung == ["old", "older"]
    assert await alarms.look() == LOOK


async def test_a_leader_that_loses_its_lease_becomes_a_follower() -> None:
    clocks = Waiting(due=timedelta(0))
    alarms, turn, task = await leading(clocks)
    turn.lost.set()
    await until(lambda: not alarms._leads)
    assert await alarms.look() == LOOK
    assert clocks.rung == []
    task.cancel()


async def test_a_store_that_is_away_only_delays_the_next_look() -> None:
    clocks = Waiting(due=-2 * LATE)
    clocks.fails = 1
    task = asyncio.create_task(Alarms(clocks, Held()).run())
    await until(lambda: bool(clocks.rung))
    assert clocks.rung == ["due"]
    task.cancel()


def test_a_look_and_a_followers_patience_fit_well_into_the_second_a_breach_may_take() -> None:
    assert timedelta(milliseconds=600) >= LATE + LOOK
