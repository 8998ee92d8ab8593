"""Files of customers and products, loaded and written by the command line's own means into a real service."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from holdfast.customer_info.v1.customers_pb2 import Customer
from holdfast.customer_info.v1.merges_pb2 import MergeRequest
from holdfast.customer_info.v1.portfolio_pb2 import Product
from holdfast.customer_info.v1.privacy_pb2 import EraseCustomerRequest

from chassis.mongo.client import Store
from cli import asking
from cli.client import Client
from cli.console import CommandError
from cli.exporting import records as exporting
from cli.importing import records, refusals
from cli.importing.record_file import CUSTOMERS, PRODUCTS, RecordFile
from tests.integration.services.customer_info.conftest import opened_store
from tests.integration.services.customer_info.messages import new_uuid
from tests.support.service import Keys, Process, serving
from tests.unit.cli.importing.fake_mesh import SilentBar, SilentBars

ROWS = 5_000


@pytest.fixture(scope="module")
def service(mongo_uri: Callable[[str], str], keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    uri = mongo_uri("customer_info")
    with serving(
        "services.customer_info", keys, tmp_path_factory.mktemp("cli"), customer_info_mongo_uri=uri
    ) as process:
        yield process


@pytest.fixture
async def client(service: Process, keys: Keys) -> AsyncIterator[Client]:
    async with Client(service.address, keys.token("admin", subject="holdfast-cli")) as opened:
        yield opened


@pytest.fixture
async def store(mongo_uri: Callable[[str], str]) -> AsyncIterator[Store]:
    opened = await opened_store(mongo_uri("customer_info"), [])
    yield opened
    await opened.close()


def written(path: Path, rows: Iterable[dict[str, str]]) -> Path:
    """A CSV file of these rows."""
    rows = list(rows)
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, list(dict.fromkeys(column for row in rows for column in row)))
        out.writeheader()
        out.writerows(rows)
    return path


def person(**cells: str) -> dict[str, str]:
    return {"id": new_uuid(), "given_name": "Ada", "family_name": "Example", **cells}


def bar() -> SilentBar:
    return SilentBars().task("file", 1)


async def load(client: Client, path: Path, table: Any = CUSTOMERS, *, resume: bool = False) -> records.Report:
    return await records.load(client, RecordFile(path, table), table.kind, bar(), resume=resume)


async def exported(client: Client, form: str, kind: str = "customers") -> bytes:
    out = io.BytesIO()
    request = exporting.request_of(kind, form, [], [])
    rows: list[int] = []
    assert await exporting.write(client, request, out, rows.append) == rows[-1]
    return out.getvalue()


async def test_every_row_that_fails_is_told_by_its_number_and_why(client: Client, tmp_path: Path) -> None:
    rows = [
        person(),
        person(status="asleep"),
        person(id="no uuid"),
        person(phone="call me"),
        person(language="de"),
    ]
    report = await load(client, written(tmp_path / "customers.csv", rows))
    assert (report.summary.received, report.summary.created, report.summary.failed) == (5, 2, 3)
    told = [(e.row, e.reason, e.field) for e in report.errors]
    assert told == [
        (2, "INVALID_ROW", "status"),
        (3, "INVALID_FIELD", "id"),
        (4, "INVALID_FIELD", "contact_media[0].value"),
    ]
    assert all("asleep" not in e.message and "call me" not in e.message for e in report.errors)


async def failed(client: Client, path: Path, load_id: str, name: str) -> list[dict[str, Any]]:
    """The file of refusals of a load, read again."""
    out = path.with_name(name)
    with out.open("wb") as file:
        errors = refusals.refusals(client, RecordFile(path, CUSTOMERS), load_id)
        await refusals.write(errors, file, refusals.form_of(out))
    if name.endswith(".csv"):
        with out.open(newline="") as text:
            return [{**row, "row": int(row["row"])} for row in csv.DictReader(text)]
    return [json.loads(line) for line in out.read_text().splitlines()]


async def test_every_row_that_failed_is_written_to_a_file_with_its_true_reason(client: Client, tmp_path: Path) -> None:
    lines = [json.dumps({"id": new_uuid(), "individual": {"family_name": "Example"}})]
    lines += ["{not json", '{"id": "no uuid", "individual": {"family_name": "Secret"}}'] * 600
    path = tmp_path / "bad.ndjson"
    path.write_text("\n".join(lines))
    report = await load(client, path)
    assert (report.summary.created, report.summary.failed, len(report.errors)) == (1, 1200, 1000)
    in_csv, in_json = [await failed(client, path, report.load_id, f"errors.{form}") for form in ("csv", "ndjson")]
    assert in_csv == in_json
    assert [one["row"] for one in in_csv] == list(range(2, 1202))
    assert {(one["reason"], one["message"]) for one in in_csv[::2]} == {
        ("INVALID_ROW", "is not the JSON of one of the customers")
    }
    assert {(one["reason"], one["field"]) for one in in_csv[1::2]} == {("INVALID_FIELD", "id")}
    assert "Secret" not in str(in_csv)
    known = await load(client, path, resume=True)
    assert (known.finished, known.errors) == (True, report.errors)
    with pytest.raises(CommandError, match="must end in"):
        refusals.form_of(tmp_path / "errors.xlsx")


@pytest.mark.parametrize(("name", "text"), [("none.csv", "id,family_name\n"), ("none.ndjson", "")])
async def test_of_a_file_without_rows_none_failed(client: Client, tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    for resume in (False, True):
        report = await load(client, path, resume=resume)
        assert (report.summary.received, report.summary.failed) == (0, 0)
        assert await failed(client, path, report.load_id, "errors.csv") == []


async def test_those_below_may_stand_before_those_above(client: Client, tmp_path: Path) -> None:
    top, middle = new_uuid(), new_uuid()
    rows = [
        {**person(), "parent_id": middle, "trading_name": ""},
        {"id": middle, "parent_id": top, "trading_name": "Example Branch", "given_name": "", "family_name": ""},
        {"id": top, "parent_id": "", "trading_name": "Example Ltd", "given_name": "", "family_name": ""},
        {**person(), "parent_id": new_uuid(), "trading_name": ""},
    ]
    report = await load(client, written(tmp_path / "tree.csv", rows))
    summary = report.summary
    assert (summary.received, summary.created, summary.unchanged, summary.failed) == (4, 3, 0, 1)
    assert [(e.row, e.reason, e.field) for e in report.errors] == [(4, "NOT_FOUND", "parent_id")]


async def test_those_below_may_stand_before_those_above_behind_more_faults_than_a_summary_has(
    client: Client, tmp_path: Path
) -> None:
    top = {"id": new_uuid(), "trading_name": "Example Ltd", "parent_id": "", "family_name": ""}
    bad = {"id": "no uuid", "trading_name": "", "parent_id": "", "family_name": "Example"}
    below = {**bad, "id": new_uuid(), "parent_id": top["id"]}
    path = written(tmp_path / "tree.csv", [*([bad] * 1000), below, top])
    report = await load(client, path)
    assert (report.summary.received, report.summary.created, report.summary.failed) == (1002, 2, 1000)
    assert len(await failed(client, path, report.load_id, "errors.csv")) == 1000


async def test_a_load_that_broke_is_gone_on_with_and_a_finished_one_is_known(
    service: Process, keys: Keys, store: Store, tmp_path: Path
) -> None:
    path = written(tmp_path / "many.csv", [person() for _ in range(ROWS)])

    async def kill_amid() -> None:
        position = 0
        while position < ROWS // 4:
            found = await store.collection("loads").find_one({"position": {"$gt": 1000}, "complete_time": None})
            position = found["position"] if found else 0
        service.kill()

    async with Client(service.address, keys.token("admin", subject="holdfast-cli")) as client:
        killing = asyncio.create_task(kill_amid())
        with pytest.raises(CommandError, match="--resume"):
            await load(client, path)
        await killing
    service.start()
    async with Client(service.address, keys.token("admin", subject="holdfast-cli")) as client:
        report = await load(client, path, resume=True)
        assert 0 < report.began_after < ROWS
        assert (report.summary.received, report.summary.created, report.summary.failed) == (ROWS, ROWS, 0)
        known = await load(client, path, resume=True)
        assert known.finished
        assert known.summary == report.summary
        anew = await load(client, path)
        assert (anew.summary.received, anew.summary.unchanged) == (ROWS, ROWS)


async def test_what_is_written_is_read_in_both_formats(client: Client, tmp_path: Path) -> None:
    owner = new_uuid()
    rows = [person(id=owner, email="ada@example.com;a2@example.com", preferred="email:2", phone="+4930123456")]
    await load(client, written(tmp_path / "one.csv", rows))
    product = {
        "id": new_uuid(),
        "customer_id": owner,
        "family": "broadband",
        "name": "Fibre",
        "monthly_price": "30 EUR",
    }
    report = await load(client, written(tmp_path / "products.csv", [product]), PRODUCTS)
    assert report.summary.created == 1
    for form in ("csv", "ndjson"):
        path = tmp_path / f"out.{form}"
        path.write_bytes(await exported(client, form))
        found = {row.id: row for row in RecordFile(path, CUSTOMERS).rows() if isinstance(row, Customer)}
        media = [(m.value, m.preferred) for m in found[owner].contact_media]
        assert media == [("ada@example.com", False), ("a2@example.com", True), ("+4930123456", False)]
        report = await load(client, path)
        assert (report.summary.unchanged, report.summary.failed) == (report.summary.received, 0)
        path.write_bytes(await exported(client, form, "products"))
        report = await load(client, path, PRODUCTS)
        assert (report.summary.received, report.summary.unchanged) == (1, 1)


async def test_a_file_with_some_fields_changes_those_only(client: Client, tmp_path: Path) -> None:
    whole = person(
        category="partner",
        email="ada@example.com",
        phone="+4930123456",
        preferred="phone",
        external_ids=f"billing:{new_uuid()}",
        characteristics="senior=no",
        language="de",
    )
    shop = {"id": new_uuid(), "trading_name": "Example Ltd", "email": "shop@example.com"}
    await load(client, written(tmp_path / "whole.csv", [whole]))
    await load(client, written(tmp_path / "shop.csv", [shop]))

    async def kept() -> dict[str, Customer]:
        path = tmp_path / "kept.ndjson"
        path.write_bytes(await exported(client, "ndjson"))
        return {row.id: row for row in RecordFile(path, CUSTOMERS).rows() if isinstance(row, Customer)}

    before = await kept()
    for form in ("csv", "ndjson"):
        request = exporting.request_of("customers", form, [], ["individual", "organization", "language"])
        out = io.BytesIO()
        await exporting.write(client, request, out, lambda _: None)
        path = tmp_path / f"some.{form}"
        path.write_bytes(out.getvalue())
        report = await load(client, path)
        assert (report.summary.unchanged, report.summary.failed) == (report.summary.received, 0)
    assert await kept() == before
    short = {"id": whole["id"], "email": "ada@example.com;ada@example.org"}
    assert (await load(client, written(tmp_path / "short.csv", [short]))).summary.updated == 1
    after = (await kept())[whole["id"]]
    assert [(m.value, m.preferred) for m in after.contact_media] == [
        ("ada@example.com", False),
        ("ada@example.org", False),
        ("+4930123456", True),
    ]
    assert (after.category, after.external_ids) == (before[whole["id"]].category, before[whole["id"]].external_ids)


async def test_a_file_may_tell_of_one_part_of_who_a_customer_is(client: Client, tmp_path: Path) -> None:
    ada, shop = person(), {"id": new_uuid(), "trading_name": "Example Ltd"}
    await load(client, written(tmp_path / "ada.csv", [ada]))
    await load(client, written(tmp_path / "shop.csv", [shop]))
    parts = {"given_name": (ada, "Augusta"), "registration_number": (shop, "HRB 1")}
    for column, (who, cell) in parts.items():
        path = written(tmp_path / f"{column}.csv", [{"id": who["id"], column: cell}, {"id": new_uuid(), column: cell}])
        summary = (await load(client, path)).summary
        assert (summary.updated, summary.created, summary.failed) == (1, 0, 1)
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO((await exported(client, "csv")).decode()))}
    assert (rows[ada["id"]]["given_name"], rows[ada["id"]]["family_name"]) == ("Augusta", "Example")
    shop = rows[shop["id"]]
    assert (shop["trading_name"], shop["registration_number"]) == ("Example Ltd", "HRB 1")


async def test_addresses_that_are_written_are_read_again_by_themselves(client: Client, tmp_path: Path) -> None:
    number = "+4930123457"
    spans = f"{number}[/2021-01-01T00:00:00Z];{number}[2022-01-01T00:00:00Z/]"
    await load(client, written(tmp_path / "whole.csv", [person(phone=spans, preferred="phone:2")]))
    for column in ("email", "phone"):
        rows = csv.DictReader(io.StringIO((await exported(client, "csv")).decode()))
        part = [{"id": row["id"], column: row[column]} for row in rows]
        report = await load(client, written(tmp_path / f"{column}.csv", part))
        assert (report.summary.unchanged, report.summary.failed) == (report.summary.received, 0)


async def test_who_shares_a_number_is_shown_to_choose_from(client: Client, tmp_path: Path) -> None:
    number = f"+49301{int(new_uuid()[:8], 16) % 10**7:07d}"
    two = [person(phone=number, given_name=name) for name in ("Ada", "Grace")]
    await load(client, written(tmp_path / "household.csv", two))
    with pytest.raises(CommandError) as refused:
        await asking.customer_id(client, number)
    for one in two:
        assert f"{one['given_name']} Example (active) {one['id']}" in str(refused.value)
    with pytest.raises(CommandError, match="no customer answers"):
        await asking.customer_id(client, "nobody-has-this")


async def test_a_customer_is_named_by_an_external_id_that_looks_like_an_own_one(client: Client, tmp_path: Path) -> None:
    legacy = new_uuid().upper()
    known, merged, gone = person(external_ids=f"crm:{legacy}"), person(external_ids=""), person(external_ids="")
    await load(client, written(tmp_path / "people.csv", [known, merged, gone]))
    assert await asking.customer_id(client, legacy) == known["id"]
    # An own id is that of its record, whatever became of it.
    merge = MergeRequest(survivor_id=known["id"], duplicate_id=merged["id"])
    await client.merges.Merge(merge, metadata=client.metadata)
    await client.privacy.EraseCustomer(
        EraseCustomerRequest(customer_id=gone["id"], reason="asked"), metadata=client.metadata
    )
    for own in (known["id"], merged["id"], gone["id"], new_uuid()):
        assert await asking.customer_id(client, own.upper()) == own


async def test_a_file_of_products_with_some_fields_changes_those_only(client: Client, tmp_path: Path) -> None:
    owner = person()
    await load(client, written(tmp_path / "owner.csv", [owner]))
    whole = {
        "id": new_uuid(),
        "customer_id": owner["id"],
        "family": "broadband",
        "name": "Fibre",
        "monthly_price": "30 EUR",
    }
    await load(client, written(tmp_path / "whole.csv", [whole]), PRODUCTS)
    short = {key: whole[key] for key in ("id", "customer_id")} | {"name": "Fibre 250"}
    assert (await load(client, written(tmp_path / "short.csv", [short]), PRODUCTS)).summary.updated == 1
    path = tmp_path / "products.ndjson"
    path.write_bytes(await exported(client, "ndjson", "products"))
    (kept,) = (row for row in RecordFile(path, PRODUCTS).rows() if isinstance(row, Product) and row.id == whole["id"])
    assert (kept.name, kept.family, kept.monthly_price.micros) == ("Fibre 250", "broadband", 30_000_000)


async def test_a_file_that_ends_amid_a_row_stops_the_load_with_a_line(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(f'id,family_name\n{new_uuid()},"Example\n')
    with pytest.raises(CommandError, match="line 2"):
        await load(client, path)
