"""One suite for the store in memory and the real one; and what only the real one can show."""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from holdfast.interaction.v1 import interactions_pb2 as pb
from pymongo.errors import WriteError

from chassis.bulk import Outcome
from chassis.ids import new_id
from chassis.lineage import MOST_MEMBERS
from chassis.mongo.client import Store
from chassis.mongo.parts import AT_ONCE
from chassis.query.selection import Operator, Order, Selection
from chassis.rules import Invalid, Refusal
from chassis.times import to_timestamp
from services.interaction.interactions import wire
from services.interaction.interactions.rules import Times
from services.interaction.interactions.store import INTERACTIONS, InteractionStore
from services.interaction.interactions.usecases import Interactions
from tests.support.explain import SLOW, overheard, stages
from tests.support.fakes.interactions import FakeInteractions
from tests.support.mongo import Mongod
from tests.unit.services.interaction.builders import NOW, entry


@pytest.fixture(params=["memory", "mongodb"])
def entries(request: pytest.FixtureRequest, store: Store) -> Interactions:
    return FakeInteractions() if request.param == "memory" else InteractionStore(store)


def made(**changes: object) -> tuple[pb.Interaction, Times]:
    one = entry(**changes)
    times = wire.times(one, NOW)
    wire.stamp(one, new_id(), times)
    return one, times


async def test_what_is_added_is_there(entries: Interactions) -> None:
    one, times = made(occur_time=NOW - timedelta(hours=1))
    assert await entries.get(one.id) is None
    assert await entries.add(one, times) is None
    assert await entries.get(one.id) == one


async def test_the_same_message_finds_the_entry_logged_first(entries: Interactions) -> None:
    key = uuid.uuid4().hex
    first, times = made(source="chat", message_id=key)
    assert await entries.add(first, times) is None
    assert await entries.add(*made(source="chat", message_id=key, note="again")) == first
    assert await entries.add(*made(source="mail", message_id=key)) is None
    for _ in range(2):
        assert await entries.add(*made(source="chat")) is None


async def test_of_two_that_come_together_one_is_the_original(entries: Interactions) -> None:
    key = uuid.uuid4().hex
    two = [made(source="chat", message_id=key) for _ in range(2)]
    found = await asyncio.gather(*(entries.add(*one) for one in two))
    assert sorted(f is None for f in found) == [False, True]
    original = next(one for (one, _), f in zip(two, found, strict=True) if f is None)
    assert next(f for f in found if f is not None) == original


async def test_many_are_added_each_with_its_outcome(entries: Interactions) -> None:
    key = uuid.uuid4().hex
    batch = [made(), made(source="chat", message_id=key), made(source="chat", message_id=key), made()]
    created, unchanged = Outcome.CREATED, Outcome.UNCHANGED
    assert await entries.add_all(batch) == [created, created, unchanged, created]
    assert await entries.add_all([made(source="chat", message_id=key)]) == [unchanged]


async def test_a_history_is_walked_in_pages(entries: Interactions) -> None:
    customer = str(uuid.uuid4())
    days = [3, 1, 5, 2, 4]
    for day in days:
        await entries.add(*made(customer_id=customer, occur_time=NOW - timedelta(days=day)))
    found: list[pb.Interaction] = []
    selection = Selection(page_size=2)
    while True:
        page, token = await entries.page([customer], selection)
        found += page
        if not token:
            break
        selection = Selection(page_size=2, page_token=token)
    assert [(NOW.replace(tzinfo=None) - e.occur_time.ToDatetime()).days for e in found] == sorted(days)
    oldest, _ = await entries.page([customer], Selection(order=(Order("occur_time"),)))
    assert oldest == found[::-1]
    with pytest.raises(Invalid):
        await entries.page([str(uuid.uuid4())], Selection(page_token="of another list"))


