"""Why rows of a file failed: all of them, as a file of their own."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from holdfast.common.v1.rows_pb2 import RowError
from holdfast.customer_info.v1.loads_pb2 import ListLoadErrorsRequest

from chassis.cells import guarded
from cli.client import CALL_SECONDS, Client
from cli.console import CommandError
from cli.importing.record_file import Problem, RecordFile

COLUMNS: Final = ("row", "reason", "field", "message")
PAGE: Final = 1_000


class Reasons:
    """Says of a row that the service refused what was wrong with it in the file, where that is the reason.

    A row that cannot be read is sent empty. What was wrong with it stands in the file, also when an earlier stream of
    the load sent it. Rows are asked for in their order: the file is read once, no further than asked.
    """

    def __init__(self, file: RecordFile[Any]) -> None:
        self._rows = enumerate(file.rows(), 1)

    def of(self, error: RowError) -> RowError:
        """`error` as it is to be told."""
        for number, row in self._rows:
            if number == error.row:
                return _own(row) if isinstance(row, Problem) else error
        return error


def _own(problem: Problem) -> RowError:
    return RowError(row=problem.row, reason="INVALID_ROW", field=problem.field, message=problem.sentence)


async def refusals(client: Client, file: RecordFile[Any], load_id: str) -> AsyncIterator[RowError]:
    """Why each row of a load failed, as it is to be told."""
    reasons = Reasons(file)
    async for error in listed(client, load_id):
        yield reasons.of(error)


async def listed(client: Client, load_id: str) -> AsyncIterator[RowError]:
    """The refusals of a load, by the numbers of their rows; a page of them is at hand. No load: there are none."""
    if not load_id:
        return
    request = ListLoadErrorsRequest(load_id=load_id)
    request.page.page_size = PAGE
    while True:
        answer = await client.loads.ListLoadErrors(request, metadata=client.metadata, timeout=CALL_SECONDS)
        for error in answer.errors:
            yield error
        request.page.page_token = answer.page.next_page_token
        if not request.page.page_token:
            return


def form_of(path: Path) -> Callable[[Sequence[str]], bytes]:
    """How a row of the file is written, as its name says.

    Raises:
        CommandError: the name ends neither in .csv nor in .ndjson.
    """
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return _csv
    if suffix in (".ndjson", ".jsonl"):
        return _ndjson
    raise CommandError(f"{path}: the name must end in .csv, .ndjson, .jsonl", exit_code=2)


async def write(errors: AsyncIterator[RowError], out: BinaryIO, row_of: Callable[[Sequence[str]], bytes]) -> None:
    """Write a file of refusals."""
    if row_of is _csv:
        out.write(_csv(COLUMNS))
    async for error in errors:
        out.write(row_of((str(error.row), error.reason, error.field, error.message)))


def _csv(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(guarded(cell) for cell in cells)
    return text.getvalue().encode()


def _ndjson(cells: Sequence[str]) -> bytes:
    row: dict[str, Any] = dict(zip(COLUMNS, cells, strict=True))
    return json.dumps({**row, "row": int(row["row"])}, ensure_ascii=False).encode() + b"\n"
