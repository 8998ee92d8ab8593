"""Loading a file of customers or products in one stream, which can be gone on with when it breaks."""

import asyncio
import contextlib
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.message import Message
from holdfast.common.v1.rows_pb2 import BulkSummary, RowError
from holdfast.customer_info.v1.customers_pb2 import ImportCustomersRequest
from holdfast.customer_info.v1.loads_pb2 import GetLoadRequest, Load
from holdfast.customer_info.v1.portfolio_pb2 import ImportProductsRequest

from chassis.tasks import end
from cli.client import CALL_SECONDS, Client, explanation
from cli.console import CommandError
from cli.importing.bars import Bar
from cli.importing.bulk import BATCH
from cli.importing.record_file import Problem, RecordFile
from cli.importing.refusals import Reasons, listed

NAMESPACE: Final = uuid.UUID("5d0c6a51-3f6c-5a5e-9a53-6f2f0f6f7a10")
MESSAGE_BYTES: Final = 1024 * 1024
"""Beyond which a message is sent with fewer rows: a quarter of what gRPC takes."""
MOST_ATTEMPTS: Final = 1_000
ASK_SECONDS: Final = 0.5
"""Between two questions how far the load is."""
STALL_SECONDS: Final = 60.0
"""Without a row that is done, after which the mesh is taken for hung."""

M = TypeVar("M", bound=Message)


@dataclass(slots=True)
class Report:
    """What became of a file: the summary of all its rows, and why the first of those that failed did.

    `load_id` is the load that tells of all of them; empty: there were none. `began_after` rows were done before;
    `finished` says that all were.
    """

    summary: BulkSummary = field(default_factory=BulkSummary)
    errors: list[RowError] = field(default_factory=list)
    load_id: str = ""
    began_after: int = 0
    finished: bool = False


async def load(client: Client, file: RecordFile[M], kind: str, bar: Bar, *, resume: bool) -> Report:
    """Load a file; with `resume`, go on with the last load of the same content, else begin anew.

    A customer may stand in the file before the one above it: as long as such rows fail and a pass over the file made
    something new, there is another pass, in which those above are there.

    Raises:
        CommandError: the file cannot be read, or the load broke; it says how to go on with it.
    """
    report = await _pass(client, file, kind, bar, resume=resume)
    made, updated = 0, 0
    while not report.finished and report.summary.created and await _lacks_parent(client, kind, report):
        made, updated = made + report.summary.created, updated + report.summary.updated
        report = replace(await _pass(client, file, kind, bar, resume=False), began_after=report.began_after)
    # What a pass found there, an earlier one had made.
    report.summary.unchanged -= made + updated
    report.summary.created += made
    report.summary.updated += updated
    reasons = Reasons(file)
    report.errors = [reasons.of(error) for error in report.summary.errors]
    return report


async def _lacks_parent(client: Client, kind: str, report: Report) -> bool:
    """Whether any row failed for want of the one above it; the summary has the first of those that failed only."""
    if any(map(_is_below_nobody, report.summary.errors)):
        return True
    # Only customers stand below others.
    if kind != "customers" or report.summary.failed == len(report.summary.errors):
        return False
    async for error in listed(client, report.load_id):
        if _is_below_nobody(error):
            return True
    return False


def _is_below_nobody(error: RowError) -> bool:
    return error.field == "parent_id" and error.reason == "NOT_FOUND"


async def _pass(client: Client, file: RecordFile[M], kind: str, bar: Bar, *, resume: bool) -> Report:
    load_id, known = await _load_id(client, file, kind, resume=resume)
    report = Report(load_id=load_id, began_after=known.position)
    if resume and known.HasField("complete_time"):
        report.summary.CopyFrom(known.summary)
        report.finished = True
        bar.done(file.size, f"{known.position:,} rows")
        return report
    progress = _Progress(file, bar)
    call = _call(client, kind, _requests(file, kind, load_id, report, progress))
    watching = asyncio.create_task(_watch(client, load_id, progress, call))
    try:
        report.summary.CopyFrom((await call).summary)
    except (grpc.aio.AioRpcError, asyncio.CancelledError) as error:
        raise _broken(error, progress) from None
    finally:
        await end([watching])
    if not report.summary.received:
        report.load_id = ""
    bar.done(file.size, f"{report.summary.received:,} rows")
    return report


