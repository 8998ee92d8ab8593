"""Getting the operator into the mesh, by the doors that everybody uses."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

import grpc
from holdfast.common.v1.rows_pb2 import BulkSummary
from holdfast.customer_info.v1.customers_pb2 import GetCustomerRequest
from holdfast.sla.v1.agreements_pb2 import Agreement, PutAgreementRequest

from cli.client import CALL_SECONDS, Client
from cli.demo import listing
from cli.demo.operator import PRESENT, Operator, first_customer_id
from cli.importing import bulk
from cli.importing.bars import Bars
from cli.importing.bulk import Tally

AT_ONCE: Final = 16
"""Calls under way together where there is no bulk stream."""

T = TypeVar("T")
Send = Callable[[Client, Sequence[T]], Awaitable[BulkSummary]]


async def present_of(client: Client, seed: int, customers: int) -> datetime | None:
    """The day that the operator of a seed was loaded for; None where the mesh does not have it."""
    request = GetCustomerRequest(customer_id=first_customer_id(seed, customers))
    try:
        answer = await client.customers.GetCustomer(request, metadata=client.metadata, timeout=CALL_SECONDS)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise
    known = {one.name: one.value for one in answer.customer.characteristics}
    return datetime.fromisoformat(known[PRESENT]) if PRESENT in known else None


async def load(client: Client, operator: Operator, bars: Bars) -> Mapping[str, Tally]:
    """Load all of it; what is there already stays as it is. Promises come before what they are about."""

    async def stream(name: str, send: Send[T], rows: Sequence[T]) -> Tally:
        bar = bars.task(name, len(rows))
        return await bulk.load(send, client, rows, bar.done)

    tallies = {
        "agreements": await _agreements(client, operator.agreements, bars),
        "customers": await stream("customers", bulk.customers, operator.customers),
        "products": await stream("products", bulk.products, operator.products),
        "tickets": await stream("tickets", bulk.tickets, operator.tickets),
        "outages": await stream("outages", bulk.outages, operator.outages),
    }
    bar = bars.task("interactions", len(operator.interactions))
    tallies["interactions"] = await bulk.interactions(client, operator.interactions, bar.done)
    tallies["outcomes"] = await stream("outcomes", bulk.outcomes, operator.outcomes)
    return tallies


async def _agreements(client: Client, agreements: Sequence[Agreement], bars: Bars) -> Tally:
    """Put the agreements one by one: there is no stream of them."""
    bar, tally, turn = bars.task("agreements", len(agreements)), Tally(), asyncio.Semaphore(AT_ONCE)
    known = await listing.agreement_versions(client)

    async def put(agreement: Agreement) -> None:
        async with turn:
            request = PutAgreementRequest(agreement=agreement)
            call = client.agreements.PutAgreement(request, metadata=client.metadata, timeout=CALL_SECONDS)
            version = (await call).agreement.version
        tally.received += 1
        tally.created += agreement.id not in known
        tally.updated += known.get(agreement.id, version) != version
        tally.unchanged += known.get(agreement.id) == version
        bar.done(tally.received)

    await asyncio.gather(*map(put, agreements))
    return tally
