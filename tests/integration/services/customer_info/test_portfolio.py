"""Portfolios through a real process, a real socket and a real MongoDB."""

import asyncio

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from holdfast.common.v1 import query_pb2, types_pb2
from holdfast.customer_info.v1 import customers_pb2
from holdfast.customer_info.v1 import portfolio_pb2 as pb
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.portfolio_pb2_grpc import PortfolioServiceStub
from holdfast.events.v1 import events_pb2, events_pb2_grpc

from chassis.errors import reason_of
from chassis.mongo.client import Store
from chassis.vault.vault import Vault
from services.customer_info.accounts.store import AccountStore
from services.customer_info.history.store import History
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import (
    bad_fields,
    entered,
    metadata_of,
    new_uuid,
    person,
    product,
    product_batches,
)
from tests.support.service import Keys
from tests.unit.services.customer_info.account_builders import billing_account

ORDERED, PROVISIONING = pb.PRODUCT_STATUS_ORDERED, pb.PRODUCT_STATUS_PROVISIONING
ACTIVE, SUSPENDED, CEASED = pb.PRODUCT_STATUS_ACTIVE, pb.PRODUCT_STATUS_SUSPENDED, pb.PRODUCT_STATUS_CEASED


@pytest.fixture
async def owner(customers: CustomersServiceStub, agent: Metadata) -> str:
    """The id of a customer with nothing yet."""
    request = customers_pb2.CreateCustomerRequest(customer=person())
    return str((await customers.CreateCustomer(request, metadata=agent)).customer.id)


@pytest.fixture
async def account(owner: str, store: Store, vault: Vault) -> str:
    """The id of an account in use of that customer's."""
    accounts, opened = AccountStore(store, vault, History(store)), billing_account(owner)
    await accounts.transact(lambda transaction: accounts.put(transaction, opened))
    return opened.id


async def added(portfolio: PortfolioServiceStub, agent: Metadata, wish: pb.Product) -> pb.Product:
    return (await portfolio.AddProduct(pb.AddProductRequest(product=wish), metadata=agent)).product


async def moved(
    portfolio: PortfolioServiceStub, agent: Metadata, kept: pb.Product, status: pb.ProductStatus.ValueType
) -> pb.Product:
    request = pb.ChangeProductStatusRequest(product_id=kept.id, status=status, etag=kept.etag)
    return (await portfolio.ChangeProductStatus(request, metadata=agent)).product


async def owned(
    portfolio: PortfolioServiceStub, agent: Metadata, customer_id: str, *, ceased: bool = False
) -> pb.GetPortfolioResponse:
    request = pb.GetPortfolioRequest(customer_id=customer_id, include_ceased=ceased)
    return await portfolio.GetPortfolio(request, metadata=agent)


async def imported(portfolio: PortfolioServiceStub, loader: Metadata, *rows: pb.Product) -> pb.ImportProductsResponse:
    return await portfolio.ImportProducts(product_batches(rows, 500), metadata=loader)


async def test_an_added_product_stands_in_the_portfolio(
    portfolio: PortfolioServiceStub, agent: Metadata, owner: str
) -> None:
    wish = product(
        owner, term=pb.ContractTerm(months=24), identifiers=[pb.ServiceIdentifier(kind="ip", value="192.0.2.1")]
    )
    made = await added(portfolio, agent, wish)
    assert (made.status, made.etag, [c.status for c in made.history]) == (ACTIVE, "v1", [ACTIVE])
    found = await owned(portfolio, agent, owner)
    assert list(found.products) == [made]
    assert list(found.monthly_total) == [wish.monthly_price]
    assert (await portfolio.GetProduct(pb.GetProductRequest(product_id=made.id), metadata=agent)).product == made
    with pytest.raises(grpc.aio.AioRpcError) as nobody:
        await portfolio.GetProduct(pb.GetProductRequest(product_id=new_uuid()), metadata=agent)
    assert reason_of(nobody.value) == "NOT_FOUND"


