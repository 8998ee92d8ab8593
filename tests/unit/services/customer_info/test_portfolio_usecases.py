"""What happens to products, on stores in memory."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from holdfast.customer_info.v1 import portfolio_pb2 as pb

from chassis.bulk import Outcome
from chassis.rules import AlreadyExists, Conflict, Invalid, NotFound, Refusal, Refused
from services.customer_info.customers.rules import Money
from services.customer_info.customers.rules import Status as CustomerStatus
from services.customer_info.portfolio.rules import MOST, Row, Status
from services.customer_info.portfolio.usecases import PortfolioUseCases
from tests.support.fakes.customers import FakeCustomers
from tests.support.fakes.portfolio import FakeProducts
from tests.unit.services.customer_info.builders import NOON, history, new_uuid, person, product, product_rows

OWNER = person()


def usecases(*products: object, **changes: object) -> tuple[PortfolioUseCases, FakeProducts]:
    store = FakeProducts(*products)  # type: ignore[arg-type]
    return PortfolioUseCases(store, FakeCustomers(replace(OWNER, **changes))), store  # type: ignore[arg-type]


def told(outcomes: Sequence[Outcome | Refusal]) -> list[str]:
    """Each outcome by its name, each refusal by its reason and field."""
    return [o.value if isinstance(o, Outcome) else f"{o.reason} {o.field}" for o in outcomes]


async def test_a_product_is_added_with_its_event() -> None:
    portfolio, store = usecases()
    made = await portfolio.add(product(OWNER.id, id=""), "", b"")
    assert store.kept == {made.id: made}
    (event,) = store.events
    assert (event.subject, event.customer_id, event.sequence) == (made.id, OWNER.id, 1)
    assert isinstance(event.data, pb.ProductAdded)
    assert event.data.product.id == made.id


async def test_a_retry_gets_the_first_answer_and_adds_nothing() -> None:
    portfolio, store = usecases()
    wish = product(OWNER.id, id="")
    first = await portfolio.add(wish, "a-request", b"content")
    assert await portfolio.add(wish, "a-request", b"content") == first
    assert len(store.kept) == len(store.events) == 1
    with pytest.raises(Invalid) as refused:
        await portfolio.add(wish, "a-request", b"other content")
    assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_an_id_may_be_the_callers_but_not_anothers() -> None:
    portfolio, store = usecases()
    wish = product(OWNER.id)
    assert (await portfolio.add(wish, "", b"")).id == wish.id
    with pytest.raises(AlreadyExists) as refused:
        await portfolio.add(wish, "", b"")
    assert refused.value.metadata == {"type": "product", "id": wish.id}
    assert len(store.events) == 1


async def test_a_product_needs_a_customer() -> None:
    portfolio, store = usecases()
    with pytest.raises(NotFound) as refused:
        await portfolio.add(product(new_uuid()), "", b"")
    assert refused.value.field == "product.customer_id"
    assert store.kept == {}


@pytest.mark.parametrize("status", [CustomerStatus.CLOSED, CustomerStatus.ARCHIVED])
async def test_a_customer_that_left_takes_no_new_products(status: CustomerStatus) -> None:
    portfolio, store = usecases(status=status)
    with pytest.raises(Refused):
        await portfolio.add(product(OWNER.id), "", b"")
    assert store.kept == {}


async def test_a_portfolio_is_in_order_and_leaves_out_what_ceased() -> None:
    kept = [
        product(OWNER.id, family="voice", name="B"),
        product(OWNER.id, family="voice", name="A"),
        product(OWNER.id, family="mobile", name="C", status=Status.CEASED),
        product(OWNER.id, family="mobile", name="D", monthly_price=Money("USD", 5)),
        product(new_uuid()),
    ]
    portfolio, _ = usecases(*kept)
    found = await portfolio.portfolio(OWNER.id, include_ceased=False)
    assert [p.name for p in found.products] == ["D", "A", "B"]
    assert found.monthly_total == [Money("EUR", 2 * 29_850_000), Money("USD", 5)]
    everything = await portfolio.portfolio(OWNER.id, include_ceased=True)
    assert [p.name for p in everything.products] == ["C", "D", "A", "B"]
    assert everything.monthly_total == found.monthly_total


async def test_a_portfolio_of_nobody_is_empty() -> None:
    portfolio, _ = usecases()
    found = await portfolio.portfolio(new_uuid(), include_ceased=True)
    assert (found.products, found.monthly_total) == ([], [])


async def test_the_totals_of_a_very_large_portfolio_count_what_it_does_not_show() -> None:
    portfolio, _ = usecases(*(product(OWNER.id, monthly_price=Money("EUR", 1)) for _ in range(MOST + 5)))
    found = await portfolio.portfolio(OWNER.id, include_ceased=False)
    assert len(found.products) == MOST
    assert found.monthly_total == [Money("EUR", MOST + 5)]


async def test_a_change_of_status_needs_the_current_etag_and_an_arrow() -> None:
    there = product(OWNER.id)
    portfolio, store = usecases(there)
    after = await portfolio.change_status(there.id, Status.SUSPENDED, "v1")
    assert [c.status for c in after.history] == [Status.ACTIVE, Status.SUSPENDED]
    with pytest.raises(Conflict) as stale:
        await portfolio.change_status(there.id, Status.ACTIVE, "v1")
    assert stale.value.metadata == {"etag": "v2"}
    assert await portfolio.change_status(there.id, Status.SUSPENDED, "v2") == after
    with pytest.raises(Refused):
        await portfolio.change_status(there.id, Status.PROVISIONING, "")
    with pytest.raises(NotFound):
        await portfolio.change_status(new_uuid(), Status.ACTIVE, "")
    (event,) = store.events
    assert isinstance(event.data, pb.ProductChanged)
    assert (event.sequence, event.time) == (2, after.update_time)


async def test_importing_makes_changes_or_leaves_each_and_refuses_what_it_must() -> None:
    left, changed, ceased = product(OWNER.id), product(OWNER.id), product(OWNER.id, status=Status.CEASED)
    past = history(Status.ORDERED, Status.PROVISIONING, Status.ACTIVE, Status.CEASED)
    rows = product_rows(
        left,
        product(OWNER.id, status=Status.CEASED, history=past),
        replace(changed, name="Fibre 500"),
        product(new_uuid()),
        replace(ceased, status=Status.ACTIVE, history=()),
        replace(changed, name="again"),
        product(OWNER.id, history=history(Status.CEASED, Status.ACTIVE)),
    )
    portfolio, store = usecases(left, changed, ceased)
    assert told(await portfolio.load(rows)) == [
        "unchanged",
        "created",
        "updated",
        "NOT_FOUND product.customer_id",
        "FORBIDDEN_TRANSITION status",
        "INVALID_FIELD id",
        "INVALID_FIELD product.history[1].status",
    ]
    assert store.loads == [(1, 1)]
    assert [(e.subject, e.sequence) for e in store.events] == [(rows[1].wish.id, 1), (changed.id, 2)]


async def test_what_a_customer_had_is_imported_also_after_it_left() -> None:
    portfolio, _ = usecases(status=CustomerStatus.CLOSED)
    assert told(await portfolio.load(product_rows(product(OWNER.id, status=Status.CEASED)))) == ["created"]


async def test_a_row_without_status_leaves_the_one_there_is() -> None:
    there = product(OWNER.id, status=Status.SUSPENDED)
    portfolio, store = usecases(there)
    row = Row(replace(there, status=Status.ACTIVE, history=()), says_status=False)
    assert told(await portfolio.load([row])) == ["unchanged"]
    assert store.kept[there.id] == there


async def test_rows_met_by_concurrent_writers_are_looked_at_again() -> None:
    there, made = product(OWNER.id), product(OWNER.id)
    portfolio, store = usecases(there)
    store.rivals = [replace(there, name="theirs"), made]
    rows = product_rows(replace(there, name="ours"), replace(made, name="ours"), product(OWNER.id))
    assert told(await portfolio.load(rows)) == ["updated", "updated", "created"]
    assert [store.kept[i].name for i in (there.id, made.id)] == ["ours", "ours"]
    assert store.kept[there.id].update_time != NOON
