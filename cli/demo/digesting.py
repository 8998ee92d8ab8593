"""Waiting until retention knows the operator, and has scored its customers."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from holdfast.retention.v1.scores_pb2 import Score

from cli.client import Client
from cli.demo import listing
from cli.demo.expecting import Expected, breaches
from cli.importing import settling
from cli.importing.bars import Bar


async def heard(client: Client, expected: Sequence[Expected], as_of: datetime, bar: Bar) -> int:
    """Wait until retention knows all that is expected; how many customers it still does not, when nothing moves on."""

    async def knows(one: Expected) -> bool:
        return await _knows(client, one, as_of)

    return await settling.until(expected, knows, bar)


async def scored(client: Client, model_id: str, customers: Collection[str], bar: Bar) -> list[Score]:
    """Wait until the model has scored all these customers; their scores, those most at risk first."""
    moved, most = time.monotonic(), -1
    while True:
        began = time.monotonic()
        # A score that changes between two pages may stand on both.
        found = {one.customer_id: one async for one in listing.scores(client) if one.customer_id in customers}
        done = sum(one.model_id == model_id for one in found.values())
        if done > most:
            moved, most = time.monotonic(), done
        bar.done(done)
        if done >= len(customers) or time.monotonic() - moved > settling.STALL:
            return list(found.values())
        # Reading all scores is work for the mesh: it gets as long for its own.
        await asyncio.sleep(max(settling.PAUSE, time.monotonic() - began))


async def _knows(client: Client, one: Expected, as_of: datetime) -> bool:
    known = await settling.features(client, one.customer_id, as_of)
    if not known or any(known.get(name, 0.0) < least for name, least in one.features):
        return False
    return not one.last_ticket or await _broken_promises_known(client, one, known, as_of)


async def _broken_promises_known(client: Client, one: Expected, known: Mapping[str, float], as_of: datetime) -> bool:
    clocks = await listing.clocks(client, "customer_id", one.customer_id)
    if not any(clock.ticket_id == one.last_ticket for clock in clocks):
        return False
    broken = [clock.breach_time for clock in clocks if clock.HasField("breach_time")]
    return known.get("sla_breaches_90d", 0.0) >= breaches(broken, as_of.date())