def _broken(error: "grpc.aio.AioRpcError | asyncio.CancelledError", progress: "_Progress") -> BaseException:
    """What a load that broke says to the user; a file that cannot be read on comes before what that led to."""
    if progress.refusal is not None:
        return progress.refusal
    if isinstance(error, asyncio.CancelledError) and not progress.hung:
        return error
    said = explanation(error) if isinstance(error, grpc.aio.AioRpcError) else "the load does not move any more"
    return CommandError(f"{said}; {progress.position:,} rows are done: --resume goes on with the others")


async def _load_id(client: Client, file: RecordFile[M], kind: str, *, resume: bool) -> tuple[str, Load]:
    """The id of the load to run, and how far it is: every attempt at the same content has a number of its own."""
    last = None
    for attempt in range(MOST_ATTEMPTS):
        load_id = str(uuid.uuid5(NAMESPACE, f"{kind}:{file.digest}:{attempt}"))
        try:
            call = client.loads.GetLoad(GetLoadRequest(load_id=load_id), metadata=client.metadata, timeout=CALL_SECONDS)
            last = (load_id, (await call).load)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            return last if resume and last else (load_id, Load())
    raise CommandError(f"{file.path}: was loaded {MOST_ATTEMPTS} times within a month: --resume goes on with the last")


def _call(client: Client, kind: str, requests: AsyncIterator[Any]) -> "grpc.aio.StreamUnaryCall[Any, Any]":
    # No deadline: the watcher ends a load that does not move.
    if kind == "customers":
        return client.customers.ImportCustomers(requests, metadata=client.metadata)
    return client.portfolio.ImportProducts(requests, metadata=client.metadata)


class _Progress:
    """How far a load is: what was sent up to where in the file, and what of it is done."""

    def __init__(self, file: RecordFile[Any], bar: Bar) -> None:
        self._file = file
        self._bar = bar
        self._sent: deque[tuple[int, int]] = deque()
        self.position = 0
        self.moved = time.monotonic()
        self.hung = False
        self.refusal: CommandError | None = None
        bar.done(0)

    def sent(self, row: int) -> None:
        """All rows up to this one are on their way."""
        self._sent.append((row, self._file.read))

    def done(self, position: int) -> None:
        """The first `position` rows are done."""
        if position > self.position:
            self.position, self.moved = position, time.monotonic()
        while self._sent and self._sent[0][0] <= position:
            _, read = self._sent.popleft()
            # The last piece is done when the answer is there.
            self._bar.done(min(read, self._file.size - 1), f"{position:,} rows")


async def _requests(
    file: RecordFile[M], kind: str, load_id: str, report: Report, progress: _Progress
) -> AsyncIterator[Any]:
    """The messages of the stream. A row that cannot be read goes empty, so that rows keep their numbers."""
    first = report.began_after + 1
    message, of_rows = (
        (ImportCustomersRequest, _customers) if kind == "customers" else (ImportProductsRequest, _products)
    )
    try:
        fields = file.fields()
        for batch in _batches(_good(file, report.began_after)):
            request: Any = message(load_id=load_id, first_row=first, fields=fields)
            of_rows(request, batch)
            first += len(batch)
            progress.sent(first - 1)
            yield request
            # The one who asks how far it is gets a turn, however fast rows are read.
            await asyncio.sleep(0)
    except CommandError as refusal:
        # gRPC would swallow it.
        progress.refusal = refusal
        raise


def _customers(request: ImportCustomersRequest, rows: Sequence[Any]) -> None:
    request.customers.extend(rows)


def _products(request: ImportProductsRequest, rows: Sequence[Any]) -> None:
    request.products.extend(rows)


def _good(file: RecordFile[M], after: int) -> Iterator[Message]:
    for row in file.rows(after):
        yield file.message() if isinstance(row, Problem) else row


def _batches(rows: Iterator[Message]) -> Iterator[list[Message]]:
    batch: list[Message] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += row.ByteSize()
        if len(batch) == BATCH or size >= MESSAGE_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def _watch(client: Client, load_id: str, progress: _Progress, call: Any) -> None:
    """Asks how far the load is, again and again; ends one that hangs."""
    request = GetLoadRequest(load_id=load_id)
    while True:
        await asyncio.sleep(ASK_SECONDS)
        # The load itself says what is wrong, if anything is; before its first message it is not known.
        with contextlib.suppress(grpc.aio.AioRpcError):
            found = await client.loads.GetLoad(request, metadata=client.metadata, timeout=CALL_SECONDS)
            progress.done(found.load.position)
        if time.monotonic() - progress.moved > STALL_SECONDS:
            progress.hung = True
            call.cancel()
            return
