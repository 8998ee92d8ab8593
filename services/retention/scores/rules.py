"""What a probability means: a band, the reasons, what would lower it, and what the customer is worth."""

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal, NamedTuple

from chassis.rules import Invalid
from services.retention.features.rules import BY_NAME, Value, Vector
from services.retention.models.rules import Model, NumericTable, Score, Table, log_odds_of, look_up, sigmoid

Band = Literal["low", "medium", "high", "critical"]
Tier = Literal["bronze", "silver", "gold", "platinum"]


@dataclass(frozen=True, slots=True)
class BandThresholds:
    """Probabilities at which a band begins.

    Measured by cross-validation on the IBM telco data (26.5 % leave): of its customers 46 % are low (5 % of them
    left), 21 % medium (25 %), 19 % high (47 %), 14 % critical (73 %).
    """

    medium: float = 0.15
    high: float = 0.35
    critical: float = 0.60

    def __post_init__(self) -> None:
        if not 0.0 < self.medium < self.high < self.critical < 1.0:
            raise Invalid("band thresholds must rise between 0 and 1", field="thresholds")


class Reason(NamedTuple):
    """Why a customer is more likely to leave than the average one.

    Attributes:
        feature, value, text: what was found, and how to say it.
        log_odds: the exact contribution relative to the population's mean.
        points: the probability minus what it would be with the population's mean in this feature's place, in
            percentage points. Points of several reasons do not add up, log-odds do.
    """

    feature: str
    value: Value
    text: str
    log_odds: float
    points: float


class Remedy(NamedTuple):
    """A change an operator could bring about, and the probability the model gives the customer with it.

    An association, not a promise: only an experiment tells whether the change keeps the customer.

    Attributes:
        feature, value, to_value: what would change, from what, to what.
        text: how to say the new value.
        probability: with the change.
        points: percentage points below today's probability.
    """

    feature: str
    value: Value
    to_value: Value
    text: str
    probability: float
    points: float


def band(probability: float, thresholds: BandThresholds | None = None) -> Band:
    """The band of a probability; a threshold belongs to the band above it."""
    limits = thresholds or BandThresholds()
    if probability >= limits.critical:
        return "critical"
    if probability >= limits.high:
        return "high"
    return "medium" if probability >= limits.medium else "low"


def reasons(scored: Score, vector: Vector, limit: int = 5) -> tuple[Reason, ...]:
    """The largest contributions that raise the probability, largest first; equal ones in the order of the schema."""
    raising = [(name, size) for name, size in scored.contributions.items() if size > 0.0]
    raising.sort(key=lambda pair: -pair[1])
    return tuple(_reason(scored, name, vector.get(name), size) for name, size in raising[:limit])


def _reason(scored: Score, name: str, value: Value, size: float) -> Reason:
    without = sigmoid(scored.log_odds - size)
    return Reason(name, value, BY_NAME[name].phrase(value), size, 100.0 * (scored.probability - without))


def what_would_lower(model: Model, vector: Vector, limit: int = 3) -> tuple[Remedy, ...]:
    """The changes that lower the probability most, the best one per feature, each exact by scoring again.

    Each changes one feature and leaves all others as they are: an add-on's price is not added to the monthly charge.
    Only features an operator can act on (`Feature.actions`), and only where the change is possible: technical support
    cannot be added without an internet service, and an unknown value cannot be said to change.
    """
    found = look_up(model, vector)
    today = sigmoid(log_odds_of(model, found))
    best: list[tuple[float, int, Value, float]] = []
    for index, table in enumerate(model.tables):
        # The probability falls with the raw score: the best change is the one with the lowest.
        lower = [(table.at(to), to) for to in possible(table, vector.get(table.feature)) if table.at(to) < found[index]]
        if lower:
            raw, to = min(lower, key=lambda one: one[0])
            best.append((raw - found[index], index, to, raw))
    best.sort(key=lambda one: one[:2])
    remedies: list[Remedy] = []
    for _, index, to, raw in best[:limit]:
        changed = sigmoid(log_odds_of(model, [*found[:index], raw, *found[index + 1 :]]))
        if changed < today:
            remedies.append(_remedy(model.tables[index].feature, vector, to, changed, today))
    remedies.sort(key=lambda one: one.probability)
    return tuple(remedies)


def possible(table: Table, value: Value) -> tuple[Value, ...]:
    """The values that an operator can bring a feature to from `value`."""
    feature = BY_NAME[table.feature]
    if isinstance(table, NumericTable):
        unknown = value is None or value != value  # noqa: PLR0124  # NaN
        return () if unknown else tuple(to for to in feature.actions if to != value)
    if value in ("no_service", "none") or value not in feature.categories:
        return ()
    # What training never met has no score of its own: nothing can be said about changing to it.
    known = tuple(to for to in feature.actions if to != value and to in table.scores)
    if feature.name == "contract_type":
        # Nobody is offered a shorter commitment in order to stay.
        terms = feature.categories
        return tuple(to for to in known if terms.index(str(to)) > terms.index(str(value)))
    return known


