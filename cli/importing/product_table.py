"""A row of a CSV file of products as a message; the columns are those that `holdfast export products` writes."""

from collections.abc import Collection, Mapping
from typing import Final

from holdfast.customer_info.v1.portfolio_pb2 import (
    ContractTerm,
    Product,
    ProductStatus,
    ProductStatusChange,
    ServiceIdentifier,
)

from chassis.cells import parted
from cli.importing.table_cells import CellError, characteristics, choice, money, pairs, time, whole

COLUMNS: Final = (
    "id", "customer_id", "family", "name", "status", "monthly_price", "one_time_price", "term_months",
    "term_start", "term_end", "identifiers", "characteristics", "history", "node_ids", "account_id",
)  # fmt: skip
IGNORED: Final = ("commitment_end", "update_time")
"""Columns that say what the record says of itself: nobody can set it."""
TERM: Final = ("term_months", "term_start", "term_end")


def told(columns: Collection[str]) -> list[str]:
    """The fields that a file with these columns tells of, as the contract names them.

    Raises:
        CellError: it tells of the term in part only.
    """
    found = [column for column in COLUMNS if column in columns and column not in TERM]
    if lacking := [column for column in TERM if column not in columns]:
        if len(lacking) < len(TERM):
            raise CellError(lacking[0], f"must stand there too: {', '.join(TERM)} tell of one thing")
        return found
    return [*found, "term"]


def product(cells: Mapping[str, str]) -> Product:
    """The product of a row, by the names of its columns; an empty cell says nothing.

    Raises:
        CellError: a cell makes no sense.
    """
    said = {column: cell for column, cell in cells.items() if cell}
    made = Product(node_ids=parted(said.get("node_ids", "")))
    for name in ("id", "customer_id", "family", "name", "account_id"):
        setattr(made, name, said.get(name, ""))
    if "status" in said:
        made.status = _status("status", said["status"])
    for name in ("monthly_price", "one_time_price"):
        if name in said:
            getattr(made, name).CopyFrom(money(name, said[name]))
    _term(made, said)
    made.identifiers.extend(
        ServiceIdentifier(kind=kind, value=value)
        for kind, value in pairs("identifiers", said.get("identifiers", ""), ":")
    )
    made.characteristics.extend(characteristics("characteristics", said.get("characteristics", "")))
    made.history.extend(
        ProductStatusChange(status=_status("history", status), time=time("history", entered))
        for status, entered in pairs("history", said.get("history", ""), "=")
    )
    return made


def _status(column: str, text: str) -> ProductStatus.ValueType:
    return ProductStatus.Value(choice(column, text, "PRODUCT_STATUS_", ProductStatus.keys()))


def _term(made: Product, said: Mapping[str, str]) -> None:
    if "term_months" in said:
        made.term.CopyFrom(ContractTerm(months=whole("term_months", said["term_months"])))
    for name in ("start", "end"):
        column = f"term_{name}"
        if column not in said:
            continue
        if "term_months" not in said:
            raise CellError("term_months", "says how long the term is; 0: from month to month")
        getattr(made.term.commitment, name).CopyFrom(time(column, said[column]))
