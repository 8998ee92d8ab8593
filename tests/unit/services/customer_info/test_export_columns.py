"""What is exported as CSV or NDJSON is read back as it was."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from holdfast.common.v1 import query_pb2, rows_pb2
from holdfast.customer_info.v1 import customers_pb2, portfolio_pb2
from hypothesis import given

from chassis.query.selection import Selection
from chassis.rules import Invalid
from cli.importing.record_file import CUSTOMERS, PRODUCTS, RecordFile, Table
from services.customer_info.customers import csv_wire as customer_csv
from services.customer_info.customers import wire as customer_wire
from services.customer_info.customers.rules import Billed, Customer, MediumKind, Organization
from services.customer_info.exporting import BATCH, PIECE_BYTES, Column, pieces
from services.customer_info.portfolio import csv_wire as product_csv
from services.customer_info.portfolio import wire as product_wire
from services.customer_info.portfolio.rules import Product
from tests.unit.services.customer_info import strategies
from tests.unit.services.customer_info.builders import NOON, company, email, person, phone

CSV, NDJSON = rows_pb2.ROW_FORMAT_CSV, rows_pb2.ROW_FORMAT_NDJSON


async def exported(request: Any, messages: Sequence[Any], columns: Sequence[Column[Any]]) -> list[Any]:
    async def read(_: Selection, after: str, most: int) -> Sequence[Any]:
        return [m for m in sorted(messages, key=lambda m: str(m.id)) if m.id > after][:most]

    found: AsyncIterator[Any] = pieces(request, read, columns, messages[0].DESCRIPTOR)
    return [piece async for piece in found]


async def round_trip(table: Table[Any], form: Any, messages: Sequence[Any], folder: Path) -> list[Any]:
    request = (
        customers_pb2.ExportCustomersRequest(format=form)
        if table is CUSTOMERS
        else portfolio_pb2.ExportProductsRequest(format=form)
    )
    columns = customer_csv.COLUMNS if table is CUSTOMERS else product_csv.COLUMNS
    file = folder / ("file.csv" if form == CSV else "file.ndjson")
    file.write_bytes(b"".join(piece.data for piece in await exported(request, messages, columns)))
    return list(RecordFile(file, table).rows())


def by_kind(customer: Customer) -> Customer:
    """With its media in the order of the columns; a bill that says nothing is none."""
    order = list(MediumKind)
    media = tuple(sorted(customer.contact_media, key=lambda m: order.index(m.kind)))
    return replace(customer, contact_media=media, billed=None if customer.billed == Billed() else customer.billed)


@given(customer=strategies.customers)
async def test_a_customer_comes_back_from_csv_but_for_the_order_of_kinds(
    tmp_path_factory: pytest.TempPathFactory, customer: Customer
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    (back,) = await round_trip(CUSTOMERS, CSV, [customer_wire.message(customer)], folder)
    assert customer_wire.customer(back) == by_kind(customer)


@given(customer=strategies.customers)
async def test_a_customer_comes_back_from_ndjson(tmp_path_factory: pytest.TempPathFactory, customer: Customer) -> None:
    folder = tmp_path_factory.mktemp("ndjson")
    (back,) = await round_trip(CUSTOMERS, NDJSON, [customer_wire.message(customer)], folder)
    assert customer_wire.customer(back) == customer


@given(product=strategies.products)
async def test_a_product_comes_back_from_both_formats(
    tmp_path_factory: pytest.TempPathFactory, product: Product
) -> None:
    folder = tmp_path_factory.mktemp("products")
    for form in (CSV, NDJSON):
        (back,) = await round_trip(PRODUCTS, form, [product_wire.message(product, NOON)], folder)
        assert product_wire.product(back) == product


async def test_a_preferred_address_is_named_by_its_kind_and_place(tmp_path: Path) -> None:
    media = (phone("+4930123456"), email("a@example.com"), email("b@example.com", preferred=True, start=NOON))
    customer = person(contact_media=media)
    message = customer_wire.message(customer)
    (piece,) = await exported(customers_pb2.ExportCustomersRequest(format=CSV), [message], customer_csv.COLUMNS)
    header, row = piece.data.decode().splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    assert cells["preferred"] == "email:2"
    assert cells["email"] == "a@example.com;b@example.com[2026-03-14T12:00:00Z/]"
    assert cells["phone"] == "'+4930123456"
    (back,) = await round_trip(CUSTOMERS, CSV, [message], tmp_path)
    assert customer_wire.customer(back).contact_media == by_kind(customer).contact_media


async def test_no_cell_is_a_formula() -> None:
    evil = company(party=Organization('=HYPERLINK("http://example.com")', "@SUM(A1)"), characteristics=(("-1", "x"),))
    request = customers_pb2.ExportCustomersRequest(format=CSV)
    (piece,) = await exported(request, [customer_wire.message(evil)], customer_csv.COLUMNS)
    assert b'"\'=HYPERLINK(""http://example.com"")",\'@SUM(A1)' in piece.data
    assert b",'-1=x," in piece.data


async def test_only_the_fields_asked_for_are_written_and_the_id_always() -> None:
    message = customer_wire.message(person(language="de"))
    request = customers_pb2.ExportCustomersRequest(format=CSV, fields=["language", "status"])
    (piece,) = await exported(request, [message], customer_csv.COLUMNS)
    assert piece.data.decode() == f"id,status,language\r\n{message.id},active,de\r\n"
    request.format = NDJSON
    (piece,) = await exported(request, [message], customer_csv.COLUMNS)
    assert piece.data.decode() == f'{{"id":"{message.id}","status":"CUSTOMER_STATUS_ACTIVE","language":"de"}}\n'


async def test_a_field_that_there_is_not_is_refused() -> None:
    request = customers_pb2.ExportCustomersRequest(fields=["language", "shoe_size"])
    with pytest.raises(Invalid) as refused:
        await exported(request, [customer_wire.message(person())], customer_csv.COLUMNS)
    assert refused.value.field == "fields[1]"


async def test_every_position_goes_on_where_it_ends() -> None:
    long = tuple((f"name {n}", "x" * 40) for n in range(12))
    messages = [customer_wire.message(person(characteristics=long)) for _ in range(2 * BATCH + 3)]
    request = customers_pb2.ExportCustomersRequest(format=CSV)
    found = await exported(request, messages, customer_csv.COLUMNS)
    whole = b"".join(piece.data for piece in found)
    assert len(found) > len(whole) // PIECE_BYTES > 1
    assert all(len(piece.data) < PIECE_BYTES + 2048 for piece in found)
    assert sum(piece.rows for piece in found) == len(messages)
    for n, piece in enumerate(found, 1):
        rest = customers_pb2.ExportCustomersRequest(format=CSV, after=piece.position)
        tail = b"".join(p.data for p in await exported(rest, messages, customer_csv.COLUMNS))
        assert b"".join(p.data for p in found[:n]) + tail == whole


async def test_a_position_of_another_file_is_refused() -> None:
    messages = [customer_wire.message(person())]
    (piece,) = await exported(customers_pb2.ExportCustomersRequest(), messages, customer_csv.COLUMNS)
    predicate = query_pb2.Predicate(field="status", values=["CUSTOMER_STATUS_CLOSED"])
    other = customers_pb2.ExportCustomersRequest(predicates=[predicate], after=piece.position)
    with pytest.raises(Invalid) as refused:
        await exported(other, messages, customer_csv.COLUMNS)
    assert (refused.value.field, refused.value.reason) == ("after", "INVALID_PAGE_TOKEN")
