"""Entries and tickets to test with."""

import uuid
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.interaction.v1 import interactions_pb2

from chassis.times import to_timestamp
from services.interaction.tickets.rules import Draft, PastStep, Priority, State

CUSTOMER = str(uuid.UUID(int=1))
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def entry(**changes: object) -> interactions_pb2.Interaction:
    """A call about a bill; `changes` are set on it."""
    made = interactions_pb2.Interaction(
        customer_id=CUSTOMER,
        channel=interactions_pb2.CHANNEL_CALL,
        direction=interactions_pb2.DIRECTION_INBOUND,
        stage=interactions_pb2.LIFE_STAGE_PAY,
        category="billing",
        note="asked about the bill",
        sentiment=-0.5,
        duration_seconds=312,
        complaint=True,
    )
    made.participants.add(role="agent", id="a-7")
    made.items.add(topic="bill", resolution="explained")
    made.related.add(type="invoice", id="I-1")
    for name, value in changes.items():
        if isinstance(value, datetime | Timestamp):
            getattr(made, name).CopyFrom(to_timestamp(value) if isinstance(value, datetime) else value)
        else:
            setattr(made, name, value)
    return made


def hours(count: float) -> datetime:
    """`count` hours after the day before `NOW`."""
    return NOW - timedelta(days=1) + timedelta(hours=count)


def step(state: State, at: float, priority: Priority | None = None) -> PastStep:
    """A step `at` hours after the opening of a `past` ticket."""
    return PastStep(state, priority, hours(at))


def past(*steps: PastStep, **fields: object) -> Draft:
    """A ticket of a bulk load, opened a day before `NOW`."""
    usual: dict[str, object] = {
        "id": str(uuid.uuid4()), "customer_id": CUSTOMER, "title": "no connection", "open_time": hours(0),
    }  # fmt: skip
    return Draft(**{**usual, "past": steps, **fields})  # type: ignore[arg-type]
