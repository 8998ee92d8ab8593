"""Clocks and tickets between protobuf and the rules' dataclasses: part of the handlers' door."""

from google.protobuf.message import Message
from holdfast.interaction.v1 import tickets_pb2
from holdfast.sla.v1 import clocks_pb2 as pb

from chassis.events.outbox import Happening
from chassis.times import from_timestamp, to_timestamp
from services.sla.agreements.wire import METRICS
from services.sla.clocks.explanation_rules import ExplainedInterval, Reason
from services.sla.clocks.record_rules import Clock, News, NewsKind
from services.sla.clocks.rules import Status
from services.sla.clocks.ticket_rules import Ticket, TicketState, Visit

STATES = {status: pb.ClockState.Value(f"CLOCK_STATE_{status.name}") for status in Status}
_TICKET_STATES = {tickets_pb2.TicketState.Value(f"TICKET_STATE_{state.name}"): state for state in TicketState}
_PRIORITIES = {
    number: name.removeprefix("TICKET_PRIORITY_") if number else ""
    for name, number in tickets_pb2.TicketPriority.items()
}
_REASONS = {Reason.AFTER_STOP: "stopped", Reason.NO_TARGET: "no target"}


def ticket(facts: tickets_pb2.TicketFacts, sequence: int) -> Ticket:
    """What an event tells of a ticket at its version `sequence`."""
    visits = tuple(
        Visit(_state(change.state), _PRIORITIES.get(change.priority, ""), from_timestamp(change.time))
        for change in facts.history
    )
    return Ticket(
        facts.id,
        facts.customer_id,
        from_timestamp(facts.open_time),
        visits or (_only_visit(facts),),
        sequence,
    )


def message(clock: Clock) -> pb.Clock:
    """A clock as it goes to a caller, or out with an event."""
    out = pb.Clock(
        id=clock.id,
        customer_id=clock.ticket.customer_id,
        ticket_id=clock.ticket.id,
        metric=METRICS[clock.metric],
        agreement_id=clock.agreement.id,
        agreement_version=clock.agreement.version,
        state=STATES[clock.status],
        start_time=to_timestamp(clock.start_time),
        target_seconds=clock.target_seconds,
        elapsed_seconds=clock.elapsed_seconds,
        evaluate_time=to_timestamp(clock.evaluate_time),
        jeopardy=sorted({crossing.threshold for crossing in clock.crossings}),
        priority=clock.priority,
    )
    if clock.due_time is not None:
        out.due_time.CopyFrom(to_timestamp(clock.due_time))
    if clock.stop_time is not None:
        out.stop_time.CopyFrom(to_timestamp(clock.stop_time))
    if clock.breach_time is not None:
        out.breach_time.CopyFrom(to_timestamp(clock.breach_time))
    return out


def interval(explained: ExplainedInterval) -> pb.ClockInterval:
    """A stretch of a clock's life, with its reason in words."""
    reason = _REASONS.get(explained.reason, explained.reason.value)
    return pb.ClockInterval(
        start=to_timestamp(explained.start),
        end=to_timestamp(explained.end),
        counted=explained.counted,
        seconds=explained.counted_seconds,
        reason=f"{reason}: {explained.state}" if explained.state else reason,
    )


def happening(clock: Clock, told: News) -> Happening:
    """The event that tells of it."""
    data: Message
    kept = message(clock)
    if told.kind is NewsKind.STARTED:
        data = pb.ClockStarted(clock=kept)
    elif told.kind is NewsKind.BREACHED:
        data = pb.ClockBreached(clock=kept)
    elif told.kind is NewsKind.IN_JEOPARDY:
        data = pb.ClockInJeopardy(clock=kept, threshold=told.threshold)
    else:
        data = pb.ClockChanged(clock=kept)
    return Happening(clock.id, clock.version, data, told.time, clock.ticket.customer_id)


def _only_visit(facts: tickets_pb2.TicketFacts) -> Visit:
    time = facts.change_time if facts.HasField("change_time") else facts.open_time
    return Visit(_state(facts.state), _PRIORITIES.get(facts.priority, ""), from_timestamp(time))


def _state(number: tickets_pb2.TicketState.ValueType) -> TicketState:
    """The state a message names; acknowledged where it names none."""
    return _TICKET_STATES.get(number, TicketState.ACKNOWLEDGED)
