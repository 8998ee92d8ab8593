"""Loading the IBM telco file: a batch of rows at a time, customers first, then what they have and how it ended."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1.rows_pb2 import BulkSummary
from holdfast.customer_info.v1.customers_pb2 import Customer, GetCustomerRequest

from cli.client import CALL_SECONDS, Client
from cli.importing import bulk, settling, telco_mapping
from cli.importing.bars import Bars
from cli.importing.bulk import Tally
from cli.importing.telco_file import opened, rows
from cli.importing.telco_rows import Problem, TelcoRow

READS_AT_ONCE: Final = 64
LAST: Final = 25
"""Customers that retention is asked for in the end."""
MOST_PROBLEMS: Final = 1_000
"""Problems that are kept to be shown; bad rows are counted beyond."""


@dataclass(slots=True)
class Report:
    """What became of a file: `rows` were read, `bad_rows` of them had a problem in the file itself.

    `last` are customers loaded last, with how many products they have; `unheard` of them retention does not know yet.
    """

    rows: int = 0
    bad_rows: int = 0
    blank_totals: int = 0
    customers: Tally = field(default_factory=Tally)
    products: Tally = field(default_factory=Tally)
    outcomes: Tally = field(default_factory=Tally)
    problems: list[Problem] = field(default_factory=list)
    last: list[tuple[str, int]] = field(default_factory=list)
    last_bad_line: int = 0
    unheard: int = 0

    @property
    def failed(self) -> bool:
        """Whether anything of the file is not in the mesh now."""
        return bool(self.bad_rows or self.customers.failed or self.products.failed or self.outcomes.failed)

    @property
    def notes(self) -> list[str]:
        """What was read otherwise than it stood there."""
        if not self.blank_totals:
            return []
        rows = "1 row" if self.blank_totals == 1 else f"{self.blank_totals} rows"
        return [f"{rows} with a blank TotalCharges at tenure 0: read as 0"]

    def keep(self, problem: Problem) -> None:
        """Remember a problem, while there is room."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


async def load(client: Client, path: Path, bars: Bars, today: date | None = None) -> Report:
    """Load the file at `path`. A row that fails stops no other; apart from the ids seen, a batch is all that is held.

    Raises:
        CommandError: the file cannot be read at all.
        grpc.aio.AioRpcError: the mesh does not answer.
    """
    report, today = Report(), today or datetime.now(UTC).date()
    with opened(path) as file:
        size, so_far = os.fstat(file.fileno()).st_size, 0
        bar = bars.task(path.name, size)

        def read(count: int) -> None:
            nonlocal so_far
            so_far = count

        for batch in bulk.batches(_good(rows(path, file, read), report)):
            await _load_batch(client, batch, today, report)
            # The last rows are read some time before they are loaded.
            bar.done(min(so_far, size - 1), f"{report.rows} rows")
        bar.done(size, f"{report.rows} rows")
    await _heard(client, report, bars)
    return report


async def _heard(client: Client, report: Report, bars: Bars) -> None:
    """Wait until retention knows what was loaded last, and so all of it: a model trained next learns from the whole."""

    async def knows(customer: tuple[str, int]) -> bool:
        known = await settling.features(client, customer[0])
        return known.get("product_count", -1.0) >= customer[1]

    if report.last:
        bar = bars.task("retention hears of it", len(report.last))
        report.unheard = await settling.until(report.last, knows, bar)


def _good(read: Iterator[TelcoRow | Problem], report: Report) -> Iterator[TelcoRow]:
    for row in read:
        if isinstance(row, Problem):
            # Problems of one line come one after the other.
            new = row.line != report.last_bad_line
            report.rows, report.bad_rows, report.last_bad_line = report.rows + new, report.bad_rows + new, row.line
            report.keep(row)
        else:
            report.rows += 1
            report.blank_totals += row.blank_total
            yield row


async def _load_batch(client: Client, batch: Sequence[TelcoRow], today: date, report: Report) -> None:
    known = await _known(client, batch)
    records = [telco_mapping.customer(row, one, today) for row, one in zip(batch, known, strict=True)]
    summary = await bulk.customers(client, records)
    report.customers.add(summary)
    refused = _note(report, summary, [row.line for row in batch])
    loaded = [(row, one.since) for row, one in zip(batch, records, strict=True) if row.line not in refused]
    await _load_rest(client, loaded, today, report)


async def _load_rest(client: Client, loaded: Sequence[tuple[TelcoRow, Timestamp]], today: date, report: Report) -> None:
    owned = [(row.line, product) for row, since in loaded for product in telco_mapping.products(row, since)]
    summary = await bulk.products(client, [product for _, product in owned])
    report.products.add(summary)
    _note(report, summary, [line for line, _ in owned])
    if not summary.failed:
        counts = Counter(product.customer_id for _, product in owned)
        report.last = list(counts.items())[-LAST:] or report.last
    ended = [telco_mapping.outcome(row, since, today) for row, since in loaded]
    summary = await bulk.outcomes(client, ended)
    report.outcomes.add(summary)
    _note(report, summary, [row.line for row, _ in loaded])


def _note(report: Report, summary: BulkSummary, lines: Sequence[int]) -> set[int]:
    """Keep a stream's refusals under the lines of the file they came from; tells which lines those are."""
    refused = [(lines[error.row - 1], error) for error in summary.errors]
    for line, error in refused:
        said = f"{error.field}: {error.message}" if error.field else error.message
        report.keep(Problem(line, "", f"refused by the mesh: {said} ({error.reason})"))
    return {line for line, _ in refused}


async def _known(client: Client, batch: Sequence[TelcoRow]) -> list[Customer | None]:
    """What the mesh has of each row's customer; None where it has none."""
    turn = asyncio.Semaphore(READS_AT_ONCE)

    async def read(row: TelcoRow) -> Customer | None:
        request = GetCustomerRequest(customer_id=telco_mapping.customer_id(row.customer_id))
        async with turn:
            try:
                call = client.customers.GetCustomer(request, metadata=client.metadata, timeout=CALL_SECONDS)
                return (await call).customer
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.NOT_FOUND:
                    return None
                raise

    return list(await asyncio.gather(*map(read, batch)))
