"""The contract of the store of customers: the fake and the real one keep the same promises."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from chassis.mongo.client import Store
from chassis.query.selection import Operator, Order, Selection
from chassis.rules import AlreadyExists, Conflict, Invalid, Refusal
from chassis.vault.vault import Vault
from services.customer_info.customers import rules
from services.customer_info.customers.looking_up import MOST_FOUND
from services.customer_info.customers.rules import (
    Billed,
    Billing,
    Category,
    Customer,
    ExternalId,
    Money,
    PaymentMethod,
    Status,
)
from services.customer_info.customers.standing_rules import Standing
from services.customer_info.customers.store import CustomerStore
from services.customer_info.customers.usecases import Customers, created_event, updated_event
from services.customer_info.history.store import History
from services.customer_info.identifier_rules import external_key
from tests.integration.services.customer_info.subjects import Subject, told_by_fake, told_by_outbox
from tests.support.fakes.customers import FakeCustomers
from tests.unit.services.customer_info.builders import (
    NOON,
    company,
    email,
    later,
    new_uuid,
    person,
    phone,
)

pytestmark = pytest.mark.parametrize("subject", ["fake", "real"], indirect=True)


@pytest.fixture
def subject(request: pytest.FixtureRequest, store: Store, vault: Vault) -> Subject[Any]:
    if request.param == "fake":
        fake = FakeCustomers()
        return Subject(fake, told_by_fake(fake))
    return Subject(CustomerStore(store, vault, History(store)), told_by_outbox(store))


async def keep(customers: Customers, *kept: Customer) -> None:
    await customers.load(kept, [], [created_event(c) for c in kept])


def own(value: str = "") -> ExternalId:
    return ExternalId("billing", value or new_uuid())


async def test_a_customer_is_kept_whole(subject: Subject[Any]) -> None:
    parent = company()
    full = person(
        status=Status.SUSPENDED,
        category=Category.PARTNER,
        external_ids=(own(), ExternalId("legacy", "7")),
        contact_media=(email("ada@example.com", preferred=True, start=NOON), phone("+4930123456", end=later())),
        parent_id=parent.id,
        language="de",
        billing=Billing(PaymentMethod.BANK_TRANSFER, paperless=True),
        billed=Billed(Money("EUR", 1), Money("EUR", 2)),
        characteristics=(("senior", "no"), ("partner", "")),
        version=3,
    )
    bare = person(since=None, billing=Billing(), billed=Billed())
    await keep(subject.store, parent, full, bare)
    ids = [full.id, bare.id, new_uuid()]
    assert [await subject.store.get(i) for i in ids] == [full, bare, None]
    assert [await subject.store.read(None, i) for i in ids] == [full, bare, None]
    assert await subject.store.many(ids) == {full.id: full, bare.id: bare}
    assert await subject.store.present(ids) == {full.id, bare.id}


async def test_how_a_customer_stands_is_told_without_opening_anything(subject: Subject[Any]) -> None:
    above, survivor = company(), company()
    below, merged = company(parent_id=above.id), company(merged_into=survivor.id)
    gone = person(erase_time=NOON)
    await keep(subject.store, above, survivor, below, merged, gone)
    found = await subject.store.standings([above.id, below.id, merged.id, gone.id, new_uuid()])
    assert found == {
        above.id: Standing(above.id),
        below.id: Standing(below.id, parent_id=above.id),
        merged.id: Standing(merged.id, merged_into=survivor.id),
        gone.id: Standing(gone.id, erase_time=NOON),
    }


async def test_a_transaction_sees_its_own_writes_and_keeps_them_with_their_events(subject: Subject[Any]) -> None:
    customer = person()
    after = replace(customer, language="de", version=2)

    async def work(transaction: Any) -> Customer | None:
        await subject.store.insert(transaction, customer, created_event(customer))
        await subject.store.replace(transaction, after, updated_event(after, frozenset({"language"})))
        found: Customer | None = await subject.store.read(transaction, customer.id)
        return found

    assert await subject.store.transact(work) == after == await subject.store.get(customer.id)
    assert await subject.told([customer.id]) == [
        (customer.id, 1, "CustomerCreated"),
        (customer.id, 2, "CustomerUpdated"),
    ]


async def test_a_transaction_that_fails_leaves_nothing(subject: Subject[Any]) -> None:
    customer = person()

    async def work(transaction: Any) -> Customer:
        await subject.store.insert(transaction, customer, created_event(customer))
        raise Conflict("no")

    with pytest.raises(Conflict):
        await subject.store.transact(work)
    assert await subject.store.get(customer.id) is None
    assert await subject.told([customer.id]) == []


async def test_a_request_is_done_once_and_remembers_its_answer(subject: Subject[Any]) -> None:
    request_id = new_uuid()

    async def attempt(content: bytes, method: str = "CreateCustomer") -> Customer:
        async def work(transaction: Any) -> Customer:
            customer = person()
            await subject.store.insert(transaction, customer, created_event(customer))
            return customer

        made: Customer = await subject.store.once(method, request_id, content, work)
        return made

    first = await attempt(b"content")
    assert await attempt(b"content") == first
    assert await attempt(b"content", "UpdateCustomer") != first
    with pytest.raises(Invalid) as refused:
        await attempt(b"other")
    assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_an_id_is_taken_once(subject: Subject[Any]) -> None:
    customer = person()
    await keep(subject.store, customer)

    async def work(transaction: Any) -> Customer:
        await subject.store.insert(transaction, person(id=customer.id))
        return customer

    for attempt in (subject.store.transact(work), keep(subject.store, person(), person(id=customer.id))):
        with pytest.raises(AlreadyExists) as refused:
            await attempt
        assert refused.value.reason == "ALREADY_EXISTS"
        assert refused.value.metadata == {"type": "customer", "id": customer.id}
    assert await subject.store.get(customer.id) == customer


async def test_an_external_id_belongs_to_one_customer_whichever_way_it_is_written(subject: Subject[Any]) -> None:
    mine = own()
    holder, other = person(external_ids=(mine, own())), person()
    await keep(subject.store, holder, other)
    thief = person(external_ids=(own(), mine))
    changed = replace(other, external_ids=(mine,), version=2)

    async def insert(transaction: Any) -> None:
        await subject.store.insert(transaction, thief)

    async def put(transaction: Any) -> None:
        await subject.store.replace(transaction, changed)

    attempts = [
        subject.store.transact(insert),
        subject.store.transact(put),
        subject.store.load([person(), thief], [], []),
        subject.store.load([], [changed], []),
    ]
    for attempt in attempts:
        with pytest.raises(AlreadyExists) as refused:
            await attempt
        assert (refused.value.reason, refused.value.field) == ("EXTERNAL_ID_TAKEN", "customer.external_ids")
        assert refused.value.metadata == {"issuer": "billing", "id": holder.id}
        assert mine.value not in refused.value.message
    assert await subject.store.get(thief.id) is None
    assert await subject.store.get(other.id) == other


async def test_a_load_is_all_or_nothing(subject: Subject[Any]) -> None:
    there = person()
    await keep(subject.store, there)
    new, changed = person(), replace(there, language="de", version=2)
    events = [created_event(new), updated_event(changed, frozenset({"language"}))]
    with pytest.raises(Conflict):
        await subject.store.load([new], [replace(changed, version=3)], events)
    assert await subject.store.many([new.id, there.id]) == {there.id: there}
    await subject.store.load([new], [changed], events)
    assert await subject.store.many([new.id, there.id]) == {new.id: new, there.id: changed}
    assert await subject.told([new.id]) == [(new.id, 1, "CustomerCreated")]
    assert await subject.told([there.id]) == [(there.id, 1, "CustomerCreated"), (there.id, 2, "CustomerUpdated")]


async def test_holding_customers_changes_nothing_that_can_be_seen(subject: Subject[Any]) -> None:
    customer = company()
    await keep(subject.store, customer)

    async def work(transaction: Any) -> None:
        await subject.store.hold(transaction, [customer.id])

    await subject.store.transact(work)
    assert await subject.store.get(customer.id) == customer
    await subject.store.load([], [replace(customer, language="de", version=2)], [])


async def test_any_identifier_finds_its_customer(subject: Subject[Any]) -> None:
    number, address, external = f"+49{int(new_uuid()[:6], 16):09}", f"{new_uuid()}@example.com", own()
    customer = person(external_ids=(external,), contact_media=(phone(number), email(address)))
    await keep(subject.store, customer)
    keys = [
        external_key("billing", external.value),
        external_key("", external.value),
        ("phone", number),
        ("email", address),
    ]
    assert [await subject.store.find([key]) for key in keys] == [[customer]] * 4
    assert await subject.store.find([external_key("legacy", external.value)]) == []


async def test_an_identifier_of_many_is_answered_with_as_many_as_are_looked_at(subject: Subject[Any]) -> None:
    value = new_uuid()
    several = [person(external_ids=(ExternalId(f"issuer-{n}", value),)) for n in range(MOST_FOUND + 3)]
    await keep(subject.store, *several[:3])
    assert {c.id for c in await subject.store.find([external_key("", value)])} == {c.id for c in several[:3]}
    await keep(subject.store, *several[3:])
    assert len(await subject.store.find([external_key("", value)])) == MOST_FOUND


async def test_the_holders_of_external_ids_are_told_together(subject: Subject[Any]) -> None:
    first, second, free = own(), own(), own()
    holders = [person(external_ids=(first, own())), person(external_ids=(second,))]
    await keep(subject.store, *holders)
    told = await subject.store.external_holders([first, second, free])
    assert told == {first: holders[0].id, second: holders[1].id}
    assert await subject.store.external_holders([]) == {}


async def test_children_are_those_that_name_a_parent(subject: Subject[Any]) -> None:
    parents = [company() for _ in range(3)]
    children = [person(parent_id=parent.id) for parent in parents for _ in range(2)]
    await keep(subject.store, *parents, *children)
    found = await subject.store.children(None, [p.id for p in parents[:2]])
    assert sorted(found) == sorted(c.id for c in children[:4])


async def listed(subject: Subject[Any], selection: Selection) -> list[Customer]:
    """All pages."""
    found: list[Customer] = []
    while True:
        page, token = await subject.store.page(selection)
        assert len(page) <= selection.page_size
        found += page
        if not token:
            return found
        selection = replace(selection, page_token=token)


def places(customers: Sequence[Customer], among: Sequence[Customer]) -> list[int]:
    return [among.index(c) for c in customers]


async def test_lists_are_filtered_ordered_and_paged(subject: Subject[Any]) -> None:
    parent = company()
    statuses = [Status.PROSPECT, Status.ACTIVE, Status.ARCHIVED, Status.CLOSED, Status.ACTIVE, Status.SUSPENDED]
    children = [
        person(status=s, parent_id=parent.id, create_time=later(n), update_time=later(-n), version=1)
        for n, s in enumerate(statuses)
    ]
    children[1] = replace(children[1], category=Category.WHOLESALE)
    await keep(subject.store, parent, *children)
    all_of = Selection(page_size=2).where("parent_id", parent.id)

    async def found(selection: Selection) -> list[int]:
        return places(await listed(subject, selection), children)

    assert await found(all_of) == [5, 4, 3, 1, 0]
    assert await found(replace(all_of, order=(Order("create_time"),))) == [0, 1, 3, 4, 5]
    assert await found(replace(all_of, order=(Order("update_time", descending=True),))) == [0, 1, 3, 4, 5]
    assert await found(all_of.where("status", "CUSTOMER_STATUS_ARCHIVED")) == [2]
    active = all_of.where("status", "CUSTOMER_STATUS_ACTIVE", operator=Operator.NOT_EQUAL)
    assert await found(active) == [5, 3, 2, 0]
    assert await found(all_of.where("category", "CUSTOMER_CATEGORY_WHOLESALE")) == [1]
    assert await found(all_of.where("kind", "organization")) == []
    after = all_of.where("create_time", later(3).isoformat(), operator=Operator.GREATER_OR_EQUAL)
    assert await found(after) == [5, 4, 3]
    assert await found(after.where("create_time", later(5).isoformat(), operator=Operator.LESS)) == [4, 3]


async def test_a_page_ends_between_customers_of_the_same_time(subject: Subject[Any]) -> None:
    parent = company()
    twins = [person(parent_id=parent.id) for _ in range(7)]
    await keep(subject.store, parent, *twins)
    for order in ((), (Order("create_time"),), (Order("update_time"),)):
        selection = Selection(page_size=2, order=order).where("parent_id", parent.id)
        assert sorted(c.id for c in await listed(subject, selection)) == sorted(c.id for c in twins)


async def test_lists_refuse_what_they_do_not_offer(subject: Subject[Any]) -> None:
    await keep(subject.store, *(person() for _ in range(3)))
    _, token = await subject.store.page(Selection(page_size=1))
    refusals: list[tuple[Selection, str]] = [
        (Selection().where("name", "Ada"), "INVALID_QUERY"),
        (Selection().where("status", "asleep"), "INVALID_QUERY"),
        (Selection().where("create_time", "yesterday", operator=Operator.LESS), "INVALID_QUERY"),
        (Selection().where("parent_id", "0", operator=Operator.PREFIX), "INVALID_QUERY"),
        (Selection(order=(Order("kind"),)), "INVALID_QUERY"),
        (Selection(page_size=1, page_token="no token"), "INVALID_PAGE_TOKEN"),
        (Selection(page_size=1, page_token=token).where("kind", "individual"), "INVALID_PAGE_TOKEN"),
    ]
    for selection, reason in refusals:
        with pytest.raises(Refusal) as refused:
            await subject.store.page(selection)
        assert refused.value.reason == reason


async def test_many_customers_are_read_as_they_stood_at_a_time(subject: Subject[Any]) -> None:
    steady, new = person(), person(create_time=later(9), update_time=later(9))
    versions = [person(contact_media=(email("a@example.com"),))]
    for n in (1, 2, 3):
        versions.append(replace(versions[0], version=n + 1, status=Status.CLOSED, update_time=later(n)))
    await keep(subject.store, steady, new, versions[0])
    for version in versions[1:]:
        await subject.store.load([], [version], [])
    ids = [steady.id, new.id, versions[0].id, new_uuid()]
    assert await subject.store.many_as_of(ids, NOON) == {steady.id: steady, versions[0].id: versions[0]}
    assert (await subject.store.many_as_of(ids, later(2)))[versions[0].id] == versions[2]
    assert await subject.store.many_as_of(ids, later(9)) == {c.id: c for c in (steady, new, versions[3])}


async def test_how_customers_stand_is_told_of_those_who_are_there(subject: Subject[Any]) -> None:
    plain = person()
    merged = person(merged_into=plain.id)
    erased = rules.erased(person(), later(3))
    await keep(subject.store, plain, merged, erased)
    assert await subject.store.standings([plain.id, merged.id, erased.id, new_uuid()]) == {
        plain.id: Standing(plain.id),
        merged.id: Standing(merged.id, merged_into=plain.id),
        erased.id: Standing(erased.id, erase_time=later(3)),
    }
