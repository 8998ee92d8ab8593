"""The contract of the store of products: the fake and the real one keep the same promises."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from chassis.mongo.client import Store
from chassis.query.selection import Operator, Order, Selection
from chassis.rules import AlreadyExists, Conflict, Refusal
from services.customer_info.customers.rules import Money
from services.customer_info.portfolio import store as product_store
from services.customer_info.portfolio.rules import MOST, Product, ServiceIdentifier, Status, Term
from services.customer_info.portfolio.store import ProductStore
from services.customer_info.portfolio.usecases import Products, added_event, changed_event
from tests.integration.services.customer_info.subjects import Subject, told_by_fake, told_by_outbox
from tests.support.fakes.portfolio import FakeProducts
from tests.unit.services.customer_info.builders import NOON, history, later, new_uuid, product

pytestmark = pytest.mark.parametrize("subject", ["fake", "real"], indirect=True)


@pytest.fixture
def subject(request: pytest.FixtureRequest, store: Store) -> Subject[Any]:
    if request.param == "fake":
        fake = FakeProducts()
        return Subject(fake, told_by_fake(fake))
    return Subject(ProductStore(store), told_by_outbox(store))


async def keep(products: Products, *kept: Product) -> None:
    await products.load(kept, [], [added_event(p) for p in kept])


async def test_a_product_is_kept_whole(subject: Subject[Any]) -> None:
    full = product(
        status=Status.CEASED,
        term=Term(24, NOON, later()),
        identifiers=(ServiceIdentifier("msisdn", "49170123456"), ServiceIdentifier("imei", "1")),
        characteristics=(("technology", "fibre"), ("speed_mbps", "250")),
        history=history(Status.ORDERED, Status.PROVISIONING, Status.ACTIVE, Status.CEASED),
        version=4,
    )
    bare = product(monthly_price=None, term=Term())
    await keep(subject.store, full, bare)
    ids = [full.id, bare.id, new_uuid()]
    assert [await subject.store.read(None, i) for i in ids] == [full, bare, None]
    assert await subject.store.many(ids) == {full.id: full, bare.id: bare}


async def test_a_portfolio_is_in_order_with_or_without_what_ceased(subject: Subject[Any]) -> None:
    owner = new_uuid()
    names = [("voice", "b"), ("voice", "B"), ("mobile", "ä"), ("mobile", "z"), ("mobile", "z")]
    kept = [product(owner, family=f, name=n) for f, n in names]
    ended = product(owner, status=Status.CEASED, family="aaa")
    await keep(subject.store, *kept, ended, product())
    order = sorted(kept, key=lambda p: (p.family, p.name, p.id))
    assert await subject.store.current(owner) == order
    assert await subject.store.all(owner) == [ended, *order]
    assert await subject.store.current(new_uuid()) == []


async def test_portfolios_read_together_are_each_their_own(subject: Subject[Any]) -> None:
    owners = [new_uuid() for _ in range(20)]
    kept = {owner: [product(owner, name=f"{m}") for m in range(n % 4)] for n, owner in enumerate(owners)}
    await keep(subject.store, *(p for products in kept.values() for p in products))
    wanted = [*owners, new_uuid(), *owners]
    found = await asyncio.gather(*(subject.store.current(owner) for owner in wanted))
    assert found == [kept.get(owner, []) for owner in wanted]


async def test_a_very_large_portfolio_is_cut_and_leaves_its_neighbours_whole(
    subject: Subject[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    large, owners = new_uuid(), [new_uuid() for _ in range(6)]
    # As many as are ever read together, so that the batch is divided.
    monkeypatch.setattr(product_store, "MOST_TOGETHER", MOST + 8)
    for n in range(0, MOST + 20, 500):
        size = min(500, MOST + 20 - n)
        await keep(subject.store, *(product(large, name=f"{n + m:05}") for m in range(size)))
    small = {owner: [product(owner)] for owner in owners}
    await keep(subject.store, *(products[0] for products in small.values()))
    wanted = [*owners[:3], large, *owners[3:]]
    found = dict(zip(wanted, await asyncio.gather(*(subject.store.all(o) for o in wanted)), strict=True))
    assert [p.name for p in found.pop(large)] == [f"{n:05}" for n in range(MOST)]
    assert found == small
    assert await subject.store.totals(large) == [Money("EUR", (MOST + 20) * 29_850_000)]


async def test_totals_count_each_currency_and_nothing_that_ceased(subject: Subject[Any]) -> None:
    owner = new_uuid()
    prices = [Money("USD", 5), Money("EUR", 7), Money("EUR", 10**15), None]
    ended = product(owner, status=Status.CEASED, monthly_price=Money("GBP", 1))
    await keep(subject.store, ended, *(product(owner, monthly_price=p) for p in prices))
    assert await subject.store.totals(owner) == [Money("EUR", 10**15 + 7), Money("USD", 5)]
    assert await subject.store.totals(new_uuid()) == []


async def test_a_transaction_keeps_all_its_writes_or_none(subject: Subject[Any]) -> None:
    kept = product()
    after = replace(kept, name="Fibre 500", version=2)

    async def work(transaction: Any) -> Product:
        await subject.store.insert(transaction, kept, added_event(kept))
        await subject.store.replace(transaction, after, changed_event(after))
        assert await subject.store.read(transaction, kept.id) == after
        return after

    async def broken(transaction: Any) -> Product:
        await work(transaction)
        raise Conflict("no")

    with pytest.raises(Conflict):
        await subject.store.transact(broken)
    assert await subject.store.many([kept.id]) == {}
    assert await subject.told([kept.id]) == []
    assert await subject.store.transact(work) == after
    assert await subject.store.many([kept.id]) == {kept.id: after}
    assert await subject.told([kept.id]) == [(kept.id, 1, "ProductAdded"), (kept.id, 2, "ProductChanged")]


async def test_a_request_is_done_once_and_remembers_its_answer(subject: Subject[Any]) -> None:
    request_id = new_uuid()

    async def work(transaction: Any) -> Product:
        made = product(term=Term(12), characteristics=(("a", "b"),))
        await subject.store.insert(transaction, made, added_event(made))
        return made

    first = await subject.store.once(request_id, b"content", work)
    assert await subject.store.once(request_id, b"content", work) == first
    with pytest.raises(Refusal) as refused:
        await subject.store.once(request_id, b"other", work)
    assert refused.value.reason == "REQUEST_ID_REUSED"
    assert len(await subject.store.all(first.customer_id)) == 1


async def test_an_id_is_taken_once(subject: Subject[Any]) -> None:
    kept = product()
    await keep(subject.store, kept)

    async def work(transaction: Any) -> Product:
        await subject.store.insert(transaction, product(id=kept.id))
        return kept

    for attempt in (subject.store.transact(work), keep(subject.store, product(), product(id=kept.id))):
        with pytest.raises(AlreadyExists) as refused:
            await attempt
        assert refused.value.metadata == {"type": "product", "id": kept.id}
    assert await subject.store.read(None, kept.id) == kept


async def test_a_load_is_all_or_nothing(subject: Subject[Any]) -> None:
    there = product()
    await keep(subject.store, there)
    new, changed = product(), replace(there, name="Fibre 500", version=2)
    events = [added_event(new), changed_event(changed)]
    with pytest.raises(Conflict):
        await subject.store.load([new], [replace(changed, version=3)], events)
    assert await subject.store.many([new.id, there.id]) == {there.id: there}
    await subject.store.load([new], [changed], events)
    assert await subject.store.many([new.id, there.id]) == {new.id: new, there.id: changed}
    assert await subject.told([new.id]) == [(new.id, 1, "ProductAdded")]
    assert await subject.told([there.id]) == [(there.id, 1, "ProductAdded"), (there.id, 2, "ProductChanged")]


async def test_lists_are_filtered_ordered_and_paged(subject: Subject[Any]) -> None:
    owner = new_uuid()
    kept = [
        product(owner, status, family="voice" if n % 2 else "mobile", update_time=later(n))
        for n, status in enumerate(Status)
    ]
    await keep(subject.store, *kept)
    everything = Selection(page_size=2).where("customer_id", owner)

    async def found(selection: Selection) -> list[int]:
        seen: list[int] = []
        while True:
            page, token = await subject.store.page(selection)
            seen += [kept.index(p) for p in page]
            if not token:
                return seen
            selection = replace(selection, page_token=token)

    assert await found(everything) == [4, 3, 2, 1, 0]
    assert await found(replace(everything, order=(Order("update_time"),))) == [0, 1, 2, 3, 4]
    assert await found(everything.where("family", "voice")) == [3, 1]
    current = everything.where("status", "PRODUCT_STATUS_CEASED", operator=Operator.NOT_EQUAL)
    assert await found(current) == [3, 2, 1, 0]
    late = everything.where("update_time", later(2).isoformat(), operator=Operator.GREATER)
    assert await found(late) == [4, 3]
    both = everything.where("status", "PRODUCT_STATUS_ACTIVE", "PRODUCT_STATUS_CEASED")
    assert await found(both) == [4, 2]
    for unknown in (Selection().where("name", "x"), Selection(order=(Order("family"),))):
        with pytest.raises(Refusal) as refused:
            await subject.store.page(unknown)
        assert refused.value.reason == "INVALID_QUERY"
