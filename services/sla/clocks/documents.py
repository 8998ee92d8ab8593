"""Clocks as MongoDB keeps them: part of the store's door, kept apart for its length."""

from typing import Any

from services.sla.agreements.rules import AgreementRef, Metric
from services.sla.clocks.record_rules import Clock
from services.sla.clocks.rules import Crossing, Status
from services.sla.clocks.ticket_rules import Ticket, TicketState, Visit

Document = dict[str, Any]
_OPTIONAL = ("due_time", "stop_time", "breach_time", "next_alarm")


def to_document(clock: Clock) -> Document:
    """A clock as it is kept."""
    ticket = clock.ticket
    document: Document = {
        "_id": clock.id,
        "metric": clock.metric.value,
        "ticket_id": ticket.id,
        "customer_id": ticket.customer_id,
        "ticket": {
            "open_time": ticket.open_time,
            "sequence": ticket.sequence,
            "visits": [[visit.state.value, visit.priority, visit.time] for visit in ticket.visits],
        },
        "agreement_id": clock.agreement.id,
        "agreement_version": clock.agreement.version,
        "state": clock.status.value,
        "start_time": clock.start_time,
        "target_seconds": clock.target_seconds,
        "elapsed_seconds": clock.elapsed_seconds,
        "evaluate_time": clock.evaluate_time,
        "change_time": clock.change_time,
        "crossings": [[c.threshold, c.at, c.target_seconds] for c in clock.crossings],
        "priority": clock.priority,
        "version": clock.version,
    }
    for name in _OPTIONAL:
        value = getattr(clock, name)
        if value is not None:
            document[name] = value
    return document


def from_document(document: Document) -> Clock:
    """A clock from what is kept."""
    ticket = document["ticket"]
    return Clock(
        id=document["_id"],
        metric=Metric(document["metric"]),
        ticket=Ticket(
            document["ticket_id"],
            document["customer_id"],
            ticket["open_time"],
            tuple(Visit(TicketState(state), priority, time) for state, priority, time in ticket["visits"]),
            ticket["sequence"],
        ),
        agreement=AgreementRef(document["agreement_id"], document["agreement_version"]),
        status=Status(document["state"]),
        start_time=document["start_time"],
        due_time=document.get("due_time"),
        stop_time=document.get("stop_time"),
        breach_time=document.get("breach_time"),
        target_seconds=document["target_seconds"],
        elapsed_seconds=document["elapsed_seconds"],
        evaluate_time=document["evaluate_time"],
        change_time=document["change_time"],
        crossings=tuple(Crossing(*crossing) for crossing in document["crossings"]),
        priority=document["priority"],
        next_alarm=document.get("next_alarm"),
        version=document["version"],
    )
