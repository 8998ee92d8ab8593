"""Reading the IBM telco file line by line, without holding it."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from cli.console import CommandError
from cli.importing.telco_rows import COLUMNS, Problem, TelcoRow, parse

LONGEST_LINE: Final = 64 * 1024
NAMED: Final = 5
"""Missing columns that are named."""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, or CommandError saying why it cannot be read."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", exit_code=2) from None
    with file:
        yield file


def rows(path: Path, file: BinaryIO, read: Callable[[int], None]) -> Iterator[TelcoRow | Problem]:
    """Each row of the file, or each problem of a row; `read` is told how many bytes have been read.

    Raises:
        CommandError: the file is empty, not UTF-8, or its header lacks a column.
    """
    reader = csv.reader(_lines(path, file, read), strict=True)
    header = _header(path, reader)
    seen: dict[str, int] = {}
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise CommandError(f"{path}: line {reader.line_num}: {error}") from None
        if cells:
            yield from _row(reader.line_num, header, cells, seen)


def _row(line: int, header: list[str], cells: list[str], seen: dict[str, int]) -> Iterator[TelcoRow | Problem]:
    if len(cells) != len(header):
        yield Problem(line, "", f"has {len(cells)} cells where the header has {len(header)}")
        return
    row = parse(line, dict(zip(header, cells, strict=True)))
    if isinstance(row, list):
        yield from row
        return
    first = seen.setdefault(row.customer_id, line)
    # Two customers may be the same but for the id; an id that stands there twice is one of two mistakes.
    yield row if first == line else Problem(line, "customerID", f"stands in line {first} already")


def _header(path: Path, reader: "Iterator[list[str]]") -> list[str]:
    try:
        header = [cell.strip() for cell in next(reader)]
    except StopIteration:
        raise CommandError(f"{path}: the file is empty") from None
    except csv.Error as error:
        raise CommandError(f"{path}: line 1: {error}") from None
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        named = ", ".join(missing[:NAMED]) + (f" and {len(missing) - NAMED} more" if len(missing) > NAMED else "")
        raise CommandError(f"{path}: line 1: missing column{'s' if len(missing) > 1 else ''} {named}")
    twice = [column for column in COLUMNS if header.count(column) > 1]
    if twice:
        raise CommandError(f"{path}: line 1: the column {twice[0]} stands there twice")
    return header


def _lines(path: Path, file: BinaryIO, read: Callable[[int], None]) -> Iterator[str]:
    so_far, number = 0, 0
    while line := file.readline(LONGEST_LINE + 1):
        number, so_far = number + 1, so_far + len(line)
        if len(line) > LONGEST_LINE:
            raise CommandError(f"{path}: line {number}: longer than {LONGEST_LINE} bytes")
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise CommandError(f"{path}: line {number}: not UTF-8") from None
        read(so_far)
        yield text
