"""Files of customers and products, row by row."""

from pathlib import Path

import pytest
from holdfast.customer_info.v1.customers_pb2 import Customer
from holdfast.customer_info.v1.portfolio_pb2 import Product, ProductStatus

from cli.console import CommandError
from cli.importing.record_file import CUSTOMERS, PRODUCTS, Problem, RecordFile

ONE = "0b0e7f0a-5e0c-4a43-9d38-5e9d9cbf7a01"


def file_of(folder: Path, text: str, name: str = "file.csv") -> RecordFile[Customer]:
    path = folder / name
    path.write_bytes(text.encode())
    return RecordFile(path, CUSTOMERS)


def problems(file: RecordFile[Customer]) -> list[tuple[int, str]]:
    return [(row.row, row.field) for row in file.rows() if isinstance(row, Problem)]


def test_a_file_written_by_hand_is_read(tmp_path: Path) -> None:
    header = "\ufeffid,given_name,family_name,email,phone,preferred,external_ids,since"
    text = f"{header}\n{ONE},Ada,Example,a@example.com,+4930123456,email,billing:7,2024-02-29\n"
    (row,) = file_of(tmp_path, text).rows()
    assert isinstance(row, Customer)
    assert [(m.kind, m.value, m.preferred) for m in row.contact_media] == [
        (1, "a@example.com", True),
        (2, "+4930123456", False),
    ]
    assert (row.external_ids[0].issuer, row.external_ids[0].value) == ("billing", "7")
    assert row.since.ToJsonString() == "2024-02-29T00:00:00Z"


def test_every_bad_cell_is_told_by_row_and_column_without_what_it_holds(tmp_path: Path) -> None:
    rows = [
        "id,given_name,trading_name,status,since,billed_total,paperless,external_ids,preferred",
        f"{ONE},,,secret,,,,,",
        f"{ONE},,,,secret,,,,",
        f"{ONE},,,,,secret,,,",
        f"{ONE},,,,,,secret,,",
        f"{ONE},,,,,,,secret,",
        f"{ONE},,,,,,,,secret",
        f"{ONE},Ada,Example Ltd,,,,,,",
        f"{ONE},secret",
        f"{ONE},Ada,,active,,,,,",
    ]
    file = file_of(tmp_path, "\n".join(rows))
    columns = ["status", "since", "billed_total", "paperless", "external_ids", "preferred", "trading_name", ""]
    assert problems(file) == list(enumerate(columns, 1))
    assert all("secret" not in row.sentence for row in file.rows() if isinstance(row, Problem))


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("given_name,family_name", "there is no column id"),
        ("id,id", "stands there twice"),
        ("id,name", "column 2 is none of"),
        ("", "there is no column id"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(tmp_path: Path, header: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        list(file_of(tmp_path, f"{header}\n{ONE},x\n").rows())


def test_ndjson_is_read_line_by_line_and_bad_lines_are_numbered(tmp_path: Path) -> None:
    lines = [f'{{"id":"{ONE}"}}', "", "{not json", '{"shoe_size":"secret"}', '{"status":"secret"}', f'{{"id":"{ONE}"}}']
    file = file_of(tmp_path, "\n".join(lines), "file.ndjson")
    assert problems(file) == [(2, ""), (3, "shoe_size"), (4, "status")]
    assert all("secret" not in row.sentence for row in file.rows() if isinstance(row, Problem))
    assert [row.id for row in file.rows() if isinstance(row, Customer)] == [ONE, ONE]


def test_rows_that_were_done_are_not_looked_at(tmp_path: Path) -> None:
    file = file_of(tmp_path, f"id,status\n{ONE},secret\n{ONE},secret\n{ONE},active\n")
    (row,) = file.rows(after=2)
    assert isinstance(row, Customer)
    lines = file_of(tmp_path, "no json\nno json\n{}\n", "file.jsonl")
    assert list(lines.rows(after=2)) == [Customer()]


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("id,given_name,family_name,trading_name,registration_number", {"id", "individual", "organization"}),
        ("id,status,family_name,create_time", {"id", "status", "individual.family_name"}),
        ("id,email,phone,post,social,preferred", {"id", "contact_media"}),
        ("id,email,preferred", {"id", "contact_media.email"}),
        ("id,email,phone,post,social", {"id", *(f"contact_media.{k}" for k in ("email", "phone", "post", "social"))}),
        ("id,paperless,billed_total", {"id", "billing.paperless", "billed.total"}),
        ("ID , Language", {"id", "language"}),
    ],
)
def test_a_header_says_what_a_file_tells_of(tmp_path: Path, header: str, fields: set[str]) -> None:
    assert set(file_of(tmp_path, f"{header}\n").fields()) == fields


