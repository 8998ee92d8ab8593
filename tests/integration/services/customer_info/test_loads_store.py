"""One suite for what keeps how far loads are: the fake and the real store answer alike."""

from dataclasses import replace

import pytest

from chassis.mongo.client import Store
from services.customer_info.loads.rules import Counts, Fault, Load, Overtaken, moved_on
from services.customer_info.loads.store import LoadStore
from services.customer_info.loads.usecases import Loads
from tests.support.fakes.loads import FakeLoads
from tests.unit.services.customer_info.builders import NOON, later, new_uuid


@pytest.fixture(params=["fake", "real"])
async def loads(request: pytest.FixtureRequest, store: Store) -> Loads:
    return FakeLoads() if request.param == "fake" else LoadStore(store)


def new(**changes: object) -> Load:
    load = Load(new_uuid(), "customers", "loader", create_time=NOON, update_time=NOON)
    return replace(load, **changes)  # type: ignore[arg-type]


async def test_a_load_is_begun_once(loads: Loads) -> None:
    load = new()
    assert await loads.get(load.id) is None
    assert await loads.begin(load) == load
    assert await loads.begin(replace(load, by="somebody else")) == load
    assert await loads.get(load.id) == load


async def test_a_load_moves_on_with_its_counts_and_faults(loads: Loads) -> None:
    load = await loads.begin(new())
    faults = [Fault(2, "INVALID_FIELD", "id", "a row names its id"), Fault(3, "NOT_FOUND", "", "no such parent")]
    one = moved_on(load, 3, Counts(created=1, failed=2), faults[:1], later(), digest=b"one")
    await loads.move(None, load, one)
    two = moved_on(one, 2, Counts(updated=1, unchanged=1), faults[1:], later(2))
    await loads.move(None, one, two)
    assert await loads.get(load.id) == two
    assert (two.position, two.counts, two.faults) == (5, Counts(1, 1, 1, 2), tuple(faults))


async def test_every_refusal_is_kept_and_told_in_the_order_of_rows(loads: Loads) -> None:
    load, other = await loads.begin(new()), await loads.begin(new())
    faults = [Fault(row, "INVALID_FIELD", "id", "a row names its id") for row in (12, 2, 1000, 7)]
    await loads.move(None, other, moved_on(other, 1, Counts(failed=1), [], later()), [Fault(1, "NOT_FOUND", "", "")])
    await loads.move(None, load, moved_on(load, 1000, Counts(failed=4), [], later()), faults)
    assert [f.row for f in await loads.faults(load.id, 0, 10)] == [2, 7, 12, 1000]
    assert await loads.faults(load.id, 2, 2) == [faults[3], faults[0]]
    assert await loads.faults(load.id, 1000, 10) == []


async def test_who_does_not_know_where_a_load_is_cannot_move_it(loads: Loads) -> None:
    load = await loads.begin(new())
    ahead = moved_on(load, 3, Counts(created=3), [], later())
    await loads.move(None, load, ahead)
    with pytest.raises(Overtaken):
        await loads.move(None, load, moved_on(load, 2, Counts(created=2), [], later()))
    assert await loads.get(load.id) == ahead


async def test_a_load_that_goes_on_is_not_complete_any_more(loads: Loads) -> None:
    load = await loads.begin(new())
    await loads.complete(load, later())
    assert await loads.get(load.id) == replace(load, complete_time=later())
    on = moved_on(load, 1, Counts(created=1), [], later(2))
    await loads.move(None, load, on)
    assert await loads.get(load.id) == on


async def test_what_a_transaction_did_not_do_a_load_did_not_either(store: Store) -> None:
    loads = LoadStore(store)
    load = await loads.begin(new())

    class UndoneError(Exception):
        pass

    async def work(transaction: object) -> None:
        await loads.move(transaction, load, moved_on(load, 1, Counts(created=1), [], later()))
        raise UndoneError

    with pytest.raises(UndoneError):
        await store.transact(work)
    assert await loads.get(load.id) == load
