"""Waiting, by asking, until the mesh has digested what it was fed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.retention.v1.features_pb2 import GetFeaturesRequest

from cli.client import CALL_SECONDS, Client
from cli.importing.bars import Bar

AT_ONCE: Final = 16
PAUSE: Final = 0.25
STALL: Final = 30.0
"""Seconds without any progress after which waiting on is of no use."""

T = TypeVar("T")


async def until(items: Sequence[T], settled: Callable[[T], Awaitable[bool]], bar: Bar) -> int:
    """Ask until all items are settled, or nothing has moved on for `STALL` seconds; how many are left."""
    pending, moved = list(items), time.monotonic()
    turn = asyncio.Semaphore(AT_ONCE)

    async def ask(item: T) -> bool:
        async with turn:
            return await settled(item)

    bar.done(0)
    while pending:
        began = time.monotonic()
        answers = await asyncio.gather(*map(ask, pending))
        left = [item for item, is_settled in zip(pending, answers, strict=True) if not is_settled]
        if len(left) < len(pending):
            moved = time.monotonic()
        pending = left
        bar.done(len(items) - len(pending))
        if time.monotonic() - moved > STALL:
            return len(pending)
        if pending:
            # Asking is work for the mesh: it gets as long for its own.
            await asyncio.sleep(max(PAUSE, time.monotonic() - began))
    return 0


async def features(client: Client, customer_id: str, as_of: datetime | None = None) -> Mapping[str, float]:
    """The numeric features that retention knows of a customer; none where it has not heard of it."""
    request = GetFeaturesRequest(customer_id=customer_id)
    if as_of is not None:
        request.as_of.CopyFrom(Timestamp(seconds=int(as_of.timestamp())))
    try:
        answer = await client.features.GetFeatures(request, metadata=client.metadata, timeout=CALL_SECONDS)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return {}
        raise
    return {one.name: one.number for one in answer.features if one.WhichOneof("value") == "number"}
