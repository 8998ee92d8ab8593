"""The churn model: an additive table, read exactly.

    log-odds    = offset + slope * (intercept + sum over features of the score of the value's bin)
    probability = 1 / (1 + exp(-log-odds))

A generalised additive model with piecewise constant terms (Hastie and Tibshirani 1986, "Generalized Additive Models";
Lou, Caruana and Gehrke 2012, "Intelligible Models for Classification"). `offset` and `slope` are the calibration
(Platt 1999; Cox 1958). Because it is linear in the log-odds, a feature's contribution relative to the population is
`slope * (score - mean score of the population)`: exact, without an approximation such as sampling Shapley values
(for an additive model it is the Shapley value).
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from chassis.rules import Invalid
from services.retention.features.rules import BY_NAME, SCHEMA_VERSION, Value, Vector


@dataclass(frozen=True, slots=True)
class NumericTable:
    """Scores of a numeric feature, in log-odds.

    Attributes:
        feature: name in the schema.
        edges: strictly increasing; bin `i` holds `edges[i-1] <= value < edges[i]`.
        scores: one more than edges.
        missing: score of a missing value.
        mean: mean score over the training population.
    """

    feature: str
    edges: tuple[float, ...]
    scores: tuple[float, ...]
    missing: float
    mean: float

    def at(self, value: Value) -> float:
        """The score of a value.

        Raises:
            Invalid: the value is not a number.
        """
        if value is None or value != value:  # noqa: PLR0124  # NaN
            return self.missing
        try:
            return self.scores[bisect_right(self.edges, value)]
        except TypeError:
            raise Invalid(f"the feature {self.feature} must be a number", field=self.feature) from None


@dataclass(frozen=True, slots=True)
class CategoricalTable:
    """Scores of a categorical feature, in log-odds; `missing` also serves a category that training never met."""

    feature: str
    scores: Mapping[str, float]
    missing: float
    mean: float

    def at(self, value: Value) -> float:
        """The score of a value."""
        return self.scores.get(value, self.missing)  # type: ignore[arg-type]  # a number or None is no key, and missing


Table = NumericTable | CategoricalTable


@dataclass(frozen=True, slots=True)
class Calibration:
    """A line on the log-odds; `slope` is above 0, so that the map strictly increases and never changes a ranking."""

    slope: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a model was trained on: number of rows, of customers who left, the seed, and the sha256 of the data."""

    rows: int
    positives: int
    seed: int
    data_digest: str


@dataclass(frozen=True)
class Model:
    """A churn model.

    Attributes:
        intercept: raw log-odds before any feature.
        tables: in the order of the schema, one per feature used.
        calibration: from raw to calibrated log-odds.
        horizon_months: the probability is that of leaving within this many months.
        provenance: what it was trained on.
        schema_version: of the feature schema.
    """

    intercept: float
    tables: tuple[Table, ...]
    calibration: Calibration
    horizon_months: int
    provenance: Provenance
    schema_version: int = SCHEMA_VERSION

    @cached_property
    def features(self) -> tuple[str, ...]:
        """Names of the features used."""
        return tuple(table.feature for table in self.tables)

    @cached_property
    def baseline_log_odds(self) -> float:
        """Calibrated mean log-odds of the training population, to which contributions are relative."""
        raw = self.intercept
        for table in self.tables:
            raw += table.mean
        return self.calibration.offset + self.calibration.slope * raw


@dataclass(frozen=True, slots=True)
class Score:
    """The answer of a model for one customer.

    Attributes:
        probability: of leaving within the model's horizon.
        log_odds: the same as log-odds.
        baseline_log_odds: mean log-odds of the population.
        contributions: per feature, log-odds above or below the population's mean; they sum to
            `log_odds - baseline_log_odds`.
        missing: features of the model whose value was missing.
    """

    probability: float
    log_odds: float
    baseline_log_odds: float
    contributions: Mapping[str, float]
    missing: tuple[str, ...] = field(default=())


def sigmoid(log_odds: float) -> float:
    """The probability of log-odds, without overflow at either end."""
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    grown = math.exp(log_odds)
    return grown / (1.0 + grown)


def score(model: Model, vector: Vector) -> Score:
    """Score one customer; features the vector lacks count as missing, features the model lacks are not looked at.

    Raises:
        Invalid: a numeric feature holds something that is not a number.
    """
    found = look_up(model, vector)
    log_odds = log_odds_of(model, found)
    slope = model.calibration.slope
    return Score(
        probability=sigmoid(log_odds),
        log_odds=log_odds,
        baseline_log_odds=model.baseline_log_odds,
        contributions={
            table.feature: slope * (one - table.mean) for table, one in zip(model.tables, found, strict=True)
        },
        missing=missing(model, vector),
    )


def missing(model: Model, vector: Vector) -> tuple[str, ...]:
    """The features of the model that are None, absent or NaN in the vector."""
    values = [(name, vector.get(name)) for name in model.features]
    return tuple([name for name, value in values if value is None or value != value])  # noqa: PLR0124  # NaN


def look_up(model: Model, vector: Vector) -> list[float]:
    """Each table's raw score of the vector, in the order of the tables; raises as `score`."""
    return [table.at(vector.get(table.feature)) for table in model.tables]


def log_odds_of(model: Model, found: Iterable[float]) -> float:
    """Calibrated log-odds of raw scores; they are added up in the order of the tables, here and in a batch alike."""
    raw = model.intercept
    for one in found:
        raw += one
    return model.calibration.offset + model.calibration.slope * raw


def is_numeric(feature: str) -> bool:
    """Whether the schema holds a feature's values as numbers."""
    return BY_NAME[feature].kind == "numeric"
