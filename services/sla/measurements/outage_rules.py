"""Outages as they are kept, and what they leave of a product's availability over a period."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.rules import Invalid
from services.sla.measurements.rules import Window, availability

USUAL_PERIOD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Outage:
    """A span in which a product could not be used, from `start` until before `end` (None: it still goes on).

    Raises:
        Invalid: on construction, when it ends no later than it starts.
    """

    id: str
    customer_id: str
    product_id: str
    start: datetime
    end: datetime | None
    planned: bool

    def __post_init__(self) -> None:
        if self.end is not None and self.end <= self.start:
            raise Invalid("an outage ends after it starts", field="period.end")


@dataclass(frozen=True, slots=True)
class ProductAvailability:
    """What one product had of a period. `share` is 0 to 1, of the period without planned outages."""

    product_id: str
    share: float
    outage_seconds: float
    planned_seconds: float
    outages: int


def period_of(start: datetime | None, end: datetime | None, at: datetime) -> Window:
    """The span asked for: both ends, or neither for the last 30 days before `at`.

    Raises:
        Invalid: one end without the other, or an end that is not after the start.
    """
    if start is None and end is None:
        return Window(at - USUAL_PERIOD, at)
    if start is None or end is None:
        raise Invalid("both ends are needed, or neither: the last 30 days", field="period")
    if end <= start:
        raise Invalid("a period ends after it starts", field="period.end")
    return Window(start, end)


def by_product(outages: Iterable[Outage], period: Window, at: datetime) -> list[ProductAvailability]:
    """The availability of each product with an outage within the period, in the order of their ids.

    An outage that still goes on has lasted until `at`: what will become of it, nobody knows. A product that was under
    planned works all the time lost nothing that was promised.
    """
    spans: dict[str, list[tuple[Outage, Window]]] = {}
    for outage in outages:
        start, end = max(outage.start, period.start), min(outage.end or at, period.end)
        if start < end:
            spans.setdefault(outage.product_id, []).append((outage, Window(start, end)))
    return [_of_product(product_id, spans[product_id], period) for product_id in sorted(spans)]


def _of_product(product_id: str, spans: Iterable[tuple[Outage, Window]], period: Window) -> ProductAvailability:
    unplanned = [window for outage, window in spans if not outage.planned]
    measured = availability(period, unplanned, [window for outage, window in spans if outage.planned])
    percent = measured.percent
    return ProductAvailability(
        product_id,
        1.0 if percent is None else percent / 100,
        measured.down_seconds,
        measured.excluded_seconds,
        len(unplanned),
    )
