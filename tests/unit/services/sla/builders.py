"""Agreements and tickets as the tests of SLA speak of them. Hours count from a Monday, 00:00 UTC."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1.types_pb2 import Period
from holdfast.interaction.v1 import tickets_pb2
from holdfast.sla.v1 import agreements_pb2 as pb

from chassis.times import to_timestamp
from services.sla.agreements import wire
from services.sla.agreements.version_rules import AgreementVersion
from services.sla.clocks.ticket_rules import Ticket, TicketState, Visit

HOUR = 3600
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
ADA = str(uuid.UUID(int=1))
BOB = str(uuid.UUID(int=2))
# A second record of the same person as ADA.
ADAS_OTHER = str(uuid.UUID(int=3))


def at(hour: float) -> datetime:
    return MONDAY + timedelta(hours=hour)


def stamp(hour: float) -> Timestamp:
    return to_timestamp(at(hour))


def objective(metric: str, targets: Mapping[str, int], pauses: Sequence[str] = ()) -> pb.Objective:
    return pb.Objective(
        metric=pb.Metric.Value(f"METRIC_{metric}"),
        targets=[pb.PriorityTarget(priority=p, seconds=s) for p, s in targets.items()],
        pause_states=pauses,
    )


USUAL = (
    objective("FIRST_RESPONSE", {"HIGH": HOUR, "LOW": 4 * HOUR}),
    objective("RESOLUTION", {"HIGH": 8 * HOUR, "LOW": 24 * HOUR}, ["PENDING"]),
)


def agreement(
    agreement_id: str = "standard",
    customer_id: str = "",
    objectives: Sequence[pb.Objective] = USUAL,
    **changes: object,
) -> pb.Agreement:
    """An agreement round the clock, in force always, unless `changes` say otherwise."""
    values: dict[str, object] = {"name": agreement_id.title(), "calendar": pb.Calendar(time_zone="UTC"), **changes}
    return pb.Agreement(id=agreement_id, customer_id=customer_id, objectives=objectives, **values)  # type: ignore[arg-type]


def version(message: pb.Agreement) -> AgreementVersion:
    """As the first version kept."""
    return wire.version(message)


def valid(start: float | None = None, end: float | None = None) -> Period:
    return Period(
        start=None if start is None else stamp(start),
        end=None if end is None else stamp(end),
    )


def ticket(
    *visits: tuple[float, str] | tuple[float, str, str],
    customer_id: str = ADA,
    ticket_id: str = "t1",
    opened: float | None = None,
) -> Ticket:
    """A ticket that went through `visits` of (hour, state) or (hour, state, priority); HIGH unless told."""
    made = tuple(Visit(TicketState(visit[1]), visit[2] if len(visit) > 2 else "HIGH", at(visit[0])) for visit in visits)
    start = made[0].time if opened is None else at(opened)
    return Ticket(ticket_id, customer_id, start, made, len(made))


def facts(one: Ticket) -> tickets_pb2.TicketFacts:
    """What interaction would tell of the ticket."""
    history = [
        tickets_pb2.TicketStateChange(
            state=tickets_pb2.TicketState.Value(f"TICKET_STATE_{visit.state.name}"),
            priority=tickets_pb2.TicketPriority.Value(f"TICKET_PRIORITY_{visit.priority or 'UNSPECIFIED'}"),
            time=to_timestamp(visit.time),
        )
        for visit in one.visits
    ]
    last = history[-1]
    return tickets_pb2.TicketFacts(
        id=one.id,
        customer_id=one.customer_id,
        state=last.state,
        priority=last.priority,
        open_time=to_timestamp(one.open_time),
        change_time=last.time,
        history=history,
    )
