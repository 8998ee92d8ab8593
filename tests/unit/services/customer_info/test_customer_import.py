"""Bulk loads of customers: each row has its own outcome, and a bad one stops no other."""

from collections.abc import Sequence
from dataclasses import replace

from chassis.bulk import Outcome
from chassis.rules import Refusal
from services.customer_info.customers.import_rules import Row
from services.customer_info.customers.rules import Category, Customer, Individual, Status
from services.customer_info.customers.structure_rules import DEEPEST
from services.customer_info.customers.usecases import CustomerUseCases
from services.customer_info.loading import ATTEMPTS
from tests.support.fakes.customers import FakeCustomers
from tests.support.fakes.lineage import FakeLineage
from tests.unit.services.customer_info.builders import (
    billing_id,
    company,
    customer_rows,
    email,
    new_uuid,
    person,
    phone,
)


def told(outcomes: Sequence[Outcome | Refusal]) -> list[str]:
    """Each outcome by its name, each refusal by its reason and field."""
    return [o.value if isinstance(o, Outcome) else f"{o.reason} {o.field}" for o in outcomes]


async def test_a_taken_external_id_stops_its_own_row_only() -> None:
    holder = person(external_ids=(billing_id("taken"),))
    good = [person(external_ids=(billing_id(str(n)),)) for n in range(20)]
    thief = person(external_ids=(billing_id("taken"),))
    store = FakeCustomers(holder)
    outcomes = await CustomerUseCases(store, FakeLineage()).load(customer_rows(*good[:13], thief, *good[13:]))
    assert told(outcomes) == ["created"] * 13 + ["EXTERNAL_ID_TAKEN customer.external_ids"] + ["created"] * 7
    assert set(store.kept) == {holder.id, *(c.id for c in good)}
    assert sorted(e.subject for e in store.events) == sorted(c.id for c in good)


async def test_of_two_rows_that_want_one_external_id_the_first_gets_it() -> None:
    rows = [person(external_ids=(billing_id("wanted"),)) for _ in range(2)]
    there = person()
    store = FakeCustomers(there)
    changed = replace(there, external_ids=(billing_id("wanted"),))
    outcomes = await CustomerUseCases(store, FakeLineage()).load(customer_rows(rows[0], person(), rows[1], changed))
    taken = "EXTERNAL_ID_TAKEN customer.external_ids"
    assert told(outcomes) == ["created", "created", taken, taken]


async def test_the_same_id_twice_is_refused_the_second_time_also_when_the_batch_is_divided() -> None:
    holder, twice = person(external_ids=(billing_id("taken"),)), person()
    store = FakeCustomers(holder)
    thief = person(external_ids=(billing_id("taken"),))
    outcomes = await CustomerUseCases(store, FakeLineage()).load(
        customer_rows(twice, thief, replace(twice, language="de"))
    )
    assert told(outcomes) == ["created", "EXTERNAL_ID_TAKEN customer.external_ids", "INVALID_FIELD id"]
    assert store.kept[twice.id].language == ""


async def test_a_parent_may_stand_earlier_in_the_batch_but_not_later_and_not_nowhere() -> None:
    first, last = company(), company()
    rows = [first, person(parent_id=first.id), person(parent_id=last.id), last, person(parent_id=new_uuid())]
    outcomes = await CustomerUseCases(FakeCustomers(), FakeLineage()).load(customer_rows(*rows))
    missing = "NOT_FOUND customer.parent_id"
    assert told(outcomes) == ["created", "created", missing, "created", missing]


async def test_a_customer_moves_below_one_that_the_same_batch_makes() -> None:
    there, parent = company(), company()
    store = FakeCustomers(there)
    outcomes = await CustomerUseCases(store, FakeLineage()).load(
        customer_rows(parent, replace(there, parent_id=parent.id))
    )
    assert told(outcomes) == ["created", "updated"]
    assert store.kept[there.id].parent_id == parent.id


async def test_rows_that_only_together_make_a_cycle_make_none() -> None:
    one, two = company(), company()
    store = FakeCustomers(one, two)
    rows = customer_rows(replace(one, parent_id=two.id), replace(two, parent_id=one.id))
    assert told(await CustomerUseCases(store, FakeLineage()).load(rows)) == [
        "updated",
        "INVALID_FIELD customer.parent_id",
    ]
    assert (store.kept[one.id].parent_id, store.kept[two.id].parent_id) == (two.id, "")


