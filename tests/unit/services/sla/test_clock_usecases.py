"""Clocks on stores in memory: tickets start and stop them, each once, under the agreement that governs them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from holdfast.sla.v1 import clocks_pb2 as pb

from chassis.query.selection import Selection
from chassis.rules import NotFound
from chassis.times import now
from services.sla.agreements.usecases import AgreementUseCases
from services.sla.clocks.rules import Status
from services.sla.clocks.ticket_rules import Ticket, Visit
from services.sla.clocks.usecases import ClockUseCases
from tests.support.fakes.agreements import FakeAgreements
from tests.support.fakes.clocks import FakeClocks
from tests.support.fakes.lineage import FakeLineage
from tests.unit.services.sla.builders import (
    ADA,
    ADAS_OTHER,
    BOB,
    HOUR,
    agreement,
    at,
    objective,
    ticket,
    valid,
    version,
)


class World:
    """The use cases on their fakes."""

    def __init__(self) -> None:
        self.agreements = FakeAgreements()
        self.lineage = FakeLineage([ADA, ADAS_OTHER])
        self.store = FakeClocks()
        self.clocks = ClockUseCases(self.store, self.agreements, self.lineage)

    async def agree(self, *messages: object) -> None:
        for message in messages:
            await AgreementUseCases(self.agreements, self.lineage).put(version(message))  # type: ignore[arg-type]

    async def hear(self, *tickets: Ticket) -> None:
        async def work(transaction: object) -> int:
            await self.clocks.hear(transaction, tickets)
            return 0

        await self.store.transact(work)

    def told(self, kind: type) -> list[str]:
        return [e.subject for e in self.store.events if isinstance(e.data, kind)]

    def status(self, clock_id: str) -> Status:
        return self.store.kept[clock_id].status


@pytest.fixture
async def world() -> World:
    made = World()
    await made.agree(agreement())
    return made


def opened_ago(age: timedelta, *states: str, step: timedelta = timedelta(seconds=1), **changes: object) -> Ticket:
    """A ticket of the present: acknowledged `age` ago, then the states at steps of time."""
    start = now() - age
    names = ("ACKNOWLEDGED", *states)
    one = ticket(*((float(n), name) for n, name in enumerate(names)), **changes)  # type: ignore[arg-type]
    visits = tuple(replace(visit, time=start + n * step) for n, visit in enumerate(one.visits))
    return replace(one, open_time=start, visits=visits)


async def test_a_ticket_gets_one_clock_for_each_time_metric_of_its_agreement(world: World) -> None:
    await world.hear(opened_ago(timedelta(minutes=1)))
    assert sorted(world.store.kept) == ["t1:FIRST_RESPONSE", "t1:RESOLUTION"]
    assert sorted(world.told(pb.ClockStarted)) == sorted(world.store.kept)
    assert {c.agreement.version for c in world.store.kept.values()} == {1}


async def test_without_an_agreement_at_the_tickets_opening_there_is_no_clock() -> None:
    world = World()
    await world.agree(agreement(valid=valid(start=10)))
    await world.hear(ticket((9, "ACKNOWLEDGED")))
    assert world.store.kept == {}
    assert world.store.events == []


async def test_the_customers_own_agreement_goes_before_that_for_everybody(world: World) -> None:
    await world.agree(agreement("ada", ADA, [objective("RESOLUTION", {"HIGH": 60})]))
    await world.hear(ticket((0, "ACKNOWLEDGED")), ticket((0, "ACKNOWLEDGED"), customer_id=BOB, ticket_id="t2"))
    assert sorted(world.store.kept) == ["t1:RESOLUTION", "t2:FIRST_RESPONSE", "t2:RESOLUTION"]
    assert world.store.kept["t1:RESOLUTION"].agreement.id == "ada"


async def test_an_agreement_that_covers_a_customer_no_more_promises_it_nothing(world: World) -> None:
    await world.agree(agreement("special", ADA), agreement("special", BOB))
    await world.hear(ticket((0, "ACKNOWLEDGED")))
    assert {c.agreement.id for c in world.store.kept.values()} == {"standard"}


async def test_a_priority_that_nothing_is_promised_to_starts_no_clock(world: World) -> None:
    await world.hear(ticket((0, "ACKNOWLEDGED", "MEDIUM")))
    assert world.store.kept == {}
    await world.hear(ticket((0, "ACKNOWLEDGED", "MEDIUM"), (1, "IN_PROGRESS", "HIGH")))
    assert world.store.kept["t1:RESOLUTION"].target_seconds == 8 * HOUR


async def test_a_clock_stays_with_the_agreement_version_it_began_under(world: World) -> None:
    await world.hear(ticket((0, "ACKNOWLEDGED")))
    await world.agree(agreement(objectives=[objective("RESOLUTION", {"HIGH": 60})]))
    await world.hear(ticket((0, "ACKNOWLEDGED"), (2, "PENDING")))
    kept = world.store.kept["t1:RESOLUTION"]
    assert (kept.agreement.version, kept.target_seconds, kept.version) == (1, 8 * HOUR, 2)


async def test_repeated_and_overtaken_deliveries_change_nothing_and_tell_nothing(world: World) -> None:
    first, last = ticket((0, "ACKNOWLEDGED")), ticket((0, "ACKNOWLEDGED"), (1, "IN_PROGRESS"), (3, "RESOLVED"))
    await world.hear(last)
    kept, events = dict(world.store.kept), len(world.store.events)
    for again in (first, last, first):
        await world.hear(again)
    assert world.store.kept == kept
    assert len(world.store.events) == events
    assert world.status("t1:RESOLUTION") is Status.MET


async def test_a_historic_ticket_is_judged_by_its_own_times(world: World) -> None:
    await world.hear(ticket((0, "ACKNOWLEDGED"), (2, "IN_PROGRESS"), (5, "RESOLVED")))
    missed = world.store.kept["t1:FIRST_RESPONSE"]
    assert (missed.status, missed.breach_time, missed.stop_time) == (Status.MISSED, at(1), at(2))
    assert world.status("t1:RESOLUTION") is Status.MET
    (breach,) = [e for e in world.store.events if isinstance(e.data, pb.ClockBreached)]
    assert (breach.subject, breach.time) == ("t1:FIRST_RESPONSE", at(1))


async def test_an_alarm_that_is_due_rings_once_however_often_it_is_rung(world: World) -> None:
    await world.hear(opened_ago(timedelta(0)))
    due = now() + timedelta(hours=9)
    ids = [clock_id for clock_id, _ in await world.clocks.alarms(due, 10)]
    assert sorted(ids) == ["t1:FIRST_RESPONSE", "t1:RESOLUTION"]
    assert [await world.clocks.ring(ids, due) for _ in range(3)] == [2, 0, 0]
    assert sorted(world.told(pb.ClockBreached)) == ids == sorted(ids)
    assert len(world.told(pb.ClockInJeopardy)) == 6
    assert world.told(pb.ClockChanged) == []


async def test_a_clock_that_cannot_be_judged_loses_its_alarm_and_holds_up_no_other(world: World) -> None:
    await world.hear(opened_ago(timedelta(0)), opened_ago(timedelta(0), ticket_id="t2"))
    lost = world.store.kept["t1:RESOLUTION"]
    world.store.kept[lost.id] = replace(lost, agreement=replace(lost.agreement, id="lost"))
    due = now() + timedelta(hours=9)
    await world.clocks.ring(list(world.store.kept), due)
    assert world.status("t2:RESOLUTION") is Status.BREACHED
    assert world.store.kept[lost.id].next_alarm is None


async def test_a_clock_is_read_as_it_stands_now_with_every_interval_explained(world: World) -> None:
    paused = opened_ago(timedelta(hours=5), "PENDING", "IN_PROGRESS", step=timedelta(hours=1))
    await world.hear(paused)
    clock, intervals = await world.clocks.get("t1:RESOLUTION")
    assert [(i.reason.value, i.state, i.counted) for i in intervals] == [
        ("running", None, True),
        ("paused", "PENDING", False),
        ("running", None, True),
    ]
    assert intervals[0].start == paused.open_time
    assert intervals[-1].end == clock.evaluate_time
    assert sum(i.counted_seconds for i in intervals) == pytest.approx(clock.elapsed_seconds)
    assert clock.elapsed_seconds == pytest.approx(4 * HOUR, abs=5)


async def test_a_breach_that_no_timer_has_seen_yet_is_read_as_one(world: World) -> None:
    await world.hear(opened_ago(timedelta(hours=7)))
    stale = world.store.kept["t1:RESOLUTION"]
    moved = _shifted(stale.ticket, timedelta(hours=-2))
    world.store.kept[stale.id] = replace(stale, ticket=moved)
    clock, _ = await world.clocks.get(stale.id)
    assert (clock.status, clock.breach_time) == (Status.BREACHED, moved.open_time + timedelta(hours=8))


async def test_an_unknown_clock_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        await world.clocks.get("t1:RESOLUTION")


async def test_a_customers_promises_are_counted_and_running_ones_count_neither_way(world: World) -> None:
    await world.agree(agreement("ada", ADA, [objective("RESOLUTION", {"HIGH": 8 * HOUR}, ["PENDING"])]))
    stories: Sequence[Ticket] = [
        opened_ago(timedelta(hours=1), ticket_id="second"),
        opened_ago(timedelta(hours=2), ticket_id="first"),
        opened_ago(timedelta(hours=3), "PENDING", ticket_id="paused"),
        opened_ago(timedelta(hours=30), "RESOLVED", ticket_id="met"),
        opened_ago(timedelta(hours=30), "RESOLVED", ticket_id="missed", step=timedelta(hours=9)),
        opened_ago(timedelta(hours=30), ticket_id="breached"),
        opened_ago(timedelta(hours=30), "CANCELLED", ticket_id="cancelled"),
        opened_ago(timedelta(hours=1), customer_id=BOB, ticket_id="other"),
    ]
    await world.hear(*stories)
    sla = await world.clocks.customer_sla(ADA)
    assert [c.ticket.id for c in sla.standing.running] == ["first", "second", "paused"]
    assert (sla.hits.met, sla.hits.missed, sla.hits.undecided, sla.hits.cancelled) == (1, 2, 3, 1)
    assert sla.hits.rate == pytest.approx(1 / 3)
    assert sla.agreement is not None
    assert sla.agreement.name == "Ada"


async def test_a_customer_without_clocks_has_no_hit_rate(world: World) -> None:
    sla = await world.clocks.customer_sla(ADA)
    assert (sla.standing.running, sla.hits.rate) == ([], None)
    assert sla.agreement is not None


async def test_a_customer_without_an_agreement_has_none() -> None:
    assert (await World().clocks.customer_sla(ADA)).agreement is None


def _shifted(one: Ticket, by: timedelta) -> Ticket:
    def moved(moment: datetime) -> datetime:
        return moment + by

    visits = tuple(Visit(v.state, v.priority, moved(v.time)) for v in one.visits)
    return replace(one, open_time=moved(one.open_time), visits=visits)


async def test_a_customer_of_several_ids_has_the_clocks_of_all(world: World) -> None:
    for who, name in ((ADA, "hers"), (ADAS_OTHER, "others"), (BOB, "bobs")):
        await world.hear(opened_ago(timedelta(minutes=1), ticket_id=name, customer_id=who))
    for asked in (ADA, ADAS_OTHER):
        standing = (await world.clocks.customer_sla(asked)).standing
        assert {c.ticket.id for c in standing.running} == {"hers", "others"}
        listed, _ = await world.clocks.page(Selection().where("customer_id", asked))
        assert {c.ticket.id for c in listed} == {"hers", "others"}


async def test_the_agreement_of_any_id_of_a_customer_governs_that_of_the_tickets_own_id_first(world: World) -> None:
    await world.agree(agreement("gold", ADA), agreement("bobs", BOB))
    await world.hear(opened_ago(timedelta(minutes=1), ticket_id="t1", customer_id=ADAS_OTHER))
    assert {c.agreement.id for c in world.store.kept.values()} == {"gold"}
    await world.agree(agreement("silver", ADAS_OTHER))
    await world.hear(opened_ago(timedelta(minutes=1), ticket_id="t2", customer_id=ADAS_OTHER))
    assert {c.agreement.id for c in world.store.kept.values() if c.ticket.id == "t2"} == {"silver"}
    for asked in (ADA, ADAS_OTHER):
        chosen = (await world.clocks.customer_sla(asked)).agreement
        assert chosen is not None
        assert chosen.ref.id == "gold"
