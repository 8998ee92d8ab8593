"""Who had an id at a time."""

from dataclasses import replace

from services.customer_info.customers.as_of import survivors_as_of
from tests.support.fakes.customers import FakeCustomers
from tests.unit.services.customer_info.builders import NOON, later, new_uuid, person

LAST = person()
MIDDLE = person(merged_into=LAST.id)
FIRST = person(merged_into=MIDDLE.id)


async def test_who_was_merged_by_then_is_the_survivor_of_then() -> None:
    ids = [c.id for c in (FIRST, MIDDLE, LAST)]
    assert await survivors_as_of(FakeCustomers(FIRST, MIDDLE, LAST), ids, NOON) == dict.fromkeys(ids, LAST)
    apart = replace(MIDDLE, merged_into="")
    assert await survivors_as_of(FakeCustomers(FIRST, apart, LAST), [FIRST.id], NOON) == {FIRST.id: apart}
    assert await survivors_as_of(FakeCustomers(FIRST), [FIRST.id], NOON) == {FIRST.id: FIRST}


async def test_an_id_that_was_nobodys_yet_is_left_out() -> None:
    young = person(update_time=later())
    known = FakeCustomers(young, LAST)
    assert await survivors_as_of(known, [young.id, LAST.id, new_uuid()], NOON) == {LAST.id: LAST}
    assert await survivors_as_of(known, [], NOON) == {}


async def test_a_circle_that_two_clocks_closed_ends() -> None:
    one, other = person(), person()
    round_about = FakeCustomers(replace(one, merged_into=other.id), replace(other, merged_into=one.id))
    found = await survivors_as_of(round_about, [one.id], NOON)
    assert found[one.id].id == other.id
