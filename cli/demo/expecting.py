"""What retention must know of a customer once it has heard everything: counted from the operator itself."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.interaction.v1.interactions_pb2 import Direction

from cli.demo.operator import Operator

WINDOW: Final = timedelta(days=90)
SAMPLE: Final = 150
LAST: Final = 25
"""Of each kind, the customers of the rows that were loaded last: when they are known, so is what came before."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Least values of a customer's features as of the operator's present, and whether it has clocks."""

    customer_id: str
    features: tuple[tuple[str, float], ...]
    last_ticket: str


def expectations(operator: Operator) -> list[Expected]:
    """For a sample of the customers who are still there, with those of the rows loaded last."""
    today = operator.as_of.date()
    present = [one.id for one in operator.customers if one.id not in operator.departures]
    chosen = set(present[:: max(1, len(present) // SAMPLE)])
    rows = (operator.products, operator.tickets, operator.interactions)
    chosen |= {one.customer_id for part in rows for one in part[-LAST:]} - set(operator.departures)
    contacts = Counter(
        one.customer_id
        for one in operator.interactions
        if one.direction == Direction.DIRECTION_INBOUND and in_window(one.occur_time, today)
    )
    complaints = Counter(
        one.customer_id for one in operator.interactions if one.complaint and in_window(one.occur_time, today)
    )
    tickets = Counter(one.customer_id for one in operator.tickets if in_window(one.open_time, today))
    products = Counter(one.customer_id for one in operator.products)
    last_ticket = {one.customer_id: one.id for one in operator.tickets}
    return [
        Expected(
            one,
            (
                ("product_count", float(products[one])),
                ("contacts_90d", float(contacts[one])),
                ("complaints_90d", float(complaints[one])),
                ("tickets_90d", float(tickets[one])),
            ),
            last_ticket.get(one, ""),
        )
        for one in present
        if one in chosen
    ]


def in_window(stamp: Timestamp, today: date) -> bool:
    """Whether it falls in the 90 days that end with today, as features count them."""
    day = datetime.fromtimestamp(stamp.seconds, UTC).date()
    return today - WINDOW < day <= today


def breaches(times: Sequence[Timestamp], today: date) -> float:
    """How many promises were broken in the window."""
    return float(sum(in_window(one, today) for one in times))