async def test_portfolios_asked_for_together_are_not_mixed_up(
    portfolio: PortfolioServiceStub, customers: CustomersServiceStub, agent: Metadata
) -> None:
    people = await asyncio.gather(
        *(
            customers.CreateCustomer(customers_pb2.CreateCustomerRequest(customer=person()), metadata=agent)
            for _ in range(12)
        )
    )
    owners = [answer.customer.id for answer in people]
    for n, owner in enumerate(owners):
        for m in reversed(range(n % 4)):
            await added(portfolio, agent, product(owner, name=f"{n}-{m}"))
    found = await asyncio.gather(*(owned(portfolio, agent, owner) for owner in [*owners, *owners]))
    for n, answer in enumerate(found):
        place = n % len(owners)
        assert [p.name for p in answer.products] == [f"{place}-{m}" for m in range(place % 4)]


async def test_a_retry_with_the_same_request_id_adds_one_product(
    portfolio: PortfolioServiceStub, agent: Metadata, owner: str
) -> None:
    request = pb.AddProductRequest(product=product(owner), request_id=new_uuid())
    answers = await asyncio.gather(*(portfolio.AddProduct(request, metadata=agent) for _ in range(8)))
    assert len({a.product.id for a in answers}) == 1
    request.product.name = "another"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await portfolio.AddProduct(request, metadata=agent)
    assert reason_of(refused.value) == "REQUEST_ID_REUSED"
    assert len((await owned(portfolio, agent, owner)).products) == 1


