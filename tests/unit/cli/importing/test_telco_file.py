"""Reading the telco file: traps, and errors that name line and column."""

from decimal import Decimal
from pathlib import Path

import pytest

from cli.console import CommandError
from cli.importing.telco_file import opened, rows
from cli.importing.telco_rows import Problem, TelcoRow
from tests.unit.cli.importing.telco_text import DSL, FIBER, HEADER, NEW, VOICE_ONLY, changed, written

REAL = Path(__file__).parents[5] / "shared" / "data" / "telco_churn.csv"


def read(path: Path) -> list[TelcoRow | Problem]:
    with opened(path) as file:
        return list(rows(path, file, lambda _: None))


def row(tmp_path: Path, line: str) -> TelcoRow:
    found = read(written(tmp_path, line))
    assert isinstance(found[0], TelcoRow)
    return found[0]


def problem(tmp_path: Path, line: str) -> str:
    found = read(written(tmp_path, DSL, line))
    assert len(found) == 2
    return str(found[1])


def test_a_row_is_read_with_its_line(tmp_path: Path) -> None:
    found = row(tmp_path, FIBER)
    assert (found.line, found.customer_id, found.tenure, found.monthly) == (2, "9305-CDSKC", 8, Decimal("99.65"))
    assert found.addons == ("device_protection", "streaming_tv", "streaming_movies")
    assert found.senior
    assert found.multiple_lines
    assert found.churned
    assert not found.partner


def test_a_blank_total_at_tenure_zero_is_zero(tmp_path: Path) -> None:
    found = row(tmp_path, NEW)
    assert found.blank_total
    assert found.total == 0


def test_a_blank_total_later_is_a_problem(tmp_path: Path) -> None:
    assert problem(tmp_path, changed(FIBER, "TotalCharges", "")).startswith("line 3, TotalCharges: must not be blank")


def test_two_customers_who_differ_by_id_alone_are_two(tmp_path: Path) -> None:
    found = read(written(tmp_path, DSL, changed(DSL, "customerID", "0000-TWIN")))
    assert [one.customer_id for one in found if isinstance(one, TelcoRow)] == ["7590-VHVEG", "0000-TWIN"]


def test_an_id_that_stands_there_twice_is_a_problem(tmp_path: Path) -> None:
    assert problem(tmp_path, DSL) == "line 3, customerID: stands in line 2 already"


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("tenure", "x", "must be a whole number from 0 to 1200, not 'x'"),
        ("tenure", "-1", "must be a whole number from 0 to 1200, not '-1'"),
        ("tenure", "²", "must be a whole number from 0 to 1200, not '²'"),
        ("MonthlyCharges", "12,5", None),
        ("MonthlyCharges", "", "must be an amount of at least 0, not blank"),
        ("MonthlyCharges", "NaN", "must be an amount of at least 0, not 'NaN'"),
        ("TotalCharges", "1e99", "must be an amount of at least 0, not '1e99'"),
        ("SeniorCitizen", "Yes", "must be one of 1, 0, not 'Yes'"),
        ("Partner", "maybe", "must be one of Yes, No, not 'maybe'"),
        ("InternetService", "Cable", "must be one of DSL, Fiber optic, No, not 'Cable'"),
        ("Contract", "weekly", "must be one of Month-to-month, One year, Two year, not 'weekly'"),
        ("Churn", "", "must be one of Yes, No, not blank"),
        ("customerID", "", "must have 1 to 64 characters"),
    ],
)
def test_a_bad_value_is_named_by_line_and_column(tmp_path: Path, column: str, value: str, said: str | None) -> None:
    line = problem(tmp_path, changed(FIBER, column, value))
    # An unquoted comma makes another cell: then the line as a whole is wrong.
    assert line == (f"line 3, {column}: {said}" if said else "line 3: has 22 cells where the header has 21")


def test_a_service_that_needs_another_is_a_problem_without_it(tmp_path: Path) -> None:
    line = problem(tmp_path, changed(VOICE_ONLY, "TechSupport", "Yes"))
    assert line == "line 3, TechSupport: must be No internet service: the customer has no such service"


def test_all_that_is_wrong_with_a_line_is_said(tmp_path: Path) -> None:
    found = read(written(tmp_path, changed(changed(DSL, "tenure", "x"), "Churn", "x")))
    assert [one.column for one in found if isinstance(one, Problem)] == ["tenure", "Churn"]


def test_a_missing_column_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="line 1: missing columns tenure, Churn"):
        read(written(tmp_path, DSL, header=HEADER.replace("tenure", "months").replace(",Churn", ",Left")))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (HEADER.encode() + b"\n\xff\n", "line 2: not UTF-8"),
        (HEADER.encode() + b'\n"open\n', "line 2: unexpected end of data"),
        (b"x" * 70_000, "line 1: longer than"),
        (HEADER.encode() + b",Churn\n", "the column Churn stands there twice"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "telco.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=said):
        read(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        read(tmp_path / "none.csv")


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "telco.csv"
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\n{DSL}\r\n".encode())
    assert len(read(path)) == 1


@pytest.mark.skipif(not REAL.is_file(), reason="the telco data is not beside the project")
def test_the_real_file_has_7043_good_rows_and_11_blank_totals() -> None:
    found = read(REAL)
    good = [one for one in found if isinstance(one, TelcoRow)]
    assert len(good) == len(found) == 7_043
    assert sum(one.blank_total for one in good) == 11
    assert sum(one.churned for one in good) == 1_869
