"""The contract of the store of products: the fake and the real one keep the same promises."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chassis.mongo.client import Store
from chassis.query.selection import Operator, Order, Selection
from chassis.rules import AlreadyExists, Conflict, Invalid, Refusal
from chassis.vault.vault import Vault
from services.customer_info.customers.rules import Money
from services.customer_info.portfolio import store as product_store
from services.customer_info.portfolio import view_rules
from services.customer_info.portfolio.identifier_rules import ServiceIdentifier
from services.customer_info.portfolio.rules import MOST, Product, Status
from services.customer_info.portfolio.term_rules import Term
from services.customer_info.portfolio.usecases import added_event, changed_event
from services.customer_info.portfolio.view_rules import HORIZONS, Sum
from tests.integration.services.customer_info.product_subjects import keep, of_products
from tests.integration.services.customer_info.subjects import Subject
from tests.unit.services.customer_info.builders import NOON, history, later, new_uuid, product

pytestmark = pytest.mark.parametrize("subject", ["fake", "real"], indirect=True)


@pytest.fixture
def subject(request: pytest.FixtureRequest, store: Store, vault: Vault) -> Subject[Any]:
    return of_products(request.param, store, vault)


async def test_a_product_is_kept_whole(subject: Subject[Any]) -> None:
    full = product(
        status=Status.CEASED,
        one_time_price=Money("EUR", 5),
        term=Term(24, NOON, later()),
        identifiers=(ServiceIdentifier("msisdn", "+49151123456"), ServiceIdentifier("imei", "490154203237518")),
        node_ids=(new_uuid(), new_uuid()),
        account_id=new_uuid(),
        characteristics=(("user", "Ada"), ("technology", "fibre"), ("floor", "3"), ("speed_mbps", "250")),
        unlisted=frozenset({"user", "floor"}),
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
    assert await subject.store.current((owner,)) == order
    assert await subject.store.all((owner,)) == [ended, *order]
    assert await subject.store.current((new_uuid(),)) == []


async def test_portfolios_read_together_are_each_their_own(subject: Subject[Any]) -> None:
    owners = [new_uuid() for _ in range(20)]
    kept = {owner: [product(owner, name=f"{m}") for m in range(n % 4)] for n, owner in enumerate(owners)}
    await keep(subject.store, *(p for products in kept.values() for p in products))
    wanted = [*owners, new_uuid(), *owners]
    found = await asyncio.gather(*(subject.store.current((owner,)) for owner in wanted))
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
    found = dict(zip(wanted, await asyncio.gather(*(subject.store.all((o,)) for o in wanted)), strict=True))
    assert [p.name for p in found.pop(large)] == [f"{n:05}" for n in range(MOST)]
    assert found == small
    whole = view_rules.added_up(await subject.store.placed((large,)))
    assert whole == Sum(MOST + 20, {"EUR": (MOST + 20) * 29_850_000})


async def test_a_portfolio_of_several_records_is_one_in_order(subject: Subject[Any]) -> None:
    ids = (new_uuid(), new_uuid(), new_uuid())
    kept = [product(ids[n % 2], name=f"{n % 5}-{n}") for n in range(12)]
    await keep(subject.store, *kept, product())
    asked = (subject.store.current(ids), subject.store.current(ids[:1]), subject.store.all(ids))
    both, one, everything = await asyncio.gather(*asked)
    assert both == everything == sorted(kept, key=lambda p: p.name)
    assert one == [p for p in both if p.customer_id == ids[0]]


async def test_a_portfolio_is_read_page_by_page_in_its_order(subject: Subject[Any]) -> None:
    ids = (new_uuid(), new_uuid())
    names = [("voice", "b"), ("voice", "B"), ("mobile", "ä"), ("mobile", "z"), ("mobile", "z"), ("mobile", "ä")]
    kept = [product(ids[n % 2], family=f, name=name) for n, (f, name) in enumerate(names)]
    ended = product(ids[0], status=Status.CEASED, family="voice", name="c")
    await keep(subject.store, *kept, ended, product())

    async def read(*, include_ceased: bool) -> list[Product]:
        token, found = "", []
        while True:
            wanted = Selection(page_size=2, page_token=token)
            page, token = await subject.store.portfolio(ids, wanted, include_ceased=include_ceased)
            found += page
            if not token:
                return found

    order = sorted(kept, key=lambda p: (p.family, p.name, p.id))
    assert await read(include_ceased=False) == order
    assert await read(include_ceased=True) == [*order, ended]
    with pytest.raises(Invalid) as refused:
        await subject.store.portfolio(ids, Selection(page_token="x"), include_ceased=False)
    assert refused.value.reason == "INVALID_PAGE_TOKEN"


async def test_what_stands_at_nodes_is_counted_by_currency_without_what_ceased(subject: Subject[Any]) -> None:
    ids, nodes = (new_uuid(), new_uuid()), [new_uuid() for _ in range(3)]
    prices = [Money("USD", 5), Money("EUR", 7), Money("EUR", 10**15), None]
    kept = [product(ids[n % 2], monthly_price=p, node_ids=tuple(nodes[: n % 3])) for n, p in enumerate(prices)]
    ended = product(ids[0], status=Status.CEASED, monthly_price=Money("GBP", 1), node_ids=(nodes[0],))
    await keep(subject.store, *kept, ended)
    assert view_rules.added_up(await subject.store.placed(ids)) == Sum(4, {"USD": 5, "EUR": 10**15 + 7})
    assert await subject.store.by_node(ids) == {
        nodes[0]: Sum(2, {"EUR": 10**15 + 7}),
        nodes[1]: Sum(1, {"EUR": 10**15}),
    }
    assert await subject.store.placed((new_uuid(),)) == []
    assert {p.id for p in await subject.store.at_nodes(ids, [nodes[0], nodes[2]])} == {kept[1].id, kept[2].id}
    assert await subject.store.at_nodes(ids, [nodes[2]]) == []
    assert await subject.store.at_nodes((new_uuid(),), nodes) == []


async def test_prices_add_up_beyond_what_a_whole_number_of_the_store_holds(subject: Subject[Any]) -> None:
    ids = (new_uuid(),)
    await keep(subject.store, *(product(ids[0], monthly_price=Money("IRR", 2**62)) for _ in range(4)))
    assert view_rules.added_up(await subject.store.placed(ids)) == Sum(4, {"IRR": 2**64})
    assert sum(row.micros for row in await subject.store.family_rows(ids, NOON, [30])) == 2**64


async def test_products_at_nodes_are_in_order(subject: Subject[Any]) -> None:
    ids, node = (new_uuid(), new_uuid()), new_uuid()
    kept = [product(ids[n % 2], name=f"{n * 7 % 10}", node_ids=(node,)) for n in range(10)]
    await keep(subject.store, *kept)
    assert await subject.store.at_nodes(ids, [node]) == sorted(kept, key=lambda p: p.name)


async def test_families_are_counted_by_state_and_currency_with_ends_of_commitment(subject: Subject[Any]) -> None:
    ids = (new_uuid(), new_uuid())
    kept = [
        *(product(ids[0], term=Term(1, NOON, NOON + timedelta(days=d))) for d in (-1, 0, 29, 30, 100, 180)),
        product(ids[1], term=Term(1), monthly_price=None),
        product(ids[1], Status.CEASED, family="voice", monthly_price=Money("USD", 1)),
    ]
    await keep(subject.store, *kept)
    rows = await subject.store.family_rows(ids, NOON, HORIZONS)
    found: dict[tuple[str, Status, str], list[int]] = {}
    for row in rows:
        sums = found.setdefault((row.family, row.status, row.currency), [0] * 5)
        sums[:] = [a + b for a, b in zip(sums, [row.count, row.micros, *row.ends], strict=True)]
    # A month from 14 March is 31 days.
    assert found == {
        ("broadband", Status.ACTIVE, "EUR"): [6, 6 * 29_850_000, 2, 3, 4],
        ("broadband", Status.ACTIVE, ""): [1, 0, 0, 1, 1],
        ("voice", Status.CEASED, "USD"): [1, 1, 0, 0, 0],
    }


async def test_a_load_writes_what_belongs_beside_it_or_nothing(subject: Subject[Any]) -> None:
    there = product()
    seen: list[Product | None] = []

    async def beside(transaction: Any) -> None:
        seen.append(await subject.store.read(transaction, there.id))
        if len(seen) == 1:
            raise Conflict("no")

    with pytest.raises(Conflict):
        await subject.store.load([there], [], [], beside)
    assert await subject.store.many([there.id]) == {}
    await subject.store.load([there], [], [added_event(there)], beside)
    assert seen == [there, there]


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
    assert len(await subject.store.all((first.customer_id,))) == 1


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
    owner, nodes = new_uuid(), (new_uuid(), new_uuid())
    kept = [
        product(
            owner,
            status,
            family="voice" if n % 2 else "mobile",
            update_time=later(n),
            node_ids=nodes[: n % 3],
            account_id=nodes[n % 2],
        )
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
    assert await found(everything.where("node_id", nodes[0])) == [4, 2, 1]
    assert await found(Selection(page_size=1).where("node_id", nodes[1])) == [2]
    assert await found(Selection(page_size=1).where("account_id", nodes[1])) == [3, 1]
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
