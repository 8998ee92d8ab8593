"""Customers through a real process, a real socket and a real MongoDB."""

import asyncio
import uuid

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import customers_pb2 as pb
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub

from chassis.errors import reason_of
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import (
    bad_fields,
    company,
    customer_batches,
    metadata_of,
    new_uuid,
    person,
)
from tests.support.service import Process

WRITERS = 64


async def created(customers: CustomersServiceStub, agent: Metadata, customer: pb.Customer) -> pb.Customer:
    return (await customers.CreateCustomer(pb.CreateCustomerRequest(customer=customer), metadata=agent)).customer


async def read(customers: CustomersServiceStub, agent: Metadata, customer_id: str) -> pb.Customer:
    return (await customers.GetCustomer(pb.GetCustomerRequest(customer_id=customer_id), metadata=agent)).customer


async def test_a_created_customer_is_read_back_as_it_was_made(customers: CustomersServiceStub, agent: Metadata) -> None:
    made = await created(customers, agent, person())
    found = await read(customers, agent, made.id)
    assert found == made
    assert found.status == pb.CUSTOMER_STATUS_ACTIVE
    assert found.etag
    assert found.HasField("since")


async def test_a_retry_with_the_same_request_id_makes_one_customer(
    customers: CustomersServiceStub, agent: Metadata
) -> None:
    request = pb.CreateCustomerRequest(customer=person(), request_id=str(uuid.uuid4()))
    answers = await asyncio.gather(*(customers.CreateCustomer(request, metadata=agent) for _ in range(8)))
    assert len({a.customer.id for a in answers}) == 1
    request.customer.language = "de"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.CreateCustomer(request, metadata=agent)
    assert reason_of(refused.value) == "REQUEST_ID_REUSED"


async def test_an_unknown_customer_is_not_found(customers: CustomersServiceStub, agent: Metadata) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await read(customers, agent, new_uuid())
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert reason_of(refused.value) == "NOT_FOUND"


async def test_a_bad_field_is_named_and_changes_nothing(customers: CustomersServiceStub, agent: Metadata) -> None:
    customer = person(id=new_uuid())
    customer.contact_media.add(kind=pb.ContactMedium.KIND_PHONE, value="call me")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await created(customers, agent, customer)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert bad_fields(refused.value) == ["customer.contact_media[1].value"]
    assert "call me" not in str(refused.value.details())
    with pytest.raises(grpc.aio.AioRpcError) as missing:
        await read(customers, agent, customer.id)
    assert missing.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_time_that_no_calendar_has_is_refused_by_field(
    customers: CustomersServiceStub, agent: Metadata, loader: Metadata
) -> None:
    endless = person(id=new_uuid(), since=Timestamp(seconds=10**15))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await created(customers, agent, endless)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert bad_fields(refused.value) == ["customer.since"]
    rows = [person(id=new_uuid()), endless, person(id=new_uuid())]
    summary = (await customers.ImportCustomers(customer_batches(rows, 3), metadata=loader)).summary
    assert (summary.created, summary.failed) == (2, 1)
    assert [(e.row, e.field) for e in summary.errors] == [(2, "since")]


async def test_an_external_id_belongs_to_one_customer(customers: CustomersServiceStub, agent: Metadata) -> None:
    mine = pb.ExternalId(issuer="billing", value=uuid.uuid4().hex)
    made = await created(customers, agent, person(external_ids=[mine]))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await created(customers, agent, person(external_ids=[mine]))
    assert reason_of(refused.value) == "EXTERNAL_ID_TAKEN"
    assert metadata_of(refused.value) == {"issuer": "billing", "id": made.id}
    assert mine.value not in str(refused.value.details())
    by_value = pb.LookupCustomerRequest(external_id=pb.LookupExternalId(value=mine.value))
    assert (await customers.LookupCustomer(by_value, metadata=agent)).customer.id == made.id
    by_mail = pb.LookupCustomerRequest(email=made.contact_media[0].value.upper())
    assert (await customers.LookupCustomer(by_mail, metadata=agent)).customer.id == made.id


async def test_an_update_with_an_old_etag_is_aborted(customers: CustomersServiceStub, agent: Metadata) -> None:
    made = await created(customers, agent, person())
    wish = pb.Customer(id=made.id, etag=made.etag, language="fr", individual=made.individual)
    request = pb.UpdateCustomerRequest(customer=wish, update_mask=FieldMask(paths=["language"]))
    after = (await customers.UpdateCustomer(request, metadata=agent)).customer
    assert after.language == "fr"
    assert after.contact_media == made.contact_media
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.UpdateCustomer(request, metadata=agent)
    assert refused.value.code() is grpc.StatusCode.ABORTED
    assert metadata_of(refused.value) == {"etag": after.etag}


