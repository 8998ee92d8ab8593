"""What the events of the other services mean for features."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1.types_pb2 import Characteristic, Money
from holdfast.customer_info.v1 import customers_pb2, portfolio_pb2
from holdfast.interaction.v1 import interactions_pb2, tickets_pb2
from holdfast.sla.v1 import clocks_pb2
from hypothesis import given
from hypothesis import strategies as st

from services.retention.features import catalogue
from services.retention.features.facts_of_events import CUSTOMER_INFO, INTERACTION, PAYMENT_METHODS, SLA, facts
from services.retention.features.rules import (
    BY_NAME,
    CONTRACT_TYPES,
    PRODUCT_KINDS,
    ClockBreached,
    InteractionLogged,
    ProductChanged,
    ProfileChanged,
    State,
    TicketClosed,
    TicketOpened,
    fold,
)
from tests.unit.services.retention.builders import NOON


@dataclass
class Heard:
    """An event as a listener hands it over."""

    data: Message
    customer_id: str = ""
    sequence: int = 4
    time: datetime = NOON


def stamp(moment: datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(moment)
    return found


def profile(**fields: object) -> ProfileChanged:
    message = customers_pb2.CustomerUpdated(customer=customers_pb2.CustomerFacts(id="ann", **fields))  # type: ignore[arg-type]
    who, found = facts(Heard(message))
    assert who == "ann"
    assert isinstance(found[0], ProfileChanged)
    return found[0]


def product(**fields: object) -> ProductChanged:
    message = portfolio_pb2.ProductFacts(**{"id": "p", "customer_id": "ann", "family": "mobile", **fields})  # type: ignore[arg-type]
    who, found = facts(Heard(portfolio_pb2.ProductChanged(product=message)))
    assert who == "ann"
    assert isinstance(found[0], ProductChanged)
    return found[0]


def known(**pairs: str) -> list[Characteristic]:
    return [Characteristic(name=name, value=value) for name, value in pairs.items()]


def test_every_event_listened_to_has_a_meaning() -> None:
    for kind in (*CUSTOMER_INFO, *INTERACTION, *SLA):
        assert facts(Heard(kind(), customer_id="ann"))[0] == "ann"


def test_a_profile_is_taken_over_whole() -> None:
    found = profile(
        status=customers_pb2.CUSTOMER_STATUS_ACTIVE,
        since=stamp(datetime(2024, 2, 29, 23, 30, tzinfo=UTC)),
        billing=customers_pb2.BillingPreference(
            payment_method=customers_pb2.PAYMENT_METHOD_MAILED_CHECK, paperless=True
        ),
        characteristics=known(senior="no", partner="yes", dependents="perhaps", gender="f"),
        billed=customers_pb2.BilledTotals(total=Money(currency_code="USD", micros=108_150_000)),
    )
    assert found == ProfileChanged(
        version=4, at=NOON, customer_since=date(2024, 2, 29), payment_method="mailed_check", paperless_billing=True,
        senior=False, partner=True, dependents=None, total_charge_micros=108_150_000, is_customer=True,
    )  # fmt: skip


def test_what_is_not_told_is_not_known() -> None:
    assert profile() == ProfileChanged(version=4, at=NOON)
    negative = customers_pb2.BilledTotals(total=Money(currency_code="USD", micros=-1))
    assert profile(billed=negative).total_charge_micros is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("UNSPECIFIED", True),
        ("PROSPECT", False),
        ("ACTIVE", True),
        ("SUSPENDED", True),
        ("CLOSED", False),
        ("ARCHIVED", False),
    ],
)
def test_only_who_has_bought_and_not_left_is_a_customer(status: str, *, expected: bool) -> None:
    found = profile(status=customers_pb2.CustomerStatus.Value(f"CUSTOMER_STATUS_{status}"))
    assert found.is_customer is expected


def test_every_payment_method_of_the_contract_is_one_of_the_features() -> None:
    assert set(PAYMENT_METHODS.values()) == set(BY_NAME["payment_method"].categories)


@pytest.mark.parametrize(
    ("family", "technology", "kind"),
    [
        ("voice", "", "voice"),
        ("mobile", "", "mobile"),
        ("internet", "dsl", "broadband_dsl"),
        ("internet", "Fiber", "broadband_fiber"),
        ("broadband", "fibre", "broadband_fiber"),
        ("broadband", "cable", "broadband_other"),
        ("internet", "", "broadband_other"),
        ("security", "", "online_security"),
        ("online_backup", "", "online_backup"),
        ("device", "", "other"),
        ("conferencing", "", "other"),
        ("fixed_mobile_convergence", "", "other"),
    ],
)
def test_a_family_has_its_kind(family: str, technology: str, kind: str) -> None:
    assert product(family=family, characteristics=known(technology=technology)).kind == kind


@given(
    st.text(max_size=12),
    st.dictionaries(st.sampled_from(["technology", "lines", "multiple_lines"]), st.text(max_size=8)),
)
def test_every_product_has_a_kind_and_a_line(family: str, characteristics: dict[str, str]) -> None:
    assert catalogue.kind(family, characteristics) in PRODUCT_KINDS
    assert catalogue.lines(characteristics) >= 1


@given(st.integers(-5, 200))
def test_every_commitment_has_a_contract_type(months: int) -> None:
    assert catalogue.contract_type(months) in CONTRACT_TYPES


def test_commitments_are_those_of_the_price_lists() -> None:
    found = [catalogue.contract_type(months) for months in (0, 1, 12, 18, 24, 36)]
    assert found == ["month_to_month", "one_year", "one_year", "one_year", "two_year", "two_year"]
    assert product(term=portfolio_pb2.ContractTerm()).contract_type == "month_to_month"
    assert product().contract_type is None


def test_lines_are_counted_for_what_has_lines() -> None:
    assert product(characteristics=known(multiple_lines="yes")).quantity == 2
    assert product(characteristics=known(multiple_lines="yes", lines="14")).quantity == 14
    assert product(characteristics=known(multiple_lines="no")).quantity == 1
    assert product(characteristics=known(lines="many")).quantity == 1
    assert product(family="internet", characteristics=known(lines="9")).quantity == 1


def test_a_price_without_a_currency_or_below_nothing_is_no_price() -> None:
    assert product(monthly_price=Money(currency_code="EUR", micros=9_990_000)).monthly_micros == 9_990_000
    assert product(monthly_price=Money(currency_code="EUR", micros=0)).monthly_micros == 0
    assert product(monthly_price=Money(micros=5)).monthly_micros is None
    assert product(monthly_price=Money(currency_code="EUR", micros=-5)).monthly_micros is None


def entered(**times: datetime) -> list[portfolio_pb2.ProductStatusChange]:
    return [
        portfolio_pb2.ProductStatusChange(
            status=portfolio_pb2.ProductStatus.Value(f"PRODUCT_STATUS_{name}"), time=stamp(time)
        )
        for name, time in times.items()
    ]


def test_a_product_lives_from_its_first_use_to_its_end() -> None:
    first, last = NOON - timedelta(days=90), NOON - timedelta(days=10)
    history = entered(ORDERED=first - timedelta(days=9), ACTIVE=first, SUSPENDED=first + timedelta(days=3), CEASED=last)
    ended = product(status=portfolio_pb2.PRODUCT_STATUS_CEASED, history=history)
    assert (ended.starts_at, ended.ends_at) == (first, last)
    suspended = product(status=portfolio_pb2.PRODUCT_STATUS_SUSPENDED, history=history[:3])
    assert (suspended.starts_at, suspended.ends_at) == (first, None)
    untold = product(status=portfolio_pb2.PRODUCT_STATUS_ACTIVE)
    assert (untold.starts_at, untold.ends_at) == (NOON, None)


@pytest.mark.parametrize("status", ["ORDERED", "PROVISIONING", "CEASED"])
def test_a_product_that_never_was_in_use_is_there_at_no_time(status: str) -> None:
    found = product(status=portfolio_pb2.ProductStatus.Value(f"PRODUCT_STATUS_{status}"), history=entered(ORDERED=NOON))
    assert found.starts_at == found.ends_at


def test_a_contact_is_counted_only_where_the_customer_began_it() -> None:
    entry = interactions_pb2.Interaction(
        customer_id="ann", direction=interactions_pb2.DIRECTION_INBOUND, complaint=True, sentiment=-0.5,
        occur_time=stamp(NOON - timedelta(hours=1)),
    )  # fmt: skip
    heard = Heard(interactions_pb2.InteractionLogged(interaction=entry))
    logged = InteractionLogged(at=NOON - timedelta(hours=1), inbound=True, complaint=True, sentiment=-0.5)
    assert facts(heard) == ("ann", [logged])
    entry.direction = interactions_pb2.DIRECTION_OUTBOUND
    entry.ClearField("sentiment")
    entry.ClearField("occur_time")
    heard = Heard(interactions_pb2.InteractionLogged(interaction=entry))
    assert facts(heard) == ("ann", [InteractionLogged(at=NOON, inbound=False, complaint=True)])


def ticket(*steps: tuple[str, float]) -> list[object]:
    """The facts of a ticket opened at noon that went through states, hours later."""
    message = tickets_pb2.TicketFacts(id="t", customer_id="ann", open_time=stamp(NOON))
    for name, hours in steps:
        message.state = tickets_pb2.TicketState.Value(f"TICKET_STATE_{name}")
        message.change_time.CopyFrom(stamp(NOON + timedelta(hours=hours)))
        message.history.add(state=message.state, time=message.change_time)
    return list(facts(Heard(tickets_pb2.TicketChanged(ticket=message)))[1])


def opened(hours: float) -> TicketOpened:
    return TicketOpened(ticket_id="t", at=NOON + timedelta(hours=hours))


def closed(hours: float) -> TicketClosed:
    return TicketClosed(ticket_id="t", at=NOON + timedelta(hours=hours))


def test_a_ticket_is_closed_when_it_is_resolved_and_opened_again_when_it_is_reopened() -> None:
    assert ticket(("ACKNOWLEDGED", 0), ("PENDING", 1)) == [opened(0)]
    assert ticket(("ACKNOWLEDGED", 0), ("RESOLVED", 2), ("CLOSED", 5)) == [opened(0), closed(2)]
    assert ticket(("ACKNOWLEDGED", 0), ("RESOLVED", 2), ("IN_PROGRESS", 3)) == [opened(0), closed(2), opened(3)]
    again = ticket(("ACKNOWLEDGED", 0), ("RESOLVED", 2), ("HELD", 3), ("CANCELLED", 4))
    assert again == [opened(0), closed(2), opened(3), closed(4)]
    assert ticket(("REJECTED", 1)) == [opened(0), closed(1)]


def test_a_ticket_without_a_history_stands_where_it_says() -> None:
    message = tickets_pb2.TicketFacts(id="t", customer_id="ann", state=tickets_pb2.TICKET_STATE_CLOSED)
    assert facts(Heard(tickets_pb2.TicketOpened(ticket=message)))[1] == [opened(0), closed(0)]


def test_every_event_of_a_ticket_alone_says_what_all_of_them_say() -> None:
    steps = (("ACKNOWLEDGED", 0.0), ("RESOLVED", 2.0), ("IN_PROGRESS", 3.0), ("RESOLVED", 4.0))
    told = [one for end in range(1, 5) for one in ticket(*steps[:end])]
    assert fold(told).tickets == fold(ticket(*steps)).tickets  # type: ignore[arg-type]
    assert fold(reversed(told)).tickets == fold(ticket(*steps)).tickets  # type: ignore[arg-type]


def test_a_broken_promise_is_of_when_it_was_broken() -> None:
    clock = clocks_pb2.Clock(id="t:RESOLUTION", customer_id="ann", breach_time=stamp(NOON - timedelta(hours=2)))
    heard = Heard(clocks_pb2.ClockBreached(clock=clock))
    assert facts(heard) == ("ann", [ClockBreached(clock_id="t:RESOLUTION", at=NOON - timedelta(hours=2))])


def test_an_event_of_no_customer_is_of_nobody() -> None:
    who, found = facts(Heard(clocks_pb2.ClockBreached(clock=clocks_pb2.Clock(id="x"))))
    assert who == ""
    assert fold(found) != State()
