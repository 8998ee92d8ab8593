"""Reading a file of customers or products row by row, without holding it: CSV with a header, or NDJSON."""

import csv
import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Final, Generic, TypeVar

from google.protobuf.json_format import Parse, ParseError
from google.protobuf.message import Message
from holdfast.customer_info.v1.customers_pb2 import Customer
from holdfast.customer_info.v1.portfolio_pb2 import Product

from chassis.cells import unguarded
from cli.console import CommandError
from cli.importing import customer_table, product_table
from cli.importing.table_cells import CellError

M = TypeVar("M", bound=Message)
LONGEST_LINE: Final = 1024 * 1024
SUFFIXES: Final = (".csv", ".ndjson", ".jsonl")
_NAMED_FIELD: Final = re.compile(r'no field named "(\w{1,64})"|parse (\w{1,64}) field')


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row of the file cannot be read: the row's number, from 1, the column or field, and a sentence."""

    row: int
    field: str
    sentence: str


@dataclass(frozen=True)
class Table(Generic[M]):
    """What a file holds: rows of this message."""

    kind: str
    message: type[M]
    columns: tuple[str, ...]
    ignored: tuple[str, ...]
    of_cells: Callable[[Mapping[str, str]], M]
    told: Callable[[Collection[str]], list[str]]


CUSTOMERS: Final = Table(
    "customers", Customer, customer_table.COLUMNS, customer_table.IGNORED, customer_table.customer, customer_table.told
)
PRODUCTS: Final = Table(
    "products", Product, product_table.COLUMNS, product_table.IGNORED, product_table.product, product_table.told
)


class RecordFile(Generic[M]):
    """A file of records. `read` is how many of its `size` bytes have been read.

    Raises:
        CommandError: the file is not there, or its name ends neither in .csv nor in .ndjson.
    """

    def __init__(self, path: Path, table: Table[M]) -> None:
        if path.suffix.lower() not in SUFFIXES:
            raise CommandError(f"{path}: the name must end in {', '.join(SUFFIXES)}", exit_code=2)
        self.path = path
        self.read = 0
        self.message = table.message
        self._table = table
        with self._opened() as file:
            # An equal file is the same load, wherever it lies.
            self.digest = hashlib.file_digest(file, "sha256").hexdigest()
            self.size = file.tell()

    def fields(self) -> list[str]:
        """The fields that the file tells of, as the contract names them: what it does not tell of stays as it is.

        Of CSV the header says it. Of NDJSON it is every field that stands in any of its rows.

        Raises:
            CommandError: the file is not UTF-8, or its header makes no sense.
        """
        with self._opened() as file:
            lines = self._lines(file)
            if self.path.suffix.lower() == ".csv":
                header = self._header(csv.reader(lines, strict=True))
                try:
                    return self._table.told([column for column in header if column not in self._table.ignored])
                except CellError as error:
                    raise CommandError(f"{self.path}: line 1: the column {error.column} {error.sentence}") from None
            said = {key for line in lines for key in _keys(line)}
        # ProtoJSON reads a field by either of its names.
        fields = self.message.DESCRIPTOR.fields
        return [field.name for field in fields if {field.name, field.json_name} & said] or ["id"]

    def rows(self, after: int = 0) -> Iterator[M | Problem]:
        """Each row, or what is wrong with it, from the one after row `after`; what is skipped is not looked at.

        Raises:
            CommandError: the file is not UTF-8, or its header makes no sense.
        """
        with self._opened() as file:
            lines = self._lines(file)
            if self.path.suffix.lower() == ".csv":
                yield from self._csv(lines, after)
            else:
                yield from self._ndjson(lines, after)

    def _ndjson(self, lines: Iterator[str], after: int) -> Iterator[M | Problem]:
        for row, line in enumerate((line for line in lines if line.strip()), 1):
            if row <= after:
                continue
            try:
                yield Parse(line, self._table.message())
            except ParseError as error:
                found = _NAMED_FIELD.search(str(error))
                field = next((name for name in found.groups() if name), "") if found else ""
                yield Problem(row, field, f"is not the JSON of one of the {self._table.kind}")

    def _csv(self, lines: Iterator[str], after: int) -> Iterator[M | Problem]:
        reader = csv.reader(lines, strict=True)
        header = self._header(reader)
        row = 0
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise CommandError(f"{self.path}: line {reader.line_num}: {error}") from None
            if not cells:
                continue
            row += 1
            if row > after:
                yield self._of_cells(row, header, cells)

    def _of_cells(self, row: int, header: list[str], cells: list[str]) -> M | Problem:
        if len(cells) != len(header):
            return Problem(row, "", f"has {len(cells)} cells where the header has {len(header)}")
        try:
            return self._table.of_cells(dict(zip(header, map(unguarded, cells), strict=True)))
        except CellError as error:
            return Problem(row, error.column, error.sentence)

    def _header(self, reader: "Iterator[list[str]]") -> list[str]:
        try:
            header = [cell.strip().lower() for cell in next(reader, [])]
        except csv.Error as error:
            raise CommandError(f"{self.path}: line 1: {error}") from None
        known = (*self._table.columns, *self._table.ignored)
        if "id" not in header:
            raise CommandError(f"{self.path}: line 1: there is no column id")
        if twice := [column for column in header if header.count(column) > 1]:
            raise CommandError(f"{self.path}: line 1: the column {twice[0]} stands there twice")
        if foreign := [n for n, column in enumerate(header, 1) if column not in known]:
            raise CommandError(f"{self.path}: line 1: column {foreign[0]} is none of {', '.join(known)}")
        return header

    def _lines(self, file: BufferedReader) -> Iterator[str]:
        self.read, number = 0, 0
        while line := file.readline(LONGEST_LINE + 1):
            number, self.read = number + 1, self.read + len(line)
            if len(line) > LONGEST_LINE:
                raise CommandError(f"{self.path}: line {number}: longer than {LONGEST_LINE} bytes")
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                raise CommandError(f"{self.path}: line {number}: not UTF-8") from None

    def _opened(self) -> BufferedReader:
        try:
            return self.path.open("rb")
        except OSError as error:
            raise CommandError(f"{self.path}: {error.strerror}", exit_code=2) from None


def _keys(line: str) -> Collection[str]:
    """The fields that a row of NDJSON has; none where it is no row."""
    try:
        row = json.loads(line)
    except ValueError:
        return ()
    return row.keys() if isinstance(row, dict) else ()
