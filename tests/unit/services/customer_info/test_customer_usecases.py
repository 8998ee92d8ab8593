"""What happens to customers, on a store in memory."""

import asyncio
from dataclasses import replace

import pytest
from holdfast.customer_info.v1 import customers_pb2 as pb

from chassis.rules import AlreadyExists, Conflict, Invalid, NotFound, Refused
from services.customer_info.customers.looking_up import Holding, LookUp
from services.customer_info.customers.rules import DEEPEST, Customer, ExternalId, Row, Status
from services.customer_info.customers.usecases import CustomerUseCases
from services.customer_info.identifier_rules import external_key
from tests.support.fakes.customers import FakeCustomers
from tests.unit.services.customer_info.builders import billing_id, company, new_uuid, person


def chain(length: int) -> list[Customer]:
    """Companies, each the parent of the next."""
    found = [company()]
    while len(found) < length:
        found.append(company(parent_id=found[-1].id))
    return found


async def test_a_customer_is_made_with_its_event_and_an_id_of_its_own() -> None:
    store = FakeCustomers()
    made = await CustomerUseCases(store).create(person(id=""), "", b"")
    assert store.kept == {made.id: made}
    (event,) = store.events
    assert (event.subject, event.customer_id, event.sequence) == (made.id, made.id, 1)
    assert isinstance(event.data, pb.CustomerCreated)
    assert event.data.customer.id == made.id


async def test_a_retry_gets_the_first_answer_and_makes_nothing() -> None:
    store = FakeCustomers()
    usecases, wish = CustomerUseCases(store), person(id="")
    first = await usecases.create(wish, "a-request", b"content")
    assert await usecases.create(wish, "a-request", b"content") == first
    assert len(store.kept) == len(store.events) == 1
    with pytest.raises(Invalid) as refused:
        await usecases.create(wish, "a-request", b"other content")
    assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_a_taken_id_is_refused_and_leaves_no_event() -> None:
    there = person()
    store = FakeCustomers(there)
    with pytest.raises(AlreadyExists):
        await CustomerUseCases(store).create(person(id=there.id), "", b"")
    assert store.events == []


async def test_a_parent_must_be_there_and_be_an_organization() -> None:
    someone = person()
    usecases = CustomerUseCases(FakeCustomers(someone))
    with pytest.raises(NotFound) as unknown:
        await usecases.create(person(id="", parent_id=new_uuid()), "", b"")
    assert unknown.value.field == "customer.parent_id"
    with pytest.raises(Invalid, match="organization"):
        await usecases.create(person(id="", parent_id=someone.id), "", b"")


async def test_a_customer_cannot_be_moved_below_itself_however_deep() -> None:
    companies = chain(5)
    store = FakeCustomers(*companies)
    wish = replace(companies[0], parent_id=companies[-1].id)
    with pytest.raises(Invalid, match="above itself"):
        await CustomerUseCases(store).update(wish, frozenset({"parent_id"}), "")
    assert store.kept[wish.id] == companies[0]


async def test_a_structure_never_grows_deeper_than_it_may() -> None:
    companies = chain(DEEPEST)
    usecases = CustomerUseCases(FakeCustomers(*companies))
    await usecases.create(person(parent_id=companies[-2].id), "", b"")
    with pytest.raises(Invalid, match="deeper"):
        await usecases.create(person(parent_id=companies[-1].id), "", b"")


async def test_a_move_holds_everyone_above_the_new_place() -> None:
    companies, mover = chain(3), company()
    store = FakeCustomers(*companies, mover)
    await CustomerUseCases(store).update(replace(mover, parent_id=companies[-1].id), frozenset({"parent_id"}), "")
    assert store.held == [c.id for c in reversed(companies)]


async def test_an_update_with_a_stale_etag_is_refused_with_the_current_one() -> None:
    there = person()
    store = FakeCustomers(there)
    usecases = CustomerUseCases(store)
    after = await usecases.update(replace(there, language="de"), frozenset({"language"}), "v1")
    assert (after.version, after.language) == (2, "de")
    with pytest.raises(Conflict) as stale:
        await usecases.update(replace(there, language="fr"), frozenset({"language"}), "v1")
    assert stale.value.metadata == {"etag": "v2"}
    (event,) = store.events
    assert isinstance(event.data, pb.CustomerUpdated)
    assert (event.sequence, list(event.data.changed_fields)) == (2, ["language"])


async def test_an_update_that_changes_nothing_tells_nothing() -> None:
    there = person()
    store = FakeCustomers(there)
    assert await CustomerUseCases(store).update(there, frozenset({"language", "party"}), "v1") == there
    assert store.events == []


async def test_an_update_names_its_customer_and_finds_it() -> None:
    usecases = CustomerUseCases(FakeCustomers())
    with pytest.raises(Invalid) as nameless:
        await usecases.update(person(id=""), frozenset({"language"}), "")
    assert nameless.value.field == "customer.id"
    with pytest.raises(NotFound):
        await usecases.update(person(), frozenset({"language"}), "")


async def test_a_change_of_status_follows_the_lifecycle() -> None:
    there = person()
    store = FakeCustomers(there)
    usecases = CustomerUseCases(store)
    assert (await usecases.change_status(there.id, Status.CLOSED, "v1")).version == 2
    assert (await usecases.change_status(there.id, Status.CLOSED, "v2")).version == 2
    with pytest.raises(Refused):
        await usecases.change_status(there.id, Status.SUSPENDED, "")
    assert [e.sequence for e in store.events] == [2]


async def test_an_identifier_that_answers_for_several_answers_for_none() -> None:
    two = [person(external_ids=(ExternalId(issuer, "7"),)) for issuer in ("billing", "legacy")]
    store = FakeCustomers(*two)
    look_up = LookUp(store, CustomerUseCases(store), {})
    found, matched = await look_up.customer({"customer": [external_key("billing", "7")]})
    assert (found, matched) == (two[0], Holding("customer", two[0].id, two[0].id))
    with pytest.raises(NotFound, match="several"):
        await look_up.customer({"customer": [external_key("", "7")]})
    with pytest.raises(NotFound, match="no customer"):
        await look_up.customer({"customer": [external_key("", "8")]})


async def test_concurrent_updates_without_etags_lose_none() -> None:
    there = person()
    store = FakeCustomers(there)
    usecases = CustomerUseCases(store)
    names = frozenset({"characteristics"})
    wishes = [replace(there, characteristics=((str(n), ""),)) for n in range(8)]
    await asyncio.gather(*(usecases.update(wish, names, "") for wish in wishes))
    assert store.kept[there.id].version == 9
    assert [e.sequence for e in store.events] == list(range(2, 10))


async def test_importing_makes_changes_or_leaves_each() -> None:
    left, changed, new = person(), person(), person(status=Status.CLOSED, external_ids=(billing_id("1"),))
    store = FakeCustomers(left, changed)
    rows = [Row(left), Row(replace(changed, language="de")), Row(new)]
    usecases = CustomerUseCases(store)
    outcomes = await usecases.load(rows)
    assert [getattr(o, "value", o) for o in outcomes] == ["unchanged", "updated", "created"]
    assert store.loads == [(1, 1)]
    assert [(e.subject, e.sequence) for e in store.events] == [(changed.id, 2), (new.id, 1)]
    assert [getattr(o, "value", o) for o in await usecases.load(rows)] == ["unchanged"] * 3
