"""Tickets between protobuf and the rules' dataclasses: part of the handlers' door, kept apart for its length."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.interaction.v1 import tickets_pb2 as pb

from chassis.etag import etag
from chassis.rules import Invalid
from chassis.times import from_timestamp, to_timestamp
from services.interaction.tickets.rules import (
    Change,
    Draft,
    Kind,
    Level,
    Note,
    PastStep,
    Priority,
    State,
    Step,
    Ticket,
)

STATES = {s: pb.TicketState.Value(f"TICKET_STATE_{s.name}") for s in State}
KINDS = {k: pb.TicketType.Value(f"TICKET_TYPE_{k.name}") for k in Kind}
LEVELS = {level: pb.Level.Value(f"LEVEL_{level.name}") for level in Level}
PRIORITIES = {p: pb.TicketPriority.Value(f"TICKET_PRIORITY_{p.name}") for p in Priority}
_STATE = {number: state for state, number in STATES.items()}
_KIND = {number: kind for kind, number in KINDS.items()}
_LEVEL = {number: level for level, number in LEVELS.items()}
_PRIORITY = {number: priority for priority, number in PRIORITIES.items()}


def draft(message: pb.Ticket, path: str = "", *, past: bool = False) -> Draft:
    """The ticket that a validated message describes; with `past`, what became of it too.

    Raises:
        Invalid: a time makes no sense, or a step of the past names no state.
    """
    return Draft(
        id=message.id,
        customer_id=message.customer_id,
        kind=_KIND.get(message.type, Kind.TROUBLE),
        state=_STATE.get(message.state),
        impact=_LEVEL.get(message.impact, Level.MEDIUM),
        urgency=_LEVEL.get(message.urgency, Level.MEDIUM),
        title=message.title,
        description=message.description,
        category=message.category,
        product_id=message.product_id,
        open_time=from_timestamp(message.open_time, f"{path}open_time") if message.HasField("open_time") else None,
        past=tuple(_past(s, f"{path}history[{n}]") for n, s in enumerate(message.history)) if past else (),
    )


def change(request: pb.ChangeTicketRequest) -> Change:
    """The change that a validated request asks for."""
    return Change(_STATE.get(request.state), _LEVEL.get(request.impact), _LEVEL.get(request.urgency), request.note)


def message(kept: Ticket) -> pb.Ticket:
    """A ticket as it goes to a caller."""
    return pb.Ticket(
        id=kept.id,
        etag=etag(kept.version),
        customer_id=kept.customer_id,
        type=KINDS[kept.kind],
        state=STATES[kept.state],
        impact=LEVELS[kept.impact],
        urgency=LEVELS[kept.urgency],
        priority=PRIORITIES[kept.priority],
        title=kept.title,
        description=kept.description,
        category=kept.category,
        product_id=kept.product_id,
        open_time=to_timestamp(kept.open_time),
        response_time=_stamp(kept.response_time),
        resolve_time=_stamp(kept.resolve_time),
        update_time=to_timestamp(kept.update_time),
        notes=[_note(n) for n in kept.notes],
        history=[_step(s) for s in kept.history],
        redact_time=_stamp(kept.redact_time),
    )


def facts(kept: Ticket) -> pb.TicketFacts:
    """What events tell of a ticket: none of its texts."""
    return pb.TicketFacts(
        id=kept.id,
        customer_id=kept.customer_id,
        type=KINDS[kept.kind],
        state=STATES[kept.state],
        priority=PRIORITIES[kept.priority],
        category=kept.category,
        product_id=kept.product_id,
        open_time=to_timestamp(kept.open_time),
        change_time=to_timestamp(kept.history[-1].time),
        history=[_step(s) for s in kept.history],
    )


def _past(step: pb.TicketStateChange, path: str) -> PastStep:
    state = _STATE.get(step.state)
    if state is None:
        raise Invalid("a step of the history names a state", field=f"{path}.state")
    if not step.HasField("time"):
        raise Invalid("a step of the history says when it was", field=f"{path}.time")
    return PastStep(state, _PRIORITY.get(step.priority), from_timestamp(step.time, f"{path}.time"))


def _note(kept: Note) -> pb.TicketNote:
    return pb.TicketNote(author=kept.author, text=kept.text, time=to_timestamp(kept.time))


def _step(kept: Step) -> pb.TicketStateChange:
    return pb.TicketStateChange(
        state=STATES[kept.state], priority=PRIORITIES[kept.priority], time=to_timestamp(kept.time)
    )


def _stamp(moment: datetime | None) -> Timestamp | None:
    return None if moment is None else to_timestamp(moment)
