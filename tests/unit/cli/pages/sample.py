"""A story with something in every section, for the pages to show."""

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1.types_pb2 import Characteristic, Money, Period
from holdfast.customer_info.v1.customers_pb2 import (
    BilledTotals,
    BillingPreference,
    ContactMedium,
    Customer,
    CustomerStatus,
    ExternalId,
    Individual,
    PaymentMethod,
)
from holdfast.customer_info.v1.portfolio_pb2 import (
    ContractTerm,
    GetPortfolioResponse,
    Product,
    ProductStatus,
    ServiceIdentifier,
)
from holdfast.gateway.v1.experience_pb2 import (
    CustomerSection,
    GetCustomer360Response,
    InteractionsSection,
    PortfolioSection,
    ScoreSection,
    SectionStatus,
    SlaSection,
    TicketsSection,
)
from holdfast.interaction.v1.interactions_pb2 import Channel, Direction, Interaction
from holdfast.interaction.v1.tickets_pb2 import Ticket, TicketPriority, TicketState
from holdfast.retention.v1.scores_pb2 import Lever, ReasonCode, RiskBand, Score
from holdfast.sla.v1.agreements_pb2 import Metric
from holdfast.sla.v1.clocks_pb2 import Clock, ClockState, GetCustomerSlaResponse
from holdfast.sla.v1.measurements_pb2 import GetAvailabilityResponse, ProductAvailability

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CUSTOMER_ID = "3b1c2a6e-6f1e-4b0e-9d5b-7c1f3c0b1a55"
PRODUCT_ID = "9f1c2a6e-6f1e-4b0e-9d5b-7c1f3c0b1a55"
TICKET_ID = "c0ffee00-6f1e-4b0e-9d5b-7c1f3c0b1a55"


def stamp(**before: float) -> Timestamp:
    """A time so long before now."""
    return Timestamp(seconds=int((NOW - timedelta(**before)).timestamp()))


def money(amount: float) -> Money:
    return Money(currency_code="EUR", micros=int(amount * 1_000_000))


def fresh(milliseconds: float = 4.0) -> SectionStatus:
    return SectionStatus(freshness=SectionStatus.FRESHNESS_FRESH, as_of=stamp(), milliseconds=milliseconds)


def stale() -> SectionStatus:
    return SectionStatus(freshness=SectionStatus.FRESHNESS_STALE, as_of=stamp(minutes=7), reason="UNAVAILABLE")


def missing() -> SectionStatus:
    return SectionStatus(freshness=SectionStatus.FRESHNESS_MISSING, reason="DEADLINE_EXCEEDED")


def absent() -> SectionStatus:
    return SectionStatus(freshness=SectionStatus.FRESHNESS_ABSENT, reason="NO_CHAMPION", milliseconds=2.0)


def story() -> GetCustomer360Response:
    """Everything fresh."""
    return GetCustomer360Response(
        customer_id=CUSTOMER_ID,
        customer=CustomerSection(status=fresh(), customer=_customer()),
        portfolio=PortfolioSection(status=fresh(5), portfolio=_portfolio()),
        interactions=InteractionsSection(status=fresh(), interactions=_interactions()),
        tickets=TicketsSection(status=fresh(), open_tickets=[_ticket()]),
        sla=SlaSection(status=fresh(), sla=_sla(), availability=_availability()),
        score=ScoreSection(status=fresh(), score=_score()),
    )


def clock(state: ClockState.ValueType = ClockState.CLOCK_STATE_RUNNING) -> Clock:
    made = Clock(
        id=f"{TICKET_ID}:RESOLUTION",
        ticket_id=TICKET_ID,
        metric=Metric.METRIC_RESOLUTION,
        state=state,
        target_seconds=8 * 3600,
        elapsed_seconds=6.2 * 3600,
        priority="HIGH",
        evaluate_time=stamp(),
    )
    if state == ClockState.CLOCK_STATE_RUNNING:
        made.due_time.CopyFrom(stamp(hours=-1.8))
    return made


