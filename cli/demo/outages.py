"""What the network measured: faults of single lines, incidents of a region, planned works."""

import random
from collections.abc import Iterator, Sequence
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1.types_pb2 import Period
from holdfast.customer_info.v1.portfolio_pb2 import Product
from holdfast.sla.v1.measurements_pb2 import Outage

from cli.demo.chance import DAY, HOUR, poisson, stream, uuid_of
from cli.demo.stories import YEAR

REGIONS: Final = 20
INCIDENTS: Final = 14
WORKS: Final = 4


def outages(seed: str, products: Sequence[Product], as_of: int) -> list[Outage]:
    """The outages of the last year, none before a line was there or after it was gone."""
    lines = [product for product in products if product.family == "internet"]
    found = [*_faults(seed, lines, as_of), *_regional(seed, lines, as_of)]
    found.sort(key=lambda outage: (outage.period.start.seconds, outage.id))
    return found


def _faults(seed: str, lines: Sequence[Product], as_of: int) -> Iterator[Outage]:
    for line in lines:
        rng = stream(seed, "line", line.id)
        for _ in range(poisson(rng, 0.35)):
            start = as_of - rng.randrange(YEAR)
            yield from _outage(rng, line, start, int(rng.lognormvariate(8.2, 1.0)), as_of, planned=False)


def _regional(seed: str, lines: Sequence[Product], as_of: int) -> Iterator[Outage]:
    for place in range(INCIDENTS + WORKS):
        rng = stream(seed, "region", place)
        planned = place >= INCIDENTS
        region, age = rng.randrange(REGIONS), rng.randrange(2 * DAY, YEAR)
        start, seconds = as_of - age, int(rng.uniform(0.3, 7) * HOUR)
        if planned:
            # Works are done at night.
            start, seconds = start - start % DAY + HOUR, 3 * HOUR
        for line in lines:
            if random.Random(line.id).randrange(REGIONS) == region:
                yield from _outage(rng, line, start, seconds, as_of, planned=planned)


def _outage(
    rng: random.Random, line: Product, start: int, seconds: int, as_of: int, *, planned: bool
) -> Iterator[Outage]:
    outage_id = uuid_of(rng)
    used_from = line.history[2].time.seconds
    used_until = line.history[3].time.seconds if len(line.history) > 3 else as_of
    end = start + max(60, seconds)
    if used_from <= start and end <= used_until:
        period = Period(start=Timestamp(seconds=start), end=Timestamp(seconds=end))
        yield Outage(id=outage_id, customer_id=line.customer_id, product_id=line.id, period=period, planned=planned)
