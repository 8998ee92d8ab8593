"""What is read of the past is what was read then, whatever was edited."""

from dataclasses import replace

import pytest
from hypothesis import event, given

from chassis.rules import NotFound
from services.customer_info.customers.rules import Individual
from services.customer_info.customers.usecases import CustomerUseCases
from tests.support.fakes.customers import FakeCustomers
from tests.support.fakes.lineage import FakeLineage
from tests.unit.services.customer_info.builders import NOON, later, person
from tests.unit.services.customer_info.edits import Edit, played, stories


@given(stories)
async def test_a_customer_as_of_any_time_is_what_was_read_then(steps: list[Edit]) -> None:
    usecases = CustomerUseCases(FakeCustomers(), FakeLineage())
    story = await played(usecases, steps)
    event(f"{len(story.versions)} versions")
    for time, was in story.read:
        assert await usecases.get_as_of(story.customer_id, time) == was
    for time in story.moments():
        expected = story.at(time)
        if expected is None:
            with pytest.raises(NotFound):
                await usecases.get_as_of(story.customer_id, time)
        else:
            assert await usecases.get_as_of(story.customer_id, time) == expected


@given(stories)
async def test_versions_count_from_one_and_their_times_grow(steps: list[Edit]) -> None:
    story = await played(CustomerUseCases(FakeCustomers(), FakeLineage()), steps)
    assert [c.version for c in story.versions] == list(range(1, len(story.versions) + 1))
    times = [c.update_time for c in story.versions if c.update_time]
    assert times == sorted(set(times))


async def test_a_merged_id_is_answered_for_every_time_as_it_was_then() -> None:
    survivor, last = person(), person()
    alone = person(update_time=NOON)
    store = FakeCustomers(survivor, last)
    # Merged after a minute, with its survivor into a third after three, parted from it after five.
    store.former[alone.id] = [alone, replace(alone, update_time=later(1), merged_into=survivor.id)]
    store.kept[alone.id] = replace(alone, update_time=later(5))
    store.former[survivor.id] = [
        survivor,
        merged := replace(survivor, update_time=later(1), sources=(alone.id,)),
        replace(merged, update_time=later(3), merged_into=last.id),
    ]
    store.kept[survivor.id] = replace(survivor, update_time=later(5), merged_into=last.id)
    usecases = CustomerUseCases(store, FakeLineage([last.id, survivor.id]))
    ids = [(await usecases.get_as_of(alone.id, later(minute))).id for minute in (0, 1, 2, 3, 4, 5)]
    assert ids == [alone.id, survivor.id, survivor.id, last.id, last.id, alone.id]
    # Who sees its own only is led to nobody else, whoever stands behind that one.
    ids = [(await usecases.get_as_of(alone.id, later(minute), own=True)).id for minute in (0, 1, 2, 3, 4, 5)]
    assert ids == [alone.id] * 6
    shown = await usecases.get_as_of(survivor.id, later(4), own=True)
    assert (shown.id, shown.party) == (last.id, last.party)
    assert (await usecases.get_as_of(survivor.id, later(2), own=True)).party == Individual("", "")


async def test_clocks_that_differ_lead_nobody_round_in_a_circle() -> None:
    one, other = person(), person()
    store = FakeCustomers(replace(one, merged_into=other.id), replace(other, merged_into=one.id))
    assert (await CustomerUseCases(store, FakeLineage()).get_as_of(one.id, NOON)).id == other.id
