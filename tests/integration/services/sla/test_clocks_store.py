"""What every store of clocks does, the real one and the one in memory."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.lineage import MOST_MEMBERS
from chassis.mongo.client import Store
from chassis.query.selection import Operator, Order, Selection
from chassis.rules import Conflict, Invalid
from services.sla.agreements.rules import AgreementRef, Metric
from services.sla.clocks.record_rules import Clock, judged, news
from services.sla.clocks.rules import Status, terms_of
from services.sla.clocks.store import ClockStore
from services.sla.clocks.ticket_rules import Ticket
from services.sla.clocks.usecases import Clocks
from services.sla.clocks.wire import happening
from tests.support.explain import SLOW, Overheard, stages
from tests.support.fakes.clocks import FakeClocks
from tests.unit.services.sla.builders import ADA, BOB, agreement, at, ticket, version

AGREED = version(agreement())
TERMS = terms_of(Metric.RESOLUTION, [AGREED.agreement], [AGREED.calendar])


def clock(*visits: tuple[float, str], ticket_id: str = "t1", customer_id: str = ADA, hour: float = 100) -> Clock:
    """The resolution clock of a ticket, as evaluated at an hour."""
    return evaluated(ticket(*visits, ticket_id=ticket_id, customer_id=customer_id), hour)


def evaluated(one: Ticket, hour: float, number: int = 1) -> Clock:
    return judged(one, AgreementRef("standard", 1), TERMS, at(hour), number)


@pytest.fixture(params=["fake", "mongo"])
def clocks(request: pytest.FixtureRequest) -> Clocks:
    if request.param == "fake":
        return FakeClocks()
    return ClockStore(request.getfixturevalue("store"))


async def keep(clocks: Clocks, new: Sequence[Clock], changed: Sequence[Clock] = ()) -> None:
    async def work(transaction: object) -> int:
        told = [happening(one, piece) for one in new for piece in news(None, one)]
        await clocks.save(transaction, new, changed, told)
        return 0

    await clocks.transact(work)


STORIES = (
    clock((0, "ACKNOWLEDGED"), ticket_id="soon", hour=1),
    clock((1, "ACKNOWLEDGED"), ticket_id="later", hour=2),
    clock((0.5, "ACKNOWLEDGED"), (2, "PENDING"), ticket_id="paused", hour=3),
    clock((0.2, "ACKNOWLEDGED"), (3, "RESOLVED"), ticket_id="met"),
    clock((0.3, "ACKNOWLEDGED"), (30, "RESOLVED"), ticket_id="missed"),
    clock((0.4, "ACKNOWLEDGED"), ticket_id="breached"),
    clock((0.6, "ACKNOWLEDGED"), (1, "REJECTED"), ticket_id="cancelled"),
    clock((0, "ACKNOWLEDGED"), ticket_id="bobs", customer_id=BOB, hour=1),
)


async def test_a_clock_is_read_back_as_it_was_saved(clocks: Clocks) -> None:
    await keep(clocks, STORIES)
    for one in STORIES:
        assert await clocks.get(one.id) == one
    assert await clocks.get("nothing:RESOLUTION") is None
    together = await asyncio.gather(*(clocks.get(one.id) for one in STORIES))
    assert tuple(together) == STORIES


async def test_the_clocks_of_tickets_and_those_of_ids_are_found(clocks: Clocks) -> None:
    await keep(clocks, STORIES)
    assert {c.id for c in await clocks.of_tickets(None, ["met", "paused", "x"])} == {
        "met:RESOLUTION",
        "paused:RESOLUTION",
    }
    assert [c.id for c in await clocks.read(None, ["soon:RESOLUTION", "x"])] == ["soon:RESOLUTION"]


async def test_the_next_version_takes_the_place_of_the_one_before_and_nothing_else_does(clocks: Clocks) -> None:
    before = STORIES[0]
    await keep(clocks, [before])
    after = evaluated(before.ticket, 7, 2)
    await keep(clocks, [], [after])
    assert await clocks.get(before.id) == after
    with pytest.raises(Conflict):
        await keep(clocks, [], [replace(after, version=2)])
    assert await clocks.get(before.id) == after


async def test_alarms_come_in_order_from_either_end_and_not_before_they_are_due(clocks: Clocks) -> None:
    await keep(clocks, STORIES)
    found = await clocks.alarms(at(7), 10)
    assert [(i.partition(":")[0], t) for i, t in found][-1] == ("later", at(7))
    assert {i for i, _ in found} == {"soon:RESOLUTION", "bobs:RESOLUTION", "later:RESOLUTION"}
    assert [i for i, _ in await clocks.alarms(at(7), 1, latest_first=True)] == ["later:RESOLUTION"]
    assert await clocks.alarms(at(6) - timedelta(milliseconds=1), 10) == []


async def test_a_customers_standing_has_the_nearest_due_first_and_counts_everything(clocks: Clocks) -> None:
    await keep(clocks, STORIES)
    standing = await clocks.standing([ADA])
    assert [c.ticket.id for c in standing.running] == ["soon", "later", "paused"]
    assert standing.counts == {
        Status.RUNNING: 2,
        Status.PAUSED: 1,
        Status.MET: 1,
        Status.MISSED: 1,
        Status.BREACHED: 1,
        Status.CANCELLED: 1,
    }
    empty = await clocks.standing(["nobody"])
    assert (empty.running, empty.counts) == ([], {})


async def test_of_many_running_clocks_the_hundred_that_are_due_first_are_shown(clocks: Clocks) -> None:
    many = [clock((n / 100, "ACKNOWLEDGED"), ticket_id=f"t{n:03}", hour=2) for n in reversed(range(120))]
    paused = clock((0, "ACKNOWLEDGED"), (1, "PENDING"), ticket_id="paused", hour=2)
    await keep(clocks, [paused, *many])
    standing = await clocks.standing([ADA])
    assert [c.ticket.id for c in standing.running] == [f"t{n:03}" for n in range(100)]
    assert standing.counts[Status.RUNNING] == 120


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection().where("customer_id", BOB), ["bobs"]),
        (Selection().where("ticket_id", "met"), ["met"]),
        (Selection().where("state", "CLOCK_STATE_MET", "CLOCK_STATE_MISSED"), ["missed", "met"]),
        (Selection().where("due_time", at(8.5).isoformat(), operator=Operator.GREATER), ["later"]),
        (Selection().where("due_time", at(9).isoformat(), operator=Operator.LESS_OR_EQUAL), ["bobs", "soon", "later"]),
        (Selection().where("start_time", at(0.5).isoformat(), operator=Operator.GREATER), ["later", "cancelled"]),
        (
            Selection(order=(Order("start_time"),)).where("customer_id", ADA).where("state", "CLOCK_STATE_RUNNING"),
            ["soon", "later"],
        ),
    ],
)
async def test_the_list_answers_by_each_field_it_offers(
    clocks: Clocks, selection: Selection, expected: list[str]
) -> None:
    await keep(clocks, STORIES)
    found, _ = await clocks.page(selection)
    assert [c.ticket.id for c in found] == expected


async def test_pages_follow_each_other_without_gap_or_repeat(clocks: Clocks) -> None:
    await keep(clocks, STORIES)
    seen: list[str] = []
    token = ""
    while True:
        found, token = await clocks.page(Selection(page_size=3, page_token=token))
        seen += [c.ticket.id for c in found]
        if not token:
            break
    assert seen[0] == "later"
    assert sorted(seen) == sorted(c.ticket.id for c in STORIES)


async def test_a_field_that_the_list_does_not_offer_is_refused(clocks: Clocks) -> None:
    await keep(clocks, STORIES)
    with pytest.raises(Invalid):
        await clocks.page(Selection().where("priority", "HIGH"))
    with pytest.raises(Invalid):
        await clocks.page(Selection().where("state", "LATE"))


QUESTIONS = (
    Selection(),
    Selection().where("state", "CLOCK_STATE_RUNNING"),
    Selection().where("customer_id", ADA),
    Selection().where("customer_id", ADA).where("state", "CLOCK_STATE_BREACHED", "CLOCK_STATE_MISSED"),
    Selection().where("ticket_id", "t7"),
    Selection().where("due_time", at(5).isoformat(), operator=Operator.LESS),
    Selection().where("state", "CLOCK_STATE_RUNNING").where("due_time", at(5).isoformat(), operator=Operator.LESS),
    Selection().where("customer_id", ADA).where("due_time", at(50).isoformat(), operator=Operator.LESS),
    Selection().where("start_time", at(5).isoformat(), operator=Operator.LESS),
    Selection(order=(Order("due_time"),)).where("customer_id", ADA),
    Selection(order=(Order("due_time"),)).where("state", "CLOCK_STATE_RUNNING"),
    Selection(order=(Order("due_time", descending=True),)),
    Selection(order=(Order("start_time"),)),
)


async def test_every_query_finds_its_index(spied: tuple[Store, Overheard]) -> None:
    store, listener = spied
    clocks = ClockStore(store)
    states = ("ACKNOWLEDGED", "PENDING", "RESOLVED", "REJECTED")
    many = [
        clock(
            (n / 10, "ACKNOWLEDGED"),
            (n / 10 + 1 + n % 9, states[n % 4]),
            ticket_id=f"t{n}",
            customer_id=(ADA, BOB)[n % 2],
            hour=n / 10 + n % 20,
        )
        for n in range(400)
    ]
    await keep(clocks, many)
    listener.commands.clear()
    for question in QUESTIONS:
        _, token = await clocks.page(replace(question, page_size=1))
        await clocks.page(replace(question, page_size=1, page_token=token))
    await clocks.get("t1:RESOLUTION")
    await asyncio.gather(*(clocks.get(f"t{n}:RESOLUTION") for n in range(4)))
    await clocks.standing([ADA])
    await clocks.of_tickets(None, ["t1", "t2"])
    await clocks.read(None, ["t1:RESOLUTION", "t2:RESOLUTION"])
    for latest_first in (False, True):
        await clocks.alarms(at(50), 10, latest_first=latest_first)
    await keep(clocks, [], [replace(many[0], version=2)])
    asked = [c for c in listener.commands if c.keys() & {"find", "aggregate", "update"}]
    assert len(asked) >= 2 * len(QUESTIONS) + 7
    for command in asked:
        assert not await stages(store, command) & SLOW, command


@pytest.mark.parametrize("members", [2, MOST_MEMBERS])
async def test_the_clocks_of_several_ids_are_merged_by_the_index(spied: tuple[Store, Overheard], members: int) -> None:
    store, listener = spied
    clocks, customers = ClockStore(store), [f"customer-{n}" for n in range(members)]
    states = ("ACKNOWLEDGED", "PENDING", "RESOLVED", "REJECTED")
    many = [
        clock(
            (n / 10, "ACKNOWLEDGED"), (n / 10 + 1, states[n % 4]), ticket_id=f"t{n}", customer_id=customers[n % members]
        )
        for n in range(200)
    ]
    await keep(clocks, many)
    listener.commands.clear()
    whose = Selection(page_size=7).where("customer_id", *customers)
    late = whose.where("due_time", at(500).isoformat(), operator=Operator.LESS)
    for question in (
        whose,
        whose.where("state", "CLOCK_STATE_BREACHED", "CLOCK_STATE_MISSED"),
        late,
        replace(whose, order=(Order("due_time", descending=True),)),
    ):
        _, token = await clocks.page(question)
        if token:
            await clocks.page(replace(question, page_token=token))
    standing = await clocks.standing(customers)
    assert sum(standing.counts.values()) == 200
    due = [c.due_time for c in standing.running if c.due_time]
    assert due == sorted(due)
    asked = [c for c in listener.commands if c.keys() & {"find", "aggregate"}]
    assert len(asked) >= 8
    for command in asked:
        assert not await stages(store, command) & SLOW, command


async def test_counts_are_read_from_the_index_alone(spied: tuple[Store, Overheard]) -> None:
    store, listener = spied
    clocks = ClockStore(store)
    await keep(clocks, [clock((n, "ACKNOWLEDGED"), ticket_id=f"t{n}") for n in range(30)])
    listener.commands.clear()
    await clocks.standing([ADA])
    (command,) = listener.commands
    alone = {**command, "pipeline": command["pipeline"][:2]}
    assert "FETCH" not in await stages(store, alone)