async def test_a_batch_builds_no_structure_deeper_than_it_may() -> None:
    rows = [company()]
    while len(rows) < DEEPEST + 1:
        rows.append(company(parent_id=rows[-1].id))
    outcomes = told(await CustomerUseCases(FakeCustomers(), FakeLineage()).load(customer_rows(*rows)))
    assert outcomes == ["created"] * DEEPEST + ["INVALID_FIELD customer.parent_id"]


async def test_a_status_that_its_lifecycle_forbids_stops_its_own_row_only() -> None:
    archived = person(status=Status.ARCHIVED)
    rows = customer_rows(replace(archived, status=Status.ACTIVE), person(status=Status.ARCHIVED))
    outcomes = await CustomerUseCases(FakeCustomers(archived), FakeLineage()).load(rows)
    assert told(outcomes) == ["FORBIDDEN_TRANSITION status", "created"]


async def test_a_row_met_by_a_concurrent_change_is_looked_at_again() -> None:
    there, other = person(), person()
    store = FakeCustomers(there, other)
    store.rivals = [replace(there, language="fr")]
    changes = [replace(there, language="de"), replace(other, language="de")]
    assert told(await CustomerUseCases(store, FakeLineage()).load(customer_rows(*changes))) == ["updated", "updated"]
    assert (store.kept[there.id].language, store.kept[there.id].version) == ("de", 3)


async def test_a_row_made_by_somebody_else_meanwhile_counts_as_a_change_of_it() -> None:
    wish = person()
    store = FakeCustomers()
    store.rivals = [wish]
    assert told(await CustomerUseCases(store, FakeLineage()).load(customer_rows(replace(wish, language="de")))) == [
        "updated"
    ]
    assert len(store.loads) == 2 < ATTEMPTS


async def test_a_file_that_comes_again_under_fresh_ids_is_written_at_once_with_a_refusal_for_each_row() -> None:
    holders = [person(external_ids=(billing_id(str(n)),)) for n in range(200)]
    store = FakeCustomers(*holders)
    again = [person(external_ids=holder.external_ids) for holder in holders]
    outcomes = await CustomerUseCases(store, FakeLineage()).load(customer_rows(*again, person()))
    assert told(outcomes) == ["EXTERNAL_ID_TAKEN customer.external_ids"] * 200 + ["created"]
    assert [o.metadata["id"] for o in outcomes if isinstance(o, Refusal)] == [holder.id for holder in holders]
    assert store.loads == [(1, 0)]


async def test_an_external_id_that_one_row_gives_up_a_later_one_may_take() -> None:
    one = person(external_ids=(billing_id("handed on"),))
    store = FakeCustomers(one)
    taker = person(external_ids=(billing_id(" handed on "),))
    usecases = CustomerUseCases(store, FakeLineage())
    outcomes = await usecases.load(customer_rows(taker, replace(one, external_ids=())))
    assert told(outcomes) == ["EXTERNAL_ID_TAKEN customer.external_ids", "updated"]
    assert told(await usecases.load(customer_rows(taker))) == ["created"]
    assert store.kept[taker.id].external_ids == (billing_id("handed on"),)


async def test_a_blank_external_id_stops_its_own_row_only() -> None:
    outcomes = await CustomerUseCases(FakeCustomers(), FakeLineage()).load(
        customer_rows(person(external_ids=(billing_id("  "),)), person())
    )
    assert told(outcomes) == ["INVALID_FIELD customer.external_ids[0].value", "created"]


async def test_of_a_row_only_what_it_tells_of_is_taken_over() -> None:
    there = person(
        category=Category.PARTNER,
        external_ids=(billing_id("1"),),
        contact_media=(email("a@b.example", preferred=True), phone("+4930123456")),
        characteristics=(("senior", "no"),),
    )
    store = FakeCustomers(there)
    wish = Customer(id=there.id, party=Individual("Ada", "Lovelace"), language="en")
    told_of = frozenset({"id", "individual", "organization", "language"})
    outcomes = await CustomerUseCases(store, FakeLineage()).load([Row(wish, says_status=False, told=told_of)])
    assert told(outcomes) == ["updated"]
    after = store.kept[there.id]
    assert after == replace(
        there, party=wish.party, language="en", version=after.version, update_time=after.update_time
    )


async def test_an_empty_batch_writes_nothing() -> None:
    store = FakeCustomers()
    assert await CustomerUseCases(store, FakeLineage()).load([]) == []
    assert store.loads == []
