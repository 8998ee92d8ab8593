"""Accounts through a real process, a real socket and a real MongoDB."""

import asyncio
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from holdfast.common.v1 import policy_pb2, query_pb2
from holdfast.customer_info.v1 import accounts_pb2 as pb
from holdfast.customer_info.v1 import customers_pb2, hierarchy_pb2
from holdfast.customer_info.v1.accounts_pb2_grpc import AccountsServiceStub
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from holdfast.events.v1 import events_pb2, events_pb2_grpc

from chassis.errors import reason_of
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import bad_fields, company, metadata_of, new_uuid
from tests.support.service import Keys

APPROVALS = 16
COST_CENTRE, BILLING_ACCOUNT = pb.ACCOUNT_KIND_COST_CENTRE, pb.ACCOUNT_KIND_BILLING_ACCOUNT


@pytest.fixture
def accounts(channel: grpc.aio.Channel) -> AccountsServiceStub:
    return AccountsServiceStub(channel)


@pytest.fixture
def supervisor(keys: Keys) -> Metadata:
    return keys.metadata("supervisor", subject="sue")


@pytest.fixture
async def owner(customers: CustomersServiceStub, agent: Metadata) -> str:
    """The id of an enterprise without accounts."""
    request = customers_pb2.CreateCustomerRequest(customer=company())
    return str((await customers.CreateCustomer(request, metadata=agent)).customer.id)


def wanted(**changes: Any) -> pb.AccountContent:
    usual = {"name": "Head office", "number": f"B-{new_uuid()}", "currency_code": "EUR"}
    return pb.AccountContent(**{**usual, **changes})


def centre(parent: pb.Account, **changes: Any) -> pb.AccountContent:
    usual = {"currency_code": "", "parent_id": parent.id, "owner_role": policy_pb2.ROLE_CUSTOMER}
    return wanted(**{**usual, **changes})


async def asked(accounts: AccountsServiceStub, who: Metadata, customer_id: str, **wish: Any) -> pb.AccountRequest:
    request = pb.RequestAccountRequest(customer_id=customer_id, reason="they asked", **wish)
    return (await accounts.RequestAccount(request, metadata=who)).request


async def approved(
    accounts: AccountsServiceStub, who: Metadata, request: pb.AccountRequest
) -> pb.ApproveRequestResponse:
    decision = pb.ApproveRequestRequest(
        customer_id=request.customer_id, account_request_id=request.id, etag=request.etag, note="fine"
    )
    return await accounts.ApproveRequest(decision, metadata=who)


async def made(
    accounts: AccountsServiceStub, agent: Metadata, supervisor: Metadata, customer_id: str, **changes: Any
) -> pb.Account:
    """A billing account that was asked for and approved."""
    set_up = pb.AccountSetUp(kind=BILLING_ACCOUNT, content=wanted(**changes))
    return (await approved(accounts, supervisor, await asked(accounts, agent, customer_id, set_up=set_up))).account


async def read(accounts: AccountsServiceStub, who: Metadata, customer_id: str, account_id: str) -> pb.Account:
    request = pb.GetAccountRequest(customer_id=customer_id, account_id=account_id)
    return (await accounts.GetAccount(request, metadata=who)).account


async def trail(accounts: AccountsServiceStub, who: Metadata, request: pb.AccountRequest) -> list[tuple[int, str, str]]:
    asked_for = pb.GetRequestRequest(account_request_id=request.id)
    found = (await accounts.GetRequest(asked_for, metadata=who)).request
    return [(s.status, s.by, s.note) for s in found.trail]


async def test_an_account_is_asked_for_approved_and_then_there(
    accounts: AccountsServiceStub, agent: Metadata, supervisor: Metadata, owner: str
) -> None:
    content = wanted()
    set_up = pb.AccountSetUp(kind=BILLING_ACCOUNT, content=content)
    request = await asked(accounts, agent, owner, set_up=set_up)
    assert (request.status, request.asked_by, request.reason) == (
        pb.ACCOUNT_REQUEST_STATUS_ASKED,
        "tester",
        "they asked",
    )
    with pytest.raises(grpc.aio.AioRpcError) as missing:
        await read(accounts, agent, owner, request.account_id)
    assert missing.value.code() is grpc.StatusCode.NOT_FOUND
    answer = await approved(accounts, supervisor, request)
    assert answer.request.status == pb.ACCOUNT_REQUEST_STATUS_APPLIED
    assert await read(accounts, agent, owner, request.account_id) == answer.account
    content.owner_role = policy_pb2.ROLE_SUPERVISOR
    assert answer.account.content == content
    assert await trail(accounts, agent, request) == [
        (pb.ACCOUNT_REQUEST_STATUS_ASKED, "tester", ""),
        (pb.ACCOUNT_REQUEST_STATUS_APPROVED, "sue", "fine"),
        (pb.ACCOUNT_REQUEST_STATUS_APPLIED, "sue", ""),
    ]