def _customer() -> Customer:
    return Customer(
        id=CUSTOMER_ID,
        status=CustomerStatus.CUSTOMER_STATUS_ACTIVE,
        individual=Individual(given_name="Amara", family_name="Brightwater"),
        external_ids=[ExternalId(issuer="demo-billing", value="C-7-000042")],
        contact_media=[
            ContactMedium(kind=ContactMedium.Kind.KIND_EMAIL, value="amara.brightwater.42@example.com", preferred=True),
            ContactMedium(kind=ContactMedium.Kind.KIND_PHONE, value="+493023125042", preferred=True),
        ],
        since=stamp(days=400),
        language="en",
        billing=BillingPreference(payment_method=PaymentMethod.PAYMENT_METHOD_BANK_TRANSFER, paperless=True),
        billed=BilledTotals(monthly=money(89.85), total=money(1168.05)),
        characteristics=[Characteristic(name="senior", value="no"), Characteristic(name="partner", value="yes")],
    )


def _portfolio() -> GetPortfolioResponse:
    fiber = Product(
        id=PRODUCT_ID,
        family="internet",
        name="Home Fibre 500",
        status=ProductStatus.PRODUCT_STATUS_ACTIVE,
        monthly_price=money(49.95),
        term=ContractTerm(months=24, commitment=Period(start=stamp(days=400), end=stamp(days=-330))),
        identifiers=[ServiceIdentifier(kind="circuit", value="CIR-00671544")],
    )
    mobile = Product(
        family="mobile",
        name="Mobile L",
        status=ProductStatus.PRODUCT_STATUS_PROVISIONING,
        monthly_price=money(29.99),
        identifiers=[ServiceIdentifier(kind="msisdn", value="+12015550100")],
    )
    return GetPortfolioResponse(products=[fiber, mobile], monthly_total=[money(79.94)])


def _interactions() -> list[Interaction]:
    return [
        Interaction(
            channel=Channel.CHANNEL_CALL,
            direction=Direction.DIRECTION_INBOUND,
            category="service_quality",
            complaint=True,
            sentiment=-0.72,
            note="Third call about the same fault; wants to speak with a supervisor, and will leave otherwise.",
            occur_time=stamp(hours=20),
        ),
        Interaction(
            channel=Channel.CHANNEL_EMAIL,
            direction=Direction.DIRECTION_OUTBOUND,
            category="invoice",
            note="Quarterly statement sent.",
            occur_time=stamp(days=9),
        ),
    ]


def _ticket() -> Ticket:
    return Ticket(
        id=TICKET_ID,
        state=TicketState.TICKET_STATE_IN_PROGRESS,
        priority=TicketPriority.TICKET_PRIORITY_HIGH,
        category="speed",
        title="Internet much slower than sold",
        open_time=stamp(hours=7),
    )


def _sla() -> GetCustomerSlaResponse:
    return GetCustomerSlaResponse(
        running=[clock()],
        met=11,
        missed=1,
        breached=0,
        hit_rate=11 / 12,
        agreement_id="standard-care",
        agreement_name="Standard Care",
    )


def _availability() -> GetAvailabilityResponse:
    row = ProductAvailability(product_id=PRODUCT_ID, availability=0.99951, outage_seconds=1270, outages=1)
    return GetAvailabilityResponse(products=[row])


def _score() -> Score:
    return Score(
        customer_id=CUSTOMER_ID,
        probability=0.813,
        band=RiskBand.RISK_BAND_CRITICAL,
        reasons=[
            ReasonCode(feature="contract_type", text="month-to-month contract", probability_points=0.121, log_odds=0.9),
            ReasonCode(
                feature="complaints_90d", text="3 complaints in 90 days", probability_points=0.085, log_odds=0.6
            ),
        ],
        levers=[
            Lever(feature="contract_type", current_value="month_to_month", new_value="two_year", probability=0.412)
        ],
        model_id="churn-0123456789ab",
        score_time=stamp(minutes=1),
        lifetime_value=money(412.5),
        value_tier="silver",
    )
