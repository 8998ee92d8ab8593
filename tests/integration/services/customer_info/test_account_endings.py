"""How accounts and requests about them end, through a real process, a real socket and a real MongoDB."""

import asyncio

import grpc
import pytest
from holdfast.customer_info.v1 import accounts_pb2 as pb
from holdfast.customer_info.v1 import customers_pb2, merges_pb2, portfolio_pb2, privacy_pb2
from holdfast.customer_info.v1.accounts_pb2_grpc import AccountsServiceStub
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.merges_pb2_grpc import MergesServiceStub
from holdfast.customer_info.v1.portfolio_pb2_grpc import PortfolioServiceStub
from holdfast.customer_info.v1.privacy_pb2_grpc import PrivacyServiceStub

from chassis.errors import reason_of
from tests.integration.services.customer_info.books import Books, close
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import company, metadata_of, product
from tests.support.service import Keys


@pytest.fixture
async def books(channel: grpc.aio.Channel, customers: CustomersServiceStub, agent: Metadata, keys: Keys) -> Books:
    request = customers_pb2.CreateCustomerRequest(customer=company())
    owner = (await customers.CreateCustomer(request, metadata=agent)).customer.id
    return Books(AccountsServiceStub(channel), keys, owner)


async def added(portfolio: PortfolioServiceStub, books: Books, account: pb.Account) -> portfolio_pb2.Product:
    wish = product(books.customer_id, account_id=account.id)
    request = portfolio_pb2.AddProductRequest(product=wish)
    return (await portfolio.AddProduct(request, metadata=books.agent)).product


async def test_an_account_that_pays_for_a_product_closes_when_that_has_ceased(
    books: Books, portfolio: PortfolioServiceStub
) -> None:
    account = await books.opened()
    kept = await added(portfolio, books, account)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await books.asked(close(account))
    assert reason_of(refused.value) == "FAILED_PRECONDITION"
    assert metadata_of(refused.value) == {"state": "pays_for_products"}
    ceased = portfolio_pb2.ChangeProductStatusRequest(product_id=kept.id, status=portfolio_pb2.PRODUCT_STATUS_CEASED)
    await portfolio.ChangeProductStatus(ceased, metadata=books.agent)
    assert (await books.approved(await books.asked(close(account)))).status == pb.ACCOUNT_STATUS_CLOSED


async def test_an_account_closed_while_a_product_comes_to_it_never_pays_for_it(
    books: Books, portfolio: PortfolioServiceStub
) -> None:
    for _ in range(6):
        account = await books.opened()
        request = await books.asked(close(account))
        answers = await asyncio.gather(
            added(portfolio, books, account), books.approved(request), return_exceptions=True
        )
        (refused,) = [a for a in answers if isinstance(a, grpc.aio.AioRpcError)]
        assert reason_of(refused) == ("NOT_FOUND" if refused is answers[0] else "FAILED_PRECONDITION")


async def test_an_administrator_does_not_approve_what_it_asked_for(books: Books, keys: Keys) -> None:
    adam, eve = (keys.metadata("admin", subject=name) for name in ("adam", "eve"))
    account = await books.opened()
    request = await books.asked(close(account), adam)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await books.approved(request, adam)
    assert reason_of(refused.value) == "NOT_APPROVER"
    assert (await books.approved(request, eve)).status == pb.ACCOUNT_STATUS_CLOSED


async def test_a_request_is_approved_under_the_id_of_the_record_that_was_merged(
    channel: grpc.aio.Channel, books: Books, customers: CustomersServiceStub
) -> None:
    wish = customers_pb2.CreateCustomerRequest(customer=company())
    survivor = (await customers.CreateCustomer(wish, metadata=books.agent)).customer.id
    request = await books.asked(close(await books.opened()))
    merge = merges_pb2.MergeRequest(survivor_id=survivor, duplicate_id=books.customer_id)
    await MergesServiceStub(channel).Merge(merge, metadata=books.supervisor)
    assert (await books.approved(request)).status == pb.ACCOUNT_STATUS_CLOSED
    assert (await books.read(request)).status == pb.ACCOUNT_REQUEST_STATUS_APPLIED


async def test_a_cost_centre_stays_with_its_record_when_that_was_one_with_another(
    channel: grpc.aio.Channel, books: Books, customers: CustomersServiceStub, keys: Keys
) -> None:
    wish = customers_pb2.CreateCustomerRequest(customer=company())
    other = Books(books.stub, keys, (await customers.CreateCustomer(wish, metadata=books.agent)).customer.id)
    mine, theirs = await books.opened(), await other.opened()
    content = pb.AccountContent(name="Sales", number="C-1", parent_id=theirs.id)
    set_up = pb.AccountSetUp(kind=pb.ACCOUNT_KIND_COST_CENTRE, content=content)
    sales = await other.approved(await other.asked(pb.RequestAccountRequest(set_up=set_up)))
    merges = MergesServiceStub(channel)
    merge = merges_pb2.MergeRequest(survivor_id=books.customer_id, duplicate_id=other.customer_id)
    await merges.Merge(merge, metadata=books.supervisor)
    move = pb.AccountRevision(account_id=sales.id, content=pb.AccountContent(parent_id=mine.id))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await books.asked(pb.RequestAccountRequest(change=move))
    assert metadata_of(refused.value)["state"] == "of_another_record"
    await merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=other.customer_id), metadata=books.supervisor)
    rename = pb.AccountRevision(account_id=sales.id, content=pb.AccountContent(name="Sales EMEA"))
    renamed = await other.approved(await other.asked(pb.RequestAccountRequest(change=rename)))
    assert (renamed.content.name, renamed.content.parent_id) == ("Sales EMEA", theirs.id)
    assert (await books.approved(await books.asked(close(mine)))).status == pb.ACCOUNT_STATUS_CLOSED


async def test_what_waits_for_a_decision_is_over_when_the_enterprise_is_erased(
    channel: grpc.aio.Channel, books: Books, keys: Keys
) -> None:
    request = await books.asked(close(await books.opened()))
    erase = privacy_pb2.EraseCustomerRequest(customer_id=books.customer_id, reason="they asked")
    await PrivacyServiceStub(channel).EraseCustomer(erase, metadata=keys.metadata("admin"))
    over = await books.read(request)
    assert (over.status, over.asked_by, over.approver) == (pb.ACCOUNT_REQUEST_STATUS_WITHDRAWN, "", "")
    assert [step.by for step in over.trail] == ["", ""]


async def test_an_account_is_looked_up_by_its_number_however_it_is_written(
    books: Books, customers: CustomersServiceStub
) -> None:
    number = (await books.opened()).content.number
    for written in (number, number.lower(), number.upper()):
        for look_up in (
            customers_pb2.LookupCustomerRequest(account_number=written),
            customers_pb2.LookupCustomerRequest(any=written),
        ):
            found = await customers.LookupCustomer(look_up, metadata=books.agent)
            assert found.customer.id == books.customer_id