async def test_a_history_of_several_ids_is_one_list(entries: Interactions) -> None:
    several = [str(uuid.uuid4()) for _ in range(3)]
    for n in range(12):
        await entries.add(*made(customer_id=several[n % 3], occur_time=NOW - timedelta(hours=n // 2)))
    await entries.add(*made(customer_id=str(uuid.uuid4())))
    found: list[pb.Interaction] = []
    selection = Selection(page_size=5)
    while True:
        page, token = await entries.page(several, selection)
        found += page
        if not token:
            break
        selection = Selection(page_size=5, page_token=token)
    assert len({e.id for e in found}) == len(found) == 12
    times = [e.occur_time.ToDatetime() for e in found]
    assert times == sorted(times, reverse=True)
    alone, _ = await entries.page(several[:1], Selection())
    assert [e.id for e in alone] == [e.id for e in found if e.customer_id == several[0]]


async def test_redaction_takes_out_texts_and_leaves_what_counts(entries: Interactions) -> None:
    customer = str(uuid.uuid4())
    full, times = made(customer_id=customer, source="s", message_id=uuid.uuid4().hex)
    bare, bare_times = made(customer_id=customer)
    for name in ("note", "participants", "items"):
        bare.ClearField(name)
    other, other_times = made(customer_id=str(uuid.uuid4()))
    for one in ((full, times), (bare, bare_times), (other, other_times)):
        await entries.add(*one)
    assert await entries.redact(customer, NOW) == 1
    wire.redact(full)
    full.redact_time.CopyFrom(to_timestamp(NOW))
    assert await entries.get(full.id) == full
    assert full.note == full.items[0].topic == "[erased]"
    assert await entries.get(bare.id) == bare
    assert await entries.get(other.id) == other
    assert await entries.redact(customer, NOW + timedelta(hours=1)) == 0
    assert await entries.get(full.id) == full


async def test_many_entries_are_redacted_part_by_part(store: Store) -> None:
    entries, customer = InteractionStore(store), str(uuid.uuid4())
    most = 2 * AT_ONCE + 7
    await entries.add_all([made(customer_id=customer) for _ in range(most)])
    assert await entries.redact(customer, NOW) == most
    assert await entries.redact(customer, NOW) == 0


@pytest.fixture
def stricter(mongod: Mongod, store: Store) -> Mapping[str, Any]:
    """Entries of the category "unwanted" are not taken by the store itself."""
    guard = {"$and": [INTERACTIONS.validator(), {"category": {"$ne": "unwanted"}}]}
    with mongod.admin() as client:
        client[store.database.name].command("collMod", INTERACTIONS.name, validator=guard)
    return guard


async def test_in_one_batch_a_fault_is_only_its_own_callers(store: Store, stricter: Mapping[str, Any]) -> None:
    entries = InteractionStore(store)
    key = uuid.uuid4().hex
    known, times = made(source="chat", message_id=key)
    await entries.add(known, times)
    kinds: list[dict[str, object]] = [{}, {"category": "unwanted"}, {"source": "chat", "message_id": key}]
    batch = [made(**kind) for kind in kinds * 20]
    found = await asyncio.gather(*(entries.add(*one) for one in batch), return_exceptions=True)
    assert found[0::3] == [None] * 20
    assert {type(f) for f in found[1::3]} == {WriteError}
    assert found[2::3] == [known] * 20
    outcomes = await entries.add_all([made(), made(category="unwanted"), made(source="chat", message_id=key)])
    assert [outcomes[0], outcomes[2]] == [Outcome.CREATED, Outcome.UNCHANGED]
    assert isinstance(outcomes[1], Refusal)


async def test_no_query_reads_everything_or_sorts_in_memory(mongo_uri: Callable[[str], str], store: Store) -> None:
    customer, key = str(uuid.uuid4()), uuid.uuid4().hex
    async with overheard(mongo_uri("interaction")) as (heard, listener):
        entries = InteractionStore(heard)
        for n in range(60):
            one = made(customer_id=customer, occur_time=NOW - timedelta(hours=n), source="s", message_id=f"{key}{n}")
            await entries.add(*one)
        await entries.add(*made(source="s", message_id=f"{key}1"))
        await entries.get(new_id())
        first = Selection(page_size=5)
        _, token = await entries.page([customer], first)
        await entries.page([customer], Selection(page_size=5, page_token=token))
        await entries.page([customer], Selection(order=(Order("occur_time"),)))
        for field, value in (("channel", "CHANNEL_CALL"), ("stage", "LIFE_STAGE_PAY"), ("category", "billing")):
            await entries.page([customer], first.where(field, value))
        after = first.where("occur_time", NOW.isoformat(), operator=Operator.LESS)
        await entries.page([customer], after.where("direction", "DIRECTION_INBOUND"))
        await entries.redact(customer, NOW)
        assert len(listener.commands) == 11
        for command in listener.commands:
            assert not await stages(store, command) & SLOW, command


@pytest.mark.parametrize("members", [1, 2, MOST_MEMBERS])
async def test_a_history_of_several_ids_is_merged_by_the_index(
    mongo_uri: Callable[[str], str], store: Store, members: int
) -> None:
    customers = [str(uuid.uuid4()) for _ in range(members)]
    async with overheard(mongo_uri("interaction")) as (heard, listener):
        entries = InteractionStore(heard)
        several = [made(customer_id=customers[n % members], occur_time=NOW - timedelta(hours=n)) for n in range(200)]
        await entries.add_all(several)
        first = Selection(page_size=20)
        after = first.where("occur_time", NOW.isoformat(), operator=Operator.LESS)
        for selection in (first, after, first.where("channel", "CHANNEL_CALL"), after.where("stage", "LIFE_STAGE_PAY")):
            _, token = await entries.page(customers, selection)
            _, token = await entries.page(customers, replace(selection, page_token=token))
            await entries.page(customers, replace(selection, page_token=token))
        await entries.page(customers, Selection(order=(Order("occur_time"),)))
        assert len(listener.commands) == 13
        for command in listener.commands:
            assert not await stages(store, command) & SLOW, command
            plan = await store.database.command("explain", command, verbosity="executionStats")
            # Each id's first one is looked at; beyond that, no more than the pages hold.
            assert plan["executionStats"]["totalDocsExamined"] <= 62 + members


async def test_a_page_far_down_reads_no_more_than_the_first(mongo_uri: Callable[[str], str], store: Store) -> None:
    customer = str(uuid.uuid4())
    async with overheard(mongo_uri("interaction")) as (heard, listener):
        entries = InteractionStore(heard)
        times = [NOW - timedelta(minutes=n) for n in range(400)]
        await entries.add_all([made(customer_id=customer, occur_time=moment) for moment in times])
        selection = Selection(page_size=20)
        while True:
            _, token = await entries.page([customer], selection)
            if not token:
                break
            selection = Selection(page_size=20, page_token=token)
        assert len(listener.commands) == 20
        for command in listener.commands:
            plan = await store.database.command("explain", command, verbosity="executionStats")
            assert plan["executionStats"]["totalDocsExamined"] <= 42
