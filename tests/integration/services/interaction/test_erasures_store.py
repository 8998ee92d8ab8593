"""What every store of erasures does, the real one and the one in memory."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from chassis.ids import new_id
from chassis.mongo.client import Store
from chassis.times import now
from services.interaction.privacy.store import ERASURES, ErasureStore
from services.interaction.privacy.usecases import EVER, Erasure
from tests.support.explain import SLOW, overheard, stages
from tests.support.fakes.erasures import FakeErasures


@pytest.fixture(params=["memory", "mongodb"])
async def erasures(request: pytest.FixtureRequest, store: Store) -> Any:
    await store.collection(ERASURES.name).delete_many({})
    return FakeErasures() if request.param == "memory" else ErasureStore(store)


@pytest.fixture
def add(store: Store) -> Callable[[Any, Sequence[str]], Any]:
    async def added(erasures: Any, customer_ids: Sequence[str]) -> None:
        await store.transact(lambda transaction: erasures.add(transaction, customer_ids))

    return added


async def test_an_erasure_is_due_at_once_and_again_and_then_no_more(erasures: Any, add: Any) -> None:
    who, before = new_id(), now()
    assert await erasures.due(now()) is None
    await add(erasures, [who])
    first = await erasures.due(now())
    assert (first.customer_id, first.redact_time) == (who, None)
    assert first.erase_time >= before
    later = before + timedelta(minutes=5)
    await erasures.passed(who, before, later)
    assert await erasures.due(later - timedelta(seconds=1)) is None
    assert await erasures.due(later) == Erasure(who, first.erase_time, before)
    await erasures.passed(who, later, None)
    assert await erasures.due(later + timedelta(days=1)) is None
    await add(erasures, [who])
    assert await erasures.due(later + timedelta(days=1)) is None


async def test_the_erased_are_found_by_time(erasures: Any, add: Any) -> None:
    several = [new_id() for _ in range(3)]
    await add(erasures, several)
    found = await erasures.since(EVER)
    assert sorted(who for who, _ in found) == several
    assert await erasures.since(found[-1][1] + timedelta(milliseconds=1)) == []


async def test_every_query_finds_its_index(mongo_uri: Callable[[str], str], store: Store, add: Any) -> None:
    async with overheard(mongo_uri("interaction")) as (heard, listener):
        erasures = ErasureStore(heard)
        await heard.transact(lambda transaction: erasures.add(transaction, [new_id() for _ in range(50)]))
        await erasures.since(now() - timedelta(minutes=5))
        found = await erasures.due(now())
        assert found is not None
        await erasures.passed(found.customer_id, now(), None)
        asked = [command for command in listener.commands if "find" in command]
        assert len(asked) == 2
        for command in asked:
            assert not await stages(store, command) & SLOW, command