def _remedy(feature: str, vector: Vector, to: Value, probability: float, today: float) -> Remedy:
    return Remedy(
        feature=feature,
        value=vector[feature],
        to_value=to,
        text=BY_NAME[feature].phrase(to),
        probability=probability,
        points=100.0 * (today - probability),
    )


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in millionths of the currency's unit, with its ISO 4217 code."""

    currency_code: str
    micros: int

    @property
    def amount(self) -> Decimal:
        """The amount in the currency's unit."""
        return Decimal(self.micros).scaleb(-6)


@dataclass(frozen=True, slots=True)
class ValueParameters:
    """The assumptions behind a lifetime value.

    Args:
        label_months: the churn probability is that of leaving within this many months (the model's horizon).
        margin_rate: share of the monthly charge that is left after the cost of serving.
        annual_discount_rate: what a year of waiting costs; 0.10 is common for telecom operators.
        months: how far ahead value is counted; beyond three years the constant hazard is a guess.
    """

    label_months: int = 12
    margin_rate: Decimal = Decimal("0.40")
    annual_discount_rate: Decimal = Decimal("0.10")
    months: int = 36

    def __post_init__(self) -> None:
        for name, least, most in (("label_months", 1, 120), ("months", 1, 600), ("margin_rate", 0, 1),
                                  ("annual_discount_rate", 0, 10)):  # fmt: skip
            if not least <= getattr(self, name) <= most:
                raise Invalid(f"{name} must lie between {least} and {most}", field=name)


def monthly_hazard(probability: float, label_months: int) -> float:
    """The constant monthly probability of leaving that adds up to `probability` over `label_months`.

    From `1 - p = (1 - h) ^ months`, the survival of a geometric lifetime.

    Raises:
        Invalid: the probability does not lie between 0 and 1.
    """
    if not 0.0 <= probability <= 1.0:
        raise Invalid("a probability lies between 0 and 1", field="probability")
    return float(1.0 - (1.0 - probability) ** (1.0 / label_months))


def expected_months(probability: float, parameters: ValueParameters) -> float:
    """Discounted months that a customer is expected to pay for: the sum over t of survival(t) * discount(t).

    survival(t) = (1 - h)^t and discount(t) = (1 + r)^(-t/12), t = 1 … months: a margin counts at the end of its month,
    from those who are still there. A geometric series with ratio `q`, so q * (1 - q^months) / (1 - q).
    Source: Berger and Nasr 1998, "Customer Lifetime Value", case 1; Gupta and Lehmann 2003, "Customers as Assets".
    """
    hazard = monthly_hazard(probability, parameters.label_months)
    ratio = (1.0 - hazard) * float((1.0 + float(parameters.annual_discount_rate)) ** (-1.0 / 12.0))
    if ratio == 1.0:
        return float(parameters.months)
    return ratio * (1.0 - ratio**parameters.months) / (1.0 - ratio)


def lifetime_value(monthly_charge: Money, probability: float, parameters: ValueParameters | None = None) -> Money:
    """The expected discounted margin of a customer: monthly charge * margin rate * expected months.

    Money is multiplied as a decimal and rounded once, half to even, to a millionth of the unit.

    Raises:
        Invalid: the charge is negative, or the probability does not lie between 0 and 1.
    """
    parameters = parameters or ValueParameters()
    if monthly_charge.micros < 0:
        raise Invalid("the monthly charge must not be negative", field="monthly_charge")
    months = Decimal(repr(expected_months(probability, parameters)))
    exact = Decimal(monthly_charge.micros) * parameters.margin_rate * months
    return replace(monthly_charge, micros=int(exact.to_integral_value(ROUND_HALF_EVEN)))


@dataclass(frozen=True, slots=True)
class TierThresholds:
    """Lifetime values at which a tier begins, in the currency's unit.

    The defaults fit a mean charge of 65 units a month: on the IBM telco data, with the default `ValueParameters`, about
    a quarter of the customers are bronze, 40 % silver, 25 % gold and a tenth platinum. An operator whose unit is worth
    something else sets its own.
    """

    silver: Decimal = Decimal(250)
    gold: Decimal = Decimal(600)
    platinum: Decimal = Decimal(1000)

    def __post_init__(self) -> None:
        if not 0 < self.silver < self.gold < self.platinum:
            raise Invalid("tier thresholds must rise above 0", field="thresholds")


def tier(value: Money, thresholds: TierThresholds | None = None) -> Tier:
    """The tier of a lifetime value; a threshold belongs to the tier above it."""
    limits = thresholds or TierThresholds()
    if value.amount >= limits.platinum:
        return "platinum"
    if value.amount >= limits.gold:
        return "gold"
    return "silver" if value.amount >= limits.silver else "bronze"
