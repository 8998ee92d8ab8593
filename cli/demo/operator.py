"""The made-up operator as a whole."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1.types_pb2 import Characteristic
from holdfast.customer_info.v1.customers_pb2 import Customer
from holdfast.customer_info.v1.portfolio_pb2 import Product
from holdfast.interaction.v1.interactions_pb2 import Interaction
from holdfast.interaction.v1.tickets_pb2 import Ticket
from holdfast.retention.v1.features_pb2 import Outcome
from holdfast.sla.v1.agreements_pb2 import Agreement
from holdfast.sla.v1.measurements_pb2 import Outage

from cli.console import CommandError
from cli.demo import history, outages, promises, records
from cli.demo.chance import stream, uuid_of
from cli.demo.members import Member, members

SEED: Final = 7
CUSTOMERS: Final = 2_000
MOST_CUSTOMERS: Final = 100_000
REPORT_EVERY: Final = 50
PRESENT: Final = "demo_as_of"
"""Characteristic of the first customer: the day that the operator's present is, so that a later run makes the same."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Everything there is, as messages. `departures` says when each customer that left was gone.

    Parents stand before their children.
    """

    seed: str
    as_of: datetime
    customers: list[Customer] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    interactions: list[Interaction] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    departures: dict[str, datetime] = field(default_factory=dict)

    def messages(self) -> list[Message]:
        """All of it, in the order in which it is loaded."""
        parts = (self.agreements, self.customers, self.products, self.tickets, self.interactions)
        return [message for part in (*parts, self.outages, self.outcomes) for message in part]


def first_customer_id(seed: int, customers: int) -> str:
    """The id of the operator's first customer; the mesh is asked by it whether it knows this operator."""
    return uuid_of(stream(_key(seed, customers), 0, "identity"))


def today() -> datetime:
    """The present of a new operator: the day's begin in UTC."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def generate(
    seed: int = SEED,
    customers: int = CUSTOMERS,
    as_of: datetime | None = None,
    report: Callable[[int], None] = lambda _: None,
) -> Operator:
    """The operator of a seed: the same seed, number and day give the same bytes. `report` is told how many are made.

    Raises:
        CommandError: fewer than 20 or more than 100,000 customers, or a day without a time zone.
    """
    as_of = today() if as_of is None else as_of
    if as_of.tzinfo is None:
        raise CommandError("as_of must name its time zone", exit_code=2)
    if not 20 <= customers <= MOST_CUSTOMERS:
        raise CommandError(f"--customers must lie between 20 and {MOST_CUSTOMERS}, not {customers}", exit_code=2)
    present = int(as_of.timestamp())
    key = _key(seed, customers)
    operator = Operator(key, as_of, agreements=[promises.agreement("standard", present, "standard-care")])
    for member in members(key, customers, present):
        _add(operator, member, present)
        if member.index % REPORT_EVERY == REPORT_EVERY - 1:
            report(member.index + 1)
        if member.departure is not None:
            operator.departures[member.id] = datetime.fromtimestamp(member.departure, UTC)
    report(customers)
    operator.customers[0].characteristics.append(Characteristic(name=PRESENT, value=as_of.isoformat()))
    operator.interactions.sort(key=lambda one: (one.occur_time.seconds, one.message_id))
    operator.tickets.sort(key=lambda one: (one.open_time.seconds, one.id))
    operator.outages.extend(outages.outages(key, operator.products, present))
    return operator


def _key(seed: int, customers: int) -> str:
    # A smaller operator is not the first part of a larger one: they must not share ids.
    return f"{seed}-{customers}"


def _add(operator: Operator, member: Member, present: int) -> None:
    portfolio = records.products(member, operator.seed)
    tickets = history.tickets(member, portfolio, operator.seed, present)
    operator.customers.append(records.customer(member, operator.seed))
    operator.products.extend(portfolio)
    operator.tickets.extend(ticket for ticket in tickets if ticket is not None)
    operator.interactions.extend(history.interactions(member, tickets, operator.seed, present))
    operator.outcomes.append(
        Outcome(customer_id=member.id, churned=member.fate.left, observe_time=Timestamp(seconds=member.end))
    )
    if member.account.tier in ("gold", "silver") and not member.fate.left:
        name = f"{member.account.tier}-{member.id[:13]}"
        operator.agreements.append(promises.agreement(member.account.tier, present, name, member.id))
