"""Timers in real time: each breach is raised when it is due, and told once, whatever is killed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from holdfast.sla.v1 import agreements_pb2 as ag
from holdfast.sla.v1 import clocks_pb2 as pb

from chassis.times import now
from tests.integration.services.sla.interaction import FakeInteraction, events_of
from tests.integration.services.sla.running import Sla, live, watching
from tests.support.polling import until
from tests.support.service import Keys, Process
from tests.unit.services.sla.builders import agreement, objective

# Seconds: less than the term of a lease, for whose end no breach may wait. The promise of one second is a figure, and
# figures are measured: a busy machine would make a test of them fail.
WITHIN = 4.0
TARGETS = {"LOW": 2, "MEDIUM": 3, "HIGH": 4}


@pytest.fixture
async def sla(
    mongod: object, keys: Keys, tmp_path_factory: pytest.TempPathFactory, fresh_uri: str
) -> AsyncIterator[Sla]:
    """One replica on a database of the test's own."""
    interaction = FakeInteraction()
    await interaction.start()
    made = Sla(fresh_uri, keys, tmp_path_factory.mktemp("timers"), interaction)
    await made.add_replica()
    request = ag.PutAgreementRequest(agreement=agreement(objectives=[objective("RESOLUTION", TARGETS)]))
    await made.agreements.PutAgreement(request, metadata=made.as_role("admin"))
    yield made
    await made.close()
    await interaction.stop()


async def open_tickets(sla: Sla, count: int, priority: str) -> set[str]:
    """Opens tickets now; the ids of their clocks."""
    tickets = [live(priority=priority) for _ in range(count)]
    await sla.interaction.tell(*events_of(tickets))
    return {f"{one.id}:RESOLUTION" for one in tickets}


async def one_leads(sla: Sla) -> Process:
    """Waits until a replica holds the lead; that replica."""
    await until(lambda: any(_leads(replica) for replica in sla.replicas), seconds=20)
    return next(replica for replica in sla.replicas if _leads(replica))


def _leads(replica: Process) -> bool:
    return any("lease_taken" in line and "clock-alarms" in line for line in replica.log.read_text().splitlines())


async def test_a_breach_is_raised_when_it_is_due_and_not_before(sla: Sla) -> None:
    async with watching(sla, sla.replicas[0]) as watch:
        clocks = set()
        for priority in TARGETS:
            clocks |= await open_tickets(sla, 50, priority)
        await until(lambda: len(watch.arrived) >= len(clocks), seconds=20)
    assert set(watch.arrived) == clocks
    assert 0 <= min(watch.late()) <= max(watch.late()) < WITHIN
    assert watch.twice == []
    # 0.75, 0.9 and all of the target.
    assert set((await sla.has_told(pb.ClockInJeopardy, 3 * len(clocks))).values()) == {3}


async def test_two_replicas_at_once_raise_each_breach_once(sla: Sla) -> None:
    await sla.add_replica()
    async with watching(sla, sla.replicas[1]) as watch:
        clocks = await open_tickets(sla, 200, "LOW")
        await until(lambda: len(watch.arrived) >= len(clocks), seconds=20)
        await sla.has_told(pb.ClockInJeopardy, 3 * len(clocks))
    assert sla.told(pb.ClockBreached) == dict.fromkeys(clocks, 1)
    assert set(sla.told(pb.ClockInJeopardy).values()) == {3}
    assert set(sla.told(pb.ClockStarted).values()) == {1}
    assert max(watch.late()) < WITHIN


async def test_no_breach_waits_for_the_lease_of_a_leader_that_is_killed(sla: Sla) -> None:
    leader = await one_leads(sla)
    survivor = await sla.add_replica()
    async with watching(sla, survivor) as watch:
        clocks = await open_tickets(sla, 50, "LOW")
        await sla.has_told(pb.ClockStarted, len(clocks))
        leader.kill()
        await until(lambda: len(watch.arrived) >= len(clocks), seconds=20)
    assert max(watch.late()) < WITHIN
    assert sla.told(pb.ClockBreached) == dict.fromkeys(clocks, 1)


async def test_a_crash_loses_no_breach_and_doubles_none_and_the_restart_is_on_time(sla: Sla) -> None:
    (replica,) = sla.replicas
    early = await open_tickets(sla, 50, "LOW")
    await sla.has_told(pb.ClockStarted, len(early))
    late = await open_tickets(sla, 50, "HIGH")
    await sla.has_told(pb.ClockStarted, len(early | late))
    replica.kill()
    await asyncio.to_thread(replica.start)
    back = now()
    told = await sla.has_told(pb.ClockBreached, len(early | late), seconds=30)
    assert told == dict.fromkeys(early | late, 1)
    raised = {event["subject"]: event for event in sla.outbox(type=pb.ClockBreached.DESCRIPTOR.full_name)}
    for event in raised.values():
        clock = pb.ClockBreached.FromString(event["data"]).clock
        waited = clock.evaluate_time.ToDatetime(tzinfo=back.tzinfo) - max(event["time"], back)
        assert waited < timedelta(seconds=WITHIN)


async def test_a_crash_while_breaches_are_being_raised_loses_none_and_doubles_none(sla: Sla) -> None:
    (replica,) = sla.replicas
    clocks = await open_tickets(sla, 500, "LOW") | await open_tickets(sla, 500, "LOW")
    await sla.has_told(pb.ClockBreached, 1)
    replica.kill()
    assert sla.told(pb.ClockBreached).total() > 0
    await asyncio.to_thread(replica.start)
    assert await sla.has_told(pb.ClockBreached, len(clocks)) == dict.fromkeys(clocks, 1)
    assert set((await sla.has_told(pb.ClockInJeopardy, 3 * len(clocks))).values()) == {3}


async def test_a_ticket_that_is_resolved_in_time_is_never_breached(sla: Sla) -> None:
    opened = now() - timedelta(seconds=1)
    one = live("RESOLVED", opened=opened, priority="LOW")
    other = await open_tickets(sla, 1, "LOW")
    await sla.interaction.tell(*events_of([one]))
    assert await sla.has_told(pb.ClockBreached, 1) == dict.fromkeys(other, 1)
    assert sla.outbox(subject=f"{one.id}:RESOLUTION", type=pb.ClockBreached.DESCRIPTOR.full_name) == []


@pytest.fixture
def fresh_uri(mongo_uri: Callable[[str], str], request: pytest.FixtureRequest) -> str:
    """A database for each test: the clocks of one would be counted in another."""
    return mongo_uri(f"sla{request.node.name[:30]}")
