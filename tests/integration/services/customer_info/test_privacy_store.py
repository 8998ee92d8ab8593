"""The contract of the store of erasures: the fake and the real one keep the same promises."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chassis.mongo.client import Store
from chassis.times import now
from services.customer_info.privacy.rules import Erasure
from services.customer_info.privacy.store import ErasureStore
from services.customer_info.privacy.usecases import Erasures
from tests.support.fakes.customers import FakeCustomers
from tests.support.fakes.person_erasures import FakePersonErasures
from tests.unit.services.customer_info.builders import new_uuid


@pytest.fixture(params=["fake", "mongo"])
async def erasures(request: pytest.FixtureRequest, store: Store) -> Erasures:
    if request.param == "fake":
        return FakePersonErasures(FakeCustomers())
    await store.collection("erasures").delete_many({})
    return ErasureStore(store)


def asked(ago: int = 0) -> Erasure:
    at = now() - timedelta(hours=1, seconds=ago)
    return Erasure((new_uuid(), new_uuid()), "asked", "me", at.replace(microsecond=0))


async def test_an_erasure_is_found_by_any_of_its_ids_and_read_by_the_first(erasures: Erasures) -> None:
    one, other = asked(), asked()

    async def work(transaction: Any) -> None:
        await erasures.keep(transaction, one)
        await erasures.keep(transaction, other)

    await erasures.transact(work)
    for member in one.members:
        assert await erasures.find(None, [new_uuid(), member]) == one
    assert await erasures.find(None, [new_uuid()]) is None
    assert await erasures.read(None, one.members[0]) == one
    assert await erasures.read(None, one.members[1]) is None
    assert [sorted(page) async for page in erasures.everybody()] == [sorted([*one.members, *other.members])]


async def test_what_is_kept_once_more_takes_the_place_of_what_was_known(erasures: Erasures) -> None:
    one = asked()
    await erasures.transact(lambda t: erasures.keep(t, one))
    done = now().replace(microsecond=0)
    await erasures.transact(lambda t: erasures.finish(t, one, done))
    assert await erasures.read(None, one.members[0]) == replace(one, done_time=done)
    wider = replace(one, members=(*one.members, new_uuid()))
    await erasures.transact(lambda t: erasures.keep(t, wider))
    assert await erasures.find(None, [wider.members[2]]) == wider


async def test_those_not_done_are_told_from_the_oldest(erasures: Erasures) -> None:
    ages = [asked(ago) for ago in (0, 2, 1)]

    async def work(transaction: Any) -> None:
        for one in ages:
            await erasures.keep(transaction, one)

    await erasures.transact(work)
    await erasures.transact(lambda t: erasures.finish(t, ages[2], now()))
    assert await erasures.unfinished(now()) == [ages[1], ages[0]]
    assert await erasures.unfinished(ages[0].ask_time) == [ages[1]]
