"""What happens to customers, on a store in memory."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from holdfast.customer_info.v1 import customers_pb2 as pb

from chassis.query.selection import Operator, Selection
from chassis.rules import AlreadyExists, Conflict, Invalid, NotFound, Refused
from chassis.times import now
from services.customer_info.customers.import_rules import Row
from services.customer_info.customers.looking_up import MOST_FOUND, Holding, LookUp
from services.customer_info.customers.rules import Customer, ExternalId, Status
from services.customer_info.customers.structure_rules import DEEPEST
from services.customer_info.customers.usecases import CustomerUseCases, Write
from services.customer_info.identifier_rules import Key, external_key
from tests.support.fakes.customers import FakeCustomers
from tests.support.fakes.lineage import FakeLineage
from tests.unit.services.customer_info.builders import NOON, billing_id, company, new_uuid, person, phone


def chain(length: int) -> list[Customer]:
    """Companies, each the parent of the next."""
    found = [company()]
    while len(found) < length:
        found.append(company(parent_id=found[-1].id))
    return found


async def test_a_customer_is_made_with_its_event_and_an_id_of_its_own() -> None:
    store = FakeCustomers()
    made = await CustomerUseCases(store, FakeLineage()).create(person(id=""), "", b"")
    assert store.kept == {made.id: made}
    (event,) = store.events
    assert (event.subject, event.customer_id, event.sequence) == (made.id, made.id, 1)
    assert isinstance(event.data, pb.CustomerCreated)
    assert event.data.customer.id == made.id


async def test_a_retry_gets_the_first_answer_and_makes_nothing() -> None:
    store = FakeCustomers()
    usecases, wish = CustomerUseCases(store, FakeLineage()), person(id="")
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
        await CustomerUseCases(store, FakeLineage()).create(person(id=there.id), "", b"")
    assert store.events == []


async def test_a_parent_must_be_there_and_be_an_organization() -> None:
    someone = person()
    usecases = CustomerUseCases(FakeCustomers(someone), FakeLineage())
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
        await CustomerUseCases(store, FakeLineage()).update(wish, frozenset({"parent_id"}), "")
    assert store.kept[wish.id] == companies[0]


async def test_a_structure_never_grows_deeper_than_it_may() -> None:
    companies = chain(DEEPEST)
    usecases = CustomerUseCases(FakeCustomers(*companies), FakeLineage())
    await usecases.create(person(parent_id=companies[-2].id), "", b"")
    with pytest.raises(Invalid, match="deeper"):
        await usecases.create(person(parent_id=companies[-1].id), "", b"")


async def test_a_move_holds_everyone_above_the_new_place() -> None:
    companies, mover = chain(3), company()
    store = FakeCustomers(*companies, mover)
    await CustomerUseCases(store, FakeLineage()).update(
        replace(mover, parent_id=companies[-1].id), frozenset({"parent_id"}), ""
    )
    assert store.held == [c.id for c in reversed(companies)]


async def test_an_update_with_a_stale_etag_is_refused_with_the_current_one() -> None:
    there = person()
    store = FakeCustomers(there)
    usecases = CustomerUseCases(store, FakeLineage())
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
    assert await CustomerUseCases(store, FakeLineage()).update(there, frozenset({"language", "party"}), "v1") == there
    assert store.events == []


async def test_an_update_names_its_customer_and_finds_it() -> None:
    usecases = CustomerUseCases(FakeCustomers(), FakeLineage())
    with pytest.raises(Invalid) as nameless:
        await usecases.update(person(id=""), frozenset({"language"}), "")
    assert nameless.value.field == "customer.id"
    with pytest.raises(NotFound):
        await usecases.update(person(), frozenset({"language"}), "")


async def test_a_change_of_status_follows_the_lifecycle() -> None:
    there = person()
    store = FakeCustomers(there)
    usecases = CustomerUseCases(store, FakeLineage())
    assert (await usecases.change_status(there.id, Status.CLOSED, "v1")).version == 2
    assert (await usecases.change_status(there.id, Status.CLOSED, "v2")).version == 2
    with pytest.raises(Refused):
        await usecases.change_status(there.id, Status.SUSPENDED, "")
    assert [e.sequence for e in store.events] == [2]


async def test_an_identifier_of_several_is_refused_with_all_of_them() -> None:
    two = [person(external_ids=(ExternalId(issuer, "7"),)) for issuer in ("billing", "legacy")]
    store = FakeCustomers(*two)
    look_up = LookUp(store, CustomerUseCases(store, FakeLineage()), {})
    found, matched = await look_up.customer({"customer": [external_key("billing", "7")]})
    assert (found, matched) == (two[0], Holding("customer", two[0].id, two[0].id))
    with pytest.raises(Refused) as several:
        await look_up.customer({"customer": [external_key("", "7")]})
    assert several.value.reason == "AMBIGUOUS"
    assert several.value.metadata == {"type": "customer", "ids": f"{two[0].id},{two[1].id}", "more": "false"}
    with pytest.raises(NotFound, match="no customer"):
        await look_up.customer({"customer": [external_key("", "8")]})


PHONE: Key = ("phone", "+4930123456")


async def asked(*customers: Customer) -> tuple[Customer, Holding]:
    store = FakeCustomers(*customers)
    return await LookUp(store, CustomerUseCases(store, FakeLineage()), {}).customer({"customer": [PHONE]})


async def test_a_number_that_is_not_valid_any_more_leads_to_its_present_holder_only() -> None:
    former, present = person(contact_media=(phone(PHONE[1], end=NOON),)), person(contact_media=(phone(PHONE[1]),))
    assert (await asked(former, present))[0] == present
    with pytest.raises(NotFound, match="no customer"):
        await asked(former)
    with pytest.raises(NotFound):
        await asked(person(contact_media=(phone(PHONE[1], start=now() + timedelta(days=1)),)))


async def test_who_left_is_meant_only_where_nobody_else_can_be() -> None:
    left, gone = (person(contact_media=(phone(PHONE[1]),), status=s) for s in (Status.CLOSED, Status.ARCHIVED))
    staying = person(contact_media=(phone(PHONE[1]),), status=Status.SUSPENDED)
    assert (await asked(left, staying, gone))[0] == staying
    assert (await asked(gone))[0] == gone
    with pytest.raises(Refused) as several:
        await asked(left, gone)
    assert set(several.value.metadata["ids"].split(",")) == {left.id, gone.id}


async def test_of_very_many_twenty_are_named() -> None:
    with pytest.raises(Refused) as several:
        await asked(*(person(contact_media=(phone(PHONE[1]),)) for _ in range(MOST_FOUND + 9)))
    assert len(several.value.metadata["ids"].split(",")) == 20
    assert several.value.metadata["more"] == "true"


async def test_a_customer_is_found_by_its_own_id_and_a_duplicate_leads_to_its_survivor() -> None:
    there = person()
    duplicate = person(merged_into=there.id)
    store = FakeCustomers(there, duplicate)
    look_up = LookUp(store, CustomerUseCases(store, FakeLineage()), {})
    for own in (there.id, duplicate.id):
        found, matched = await look_up.customer({"customer": [("id", own), ("v", own)]})
        assert (found, matched.type, matched.id) == (there, "customer", there.id)
    with pytest.raises(NotFound):
        await look_up.customer({"customer": [("id", new_uuid())]})


async def test_things_of_several_customers_name_them_all() -> None:
    owners = [person() for _ in range(3)]
    store = FakeCustomers(*owners)

    class Products:
        async def holders(self, keys: Sequence[Key]) -> list[Holding]:
            return [Holding("product", f"p{n}", owner.id) for n, owner in enumerate(owners)]

    look_up = LookUp(store, CustomerUseCases(store, FakeLineage()), {"product": Products()})
    with pytest.raises(Refused) as several:
        await look_up.customer({"product": [PHONE]})
    assert several.value.metadata["ids"] == ",".join(owner.id for owner in owners)


async def test_a_change_sent_again_gets_the_answer_of_the_first_time() -> None:
    there = person()
    store = FakeCustomers(there)
    usecases = CustomerUseCases(store, FakeLineage())
    write = Write("a-request", b"content")
    wish, names = replace(there, language="de"), frozenset({"language"})
    first = await usecases.update(wish, names, "v1", write)
    assert await usecases.update(wish, names, "v1", write) == first
    closed = await usecases.change_status(there.id, Status.CLOSED, "v2", write)
    assert await usecases.change_status(there.id, Status.CLOSED, "v2", write) == closed
    assert (first.version, closed.version, len(store.events)) == (2, 3, 2)
    with pytest.raises(Invalid) as refused:
        await usecases.change_status(there.id, Status.ACTIVE, "", Write("a-request", b"other"))
    assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_an_update_that_tells_of_another_status_is_refused() -> None:
    there = person()
    usecases = CustomerUseCases(FakeCustomers(there), FakeLineage())
    wish = replace(there, status=Status.CLOSED, language="de")
    with pytest.raises(Invalid, match="ChangeCustomerStatus") as refused:
        await usecases.update(wish, frozenset({"language"}), "", says_status=True)
    assert refused.value.field == "customer.status"
    same = await usecases.update(replace(wish, status=there.status), frozenset({"language"}), "", says_status=True)
    assert same.language == "de"


async def test_an_archived_customer_is_not_edited() -> None:
    there = person(status=Status.ARCHIVED)
    usecases = CustomerUseCases(FakeCustomers(there), FakeLineage())
    names = frozenset({"language"})
    assert await usecases.update(there, names, "") == there
    with pytest.raises(Refused, match="archived"):
        await usecases.update(replace(there, language="de"), names, "")
    assert (await usecases.change_status(there.id, Status.CLOSED, "")).status is Status.CLOSED
    assert (await usecases.update(replace(there, language="de"), names, "")).language == "de"


async def test_a_tree_is_put_below_another_only_as_deep_as_both_may_be_together() -> None:
    above, below = chain(20), chain(13)
    store = FakeCustomers(*above, *below)
    usecases = CustomerUseCases(store, FakeLineage())
    with pytest.raises(Invalid, match="deeper"):
        await usecases.update(replace(below[0], parent_id=above[-1].id), frozenset({"parent_id"}), "")
    moved = await usecases.update(replace(below[0], parent_id=above[-2].id), frozenset({"parent_id"}), "")
    assert moved.parent_id == above[-2].id


async def test_what_is_below_a_duplicate_is_below_its_survivor() -> None:
    above, below, survivor = chain(20), chain(13), company()
    duplicate = replace(below[0], merged_into=survivor.id)
    store = FakeCustomers(*above, duplicate, *below[1:], survivor)
    usecases = CustomerUseCases(store, FakeLineage([survivor.id, duplicate.id]))
    with pytest.raises(Invalid, match="deeper"):
        await usecases.update(replace(survivor, parent_id=above[-1].id), frozenset({"parent_id"}), "")


async def test_a_list_of_a_parent_shows_the_children_of_all_its_records() -> None:
    survivor, duplicate, other = company(), company(), company()
    children = [person(parent_id=parent.id) for parent in (survivor, duplicate, other)]
    store = FakeCustomers(survivor, duplicate, other, *children)
    usecases = CustomerUseCases(store, FakeLineage([survivor.id, duplicate.id]))
    for asked_for in (survivor, duplicate):
        selection = Selection().where("parent_id", asked_for.id)
        page, _ = await usecases.page(selection)
        following = await usecases.following(selection, "", 10)
        assert {c.id for c in page} == {c.id for c in following} == {c.id for c in children[:2]}
    rest, _ = await usecases.page(Selection().where("parent_id", survivor.id, operator=Operator.NOT_EQUAL))
    assert {c.id for c in rest} == {children[2].id, survivor.id, duplicate.id, other.id}


async def test_concurrent_updates_without_etags_lose_none() -> None:
    there = person()
    store = FakeCustomers(there)
    usecases = CustomerUseCases(store, FakeLineage())
    names = frozenset({"characteristics"})
    wishes = [replace(there, characteristics=((f"n{n}", ""),)) for n in range(8)]
    await asyncio.gather(*(usecases.update(wish, names, "") for wish in wishes))
    assert store.kept[there.id].version == 9
    assert [e.sequence for e in store.events] == list(range(2, 10))


async def test_importing_makes_changes_or_leaves_each() -> None:
    left, changed, new = person(), person(), person(status=Status.CLOSED, external_ids=(billing_id("1"),))
    store = FakeCustomers(left, changed)
    rows = [Row(left), Row(replace(changed, language="de")), Row(new)]
    usecases = CustomerUseCases(store, FakeLineage())
    outcomes = await usecases.load(rows)
    assert [getattr(o, "value", o) for o in outcomes] == ["unchanged", "updated", "created"]
    assert store.loads == [(1, 1)]
    assert [(e.subject, e.sequence) for e in store.events] == [(changed.id, 2), (new.id, 1)]
    assert [getattr(o, "value", o) for o in await usecases.load(rows)] == ["unchanged"] * 3
