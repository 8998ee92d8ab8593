"""The facts that feed the features, as typed values.

A listener translates each event of another service into one of these. Times are aware datetimes; they are kept in UTC
and whole milliseconds, which is what the store can hold. Every fact refuses values outside its domain with `Invalid`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from chassis.rules import Invalid
from services.retention.features.rules.schema import ADDONS, BY_NAME

PRODUCT_KINDS: Final = frozenset({"voice", "mobile", "broadband_dsl", "broadband_fiber", "broadband_other", "other"} |
                                 set(ADDONS))  # fmt: skip
"""Kinds of product that features tell apart; whatever a catalogue calls them, the listener maps them to these."""
CONTRACT_TYPES: Final = ("month_to_month", "one_year", "two_year")
"""Commitments from the shortest to the longest."""


def utc(moment: datetime, field: str = "at") -> datetime:
    """The same instant in UTC, cut to milliseconds.

    Raises:
        Invalid: the time names no zone, so that nobody can tell which instant it is.
    """
    if moment.tzinfo is not UTC:
        if moment.tzinfo is None:
            raise Invalid("the time must name its zone", field=field)
        moment = moment.astimezone(UTC)
    odd = moment.microsecond % 1000
    return moment.replace(microsecond=moment.microsecond - odd) if odd else moment


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChanged:
    """The customer's profile as it stands after a change; the whole of it, not a difference.

    Args:
        version: the profile's version in customer_info; the highest one wins, whatever order they arrive in.
        at: when it changed.
        customer_since: first day of the relationship.
        total_charge_micros: billed so far, in millionths of the currency's unit.
        is_customer: has bought and has not left; nobody else can be at risk of leaving.
        Everything else as in the schema; None where it is not known.
    """

    version: int
    at: datetime
    customer_since: date | None = None
    payment_method: str | None = None
    paperless_billing: bool | None = None
    senior: bool | None = None
    partner: bool | None = None
    dependents: bool | None = None
    total_charge_micros: int | None = None
    is_customer: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", utc(self.at))
        known = BY_NAME["payment_method"].categories
        if self.payment_method is not None and self.payment_method not in known:
            raise Invalid(f"the payment method must be one of {', '.join(known)}", field="payment_method")
        if self.total_charge_micros is not None and self.total_charge_micros < 0:
            raise Invalid("the total charge must not be negative", field="total_charge_micros")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductChanged:
    """One product of the portfolio as it stands after a change.

    Args:
        product_id: its id in customer_info.
        version: its version; the highest one wins.
        at: when it changed.
        kind: one of `PRODUCT_KINDS`.
        starts_at: activation; the product is active from here …
        ends_at: … up to, and not including, here. None: it goes on.
        quantity: number of lines, for voice and mobile.
        monthly_micros: recurring price per month of all lines together, in millionths; None where it has none.
        currency_code: ISO 4217 code of the price.
        contract_type: one of `CONTRACT_TYPES`; None where it is not known.
    """

    product_id: str
    version: int
    at: datetime
    kind: str
    starts_at: datetime
    ends_at: datetime | None = None
    quantity: int = 1
    monthly_micros: int | None = None
    currency_code: str = ""
    contract_type: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", utc(self.at))
        object.__setattr__(self, "starts_at", utc(self.starts_at, "starts_at"))
        if self.ends_at is not None:
            object.__setattr__(self, "ends_at", utc(self.ends_at, "ends_at"))
        if self.kind not in PRODUCT_KINDS:
            raise Invalid(f"the product kind must be one of {', '.join(sorted(PRODUCT_KINDS))}", field="kind")
        if self.contract_type is not None and self.contract_type not in CONTRACT_TYPES:
            raise Invalid(f"the contract type must be one of {', '.join(CONTRACT_TYPES)}", field="contract_type")
        if self.quantity < 1:
            raise Invalid("the quantity must be at least 1", field="quantity")
        if self.monthly_micros is not None and (self.monthly_micros < 0 or len(self.currency_code) != 3):
            raise Invalid("a price must not be negative, and names its currency", field="monthly_micros")


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionLogged:
    """A contact that happened. Counted once per fact: the listener applies each event exactly once.

    Args:
        at: when it happened.
        inbound: the customer began it. Outbound and automatic contacts are no sign of the customer's need.
        complaint: it was a complaint.
        sentiment: from -1 (angry) to 1 (delighted); None where nobody measured it.
    """

    at: datetime
    inbound: bool
    complaint: bool = False
    sentiment: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", utc(self.at))
        if self.sentiment is not None and not -1.0 <= self.sentiment <= 1.0:
            raise Invalid("sentiment lies between -1 and 1", field="sentiment")


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketOpened:
    """A ticket was opened, or reopened: the same id at a later time."""

    ticket_id: str
    at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", utc(self.at))


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketClosed:
    """A ticket was resolved, closed or cancelled: nobody waits for it any more."""

    ticket_id: str
    at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", utc(self.at))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockBreached:
    """An SLA clock passed its target; a clock counts once, at its first breach."""

    clock_id: str
    at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", utc(self.at))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRecorded:
    """Whether the customer left or stayed, known at `at`: the label models are trained on. The latest one counts."""

    at: datetime
    churned: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", utc(self.at))


Fact = (
    ProfileChanged | ProductChanged | InteractionLogged | TicketOpened | TicketClosed | ClockBreached | OutcomeRecorded
)