async def test_of_many_concurrent_updates_with_etags_none_is_lost(
    customers: CustomersServiceStub, agent: Metadata
) -> None:
    made = await created(customers, agent, person())

    async def add(name: str) -> None:
        """Adds one characteristic to those there are, as often as it takes."""
        while True:
            wish = await read(customers, agent, made.id)
            wish.characteristics.add(name=name, value="yes")
            request = pb.UpdateCustomerRequest(customer=wish, update_mask=FieldMask(paths=["characteristics"]))
            try:
                await customers.UpdateCustomer(request, metadata=agent)
            except grpc.aio.AioRpcError as refused:
                if refused.code() is not grpc.StatusCode.ABORTED:
                    raise
            else:
                return

    names = {f"n{n}" for n in range(WRITERS)}
    await asyncio.gather(*(add(name) for name in names))
    after = await read(customers, agent, made.id)
    assert {c.name for c in after.characteristics} == names
    assert (made.etag, after.etag) == ("v1", f"v{1 + WRITERS}")


async def test_two_moves_at_once_close_no_circle(customers: CustomersServiceStub, agent: Metadata) -> None:
    async def move(mover: pb.Customer, parent: pb.Customer) -> grpc.StatusCode:
        wish = pb.Customer(id=mover.id, parent_id=parent.id, organization=mover.organization)
        request = pb.UpdateCustomerRequest(customer=wish, update_mask=FieldMask(paths=["parent_id"]))
        try:
            await customers.UpdateCustomer(request, metadata=agent)
        except grpc.aio.AioRpcError as refused:
            return refused.code()
        return grpc.StatusCode.OK

    for _ in range(10):
        one, two = [await created(customers, agent, company()) for _ in range(2)]
        codes = await asyncio.gather(move(one, two), move(two, one))
        assert set(codes) == {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}


async def test_a_forbidden_change_of_status_names_those_allowed(
    customers: CustomersServiceStub, agent: Metadata
) -> None:
    made = await created(customers, agent, person())
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.ChangeCustomerStatus(
            pb.ChangeCustomerStatusRequest(customer_id=made.id, status=pb.CUSTOMER_STATUS_ARCHIVED), metadata=agent
        )
    assert reason_of(refused.value) == "FORBIDDEN_TRANSITION"
    assert "closed, suspended" in str(refused.value.details())


async def test_pages_follow_each_other_without_gap_or_repeat(customers: CustomersServiceStub, agent: Metadata) -> None:
    for _ in range(7):
        await created(customers, agent, person())
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


async def test_importing_the_same_rows_twice_changes_nothing(customers: CustomersServiceStub, loader: Metadata) -> None:
    rows = [person(id=new_uuid()) for _ in range(40)]
    rows.append(pb.Customer(id="not a uuid", individual=pb.Individual(family_name="Bad")))
    first = (await customers.ImportCustomers(customer_batches(rows, 10), metadata=loader)).summary
    assert (first.received, first.created, first.failed) == (41, 40, 1)
    assert [(e.row, e.field) for e in first.errors] == [(41, "id")]
    second = (await customers.ImportCustomers(customer_batches(rows, 10), metadata=loader)).summary
    assert (second.created, second.updated, second.unchanged, second.failed) == (0, 0, 40, 1)


async def test_an_import_names_each_row_whose_external_id_is_taken(
    customers: CustomersServiceStub, agent: Metadata, loader: Metadata
) -> None:
    taken = pb.ExternalId(issuer="billing", value=uuid.uuid4().hex)
    await created(customers, agent, person(external_ids=[taken]))
    rows = [person(id=new_uuid()) for _ in range(30)]
    for n in (4, 21):
        rows[n].external_ids.append(taken)
    rows[29].status = pb.CUSTOMER_STATUS_CLOSED
    summary = (await customers.ImportCustomers(customer_batches(rows, 30), metadata=loader)).summary
    assert (summary.created, summary.failed) == (28, 2)
    errors = [(e.row, e.reason, e.field) for e in summary.errors]
    assert errors == [(5, "EXTERNAL_ID_TAKEN", "external_ids"), (22, "EXTERNAL_ID_TAKEN", "external_ids")]
    assert (await read(customers, agent, rows[29].id)).status == pb.CUSTOMER_STATUS_CLOSED


async def test_invalid_utf8_and_missing_tokens_are_refused_clearly(service: Process, agent: Metadata) -> None:
    async with grpc.aio.insecure_channel(service.address) as channel:
        raw: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            "/holdfast.customer_info.v1.CustomersService/GetCustomer"
        )
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await raw(b"\x0a\x02\xff\xfe", metadata=agent)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await raw(b"")
        assert reason_of(refused.value) == "UNAUTHENTICATED"