def test_of_ndjson_all_rows_say_together_what_it_tells_of(tmp_path: Path) -> None:
    lines = [f'{{"id":"{ONE}","language":"de"}}', "{no json", "[1]", f'{{"id":"{ONE}","externalIds":[]}}']
    assert set(file_of(tmp_path, "\n".join(lines), "file.ndjson").fields()) == {"id", "language", "external_ids"}
    assert file_of(tmp_path, "no json", "file.ndjson").fields() == ["id"]


def test_the_columns_of_a_term_stand_together(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text("id,customer_id,name,term_months,term_start,term_end,update_time\n")
    assert RecordFile(path, PRODUCTS).fields() == ["id", "customer_id", "name", "term"]
    path.write_text("id,customer_id,term_months\n")
    with pytest.raises(CommandError, match="term_start must stand there too"):
        RecordFile(path, PRODUCTS).fields()


@pytest.mark.parametrize(
    ("amount", "micros"),
    [
        ("9000000000000 EUR", 9 * 10**18),
        ("-9223372036854.775808 EUR", -(2**63)),
        ("9223372036854.775808 EUR", None),
        ("99999999999999 EUR", None),
    ],
)
def test_an_amount_is_read_as_large_as_it_can_be_written(tmp_path: Path, amount: str, micros: int | None) -> None:
    (row,) = file_of(tmp_path, f"id,billed_total\n{ONE},{amount}\n").rows()
    if micros is None:
        assert isinstance(row, Problem)
        assert row.field == "billed_total"
    else:
        assert isinstance(row, Customer)
        assert row.billed.total.micros == micros


def test_equal_content_has_an_equal_digest_and_other_content_another(tmp_path: Path) -> None:
    one, two = file_of(tmp_path, "id\n1\n", "a.csv"), file_of(tmp_path, "id\n1\n", "b.csv")
    assert one.digest == two.digest != file_of(tmp_path, "id\n2\n", "c.csv").digest
    assert one.size == 5


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    for name in ("missing.csv", "file.xlsx"):
        with pytest.raises(CommandError) as refused:
            RecordFile(tmp_path / name, CUSTOMERS)
        assert refused.value.exit_code == 2
    (tmp_path / "latin.csv").write_bytes(b"id\n\xe9\n")
    with pytest.raises(CommandError, match="line 2: not UTF-8"):
        list(RecordFile(tmp_path / "latin.csv", CUSTOMERS).rows())


def test_a_product_is_read_with_its_prices_term_and_history(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    cells = {
        "id": ONE,
        "customer_id": ONE,
        "family": "mobile",
        "name": "Mobile M",
        "status": "suspended",
        "monthly_price": "29.85 EUR",
        "one_time_price": "'-5 EUR",
        "term_months": "24",
        "term_start": "2025-01-01",
        "identifiers": "msisdn:+4930123456",
        "history": "active=2025-01-01;suspended=2025-02-01",
    }
    path.write_text(f"{','.join(cells)}\n{','.join(cells.values())}\n")
    (product,) = RecordFile(path, PRODUCTS).rows()
    assert isinstance(product, Product)
    assert (product.monthly_price.micros, product.one_time_price.micros) == (29_850_000, -5_000_000)
    assert product.term.months == 24
    assert product.term.commitment.start.ToJsonString() == "2025-01-01T00:00:00Z"
    assert [c.status for c in product.history] == [
        ProductStatus.PRODUCT_STATUS_ACTIVE,
        ProductStatus.PRODUCT_STATUS_SUSPENDED,
    ]
    path.write_text(f"id,term_start\n{ONE},2025-01-01\n")
    (bad,) = RecordFile(path, PRODUCTS).rows()
    assert isinstance(bad, Problem)
    assert bad.field == "term_months"
