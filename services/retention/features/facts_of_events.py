"""What the events of the other services mean for a customer's features: the one place that translates them.

Pure and total: a value that features have no word for is a value that is not known, never a reason to stop listening.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from google.protobuf.message import Message
from holdfast.common.v1 import types_pb2
from holdfast.customer_info.v1 import customers_pb2, portfolio_pb2
from holdfast.interaction.v1 import interactions_pb2, tickets_pb2
from holdfast.sla.v1 import clocks_pb2

from chassis.times import from_timestamp
from services.retention.features import catalogue
from services.retention.features.rules import (
    ClockBreached,
    Fact,
    InteractionLogged,
    ProductChanged,
    ProfileChanged,
    TicketClosed,
    TicketOpened,
)

CUSTOMER_INFO: Final = (
    customers_pb2.CustomerCreated,
    customers_pb2.CustomerUpdated,
    portfolio_pb2.ProductAdded,
    portfolio_pb2.ProductChanged,
)
INTERACTION: Final = (interactions_pb2.InteractionLogged, tickets_pb2.TicketOpened, tickets_pb2.TicketChanged)
SLA: Final = (clocks_pb2.ClockBreached,)

PAYMENT_METHODS: Final = {
    number: name.removeprefix("PAYMENT_METHOD_").lower()
    for name, number in customers_pb2.PaymentMethod.items()
    if number
}
NOT_CUSTOMERS: Final = frozenset(
    {
        customers_pb2.CUSTOMER_STATUS_PROSPECT,
        customers_pb2.CUSTOMER_STATUS_CLOSED,
        customers_pb2.CUSTOMER_STATUS_ARCHIVED,
    }
)
SETTLED: Final = frozenset(
    {
        tickets_pb2.TICKET_STATE_REJECTED,
        tickets_pb2.TICKET_STATE_CANCELLED,
        tickets_pb2.TICKET_STATE_CLOSED,
        tickets_pb2.TICKET_STATE_RESOLVED,
    }
)


class Event(Protocol):
    """What is needed of an event; `chassis.events.listener.Received` says more."""

    customer_id: str
    sequence: int
    time: datetime
    data: Message


def facts(event: Event) -> tuple[str, list[Fact]]:
    """The customer an event is about, and what it tells of it; an empty id where it is about no customer.

    Raises:
        Invalid: a time in it is none.
    """
    about, told = _TELL[type(event.data)](event.data, event)
    return about or event.customer_id, list(told)


Told = tuple[str, Iterable[Fact]]


def _customer(data: Any, event: Event) -> Told:
    facts: customers_pb2.CustomerFacts = data.customer
    known = _characteristics(facts.characteristics)
    total = facts.billed.total.micros if facts.billed.HasField("total") else -1
    profile = ProfileChanged(
        version=event.sequence,
        at=event.time,
        customer_since=from_timestamp(facts.since).date() if facts.HasField("since") else None,
        payment_method=PAYMENT_METHODS.get(facts.billing.payment_method),
        paperless_billing=facts.billing.paperless if facts.HasField("billing") else None,
        senior=catalogue.flag(known.get("senior")),
        partner=catalogue.flag(known.get("partner")),
        dependents=catalogue.flag(known.get("dependents")),
        total_charge_micros=total if total >= 0 else None,
        is_customer=facts.status not in NOT_CUSTOMERS,
    )
    return facts.id, (profile,)


def _product(data: Any, event: Event) -> Told:
    facts: portfolio_pb2.ProductFacts = data.product
    known = _characteristics(facts.characteristics)
    kind = catalogue.kind(facts.family, known)
    price = facts.monthly_price
    priced = facts.HasField("monthly_price") and price.micros >= 0 and len(price.currency_code) == 3
    starts_at, ends_at = _life(facts, event.time)
    product = ProductChanged(
        product_id=facts.id,
        version=event.sequence,
        at=event.time,
        kind=kind,
        starts_at=starts_at,
        ends_at=ends_at,
        quantity=catalogue.lines(known) if kind in ("voice", "mobile") else 1,
        monthly_micros=price.micros if priced else None,
        currency_code=price.currency_code if priced else "",
        contract_type=catalogue.contract_type(facts.term.months) if facts.HasField("term") else None,
    )
    return facts.customer_id, (product,)


def _life(facts: portfolio_pb2.ProductFacts, at: datetime) -> tuple[datetime, datetime | None]:
    """When a product was first in use, and when it ended: at once, if it never was in use."""
    entered = [(change.status, from_timestamp(change.time)) for change in facts.history if change.HasField("time")]
    used = [time for status, time in entered if status == portfolio_pb2.PRODUCT_STATUS_ACTIVE]
    if not used and facts.status in (portfolio_pb2.PRODUCT_STATUS_ACTIVE, portfolio_pb2.PRODUCT_STATUS_SUSPENDED):
        used = [at]
    if not used:
        return at, at
    start = min(used)
    if facts.status != portfolio_pb2.PRODUCT_STATUS_CEASED:
        return start, None
    ended = [time for status, time in entered if status == portfolio_pb2.PRODUCT_STATUS_CEASED] or [at]
    return start, max(start, *ended)


def _interaction(data: Any, event: Event) -> Told:
    entry: interactions_pb2.Interaction = data.interaction
    logged = InteractionLogged(
        at=from_timestamp(entry.occur_time) if entry.HasField("occur_time") else event.time,
        inbound=entry.direction == interactions_pb2.DIRECTION_INBOUND,
        complaint=entry.complaint,
        sentiment=max(-1.0, min(1.0, entry.sentiment)) if entry.HasField("sentiment") else None,
    )
    return entry.customer_id, (logged,)


def _ticket(data: Any, event: Event) -> Told:
    return data.ticket.customer_id, _ticket_facts(data.ticket, event.time)


def _ticket_facts(ticket: tickets_pb2.TicketFacts, at: datetime) -> Iterator[Fact]:
    """Its whole history, each time: repeats change nothing, and what comes late or not at all is made up for."""
    yield TicketOpened(ticket_id=ticket.id, at=from_timestamp(ticket.open_time) if ticket.HasField("open_time") else at)
    steps = [(one.state, from_timestamp(one.time)) for one in ticket.history if one.HasField("time")]
    if not steps:
        steps = [(ticket.state, from_timestamp(ticket.change_time) if ticket.HasField("change_time") else at)]
    settled = False
    for state, moment in steps:
        # From resolved to closed nobody waits any less: only the first of them ends the waiting.
        if state in SETTLED and not settled:
            yield TicketClosed(ticket_id=ticket.id, at=moment)
        elif settled and state not in SETTLED:
            yield TicketOpened(ticket_id=ticket.id, at=moment)
        settled = state in SETTLED


def _clock(data: Any, event: Event) -> Told:
    clock: clocks_pb2.Clock = data.clock
    at = from_timestamp(clock.breach_time) if clock.HasField("breach_time") else event.time
    return clock.customer_id, (ClockBreached(clock_id=clock.id, at=at),)


def _characteristics(pairs: Iterable[types_pb2.Characteristic]) -> Mapping[str, str]:
    return {pair.name: pair.value for pair in pairs}


_TELL: Final[Mapping[type[Message], Callable[[Any, Event], Told]]] = {
    customers_pb2.CustomerCreated: _customer,
    customers_pb2.CustomerUpdated: _customer,
    portfolio_pb2.ProductAdded: _product,
    portfolio_pb2.ProductChanged: _product,
    interactions_pb2.InteractionLogged: _interaction,
    tickets_pb2.TicketOpened: _ticket,
    tickets_pb2.TicketChanged: _ticket,
    clocks_pb2.ClockBreached: _clock,
}
