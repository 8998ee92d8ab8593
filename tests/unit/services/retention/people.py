"""Made-up customers of whom the other services tell, and who leaves among them."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1.types_pb2 import Characteristic, Money
from holdfast.customer_info.v1 import customers_pb2, portfolio_pb2
from holdfast.events.v1 import events_pb2
from holdfast.interaction.v1 import interactions_pb2, tickets_pb2
from holdfast.retention.v1 import features_pb2
from holdfast.sla.v1 import clocks_pb2

from chassis import following
from chassis.times import now, to_timestamp
from services.retention.features.facts_of_events import facts
from services.retention.features.rules import Fact, State, fold
from tests.support.event_source import event


@dataclass
class Person:
    """A customer, by what is told of it."""

    id: str
    customer_info: list[events_pb2.Event] = field(default_factory=list)
    interaction: list[events_pb2.Event] = field(default_factory=list)
    sla: list[events_pb2.Event] = field(default_factory=list)
    churned: bool = False

    @property
    def told(self) -> list[events_pb2.Event]:
        return [*self.customer_info, *self.interaction, *self.sla]

    def outcome(self, at: datetime | None = None) -> features_pb2.Outcome:
        return features_pb2.Outcome(customer_id=self.id, churned=self.churned, observe_time=to_timestamp(at or now()))


KINDS = {
    kind.DESCRIPTOR.full_name: kind
    for kind in (
        customers_pb2.CustomerCreated,
        customers_pb2.CustomerUpdated,
        portfolio_pb2.ProductAdded,
        portfolio_pb2.ProductChanged,
        interactions_pb2.InteractionLogged,
        tickets_pb2.TicketOpened,
        tickets_pb2.TicketChanged,
        clocks_pb2.ClockBreached,
        *following.KINDS,
    )
}


def folded(told: Sequence[events_pb2.Event]) -> State:
    """What is known after all of it, each event counted once, whatever the order."""
    found: list[Fact] = []
    for one in {one.id: one for one in told}.values():
        found += facts(Unpacked(one))[1]
    return fold(found)


class Unpacked:
    """An event as the use cases get it."""

    def __init__(self, told: events_pb2.Event) -> None:
        self.customer_id = told.customer_id
        self.sequence = told.sequence
        self.time = told.time.ToDatetime(now().tzinfo)
        self.time = self.time.replace(microsecond=self.time.microsecond // 1000 * 1000)
        self.data: Message = KINDS[told.type]()
        told.data.Unpack(self.data)


def person(seed: int) -> Person:
    """A customer with products, contacts, a ticket now and then, and a fate that follows from them."""
    draw = random.Random(seed)
    one = Person(str(uuid.UUID(int=draw.getrandbits(128), version=4)))
    monthly = draw.random() < 0.55
    fiber = draw.random() < 0.5
    tenure = draw.randrange(1, 60)
    angry = draw.randrange(0, 3)
    one.customer_info.append(_customer(one.id, tenure, draw))
    one.customer_info.append(_product(one.id, "internet", 0 if monthly else 24, "fiber" if fiber else "dsl", draw))
    one.customer_info.append(_product(one.id, "voice", 0 if monthly else 24, "", draw))
    for _ in range(draw.randrange(2, 9)):
        one.interaction.append(contact(one.id, draw, complaint=False))
    for _ in range(angry):
        one.interaction.append(contact(one.id, draw, complaint=True))
    if draw.random() < 0.4:
        one.interaction += _ticket(one.id, draw)
    if draw.random() < 0.2:
        one.sla.append(_breach(one.id, draw))
    chance = 0.08 + 0.35 * monthly + 0.15 * fiber + 0.15 * angry - 0.006 * tenure
    one.churned = draw.random() < chance
    return one


def ago(draw: random.Random, days: int) -> Timestamp:
    return to_timestamp(now() - timedelta(seconds=draw.randrange(3600, days * 86_400)))


def _customer(customer_id: str, tenure: int, draw: random.Random) -> events_pb2.Event:
    facts = customers_pb2.CustomerFacts(
        id=customer_id,
        status=customers_pb2.CUSTOMER_STATUS_ACTIVE,
        is_individual=True,
        since=to_timestamp(now() - timedelta(days=30 * tenure + 10)),
        billing=customers_pb2.BillingPreference(payment_method=draw.randrange(1, 5), paperless=draw.random() < 0.5),  # type: ignore[arg-type]
        characteristics=[Characteristic(name="senior", value=draw.choice(["yes", "no"]))],
        billed=customers_pb2.BilledTotals(total=Money(currency_code="EUR", micros=tenure * 50_000_000)),
    )
    return event(customers_pb2.CustomerCreated(customer=facts), customer_id, customer_id)


def _product(customer_id: str, family: str, months: int, technology: str, draw: random.Random) -> events_pb2.Event:
    facts = portfolio_pb2.ProductFacts(
        id=str(uuid.UUID(int=draw.getrandbits(128), version=4)),
        customer_id=customer_id,
        family=family,
        name=family,
        status=portfolio_pb2.PRODUCT_STATUS_ACTIVE,
        monthly_price=Money(currency_code="EUR", micros=draw.randrange(10, 60) * 1_000_000),
        term=portfolio_pb2.ContractTerm(months=months),
        characteristics=[Characteristic(name="technology", value=technology)] if technology else [],
        history=[
            portfolio_pb2.ProductStatusChange(
                status=portfolio_pb2.PRODUCT_STATUS_ACTIVE, time=to_timestamp(now() - timedelta(days=30))
            )
        ],
    )
    return event(portfolio_pb2.ProductAdded(product=facts), customer_id, facts.id)


def contact(customer_id: str, draw: random.Random, *, complaint: bool) -> events_pb2.Event:
    entry = interactions_pb2.Interaction(
        id=str(uuid.UUID(int=draw.getrandbits(128), version=4)),
        customer_id=customer_id,
        channel=interactions_pb2.CHANNEL_CALL,
        direction=draw.choice([interactions_pb2.DIRECTION_INBOUND, interactions_pb2.DIRECTION_OUTBOUND]),
        complaint=complaint,
        sentiment=round(draw.uniform(-1, 1), 2),
        occur_time=ago(draw, 80),
    )
    return event(interactions_pb2.InteractionLogged(interaction=entry), customer_id, entry.id)


def _ticket(customer_id: str, draw: random.Random) -> list[events_pb2.Event]:
    opened = ago(draw, 80)
    facts = tickets_pb2.TicketFacts(
        id=str(uuid.UUID(int=draw.getrandbits(128), version=4)),
        customer_id=customer_id,
        state=tickets_pb2.TICKET_STATE_ACKNOWLEDGED,
        open_time=opened,
        change_time=opened,
        history=[tickets_pb2.TicketStateChange(state=tickets_pb2.TICKET_STATE_ACKNOWLEDGED, time=opened)],
    )
    told = [event(tickets_pb2.TicketOpened(ticket=facts), customer_id, facts.id, 1)]
    if draw.random() < 0.7:
        done = Timestamp(seconds=opened.seconds + 3000, nanos=opened.nanos)
        facts.state, facts.change_time.seconds = tickets_pb2.TICKET_STATE_RESOLVED, done.seconds
        facts.history.add(state=tickets_pb2.TICKET_STATE_RESOLVED, time=done)
        told.append(event(tickets_pb2.TicketChanged(ticket=facts), customer_id, facts.id, 2))
    return told


def _breach(customer_id: str, draw: random.Random) -> events_pb2.Event:
    clock = clocks_pb2.Clock(
        id=f"{draw.getrandbits(64):x}:RESOLUTION", customer_id=customer_id, breach_time=ago(draw, 80)
    )
    return event(clocks_pb2.ClockBreached(clock=clock), customer_id, clock.id)
