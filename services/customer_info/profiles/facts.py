"""What the events of the other services say of a customer, for the view: one small function for each section.

A new section is one more function from an event to facts, and one more row of SECTIONS. Counts, dates and words of
contracts only: nothing here is personal.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.interaction.v1 import interactions_pb2, tickets_pb2
from holdfast.retention.v1 import scores_pb2
from holdfast.sla.v1 import clocks_pb2

from chassis.times import from_timestamp
from services.customer_info.customers.rules import Money
from services.customer_info.profiles.fact_rules import Facts, Last, Sum, Tally, Thing, Things

# Nobody waits for what is done with a ticket of these states.
OVER: Final = frozenset(
    {
        tickets_pb2.TICKET_STATE_REJECTED,
        tickets_pb2.TICKET_STATE_CANCELLED,
        tickets_pb2.TICKET_STATE_RESOLVED,
        tickets_pb2.TICKET_STATE_CLOSED,
    }
)


class Event(Protocol):
    """What is needed of an event; `chassis.events.listener.Received` says more."""

    customer_id: str
    sequence: int
    time: datetime
    data: Any


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the view: which service tells it, by which events, and what each says; no service: none does yet."""

    name: str
    service: str = ""
    kinds: tuple[type[Message], ...] = ()
    facts: Callable[[Event], Facts] = lambda _: {}


def contacts(event: Event) -> Facts:
    """That there was a contact."""
    entry: interactions_pb2.Interaction = event.data.interaction
    at = _time(entry, "occur_time", event.time)
    channel = interactions_pb2.Channel.Name(entry.channel).removeprefix("CHANNEL_").lower()
    found: Facts = {
        "count": Sum(),
        "complaints": Sum(int(entry.complaint)),
        "last_time": Last(at, at),
        "last_channel": Last(channel, at),
    }
    if entry.direction == interactions_pb2.DIRECTION_INBOUND:
        return {**found, "most_used_channel": Tally({channel: 1})}
    return found


def tickets(event: Event) -> Facts:
    """That a ticket is open, or over."""
    ticket: tickets_pb2.TicketFacts = event.data.ticket
    is_open = ticket.state not in OVER
    at = _time(ticket, "open_time" if is_open else "change_time", event.time)
    return {"open": Things({ticket.id: Thing(event.sequence, is_open, at)})}


def promises(event: Event) -> Facts:
    """That a promise was broken."""
    at = _time(event.data.clock, "breach_time", event.time)
    return {"broken": Sum(), "last_broken_time": Last(at, at)}


def risk(event: Event) -> Facts:
    """How likely the customer is to leave."""
    score: scores_pb2.Score = event.data.score
    at = _time(score, "score_time", event.time)
    band = scores_pb2.RiskBand.Name(score.band).removeprefix("RISK_BAND_").lower()
    return {"band": Last(band, at), "probability": Last(score.probability, at), "score_time": Last(at, at)}


def value(event: Event) -> Facts:
    """What the customer is worth; nothing where the score does not say."""
    score: scores_pb2.Score = event.data.score
    at = _time(score, "score_time", event.time)
    found: dict[str, Last] = {}
    if score.HasField("lifetime_value"):
        worth = Money(score.lifetime_value.currency_code, score.lifetime_value.micros)
        found["lifetime_value"] = Last(worth, at)
    if score.value_tier:
        found["tier"] = Last(score.value_tier, at)
    return {**found, "score_time": Last(at, at)} if found else {}


SECTIONS: Final = (
    Section("contacts", "interaction", (interactions_pb2.InteractionLogged,), contacts),
    Section("tickets", "interaction", (tickets_pb2.TicketOpened, tickets_pb2.TicketChanged), tickets),
    Section("promises", "sla", (clocks_pb2.ClockBreached,), promises),
    Section("risk", "retention", (scores_pb2.RiskBandChanged,), risk),
    Section("value", "retention", (scores_pb2.RiskBandChanged,), value),
    # Nobody tells of loyalty yet.
    Section("loyalty"),
)
_WHOSE: Final[Mapping[type[Message], Callable[[Any], str]]] = {
    interactions_pb2.InteractionLogged: lambda data: data.interaction.customer_id,
    tickets_pb2.TicketOpened: lambda data: data.ticket.customer_id,
    tickets_pb2.TicketChanged: lambda data: data.ticket.customer_id,
    clocks_pb2.ClockBreached: lambda data: data.clock.customer_id,
    scores_pb2.RiskBandChanged: lambda data: data.score.customer_id,
}


def kinds_of(service: str) -> list[type[Message]]:
    """The events of a service that some section is made of."""
    return list(dict.fromkeys(kind for s in SECTIONS if s.service == service for kind in s.kinds))


def told(event: Event) -> Iterable[tuple[str, str, Facts]]:
    """What an event says: of whom, for which section, and what.

    Raises:
        Invalid: a time in it is none.
    """
    whose = _WHOSE[type(event.data)](event.data) or event.customer_id
    for section in SECTIONS:
        if whose and type(event.data) in section.kinds and (facts := section.facts(event)):
            yield whose, section.name, facts


def _time(message: Message, name: str, otherwise: datetime) -> datetime:
    """The time in the field `name`; `otherwise` where it is not set."""
    stamp: Timestamp = getattr(message, name)
    return from_timestamp(stamp) if message.HasField(name) else otherwise
