"""Customers through a real process, a real socket and a real MongoDB."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.rpc import error_details_pb2, status_pb2
from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import customers_pb2 as pb
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub

from chassis.errors import DETAILS_TRAILER, reason_of
from tests.support.service import Keys, Process, serving


@pytest.fixture(scope="module")
def service(mongo_uri: Callable[[str], str], keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder: Path = tmp_path_factory.mktemp("customer_info")
    uri = mongo_uri("customer_info")
    with serving("services.customer_info", keys, folder, customer_info_mongo_uri=uri) as process:
        yield process


@pytest.fixture
async def customers(service: Process) -> AsyncIterator["CustomersServiceStub"]:
    async with grpc.aio.insecure_channel(service.address) as channel:
        yield CustomersServiceStub(channel)


@pytest.fixture
def agent(keys: Keys) -> tuple[tuple[str, str], ...]:
    return keys.metadata("agent")


def person(**changes: object) -> pb.Customer:
    customer = pb.Customer(individual=pb.Individual(given_name="Ada", family_name="Example"))
    customer.contact_media.add(kind=pb.ContactMedium.KIND_EMAIL, value=f"{uuid.uuid4().hex}@example.com")
    for name, value in changes.items():
        if isinstance(value, list):
            getattr(customer, name).extend(value)
        else:
            setattr(customer, name, value)
    return customer


def bad_request(error: grpc.aio.AioRpcError) -> error_details_pb2.BadRequest:
    found = error_details_pb2.BadRequest()
    trailers = dict(error.trailing_metadata() or ())
    for detail in status_pb2.Status.FromString(trailers[DETAILS_TRAILER]).details:
        if detail.Unpack(found):
            return found
    raise AssertionError("the error names no field")


async def test_a_created_customer_is_read_back_as_it_was_made(customers: CustomersServiceStub, agent: object) -> None:
    made = (await customers.CreateCustomer(pb.CreateCustomerRequest(customer=person()), metadata=agent)).customer
    read = (await customers.GetCustomer(pb.GetCustomerRequest(customer_id=made.id), metadata=agent)).customer
    assert read == made
    assert read.status == pb.CUSTOMER_STATUS_ACTIVE
    assert read.etag
    assert read.HasField("since")


async def test_a_retry_with_the_same_request_id_makes_one_customer(
    customers: CustomersServiceStub, agent: object
) -> None:
    request = pb.CreateCustomerRequest(customer=person(), request_id=str(uuid.uuid4()))
    answers = await asyncio.gather(*(customers.CreateCustomer(request, metadata=agent) for _ in range(8)))
    assert len({a.customer.id for a in answers}) == 1
    request.customer.language = "de"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.CreateCustomer(request, metadata=agent)
    assert reason_of(refused.value) == "REQUEST_ID_REUSED"


async def test_an_unknown_customer_is_not_found(customers: CustomersServiceStub, agent: object) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.GetCustomer(pb.GetCustomerRequest(customer_id=str(uuid.uuid4())), metadata=agent)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert reason_of(refused.value) == "NOT_FOUND"


async def test_a_bad_field_is_named_and_changes_nothing(customers: CustomersServiceStub, agent: object) -> None:
    customer = person()
    customer.contact_media.add(kind=pb.ContactMedium.KIND_PHONE, value="call me")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.CreateCustomer(pb.CreateCustomerRequest(customer=customer), metadata=agent)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert [v.field for v in bad_request(refused.value).field_violations] == ["customer.contact_media[1]"]
    assert "call me" not in str(refused.value.details())


async def test_an_external_id_belongs_to_one_customer(customers: CustomersServiceStub, agent: object) -> None:
    mine = pb.ExternalId(issuer="billing", value=uuid.uuid4().hex)
    first = person(external_ids=[mine])
    made = (await customers.CreateCustomer(pb.CreateCustomerRequest(customer=first), metadata=agent)).customer
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.CreateCustomer(pb.CreateCustomerRequest(customer=person(external_ids=[mine])), metadata=agent)
    assert reason_of(refused.value) == "EXTERNAL_ID_TAKEN"
    by_value = pb.LookupCustomerRequest(external_id=pb.LookupExternalId(value=mine.value))
    assert (await customers.LookupCustomer(by_value, metadata=agent)).customer.id == made.id
    by_mail = pb.LookupCustomerRequest(email=made.contact_media[0].value.upper())
    assert (await customers.LookupCustomer(by_mail, metadata=agent)).customer.id == made.id


async def test_an_update_with_an_old_etag_is_aborted(customers: CustomersServiceStub, agent: object) -> None:
    made = (await customers.CreateCustomer(pb.CreateCustomerRequest(customer=person()), metadata=agent)).customer
    wish = pb.Customer(id=made.id, etag=made.etag, language="fr", individual=made.individual)
    request = pb.UpdateCustomerRequest(customer=wish, update_mask=FieldMask(paths=["language"]))
    after = (await customers.UpdateCustomer(request, metadata=agent)).customer
    assert after.language == "fr"
    assert after.contact_media == made.contact_media
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.UpdateCustomer(request, metadata=agent)
    assert refused.value.code() is grpc.StatusCode.ABORTED


async def test_a_forbidden_change_of_status_names_those_allowed(customers: CustomersServiceStub, agent: object) -> None:
    made = (await customers.CreateCustomer(pb.CreateCustomerRequest(customer=person()), metadata=agent)).customer
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.ChangeCustomerStatus(
            pb.ChangeCustomerStatusRequest(customer_id=made.id, status=pb.CUSTOMER_STATUS_ARCHIVED), metadata=agent
        )
    assert reason_of(refused.value) == "FORBIDDEN_TRANSITION"
    assert "closed, suspended" in str(refused.value.details())


async def test_pages_follow_each_other_without_gap_or_repeat(customers: CustomersServiceStub, agent: object) -> None:
    for _ in range(7):
        await customers.CreateCustomer(pb.CreateCustomerRequest(customer=person()), metadata=agent)
    query = query_pb2.Query(page=query_pb2.PageRequest(page_size=3))
    seen: list[str] = []
    while True:
        answer = await customers.ListCustomers(pb.ListCustomersRequest(query=query), metadata=agent)
        seen += [c.id for c in answer.customers]
        if not answer.page.next_page_token:
            break
        query.page.page_token = answer.page.next_page_token
    assert len(seen) == len(set(seen)) >= 7
    query.predicates.add(field="kind", values=["individual"])
    query.page.page_token = (
        await customers.ListCustomers(
            pb.ListCustomersRequest(query=query_pb2.Query(page=query_pb2.PageRequest(page_size=3))), metadata=agent
        )
    ).page.next_page_token
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.ListCustomers(pb.ListCustomersRequest(query=query), metadata=agent)
    assert reason_of(refused.value) == "INVALID_PAGE_TOKEN"


async def test_importing_the_same_rows_twice_changes_nothing(customers: CustomersServiceStub, keys: Keys) -> None:
    rows = [person(id=str(uuid.uuid4())) for _ in range(40)]
    rows.append(pb.Customer(id="not a uuid", individual=pb.Individual(family_name="Bad")))
    loader = keys.metadata("service")

    async def requests() -> AsyncIterator[pb.ImportCustomersRequest]:
        for n in range(0, len(rows), 10):
            yield pb.ImportCustomersRequest(customers=rows[n : n + 10])

    first = (await customers.ImportCustomers(requests(), metadata=loader)).summary
    assert (first.received, first.created, first.failed) == (41, 40, 1)
    assert [(e.row, e.field) for e in first.errors] == [(41, "id")]
    second = (await customers.ImportCustomers(requests(), metadata=loader)).summary
    assert (second.created, second.updated, second.unchanged, second.failed) == (0, 0, 40, 1)


async def test_invalid_utf8_and_missing_tokens_are_refused_clearly(service: Process, agent: object) -> None:
    async with grpc.aio.insecure_channel(service.address) as channel:
        raw = channel.unary_unary("/holdfast.customer_info.v1.CustomersService/GetCustomer")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await raw(b"\x0a\x02\xff\xfe", metadata=agent)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await raw(b"")
        assert reason_of(refused.value) == "UNAUTHENTICATED"
