"""Waiting, by asking, until the mesh has digested what it was fed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Final, TypeVar

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.retention.v1.features_pb2 import GetFeaturesRequest
from holdfast.retention.v1.scores_pb2 import Score

from cli.client import CALL_SECONDS, Client
from cli.demo import listing
from cli.demo.expecting import Expected, breaches
from cli.importing.bars import Bar

AT_ONCE: Final = 16
PAUSE: Final = 0.25
STALL: Final = 30.0
"""Seconds without any progress after which waiting on is of no use."""

T = TypeVar("T")


async def heard(client: Client, expected: Sequence[Expected], as_of: datetime, bar: Bar) -> int:
    """Wait until retention knows all that is expected; how many customers it still does not, when nothing moves on."""

    async def knows(one: Expected) -> bool:
        return await _knows(client, one, as_of)

    return await until(expected, knows, bar)


async def scored(client: Client, model_id: str, customers: Collection[str], bar: Bar) -> list[Score]:
    """Wait until the model has scored all these customers; their scores, those most at risk first."""
    moved, most = time.monotonic(), -1
    while True:
        found = [one async for one in listing.scores(client) if one.customer_id in customers]
        done = sum(one.model_id == model_id for one in found)
        if done > most:
            moved, most = time.monotonic(), done
        bar.done(done)
        if done >= len(customers) or time.monotonic() - moved > STALL:
            return found
        await asyncio.sleep(PAUSE)


async def until(items: Sequence[T], settled: Callable[[T], Awaitable[bool]], bar: Bar) -> int:
    """Ask until all items are settled, or nothing has moved on for `STALL` seconds; how many are left."""
    pending, moved = list(items), time.monotonic()
    turn = asyncio.Semaphore(AT_ONCE)

    async def ask(item: T) -> bool:
        async with turn:
            return await settled(item)

    bar.done(0)
    while pending:
        answers = await asyncio.gather(*map(ask, pending))
        left = [item for item, is_settled in zip(pending, answers, strict=True) if not is_settled]
        if len(left) < len(pending):
            moved = time.monotonic()
        pending = left
        bar.done(len(items) - len(pending))
        if time.monotonic() - moved > STALL:
            return len(pending)
        await asyncio.sleep(PAUSE if pending else 0)
    return 0


async def _knows(client: Client, one: Expected, as_of: datetime) -> bool:
    stamp = Timestamp(seconds=int(as_of.timestamp()))
    request = GetFeaturesRequest(customer_id=one.customer_id, as_of=stamp)
    try:
        answer = await client.features.GetFeatures(request, metadata=client.metadata, timeout=CALL_SECONDS)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return False
        raise
    known = {feature.name: feature.number for feature in answer.features}
    if any(known.get(name, 0.0) < least for name, least in one.features):
        return False
    return not one.last_ticket or await _broken_promises_known(client, one, known, as_of)


async def _broken_promises_known(client: Client, one: Expected, known: dict[str, float], as_of: datetime) -> bool:
    clocks = await listing.clocks(client, "customer_id", one.customer_id)
    if not any(clock.ticket_id == one.last_ticket for clock in clocks):
        return False
    broken = [clock.breach_time for clock in clocks if clock.HasField("breach_time")]
    return known.get("sla_breaches_90d", 0.0) >= breaches(broken, as_of.date())
