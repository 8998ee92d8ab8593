"""Everything a score says of one customer: probability, band, reasons, levers, value."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from services.retention.features.rules import NAMES, Value
from services.retention.models.rules import Model, log_odds_of, look_up, sigmoid
from services.retention.scores.explainer_rules import Explainer
from services.retention.scores.rules import (
    Band,
    Money,
    Reason,
    Remedy,
    Tier,
    ValueParameters,
    band,
    lifetime_value,
    tier,
)

BANDS: Final[tuple[Band, ...]] = ("low", "medium", "high", "critical")
"""From the lowest on; the contract counts them from 1."""
CHARGE: Final = NAMES.index("monthly_charge")


@dataclass(frozen=True, slots=True)
class Champion:
    """A model with its id, opened, verified and prepared for explaining."""

    id: str
    model: Model
    explainer: Explainer = field(compare=False)


def champion(model_id: str, model: Model) -> Champion:
    """The model, prepared."""
    return Champion(model_id, model, Explainer(model))


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a score says of one customer.

    Attributes:
        model_id: of the model that says so.
        at: when.
        value: expected discounted margin; None where the monthly charge is not known, or nothing is charged for.
        tier: of that value.
    """

    customer_id: str
    probability: float
    band: Band
    reasons: tuple[Reason, ...]
    remedies: tuple[Remedy, ...]
    model_id: str
    at: datetime
    value: Money | None
    tier: Tier | None


@dataclass(frozen=True, slots=True)
class Scored:
    """A score as it is kept: what it was computed from, and what came out; all else follows from the two.

    Attributes:
        values: features in the order of `NAMES`; the inputs, kept for audit.
        currency: of the monthly charge among them.
        announced: the band that was last told of by an event, "" for none.
        listed: the customer can be at risk: it has bought and has not left.
        version: counts the scores of this customer.
    """

    customer_id: str
    probability: float
    band: Band
    model_id: str
    at: datetime
    values: tuple[Value, ...]
    currency: str
    announced: Band | None
    listed: bool
    version: int


def probability(model: Model, values: Sequence[Value]) -> float:
    """The probability alone."""
    return sigmoid(log_odds_of(model, look_up(model, dict(zip(NAMES, values, strict=True)))))


def assess(customer_id: str, by: Champion, values: Sequence[Value], currency: str, at: datetime) -> Assessment:
    """Scores a customer, with everything there is to say about it."""
    explained = by.explainer.explain(values)
    value = _value(values[CHARGE], currency, explained.probability, by.model.horizon_months)
    return Assessment(
        customer_id=customer_id,
        probability=explained.probability,
        band=band(explained.probability),
        reasons=explained.reasons,
        remedies=explained.remedies,
        model_id=by.id,
        at=at,
        value=value,
        tier=None if value is None else tier(value),
    )


def _value(charge: Value, currency: str, probability: float, months: int) -> Money | None:
    if not currency or not isinstance(charge, float):
        return None
    micros = int((Decimal(repr(charge)) * 1_000_000).to_integral_value())
    return lifetime_value(Money(currency, micros), probability, _parameters(months))


@lru_cache
def _parameters(months: int) -> ValueParameters:
    return ValueParameters(label_months=months)