async def test_who_asked_does_not_approve_and_an_agent_never_does(
    accounts: AccountsServiceStub, agent: Metadata, supervisor: Metadata, owner: str
) -> None:
    set_up = pb.AccountSetUp(kind=BILLING_ACCOUNT, content=wanted())
    own = await asked(accounts, supervisor, owner, set_up=set_up)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await approved(accounts, supervisor, own)
    assert (refused.value.code(), reason_of(refused.value)) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_APPROVER")
    assert metadata_of(refused.value) == {"role": "supervisor"}
    with pytest.raises(grpc.aio.AioRpcError) as role:
        await approved(accounts, agent, own)
    assert reason_of(role.value) == "PERMISSION_DENIED"
    assert len(await trail(accounts, agent, own)) == 1


async def test_an_enterprise_decides_about_its_own_cost_centres(
    accounts: AccountsServiceStub, agent: Metadata, supervisor: Metadata, keys: Keys, owner: str
) -> None:
    parent = await made(accounts, agent, supervisor, owner)
    carl = keys.metadata("customer", subject="carl", customer_id=owner)
    carla = keys.metadata("customer", subject="carla", customer_id=owner)
    stranger = keys.metadata("customer", subject="stranger", customer_id=new_uuid())
    set_up = pb.AccountSetUp(kind=COST_CENTRE, content=centre(parent))
    request = await asked(accounts, carl, owner, set_up=set_up)
    for who, reason in (
        (supervisor, "NOT_APPROVER"),
        (carl, "NOT_APPROVER"),
        (stranger, "NOT_OWN_CUSTOMER"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await approved(accounts, who, request)
        assert reason_of(refused.value) == reason
    account = (await approved(accounts, carla, request)).account
    assert account.content.currency_code == "EUR"
    assert await read(accounts, carl, owner, account.id) == account
    with pytest.raises(grpc.aio.AioRpcError) as hidden:
        await read(accounts, stranger, owner, account.id)
    assert reason_of(hidden.value) == "NOT_OWN_CUSTOMER"


async def test_of_many_approvals_at_once_one_applies(
    accounts: AccountsServiceStub, agent: Metadata, keys: Keys, channel: grpc.aio.Channel, owner: str
) -> None:
    set_up = pb.AccountSetUp(kind=BILLING_ACCOUNT, content=wanted())
    request = await asked(accounts, agent, owner, set_up=set_up)
    request.ClearField("etag")
    deciders = [keys.metadata("supervisor", subject=f"sue-{n}") for n in range(APPROVALS)]
    answers = await asyncio.gather(*(approved(accounts, who, request) for who in deciders), return_exceptions=True)
    refused = [a for a in answers if isinstance(a, grpc.aio.AioRpcError)]
    assert len(refused) == APPROVALS - 1
    assert {reason_of(a) for a in refused} == {"FORBIDDEN_TRANSITION"}
    assert (await read(accounts, agent, owner, request.account_id)).etag == "v1"
    assert len(await trail(accounts, agent, request)) == 3
    told = await events_of(channel, keys.metadata("service"), owner)
    assert told == [("AccountRequested", 1), ("AccountChanged", 1), ("AccountRequestDecided", 2)]


async def events_of(channel: grpc.aio.Channel, loader: Metadata, customer_id: str) -> list[tuple[str, int]]:
    """The events about the accounts of a customer, up to now."""
    kinds = (pb.AccountRequested, pb.AccountChanged, pb.AccountRequestDecided)
    stream = events_pb2_grpc.EventsServiceStub(channel).Subscribe(
        events_pb2.SubscribeRequest(types=[k.DESCRIPTOR.full_name for k in kinds]), metadata=loader, timeout=30
    )
    told: list[tuple[str, int]] = []
    async for answer in stream:
        told += [(e.type.rpartition(".")[2], e.sequence) for e in answer.events if e.customer_id == customer_id]
        if not answer.events:
            break
    stream.cancel()
    return told


async def test_a_billing_account_closed_while_a_cost_centre_is_set_up_never_leaves_it_alone(
    accounts: AccountsServiceStub, agent: Metadata, supervisor: Metadata, keys: Keys, owner: str
) -> None:
    admin = keys.metadata("admin", subject="adam")
    for _ in range(4):
        parent = await made(accounts, agent, supervisor, owner)
        set_up = pb.AccountSetUp(kind=COST_CENTRE, content=centre(parent))
        child = await asked(accounts, agent, owner, set_up=set_up)
        close = await asked(accounts, agent, owner, close=pb.AccountClosure(account_id=parent.id))
        answers = await asyncio.gather(
            *(approved(accounts, admin, request) for request in (child, close)), return_exceptions=True
        )
        refused = [a for a in answers if isinstance(a, grpc.aio.AioRpcError)]
        assert len(refused) == 1
        assert reason_of(refused[0]) == "FAILED_PRECONDITION"
        after = await read(accounts, agent, owner, parent.id)
        lives = not isinstance(answers[0], BaseException)
        assert (after.status == pb.ACCOUNT_STATUS_ACTIVE) is lives


async def test_of_requests_for_the_same_number_one_is_applied_and_the_others_fail(
    accounts: AccountsServiceStub, agent: Metadata, supervisor: Metadata, owner: str
) -> None:
    set_up = pb.AccountSetUp(kind=BILLING_ACCOUNT, content=wanted())
    requests = [await asked(accounts, agent, owner, set_up=set_up) for _ in range(6)]
    answers = await asyncio.gather(*(approved(accounts, supervisor, r) for r in requests), return_exceptions=True)
    (done,) = [a for a in answers if isinstance(a, pb.ApproveRequestResponse)]
    for request, answer in zip(requests, answers, strict=True):
        if isinstance(answer, grpc.aio.AioRpcError):
            assert reason_of(answer) == "IDENTIFIER_TAKEN"
            assert metadata_of(answer) == {"kind": "account", "type": "account", "id": done.account.id}
            assert (await trail(accounts, agent, request))[-1][0] == pb.ACCOUNT_REQUEST_STATUS_FAILED


async def test_a_change_about_what_the_account_no_longer_is_is_refused_and_over(
    accounts: AccountsServiceStub, agent: Metadata, supervisor: Metadata, owner: str
) -> None:
    account = await made(accounts, agent, supervisor, owner)

    async def renamed(name: str) -> pb.AccountRequest:
        change = pb.AccountRevision(
            account_id=account.id, content=pb.AccountContent(name=name), update_mask=FieldMask(paths=["name"])
        )
        return await asked(accounts, agent, owner, change=change)

    first, second = await renamed("Branch"), await renamed("Seat")
    after = (await approved(accounts, supervisor, first)).account
    assert (after.content.name, after.content.number) == ("Branch", account.content.number)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await approved(accounts, supervisor, second)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert metadata_of(refused.value) == {"state": "changed"}
    assert "changed after this was asked" in (await trail(accounts, agent, second))[-1][2]


async def test_requests_are_rejected_with_a_reason_or_withdrawn_by_who_asked(
    accounts: AccountsServiceStub, agent: Metadata, supervisor: Metadata, owner: str
) -> None:
    account = await made(accounts, agent, supervisor, owner)
    close = pb.AccountClosure(account_id=account.id, etag=account.etag)
    first, second = [await asked(accounts, agent, owner, close=close) for _ in range(2)]
    silent = pb.RejectRequestRequest(customer_id=owner, account_request_id=first.id)
    with pytest.raises(grpc.aio.AioRpcError) as unexplained:
        await accounts.RejectRequest(silent, metadata=supervisor)
    assert bad_fields(unexplained.value) == ["note"]
    silent.note = "they stay"
    rejected = (await accounts.RejectRequest(silent, metadata=supervisor)).request
    assert rejected.status == pb.ACCOUNT_REQUEST_STATUS_REJECTED
    back = pb.WithdrawRequestRequest(customer_id=owner, account_request_id=second.id, etag=second.etag)
    with pytest.raises(grpc.aio.AioRpcError) as foreign:
        await accounts.WithdrawRequest(back, metadata=supervisor)
    assert reason_of(foreign.value) == "NOT_APPROVER"
    withdrawn = (await accounts.WithdrawRequest(back, metadata=agent)).request
    assert withdrawn.status == pb.ACCOUNT_REQUEST_STATUS_WITHDRAWN
    with pytest.raises(grpc.aio.AioRpcError) as stale:
        await accounts.WithdrawRequest(back, metadata=agent)
    assert reason_of(stale.value) == "ETAG_MISMATCH"


async def test_a_retry_with_the_same_request_id_asks_once(
    accounts: AccountsServiceStub, agent: Metadata, owner: str
) -> None:
    request = pb.RequestAccountRequest(customer_id=owner, request_id=new_uuid())
    request.set_up.CopyFrom(pb.AccountSetUp(kind=BILLING_ACCOUNT, content=wanted()))
    answers = await asyncio.gather(*(accounts.RequestAccount(request, metadata=agent) for _ in range(8)))
    assert len({a.request.id for a in answers}) == 1
    request.reason = "another"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await accounts.RequestAccount(request, metadata=agent)
    assert reason_of(refused.value) == "REQUEST_ID_REUSED"


async def test_what_makes_no_sense_is_refused_by_field(
    accounts: AccountsServiceStub, agent: Metadata, owner: str
) -> None:
    for content, fields in (
        (wanted(number=" B-1 "), ["set_up.content.number"]),
        (wanted(currency_code="euro"), ["set_up.content.currency_code"]),
        (wanted(owner_role=policy_pb2.ROLE_AUDITOR), ["set_up.content.owner_role"]),
        (wanted(owner_role=policy_pb2.ROLE_CUSTOMER), ["set_up.content.owner_role"]),
        (wanted(name=""), ["set_up.content.name"]),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await asked(accounts, agent, owner, set_up=pb.AccountSetUp(kind=BILLING_ACCOUNT, content=content))
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert bad_fields(refused.value) == fields
    with pytest.raises(grpc.aio.AioRpcError) as node:
        set_up = pb.AccountSetUp(kind=BILLING_ACCOUNT, content=wanted(node_id=new_uuid()))
        await asked(accounts, agent, owner, set_up=set_up)
    assert node.value.code() is grpc.StatusCode.NOT_FOUND
    with pytest.raises(grpc.aio.AioRpcError) as nothing:
        await accounts.RequestAccount(pb.RequestAccountRequest(customer_id=owner), metadata=agent)
    assert nothing.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_accounts_and_what_waits_for_a_decision_are_listed(
    accounts: AccountsServiceStub, agent: Metadata, supervisor: Metadata, keys: Keys, owner: str
) -> None:
    parents = [await made(accounts, agent, supervisor, owner) for _ in range(3)]
    set_up = pb.AccountSetUp(kind=COST_CENTRE, content=centre(parents[0]))
    waiting = await asked(accounts, agent, owner, set_up=set_up)
    query = query_pb2.Query(page=query_pb2.PageRequest(page_size=2))
    first = await accounts.ListAccounts(pb.ListAccountsRequest(customer_id=owner, query=query), metadata=agent)
    query.page.page_token = first.page.next_page_token
    second = await accounts.ListAccounts(pb.ListAccountsRequest(customer_id=owner, query=query), metadata=agent)
    assert [a.id for a in (*first.accounts, *second.accounts)] == [p.id for p in reversed(parents)]
    by_number = query_pb2.Query()
    by_number.predicates.add(field="number", values=[parents[1].content.number])
    found = await accounts.ListAccounts(pb.ListAccountsRequest(query=by_number), metadata=agent)
    assert list(found.accounts) == [parents[1]]
    queue = query_pb2.Query()
    queue.predicates.add(field="status", values=["ACCOUNT_REQUEST_STATUS_ASKED"])
    queue.predicates.add(field="approver_role", values=["ROLE_CUSTOMER"])
    own = keys.metadata("customer", customer_id=owner)
    requests = await accounts.ListRequests(pb.ListRequestsRequest(customer_id=owner, query=queue), metadata=own)
    assert list(requests.requests) == [waiting]
    with pytest.raises(grpc.aio.AioRpcError) as everybody:
        await accounts.ListRequests(pb.ListRequestsRequest(query=queue), metadata=own)
    assert reason_of(everybody.value) == "NOT_OWN_CUSTOMER"


async def test_a_cost_centre_stands_for_a_node_of_the_customer(
    channel: grpc.aio.Channel, accounts: AccountsServiceStub, agent: Metadata, supervisor: Metadata, owner: str
) -> None:
    trees = HierarchyServiceStub(channel)
    wish = hierarchy_pb2.CreateTreeRequest(tree=hierarchy_pb2.Tree(customer_id=owner, name="Departments"))
    tree = (await trees.CreateTree(wish, metadata=agent)).tree
    node = hierarchy_pb2.Node(id=new_uuid(), name="Sales")
    await trees.AddNodes(hierarchy_pb2.AddNodesRequest(tree_id=tree.id, nodes=[node]), metadata=agent)
    account = await made(accounts, agent, supervisor, owner, node_id=node.id)
    query = query_pb2.Query()
    query.predicates.add(field="node_id", values=[node.id])
    found = await accounts.ListAccounts(pb.ListAccountsRequest(customer_id=owner, query=query), metadata=agent)
    assert list(found.accounts) == [account]