async def test_a_product_needs_a_customer_that_has_not_left(
    portfolio: PortfolioServiceStub, customers: CustomersServiceStub, agent: Metadata, owner: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await added(portfolio, agent, product(new_uuid()))
    assert (unknown.value.code(), reason_of(unknown.value)) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
    closed = customers_pb2.CUSTOMER_STATUS_CLOSED
    await customers.ChangeCustomerStatus(
        customers_pb2.ChangeCustomerStatusRequest(customer_id=owner, status=closed), metadata=agent
    )
    with pytest.raises(grpc.aio.AioRpcError) as left:
        await added(portfolio, agent, product(owner))
    assert left.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert metadata_of(left.value) == {"state": "closed"}


async def test_a_callers_own_id_is_taken_once(portfolio: PortfolioServiceStub, agent: Metadata, owner: str) -> None:
    wish = product(owner, id=new_uuid())
    assert (await added(portfolio, agent, wish)).id == wish.id
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await added(portfolio, agent, wish)
    assert refused.value.code() is grpc.StatusCode.ALREADY_EXISTS
    assert metadata_of(refused.value) == {"type": "product", "id": wish.id}


async def test_bad_products_are_refused_by_field(portfolio: PortfolioServiceStub, agent: Metadata, owner: str) -> None:
    for change, field in (
        ({"family": "Broad Band"}, "product.family"),
        ({"family": ""}, "product.family"),
        ({"name": ""}, "product.name"),
        ({"node_ids": ["sales"]}, "product.node_ids[0]"),
        ({"account_id": "billing"}, "product.account_id"),
        ({"status": CEASED}, "product.status"),
        ({"monthly_price": types_pb2.Money(currency_code="EUR", micros=-1)}, "product.monthly_price.micros"),
        ({"term": pb.ContractTerm(months=121)}, "product.term.months"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await added(portfolio, agent, product(owner, **change))
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert bad_fields(refused.value) == [field]


async def test_a_product_lives_from_order_to_end_and_no_further(
    portfolio: PortfolioServiceStub, agent: Metadata, owner: str
) -> None:
    kept = await added(portfolio, agent, product(owner, status=ORDERED))
    stale = kept
    for status in (PROVISIONING, ACTIVE, SUSPENDED, ACTIVE, CEASED):
        kept = await moved(portfolio, agent, kept, status)
    assert [c.status for c in kept.history] == [ORDERED, PROVISIONING, ACTIVE, SUSPENDED, ACTIVE, CEASED]
    assert kept.etag == "v6"
    with pytest.raises(grpc.aio.AioRpcError) as late:
        await moved(portfolio, agent, stale, CEASED)
    assert late.value.code() is grpc.StatusCode.ABORTED
    with pytest.raises(grpc.aio.AioRpcError) as over:
        await moved(portfolio, agent, kept, ACTIVE)
    assert reason_of(over.value) == "FORBIDDEN_TRANSITION"
    assert metadata_of(over.value) == {"from": "ceased", "to": "active", "allowed": "none"}
    assert not (await owned(portfolio, agent, owner)).products
    assert list((await owned(portfolio, agent, owner, ceased=True)).products) == [kept]


async def test_an_update_changes_the_fields_of_its_mask_only(
    portfolio: PortfolioServiceStub, agent: Metadata, owner: str
) -> None:
    kept = await added(portfolio, agent, product(owner, term=pb.ContractTerm(months=24)))

    async def updated(wish: pb.Product, *paths: str) -> pb.Product:
        request = pb.UpdateProductRequest(product=wish, update_mask=FieldMask(paths=paths))
        return (await portfolio.UpdateProduct(request, metadata=agent)).product

    price = types_pb2.Money(currency_code="EUR", micros=1)
    wish = pb.Product(id=kept.id, etag=kept.etag, name="Fibre 500", monthly_price=price, one_time_price=price)
    after = await updated(wish, "monthly_price", "one_time_price")
    assert (after.name, after.monthly_price, after.one_time_price, after.etag) == ("Fibre 250", price, price, "v2")
    assert after.term == kept.term
    cleared = await updated(pb.Product(id=kept.id), "term", "one_time_price")
    assert not cleared.HasField("term")
    assert not cleared.HasField("one_time_price")
    with pytest.raises(grpc.aio.AioRpcError) as stale:
        await updated(wish, "monthly_price")
    assert reason_of(stale.value) == "ETAG_MISMATCH"
    for wrong, path, reason in (
        (pb.Product(id=kept.id), "status", "INVALID_UPDATE_MASK"),
        (pb.Product(id=kept.id), "name", "INVALID_FIELD"),
        (pb.Product(id=kept.id, customer_id=new_uuid(), name="x"), "name", "INVALID_FIELD"),
        (pb.Product(name="x"), "name", "INVALID_FIELD"),
        (pb.Product(id=new_uuid(), name="x"), "name", "NOT_FOUND"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await updated(wrong, path)
        assert reason_of(refused.value) == reason
    ended = await moved(portfolio, agent, cleared, CEASED)
    with pytest.raises(grpc.aio.AioRpcError) as late:
        await updated(pb.Product(id=ended.id, name="x"), "name")
    assert (reason_of(late.value), metadata_of(late.value)) == ("FAILED_PRECONDITION", {"state": "ceased"})


async def test_updates_at_once_of_different_fields_are_all_there(
    portfolio: PortfolioServiceStub, agent: Metadata, owner: str, account: str
) -> None:
    kept = await added(portfolio, agent, product(owner))
    wishes = [
        pb.Product(id=kept.id, name="Fibre 500"),
        pb.Product(id=kept.id, account_id=account),
        pb.Product(id=kept.id, term=pb.ContractTerm(months=24)),
        pb.Product(id=kept.id, family="internet"),
    ]
    await asyncio.gather(*(portfolio.UpdateProduct(pb.UpdateProductRequest(product=w), metadata=agent) for w in wishes))
    found = (await portfolio.GetProduct(pb.GetProductRequest(product_id=kept.id), metadata=agent)).product
    assert (found.name, found.account_id, found.term.months, found.family) == ("Fibre 500", account, 24, "internet")
    assert found.etag == "v5"


async def test_the_end_of_a_commitment_is_told_and_whether_it_binds(
    portfolio: PortfolioServiceStub, agent: Metadata, owner: str
) -> None:
    bound = await added(portfolio, agent, product(owner, term=pb.ContractTerm(months=24)))
    assert bound.in_commitment
    start, end = bound.history[0].time, bound.commitment_end
    assert 729 * 86_400 <= end.seconds - start.seconds <= 732 * 86_400
    ordered = await added(portfolio, agent, product(owner, status=ORDERED, term=pb.ContractTerm(months=24)))
    monthly = await added(portfolio, agent, product(owner, term=pb.ContractTerm()))
    for free in (ordered, monthly):
        assert not free.in_commitment
        assert not free.HasField("commitment_end")
    ended = await moved(portfolio, agent, bound, CEASED)
    assert (ended.in_commitment, ended.commitment_end) == (False, end)


async def test_a_customer_sees_its_own_portfolio_only(
    portfolio: PortfolioServiceStub, agent: Metadata, keys: Keys, owner: str
) -> None:
    made = await added(portfolio, agent, product(owner))
    own = keys.metadata("customer", customer_id=owner)
    assert list((await owned(portfolio, own, owner)).products) == [made]
    other = keys.metadata("customer", customer_id=new_uuid())
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await owned(portfolio, other, owner)
    assert reason_of(refused.value) == "NOT_OWN_CUSTOMER"


async def test_a_portfolio_is_read_page_by_page(portfolio: PortfolioServiceStub, agent: Metadata, owner: str) -> None:
    made = [await added(portfolio, agent, product(owner, name=f"Fibre {n}")) for n in range(5)]
    assert not (await owned(portfolio, agent, owner)).HasField("page")
    asked = pb.GetPortfolioRequest(customer_id=owner, page=query_pb2.PageRequest(page_size=2))
    seen: list[pb.Product] = []
    while True:
        answer = await portfolio.GetPortfolio(asked, metadata=agent)
        assert [m.micros for m in answer.monthly_total] == [5 * made[0].monthly_price.micros]
        seen += answer.products
        asked.page.page_token = answer.page.next_page_token
        if not asked.page.page_token:
            break
    assert seen == made
    asked.page.page_token = "foreign"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await portfolio.GetPortfolio(asked, metadata=agent)
    assert (reason_of(refused.value), bad_fields(refused.value)) == ("INVALID_PAGE_TOKEN", ["page.page_token"])


async def test_a_customer_reads_a_product_of_its_own_and_no_others(
    portfolio: PortfolioServiceStub, agent: Metadata, keys: Keys, owner: str
) -> None:
    made = await added(portfolio, agent, product(owner))
    own, other = keys.metadata("customer", customer_id=owner), new_uuid()
    asked = pb.GetProductRequest(product_id=made.id, customer_id=owner)
    assert (await portfolio.GetProduct(asked, metadata=own)).product == made
    for customer_id, who, reason in (
        ("", own, "NOT_OWN_CUSTOMER"),
        (owner, keys.metadata("customer", customer_id=other), "NOT_OWN_CUSTOMER"),
        (other, keys.metadata("customer", customer_id=other), "NOT_FOUND"),
    ):
        asked.customer_id = customer_id
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await portfolio.GetProduct(asked, metadata=who)
        assert reason_of(refused.value) == reason


async def test_lists_page_through_the_products_of_a_family_and_an_account(
    portfolio: PortfolioServiceStub, agent: Metadata, owner: str, account: str
) -> None:
    made = [await added(portfolio, agent, product(owner, family="calendar", account_id=account)) for _ in range(5)]
    query = query_pb2.Query(page=query_pb2.PageRequest(page_size=2))
    query.predicates.add(field="family", values=["calendar"])
    query.predicates.add(field="account_id", values=[account])
    query.predicates.add(field="status", values=["PRODUCT_STATUS_ACTIVE"])
    seen: list[str] = []
    while True:
        answer = await portfolio.ListProducts(pb.ListProductsRequest(query=query), metadata=agent)
        seen += [p.id for p in answer.products]
        if not answer.page.next_page_token:
            break
        query.page.page_token = answer.page.next_page_token
    assert len(seen) == 5
    assert set(seen) == {p.id for p in made}
    query.predicates.add(field="name", values=["x"])
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await portfolio.ListProducts(pb.ListProductsRequest(query=query), metadata=agent)
    assert reason_of(refused.value) == "INVALID_QUERY"
    assert metadata_of(refused.value) == {"allowed": "account_id, customer_id, family, node_id, status, update_time"}


async def test_an_import_brings_the_past_and_refuses_row_by_row(
    portfolio: PortfolioServiceStub, agent: Metadata, loader: Metadata, owner: str
) -> None:
    past = [entered(ORDERED, "2025-01-01"), entered(ACTIVE, "2025-02-01"), entered(CEASED, "2026-02-01")]
    left = product(owner, id=new_uuid(), status=CEASED, history=past)
    rows = [
        left,
        product(owner, id=new_uuid()),
        product(new_uuid(), id=new_uuid()),
        product(owner),
        product(owner, id=new_uuid(), family="NO"),
        product(owner, id=new_uuid(), history=[entered(CEASED, "2025-01-01"), entered(ACTIVE, "2025-02-01")]),
        product(owner, id=left.id),
    ]
    summary = (await imported(portfolio, loader, *rows)).summary
    assert (summary.received, summary.created, summary.failed) == (7, 2, 5)
    assert [(e.row, e.reason, e.field) for e in summary.errors] == [
        (3, "NOT_FOUND", "customer_id"),
        (4, "INVALID_FIELD", "id"),
        (5, "INVALID_FIELD", "family"),
        (6, "INVALID_FIELD", "history[1].status"),
        (7, "INVALID_FIELD", "id"),
    ]
    found = {p.id: p for p in (await owned(portfolio, agent, owner, ceased=True)).products}
    assert list(found[left.id].history) == past
    again = (await imported(portfolio, loader, left, product(owner, id=rows[1].id, name="Fibre 500"))).summary
    assert (again.unchanged, again.updated, again.failed) == (1, 1, 0)


async def test_imports_of_the_same_rows_at_once_load_each_once(
    portfolio: PortfolioServiceStub, agent: Metadata, loader: Metadata, owner: str
) -> None:
    rows = [product(owner, id=new_uuid(), name=f"{n:03}", status=SUSPENDED) for n in range(120)]
    answers = await asyncio.gather(*(imported(portfolio, loader, *rows) for _ in range(3)))
    assert [a.summary.failed for a in answers] == [0, 0, 0]
    assert sum(a.summary.created for a in answers) == 120
    assert sum(a.summary.unchanged for a in answers) == 240
    found = (await owned(portfolio, agent, owner)).products
    assert [p.id for p in found] == [r.id for r in rows]
    assert {p.etag for p in found} == {"v1"}


async def test_every_change_is_told_in_order_with_its_version(
    channel: grpc.aio.Channel, portfolio: PortfolioServiceStub, agent: Metadata, loader: Metadata, owner: str
) -> None:
    kept = await added(portfolio, agent, product(owner, status=ORDERED))
    await moved(portfolio, agent, kept, PROVISIONING)
    await imported(portfolio, loader, product(owner, id=kept.id, name="Fibre 500", status=ACTIVE))
    types = [kind.DESCRIPTOR.full_name for kind in (pb.ProductAdded, pb.ProductChanged)]
    stream = events_pb2_grpc.EventsServiceStub(channel).Subscribe(
        events_pb2.SubscribeRequest(types=types), metadata=loader, timeout=30
    )
    told: list[events_pb2.Event] = []
    async for answer in stream:
        told += [e for e in answer.events if e.subject == kept.id]
        if len(told) >= 3:
            break
    stream.cancel()
    assert [(e.type, e.sequence, e.customer_id) for e in told] == [
        (types[0], 1, owner),
        (types[1], 2, owner),
        (types[1], 3, owner),
    ]
    last = pb.ProductChanged()
    assert told[-1].data.Unpack(last)
    assert (last.product.name, last.product.status, len(last.product.history)) == ("Fibre 500", ACTIVE, 3)
