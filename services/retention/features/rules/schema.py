"""The feature schema: one table of everything a churn model may look at.

Gender is deliberately not a feature: it is a protected characteristic (in the European Union, Council Directive
2004/113/EC on equal treatment in the supply of services), and on the IBM telco data it adds nothing to accuracy.
`senior`, `partner` and `dependents` are kept because operators segment on them; a model may be trained without them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

SCHEMA_VERSION: Final = 1
"""Raised when a feature is added, removed or changes its meaning; a model names the version it was trained on."""

Kind = Literal["numeric", "categorical"]
Source = Literal["profile", "product", "interaction", "ticket", "clock"]
"""The family of facts that a feature is computed from."""
Value = float | str | None
"""A feature's value; None is missing, which is legal and has a bin of its own in every model."""
Vector = Mapping[str, Value]
"""Feature name to value."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the schema.

    Attributes:
        name: stable identifier, used in models and in the API.
        kind: numeric (a float) or categorical (one of `categories`).
        unit: unit of a numeric feature; empty where it has none.
        source: the family of facts it comes from.
        description: its meaning in one sentence.
        label: the name shown to people.
        phrases: text of each category; a numeric feature has the single key "" with a template of `value`, and of
            `s` for a plural.
        actions: values an operator can bring the feature to; empty where nobody can act on it.
    """

    name: str
    kind: Kind
    unit: str
    source: Source
    description: str
    label: str
    phrases: Mapping[str, str] = field(default_factory=dict)
    actions: tuple[str | float, ...] = ()

    @property
    def categories(self) -> tuple[str, ...]:
        """The legal categories, in their documented order; empty for a numeric feature."""
        return tuple(self.phrases) if self.kind == "categorical" else ()

    def phrase(self, value: Value) -> str:
        """What a value says about the customer, as a noun phrase: "month-to-month contract"."""
        if value is None:
            return f"{self.label} unknown"
        if self.kind == "categorical":
            return self.phrases.get(str(value), f"{self.label}: {value}")
        return self.phrases[""].format(value=value, s="" if value == 1 else "s")


def _numeric(
    name: str, unit: str, source: Source, label: str, phrase: str, *, means: str, actions: tuple[float, ...] = ()
) -> Feature:
    return Feature(name, "numeric", unit, source, means, label, {"": phrase}, actions)


def _categorical(
    name: str, source: Source, label: str, phrases: dict[str, str], *, means: str, actions: tuple[str, ...] = ()
) -> Feature:
    return Feature(name, "categorical", "", source, means, label, phrases, actions)


def _flag(name: str, label: str, yes: str, no: str, *, means: str, actions: tuple[str, ...] = ()) -> Feature:
    return _categorical(name, "profile", label, {"yes": yes, "no": no}, means=means, actions=actions)


def _addon(name: str, label: str, *, offered: bool) -> Feature:
    phrases = {"yes": f"has {label}", "no": f"no {label}", "no_service": f"no internet service for {label}"}
    means = f"Whether the add-on {label} is active beside the internet service."
    return _categorical(name, "product", label, phrases, means=means, actions=("yes",) if offered else ())


