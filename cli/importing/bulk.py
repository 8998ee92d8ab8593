"""The bulk streams of the mesh, batch by batch, with one tally for each kind of row."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeVar

from holdfast.common.v1.rows_pb2 import BulkSummary, RowError
from holdfast.customer_info.v1.customers_pb2 import Customer, ImportCustomersRequest
from holdfast.customer_info.v1.portfolio_pb2 import ImportProductsRequest, Product
from holdfast.interaction.v1.interactions_pb2 import IngestInteractionsRequest, Interaction
from holdfast.interaction.v1.tickets_pb2 import ImportTicketsRequest, Ticket
from holdfast.retention.v1.features_pb2 import Outcome, RecordOutcomesRequest
from holdfast.sla.v1.measurements_pb2 import Outage, RecordOutagesRequest

from cli.client import BULK_SECONDS, Client

BATCH: Final = 500
"""Rows of one message: half of what the contract allows, far below 4 MiB."""
MESSAGES_AHEAD: Final = 4
"""Messages of interactions that may be under way unanswered: enough that the service never waits for us."""

SLOWEST: Final = 500
"""Interactions a second below which a stream is taken for hung."""

T = TypeVar("T")
Report = Callable[[int], None]
"""Told how many rows are answered for."""


@dataclass(slots=True)
class Tally:
    """What became of the rows of one kind."""

    received: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    errors: list[RowError] = field(default_factory=list)

    def add(self, summary: BulkSummary) -> None:
        """Count a stream's rows in. Its errors keep the row numbers that they have in their own stream."""
        self.received += summary.received
        self.created += summary.created
        self.updated += summary.updated
        self.unchanged += summary.unchanged
        self.failed += summary.failed
        self.errors.extend(summary.errors)

    @property
    def changed(self) -> int:
        """Rows that made a difference."""
        return self.created + self.updated


def batches(rows: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """The rows in lists of at most `size`, read no further ahead than that."""
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


async def customers(client: Client, rows: Sequence[Customer]) -> BulkSummary:
    """Import customers in one stream."""

    async def requests() -> AsyncIterator[ImportCustomersRequest]:
        for batch in batches(rows):
            yield ImportCustomersRequest(customers=batch)

    call = client.customers.ImportCustomers(requests(), metadata=client.metadata, timeout=BULK_SECONDS)
    return (await call).summary


async def products(client: Client, rows: Sequence[Product]) -> BulkSummary:
    """Import products in one stream."""

    async def requests() -> AsyncIterator[ImportProductsRequest]:
        for batch in batches(rows):
            yield ImportProductsRequest(products=batch)

    call = client.portfolio.ImportProducts(requests(), metadata=client.metadata, timeout=BULK_SECONDS)
    return (await call).summary


async def tickets(client: Client, rows: Sequence[Ticket]) -> BulkSummary:
    """Import tickets in one stream."""

    async def requests() -> AsyncIterator[ImportTicketsRequest]:
        for batch in batches(rows):
            yield ImportTicketsRequest(tickets=batch)

    call = client.tickets.ImportTickets(requests(), metadata=client.metadata, timeout=BULK_SECONDS)
    return (await call).summary


async def outages(client: Client, rows: Sequence[Outage]) -> BulkSummary:
    """Record outages in one stream."""

    async def requests() -> AsyncIterator[RecordOutagesRequest]:
        for batch in batches(rows):
            yield RecordOutagesRequest(outages=batch)

    call = client.measurements.RecordOutages(requests(), metadata=client.metadata, timeout=BULK_SECONDS)
    return (await call).summary


async def outcomes(client: Client, rows: Sequence[Outcome]) -> BulkSummary:
    """Record outcomes in one stream."""

    async def requests() -> AsyncIterator[RecordOutcomesRequest]:
        for batch in batches(rows):
            yield RecordOutcomesRequest(outcomes=batch)

    call = client.features.RecordOutcomes(requests(), metadata=client.metadata, timeout=BULK_SECONDS)
    return (await call).summary


async def load(
    send: Callable[[Client, Sequence[T]], Awaitable[BulkSummary]], client: Client, rows: Sequence[T], report: Report
) -> Tally:
    """Send rows a batch a stream, so that what is reported as done is durable. Row numbers are those of all rows."""
    tally = Tally()
    report(0)
    for batch in batches(rows):
        summary = await send(client, batch)
        for error in summary.errors:
            error.row += tally.received
        tally.add(summary)
        report(tally.received)
    return tally


async def interactions(client: Client, rows: Sequence[Interaction], report: Report) -> Tally:
    """Log interactions in one stream, a few messages ahead of what is acknowledged."""
    tally, ahead = Tally(), asyncio.Semaphore(MESSAGES_AHEAD)

    async def requests() -> AsyncIterator[IngestInteractionsRequest]:
        for batch in batches(rows):
            await ahead.acquire()
            yield IngestInteractionsRequest(interactions=batch)

    report(0)
    timeout = BULK_SECONDS + len(rows) / SLOWEST
    call = client.interactions.IngestInteractions(requests(), metadata=client.metadata, timeout=timeout)
    async for answer in call:
        ahead.release()
        tally.received = answer.acknowledged
        tally.created += answer.created
        tally.unchanged += answer.duplicates
        tally.failed += len(answer.errors)
        tally.errors.extend(answer.errors)
        report(tally.received)
    return tally
