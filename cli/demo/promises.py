"""What the operator promises: three agreements with their calendars."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1.types_pb2 import Period
from holdfast.sla.v1.agreements_pb2 import Agreement, Calendar, Metric, Objective, OpeningHours, PriorityTarget

from cli.demo.chance import DAY, HOUR

TIERS: Final = ("gold", "silver", "standard")
PRIORITIES: Final = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
RESOLUTION_HOURS: Final[Mapping[str, tuple[int, ...]]] = {
    "gold": (4, 8, 24, 72),
    "silver": (8, 16, 30, 60),
    "standard": (24, 36, 60, 96),
}
"""Counted hours by tier, for `PRIORITIES` in their order."""
RESPONSE_SHARE: Final = 8
"""Somebody takes a ticket up within this part of the time it may take."""
AVAILABILITY: Final[Mapping[str, float]] = {"gold": 0.9995, "silver": 0.998, "standard": 0.99}
OPEN: Final[Mapping[str, tuple[range, int, int]]] = {
    "silver": (range(1, 6), 8, 18),
    "standard": (range(1, 7), 8, 20),
}
"""Weekdays (1 is Monday), first and last hour; the tier that is not here counts round the clock."""
NAMES: Final[Mapping[str, str]] = {"gold": "Business Gold", "silver": "Business Silver", "standard": "Standard Care"}
IN_FORCE_BEFORE: Final = 800 * DAY
"""How long before the operator's present its agreements began: before every ticket it has."""
HOLIDAYS: Final = ("01-01", "05-01", "10-03", "12-25", "12-26")


def wall_seconds(tier: str, priority: str) -> float:
    """How long the time allowed takes by the wall clock, on average over the hours that count."""
    counted = RESOLUTION_HOURS[tier][PRIORITIES.index(priority)] * HOUR
    if tier not in OPEN:
        return float(counted)
    days, start, end = OPEN[tier]
    return counted * 7 * 24 / (len(days) * (end - start))


def agreement(tier: str, as_of: int, agreement_id: str, customer_id: str = "") -> Agreement:
    """The agreement of a tier for one customer, or for all that have none of their own."""
    return Agreement(
        id=agreement_id,
        name=NAMES[tier],
        customer_id=customer_id,
        valid=Period(start=Timestamp(seconds=as_of - IN_FORCE_BEFORE)),
        calendar=_calendar(tier, datetime.fromtimestamp(as_of, UTC).year),
        objectives=[
            _timed(Metric.METRIC_FIRST_RESPONSE, tier, RESPONSE_SHARE, ()),
            _timed(Metric.METRIC_RESOLUTION, tier, 1, ("PENDING",)),
            Objective(metric=Metric.METRIC_AVAILABILITY, availability=AVAILABILITY[tier]),
        ],
    )


def _timed(metric: Metric.ValueType, tier: str, part: int, pauses: tuple[str, ...]) -> Objective:
    targets = [
        PriorityTarget(priority=priority, seconds=hours * HOUR // part)
        for priority, hours in zip(PRIORITIES, RESOLUTION_HOURS[tier], strict=True)
    ]
    return Objective(metric=metric, targets=targets, pause_states=pauses)


def _calendar(tier: str, year: int) -> Calendar:
    if tier not in OPEN:
        return Calendar(time_zone="Europe/Berlin")
    days, start, end = OPEN[tier]
    return Calendar(
        time_zone="Europe/Berlin",
        hours=[OpeningHours(weekday=day, start_second=start * HOUR, end_second=end * HOUR) for day in days],
        holidays=[f"{one}-{day}" for one in range(year - 2, year + 2) for day in HOLIDAYS],
    )