FEATURES: Final[tuple[Feature, ...]] = (
    _numeric("tenure_months", "month", "profile", "tenure", "customer for {value:.0f} month{s}",
             means="Whole months since the relationship began."),
    _numeric("monthly_charge", "currency", "product", "monthly charge", "monthly charge of {value:.2f}",
             means="Sum of the monthly prices of all active products; missing where they have several currencies."),
    _numeric("total_charge", "currency", "profile", "total charge", "{value:.2f} billed so far",
             means="Billed since the relationship began."),
    _categorical("contract_type", "product", "contract type",
                 {"month_to_month": "month-to-month contract", "one_year": "one-year contract",
                  "two_year": "two-year contract", "none": "no active contract"},
                 means="Longest commitment among the active products.", actions=("one_year", "two_year")),
    _categorical("payment_method", "profile", "payment method",
                 {"electronic_check": "pays by electronic check", "mailed_check": "pays by mailed check",
                  "bank_transfer": "pays by bank transfer", "credit_card": "pays by credit card",
                  "other": "pays by another method"},
                 means="How invoices are paid.", actions=("bank_transfer", "credit_card")),
    _flag("paperless_billing", "paperless billing", "paperless billing", "paper invoices",
          means="Whether invoices are sent electronically only.", actions=("yes", "no")),
    _flag("senior", "age group", "senior customer", "not a senior", means="Whether the customer is 65 or older."),
    _flag("partner", "partner", "has a partner", "no partner", means="Whether the customer lives with a partner."),
    _flag("dependents", "dependents", "has dependents", "no dependents",
          means="Whether others depend on the customer."),
    _categorical("phone_service", "product", "phone service",
                 {"yes": "has phone service", "no": "no phone service"},
                 means="Whether a voice or mobile line is active."),
    _categorical("multiple_lines", "product", "number of lines",
                 {"yes": "several phone lines", "no": "a single phone line", "no_service": "no phone lines"},
                 means="Whether more than one line is active."),
    _categorical("internet_service", "product", "internet service",
                 {"none": "no internet service", "dsl": "DSL internet", "fiber": "fibre internet"},
                 means="Technology of the active internet service."),
    _addon("online_security", "online security", offered=True),
    _addon("online_backup", "online backup", offered=True),
    _addon("device_protection", "device protection", offered=True),
    _addon("tech_support", "technical support", offered=True),
    _addon("streaming_tv", "streaming TV", offered=False),
    _addon("streaming_movies", "streaming movies", offered=False),
    _numeric("contacts_30d", "contact", "interaction", "contacts in 30 days", "{value:.0f} contact{s} in 30 days",
             means="Contacts the customer began in the last 30 days."),
    _numeric("contacts_90d", "contact", "interaction", "contacts in 90 days", "{value:.0f} contact{s} in 90 days",
             means="Contacts the customer began in the last 90 days."),
    _numeric("complaints_90d", "complaint", "interaction", "complaints in 90 days",
             "{value:.0f} complaint{s} in 90 days", means="Complaints in the last 90 days."),
    _numeric("open_tickets", "ticket", "ticket", "open tickets", "{value:.0f} open ticket{s}",
             means="Tickets that are open now.", actions=(0.0,)),
    _numeric("tickets_90d", "ticket", "ticket", "tickets in 90 days", "{value:.0f} ticket{s} in 90 days",
             means="Tickets opened for the first time in the last 90 days."),
    _numeric("sla_breaches_90d", "breach", "clock", "broken promises in 90 days",
             "{value:.0f} broken promise{s} in 90 days", means="SLA clocks breached in the last 90 days."),
    _numeric("days_since_contact", "day", "interaction", "time since the last contact",
             "last contact {value:.0f} day{s} ago", means="Days since the customer last began a contact."),
    _numeric("sentiment_90d", "score", "interaction", "sentiment in 90 days", "sentiment of {value:+.2f} in 90 days",
             means="Mean sentiment of the last 90 days' interactions, from -1 to 1."),
    _numeric("product_count", "product", "product", "number of products", "{value:.0f} active product{s}",
             means="Number of active products."),
)  # fmt: skip

BY_NAME: Final[Mapping[str, Feature]] = {feature.name: feature for feature in FEATURES}
NAMES: Final[tuple[str, ...]] = tuple(BY_NAME)
ADDONS: Final = ("online_security", "online_backup", "device_protection", "tech_support", "streaming_tv",
                 "streaming_movies")  # fmt: skip
"""Features that exist only beside an internet service; each is also a product kind."""

NOT_USED: Final[Mapping[str, str]] = {
    "gender": "a protected characteristic, and without effect on accuracy",
    "name, address, contact media": "they identify a person and say nothing about loyalty",
    "free text of notes and verbatims": "only its sentiment is used; the text stays in the interaction service",
}
"""What the schema leaves out on purpose, and why; the model card repeats it."""
