"""Bulk loads through a real process, killed in the middle, and gone on with."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import grpc
import pytest
from holdfast.customer_info.v1 import customers_pb2 as pb
from holdfast.customer_info.v1 import loads_pb2, portfolio_pb2
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.loads_pb2_grpc import LoadsServiceStub
from holdfast.customer_info.v1.portfolio_pb2_grpc import PortfolioServiceStub

from chassis.errors import reason_of
from chassis.events.outbox import OUTBOX
from chassis.mongo.client import Store
from services.customer_info.customers.store import CUSTOMERS
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import bad_fields, new_uuid, person, product
from tests.support.service import Keys, Process, serving

BATCH = 200
SECONDS = 60.0


@pytest.fixture
def loads(channel: grpc.aio.Channel) -> LoadsServiceStub:
    return LoadsServiceStub(channel)


async def read(loads: LoadsServiceStub, load_id: str, loader: Metadata) -> loads_pb2.Load:
    return (await loads.GetLoad(loads_pb2.GetLoadRequest(load_id=load_id), metadata=loader)).load


async def messages(
    rows: Sequence[pb.Customer], load_id: str, first_row: int = 1
) -> AsyncIterator[pb.ImportCustomersRequest]:
    for n in range(first_row - 1, len(rows), BATCH):
        yield pb.ImportCustomersRequest(customers=rows[n : n + BATCH], load_id=load_id, first_row=n + 1)


async def test_a_load_tells_how_far_it_is_while_it_runs(
    customers: CustomersServiceStub, loads: LoadsServiceStub, loader: Metadata
) -> None:
    load_id, go_on = new_uuid(), asyncio.Event()
    rows = [person(id=new_uuid()) for _ in range(3)]

    async def requests() -> AsyncIterator[pb.ImportCustomersRequest]:
        yield pb.ImportCustomersRequest(customers=rows[:2], load_id=load_id)
        yield pb.ImportCustomersRequest(customers=[pb.Customer(id="no uuid")])
        await go_on.wait()
        yield pb.ImportCustomersRequest(customers=rows[2:])

    call = customers.ImportCustomers(requests(), metadata=loader)
    running = asyncio.ensure_future(call)
    load = loads_pb2.Load()
    while load.position < 2:
        try:
            load = await read(loads, load_id, loader)
        except grpc.aio.AioRpcError as refused:
            if refused.code() is not grpc.StatusCode.NOT_FOUND:
                raise
    assert (load.kind, load.summary.created) == ("customers", 2)
    assert not load.HasField("complete_time")
    go_on.set()
    summary = (await running).summary
    load = await read(loads, load_id, loader)
    assert load.summary == summary
    assert (load.position, summary.created, summary.failed) == (4, 3, 1)
    assert [(e.row, e.field) for e in summary.errors] == [(3, "id")]
    assert load.HasField("complete_time")


async def test_a_load_sent_again_changes_nothing_and_tells_of_the_whole(
    customers: CustomersServiceStub, loader: Metadata, store: Store
) -> None:
    rows, load_id = [person(id=new_uuid()) for _ in range(500)], new_uuid()
    first = (await customers.ImportCustomers(messages(rows, load_id), metadata=loader)).summary
    second = (await customers.ImportCustomers(messages(rows, load_id), metadata=loader)).summary
    assert first == second
    assert (second.received, second.created, second.unchanged) == (500, 500, 0)
    # Without the id it is another load, which finds everything there.
    third = (await customers.ImportCustomers(messages(rows, ""), metadata=loader)).summary
    assert (third.received, third.unchanged) == (500, 500)
    assert await store.collection("loads").count_documents({"_id": load_id}) == 1


async def test_a_load_belongs_to_its_caller_and_its_kind(
    customers: CustomersServiceStub, portfolio: PortfolioServiceStub, keys: Keys, loader: Metadata
) -> None:
    load_id, rows = new_uuid(), [person(id=new_uuid())]
    await customers.ImportCustomers(messages(rows, load_id), metadata=loader)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.ImportCustomers(messages(rows, load_id), metadata=keys.metadata("service", subject="other"))
    assert reason_of(refused.value) == "REQUEST_ID_REUSED"
    assert bad_fields(refused.value) == ["load_id"]

    async def products() -> AsyncIterator[portfolio_pb2.ImportProductsRequest]:
        yield portfolio_pb2.ImportProductsRequest(products=[product(rows[0].id, id=new_uuid())], load_id=load_id)

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await portfolio.ImportProducts(products(), metadata=loader)
    assert reason_of(refused.value) == "REQUEST_ID_REUSED"


async def test_all_refusals_of_a_load_can_be_listed_and_other_rows_are_refused(
    customers: CustomersServiceStub, loads: LoadsServiceStub, loader: Metadata
) -> None:
    load_id = new_uuid()
    rows = [person(id=new_uuid()), *(pb.Customer(id="no uuid") for _ in range(1100))]
    summary = (await customers.ImportCustomers(messages(rows, load_id), metadata=loader)).summary
    assert (summary.failed, len(summary.errors)) == (1100, 1000)
    listed, request = [], loads_pb2.ListLoadErrorsRequest(load_id=load_id)
    request.page.page_size = 1000
    while True:
        answer = await loads.ListLoadErrors(request, metadata=loader)
        listed += [(e.row, e.reason, e.field) for e in answer.errors]
        request.page.page_token = answer.page.next_page_token
        if not request.page.page_token:
            break
    assert listed == [(row, "INVALID_FIELD", "id") for row in range(2, 1102)]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.ImportCustomers(messages([person(id=new_uuid()), *rows[1:]], load_id), metadata=loader)
    assert (reason_of(refused.value), bad_fields(refused.value)) == ("REQUEST_ID_REUSED", ["load_id"])


async def test_an_id_that_comes_again_with_fewer_other_rows_is_refused(
    customers: CustomersServiceStub, portfolio: PortfolioServiceStub, loader: Metadata
) -> None:
    load_id, owners = new_uuid(), [person(id=new_uuid()) for _ in range(3)]
    await customers.ImportCustomers(messages(owners, load_id), metadata=loader)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.ImportCustomers(messages([person(id=new_uuid())], load_id), metadata=loader)
    assert (reason_of(refused.value), bad_fields(refused.value)) == ("REQUEST_ID_REUSED", ["load_id"])

    async def products(count: int) -> AsyncIterator[portfolio_pb2.ImportProductsRequest]:
        rows = [product(owners[0].id, id=new_uuid()) for _ in range(count)]
        yield portfolio_pb2.ImportProductsRequest(products=rows, load_id=product_load_id)

    product_load_id = new_uuid()
    await portfolio.ImportProducts(products(2), metadata=loader)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await portfolio.ImportProducts(products(1), metadata=loader)
    assert reason_of(refused.value) == "REQUEST_ID_REUSED"


async def test_rows_may_not_be_left_out(customers: CustomersServiceStub, loader: Metadata) -> None:
    rows = [person(id=new_uuid()) for _ in range(3)]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await customers.ImportCustomers(messages(rows, new_uuid(), first_row=3), metadata=loader)
    assert bad_fields(refused.value) == ["first_row"]


async def test_products_are_loaded_and_gone_on_with_too(
    customers: CustomersServiceStub, portfolio: PortfolioServiceStub, loads: LoadsServiceStub, loader: Metadata
) -> None:
    owner, load_id = person(id=new_uuid()), new_uuid()
    await customers.ImportCustomers(messages([owner], ""), metadata=loader)
    rows = [product(owner.id, id=new_uuid()) for _ in range(5)]

    async def requests(*batches: slice) -> AsyncIterator[portfolio_pb2.ImportProductsRequest]:
        for batch in batches:
            yield portfolio_pb2.ImportProductsRequest(products=rows[batch], load_id=load_id)

    await portfolio.ImportProducts(requests(slice(0, 2)), metadata=loader)
    summary = (await portfolio.ImportProducts(requests(slice(0, 3), slice(3, 5)), metadata=loader)).summary
    assert (summary.received, summary.created, summary.unchanged) == (5, 5, 0)
    assert (await read(loads, load_id, loader)).kind == "products"


async def test_a_kill_amid_a_load_loses_no_row_doubles_none_and_counts_each_once(
    mongo_uri: Callable[[str], str], keys: Keys, store: Store, tmp_path: Path
) -> None:
    rows = [person(id=new_uuid()) for _ in range(30 * BATCH)]
    bad = pb.Customer(id="no uuid")
    rows[100], rows[-1] = bad, bad
    load_id, loader = new_uuid(), keys.metadata("service")
    uris = {
        "customer_info_mongo_uri": mongo_uri("customer_info"),
        "customer_info_keys_mongo_uri": mongo_uri("customer_info_keys"),
    }
    with serving("services.customer_info", keys, tmp_path, **uris) as process:
        reached = await _killed_amid(process, rows, load_id, store, loader)
        assert 0 < reached < len(rows)
        process.start()
        async with grpc.aio.insecure_channel(process.address) as channel:
            position = (await read(LoadsServiceStub(channel), load_id, loader)).position
            assert reached <= position < len(rows)
            call = CustomersServiceStub(channel).ImportCustomers(
                messages(rows, load_id, position + 1), metadata=loader, timeout=SECONDS
            )
            summary = (await call).summary
    assert (summary.received, summary.created, summary.failed) == (len(rows), len(rows) - 2, 2)
    assert (summary.updated, summary.unchanged) == (0, 0)
    assert [e.row for e in summary.errors] == [101, len(rows)]
    wanted = {row.id for row in rows} - {bad.id}
    found = {d["_id"]: d async for d in store.collection(CUSTOMERS.name).find({"_id": {"$in": list(wanted)}})}
    assert found.keys() == wanted
    assert {d["version"] for d in found.values()} == {1}
    told = [e["subject"] async for e in store.collection(OUTBOX.name).find({"subject": {"$in": list(wanted)}})]
    assert sorted(told) == sorted(wanted)


async def _killed_amid(
    process: Process, rows: Sequence[pb.Customer], load_id: str, store: Store, loader: Metadata
) -> int:
    """Kills the service as soon as a third of the load is done; how far it was just before."""
    async with grpc.aio.insecure_channel(process.address) as channel:
        call = CustomersServiceStub(channel).ImportCustomers(messages(rows, load_id), metadata=loader)
        running = asyncio.ensure_future(call)
        reached = 0
        while reached < len(rows) // 3:
            found = await store.collection("loads").find_one({"_id": load_id})
            reached = found["position"] if found else 0
        assert not running.done()
        process.kill()
        with pytest.raises(grpc.aio.AioRpcError) as broken:
            await running
        assert broken.value.code() is grpc.StatusCode.UNAVAILABLE
    return reached
