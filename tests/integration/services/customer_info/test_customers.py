"""Customers through a real process, a real socket and a real MongoDB."""

import asyncio
import uuid

import bson
import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1 import query_pb2, rows_pb2, types_pb2
from holdfast.customer_info.v1 import customers_pb2 as pb
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub

from chassis.errors import reason_of
from chassis.mongo.client import Store
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


async def test_a_change_sent_again_with_its_request_id_and_old_etag_gets_the_first_answer(
    customers: CustomersServiceStub, agent: Metadata
) -> None:
    made = await created(customers, agent, person())
    wish = pb.Customer(id=made.id, etag=made.etag, language="fr")
    request = pb.UpdateCustomerRequest(customer=wish, request_id=new_uuid())
    answers = await asyncio.gather(*(customers.UpdateCustomer(request, metadata=agent) for _ in range(4)))
    assert {a.customer.etag for a in answers} == {"v2"}
    close = pb.ChangeCustomerStatusRequest(
        customer_id=made.id, status=pb.CUSTOMER_STATUS_CLOSED, etag="v2", request_id=request.request_id
    )
    for _ in range(2):
        assert (await customers.ChangeCustomerStatus(close, metadata=agent)).customer.etag == "v3"
    close.status = pb.CUSTOMER_STATUS_ACTIVE
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.ChangeCustomerStatus(close, metadata=agent)
    assert reason_of(refused.value) == "REQUEST_ID_REUSED"


async def test_an_update_that_tells_of_another_status_names_the_way(
    customers: CustomersServiceStub, agent: Metadata
) -> None:
    made = await created(customers, agent, person())
    wish = pb.Customer(id=made.id, status=pb.CUSTOMER_STATUS_CLOSED)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.UpdateCustomer(pb.UpdateCustomerRequest(customer=wish), metadata=agent)
    assert bad_fields(refused.value) == ["customer.status"]
    masked = pb.UpdateCustomerRequest(customer=wish, update_mask=FieldMask(paths=["language"]))
    assert (await customers.UpdateCustomer(masked, metadata=agent)).customer.etag == made.etag


async def test_a_household_that_shares_a_number_is_named(customers: CustomersServiceStub, agent: Metadata) -> None:
    number = f"+49301{int(new_uuid()[:8], 16) % 10**7:07d}"
    shared = pb.ContactMedium(kind=pb.ContactMedium.KIND_PHONE, value=number)
    former = pb.ContactMedium(kind=pb.ContactMedium.KIND_PHONE, value=number)
    former.valid.end.CopyFrom(Timestamp(seconds=1_000_000_000))
    two = [await created(customers, agent, person(contact_media=[shared])) for _ in range(2)]
    await created(customers, agent, person(contact_media=[former]))
    asked = pb.LookupCustomerRequest(any=f"tel:{number}")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.LookupCustomer(asked, metadata=agent)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert reason_of(refused.value) == "AMBIGUOUS"
    told = metadata_of(refused.value)
    assert (set(told["ids"].split(",")), told["more"]) == ({c.id for c in two}, "false")
    close = pb.ChangeCustomerStatusRequest(customer_id=two[0].id, status=pb.CUSTOMER_STATUS_CLOSED)
    await customers.ChangeCustomerStatus(close, metadata=agent)
    assert (await customers.LookupCustomer(asked, metadata=agent)).customer.id == two[1].id
    by_number = pb.LookupCustomerRequest(phone=f"00{number[1:]}")
    assert (await customers.LookupCustomer(by_number, metadata=agent)).customer.id == two[1].id


async def test_whatever_is_at_hand_finds_its_customer(customers: CustomersServiceStub, agent: Metadata) -> None:
    value, address = f"A-{new_uuid()}", f"jörg.{new_uuid()}@müller.example"
    made = await created(customers, agent, person(external_ids=[pb.ExternalId(issuer=" crm ", value=f" {value} ")]))
    wish = pb.Customer(id=made.id, contact_media=[pb.ContactMedium(kind=pb.ContactMedium.KIND_EMAIL, value=address)])
    await customers.UpdateCustomer(pb.UpdateCustomerRequest(customer=wish), metadata=agent)
    asked = [
        pb.LookupCustomerRequest(any=made.id.upper()),
        pb.LookupCustomerRequest(any=value),
        pb.LookupCustomerRequest(external_id=pb.LookupExternalId(issuer="crm ", value=f" {value}")),
        pb.LookupCustomerRequest(email=address.upper()),
    ]
    for one in asked:
        assert (await customers.LookupCustomer(one, metadata=agent)).customer.id == made.id
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.LookupCustomer(pb.LookupCustomerRequest(email="no address"), metadata=agent)
    assert bad_fields(refused.value) == ["email"]


async def test_a_language_has_the_form_of_a_tag(customers: CustomersServiceStub, agent: Metadata) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await created(customers, agent, person(language="not a language!!"))
    assert bad_fields(refused.value) == ["customer.language"]
    assert (await created(customers, agent, person(language="zh-Hant-TW"))).language == "zh-Hant-TW"


async def test_free_text_of_a_characteristic_lies_nowhere_in_plain(
    customers: CustomersServiceStub, agent: Metadata, store: Store
) -> None:
    secret = f"calls after five {new_uuid()}"
    free = types_pb2.Characteristic(name="note", value=secret)
    made = await created(
        customers, agent, person(characteristics=[free, types_pb2.Characteristic(name="senior", value="yes")])
    )
    wish = pb.Customer(id=made.id, language="de")
    await customers.UpdateCustomer(pb.UpdateCustomerRequest(customer=wish, request_id=new_uuid()), metadata=agent)
    kept = [
        bson.encode(document)
        for name in ("customers", "history", "outbox", "requests")
        async for document in store.collection(name).find({})
    ]
    assert any(made.id.encode() in document for document in kept)
    assert not any(secret.encode() in document for document in kept)
    assert [c.value for c in (await read(customers, agent, made.id)).characteristics] == [secret, "yes"]


async def test_an_import_tells_of_its_fields_only(
    customers: CustomersServiceStub, agent: Metadata, loader: Metadata
) -> None:
    mine = pb.ExternalId(issuer="billing", value=uuid.uuid4().hex)
    made = await created(customers, agent, person(external_ids=[mine], category=pb.CUSTOMER_CATEGORY_PARTNER))

    async def sent(*fields: str) -> rows_pb2.BulkSummary:
        row = pb.Customer(id=made.id, language="fr")
        requests = [pb.ImportCustomersRequest(customers=[row], fields=fields)]
        return (await customers.ImportCustomers(iter(requests), metadata=loader)).summary

    assert (await sent("id", "individual", "organization", "language")).updated == 1
    after = await read(customers, agent, made.id)
    assert (after.language, after.category) == ("fr", made.category)
    assert (after.external_ids, after.contact_media) == (made.external_ids, made.contact_media)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await sent("id", "shoe_size")
    assert (reason_of(refused.value), bad_fields(refused.value)) == ("INVALID_UPDATE_MASK", ["fields[1]"])
