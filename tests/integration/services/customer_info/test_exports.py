"""Files of customers and products: what one service writes, another one reads."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from holdfast.common.v1 import query_pb2, rows_pb2
from holdfast.customer_info.v1 import customers_pb2 as pb
from holdfast.customer_info.v1 import portfolio_pb2
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.portfolio_pb2_grpc import PortfolioServiceStub

from chassis.errors import reason_of
from chassis.mongo.client import Store
from chassis.vault.vault import Vault
from cli.importing.record_file import CUSTOMERS, PRODUCTS, RecordFile, Table
from services.customer_info.customers.store import CustomerStore
from services.customer_info.history.store import History
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import (
    bad_fields,
    company,
    customer_batches,
    new_uuid,
    person,
    product,
    product_batches,
    stamp,
)
from tests.support.service import Keys, serving

CSV, NDJSON = rows_pb2.ROW_FORMAT_CSV, rows_pb2.ROW_FORMAT_NDJSON
MOST = 1000


@pytest.fixture(scope="module")
async def other(
    mongo_uri: Callable[[str], str], keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Callable[[Any], Any]]:
    """An empty installation, with keys of its own."""
    uri = mongo_uri("interaction")
    with serving(
        "services.customer_info", keys, tmp_path_factory.mktemp("other"), customer_info_mongo_uri=uri
    ) as process:
        async with grpc.aio.insecure_channel(process.address) as channel:
            yield lambda stub: stub(channel)


async def written(stub: Any, request: Any, loader: Metadata) -> bytes:
    """The whole file."""
    export = stub.ExportCustomers if isinstance(request, pb.ExportCustomersRequest) else stub.ExportProducts
    return b"".join([piece.data async for piece in export(request, metadata=loader)])


def rows_of(data: bytes, form: int, table: Table[Any], folder: Path) -> list[Any]:
    file = folder / f"{new_uuid()}.{'csv' if form == CSV else 'ndjson'}"
    file.write_bytes(data)
    return list(RecordFile(file, table).rows())


def everybody() -> list[pb.Customer]:
    """Customers with everything that a customer can have."""
    parent = company(id=new_uuid(), category=pb.CUSTOMER_CATEGORY_WHOLESALE)
    full = person(
        id=new_uuid(),
        parent_id=parent.id,
        language="de",
        since=stamp("2001-09-09"),
        status=pb.CUSTOMER_STATUS_SUSPENDED,
        external_ids=[pb.ExternalId(issuer="a;b:c", value="=1+1"), pb.ExternalId(issuer="billing", value=new_uuid())],
    )
    full.contact_media.add(kind=pb.ContactMedium.KIND_PHONE, value="+4930123456", preferred=True)
    full.contact_media.add(
        kind=pb.ContactMedium.KIND_POST, value='Mill Lane 1\n"The Mill"; Upper Town'
    ).valid.start.seconds = 9
    full.billing.payment_method = pb.PAYMENT_METHOD_BANK_TRANSFER
    full.billed.monthly.currency_code, full.billed.monthly.micros = "EUR", 29_850_000
    full.characteristics.add(name="a", value="-1=b;c")
    plain = [person(id=new_uuid()) for _ in range(30)]
    return [parent, full, *plain, person(id=new_uuid(), status=pb.CUSTOMER_STATUS_ARCHIVED)]


def bare(message: Any) -> Message:
    """Without what the record says of itself."""
    kept: Message = type(message)()
    kept.CopyFrom(message)
    for name in ("etag", "create_time", "update_time"):
        if name in kept.DESCRIPTOR.fields_by_name:
            kept.ClearField(name)
    return kept


@pytest.mark.parametrize("form", [CSV, NDJSON])
async def test_what_is_exported_makes_the_same_customers_and_products_elsewhere(
    channel: grpc.aio.Channel,
    other: Callable[[Any], Any],
    loader: Metadata,
    tmp_path: Path,
    form: "rows_pb2.RowFormat.ValueType",
) -> None:
    customers, portfolio = CustomersServiceStub(channel), PortfolioServiceStub(channel)
    people = everybody()
    people[1].external_ids[0].value += new_uuid()
    await customers.ImportCustomers(customer_batches(people, MOST), metadata=loader)
    owned = [product(people[1].id, id=new_uuid(), name=f"=Fibre {n}") for n in range(5)]
    owned[0].identifiers.add(kind="e164", value="+4930123456")
    owned[1].term.months = 24
    await portfolio.ImportProducts(product_batches(owned, MOST), metadata=loader)

    everyone = pb.ExportCustomersRequest(
        format=form,
        predicates=[query_pb2.Predicate(field="status", values=pb.CustomerStatus.keys()[1:])],
    )
    first = await written(customers, everyone, loader)
    rows = rows_of(first, form, CUSTOMERS, tmp_path)
    there = other(CustomersServiceStub)
    loaded = (await there.ImportCustomers(in_order(rows), metadata=loader)).summary
    assert (loaded.received, loaded.failed) == (len(rows), 0)
    mine = {p.id for p in people}
    before = {row.id: row for row in rows if row.id in mine}
    after = {row.id: row for row in rows_of(await written(there, everyone, loader), form, CUSTOMERS, tmp_path)}
    assert before.keys() == mine
    assert {i: bare(after[i]) for i in mine} == {i: bare(before[i]) for i in mine}

    found = rows_of(
        await written(portfolio, portfolio_pb2.ExportProductsRequest(format=form), loader), form, PRODUCTS, tmp_path
    )
    elsewhere = other(PortfolioServiceStub)
    loaded = (await elsewhere.ImportProducts(product_batches(found, MOST), metadata=loader)).summary
    assert (loaded.received, loaded.failed) == (len(found), 0)
    again = rows_of(
        await written(elsewhere, portfolio_pb2.ExportProductsRequest(format=form), loader), form, PRODUCTS, tmp_path
    )
    ours = {p.id for p in owned}
    assert {p.id: bare(p) for p in again if p.id in ours} == {p.id: bare(p) for p in found if p.id in ours}
    assert len({p.id for p in found} & ours) == len(ours)


def in_order(rows: Sequence[pb.Customer]) -> AsyncIterator[pb.ImportCustomersRequest]:
    """Parents before those below them, as a load wants them."""
    return customer_batches(sorted(rows, key=lambda row: bool(row.parent_id)), MOST)


async def test_archived_merged_and_erased_records_are_left_out(
    customers: CustomersServiceStub, loader: Metadata, store: Store, vault: Vault, tmp_path: Path
) -> None:
    active, archived, merged, erased = (person(id=new_uuid()) for _ in range(4))
    archived.status = pb.CUSTOMER_STATUS_ARCHIVED
    await customers.ImportCustomers(customer_batches([active, archived, merged, erased], MOST), metadata=loader)
    kept = CustomerStore(store, vault, History(store))
    gone, other = await kept.get(erased.id), await kept.get(merged.id)
    assert gone is not None
    assert other is not None

    async def work(transaction: Any) -> None:
        await kept.replace(transaction, replace(gone, version=2, erase_time=gone.create_time))
        await kept.replace(transaction, replace(other, version=2, merged_into=active.id))

    await store.transact(work)
    ours = {active.id, archived.id, merged.id, erased.id}
    usual = rows_of(await written(customers, pb.ExportCustomersRequest(), loader), NDJSON, CUSTOMERS, tmp_path)
    assert {row.id for row in usual} & ours == {active.id}
    asked = pb.ExportCustomersRequest(
        predicates=[query_pb2.Predicate(field="status", values=["CUSTOMER_STATUS_ARCHIVED", "CUSTOMER_STATUS_ACTIVE"])]
    )
    all_asked = rows_of(await written(customers, asked, loader), NDJSON, CUSTOMERS, tmp_path)
    assert {row.id for row in all_asked} & ours == {active.id, archived.id}


async def test_a_file_is_gone_on_with_where_it_broke(customers: CustomersServiceStub, loader: Metadata) -> None:
    said = [{"name": f"n{n}", "value": "x" * 200} for n in range(4)]
    many = [person(id=new_uuid(), characteristics=said) for _ in range(1200)]
    await customers.ImportCustomers(customer_batches(many, 600), metadata=loader)
    request = pb.ExportCustomersRequest(format=CSV)
    whole = await written(customers, request, loader)
    call = customers.ExportCustomers(request, metadata=loader)
    begun = b""
    async for piece in call:
        begun += piece.data
        if piece.rows and len(begun) > len(whole) // 3:
            request.after = piece.position
            call.cancel()
            break
    assert 0 < len(begun) < len(whole)
    assert begun + await written(customers, request, loader) == whole
    assert whole.count(b"\r\nid,") == 0


async def test_what_cannot_be_asked_for_is_refused_by_name(
    customers: CustomersServiceStub, portfolio: PortfolioServiceStub, loader: Metadata, agent: Metadata
) -> None:
    async def refusal(request: Any, metadata: Metadata = loader) -> grpc.aio.AioRpcError:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await written(customers if isinstance(request, pb.ExportCustomersRequest) else portfolio, request, metadata)
        return refused.value

    foreign = await refusal(pb.ExportCustomersRequest(predicates=[query_pb2.Predicate(field="name", values=["x"])]))
    assert (reason_of(foreign), bad_fields(foreign)) == ("INVALID_QUERY", ["predicates[0].field"])
    unknown = await refusal(portfolio_pb2.ExportProductsRequest(fields=["id", "shoe_size"]))
    assert (reason_of(unknown), bad_fields(unknown)) == ("INVALID_QUERY", ["fields[1]"])
    assert reason_of(await refusal(pb.ExportCustomersRequest(after="x" * 40))) == "INVALID_PAGE_TOKEN"
    assert reason_of(await refusal(pb.ExportCustomersRequest(), agent)) == "PERMISSION_DENIED"
