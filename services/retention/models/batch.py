"""Scoring many customers at once. Needs numpy (the extra `train`): import it where it is used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chassis.rules import Invalid
from services.retention.features.rules import Vector
from services.retention.models.rules import CategoricalTable, Model, NumericTable, Table

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BatchScores:
    """Scores in the order of the rows.

    Attributes:
        probability, log_odds: one per row.
        contributions: rows by features of the model, as in `Score`; None unless asked for.
        features: names of the columns of `contributions`.
    """

    probability: Floats
    log_odds: Floats
    contributions: Floats | None
    features: tuple[str, ...]


def score_batch(model: Model, rows: Sequence[Vector], *, contributions: bool = False) -> BatchScores:
    """Score many customers; the same figures as `rules.score` row by row.

    Raises:
        Invalid: a numeric feature holds something that is not a number.
    """
    return score_columns(model, columns_of(model.tables, rows), len(rows), contributions=contributions)


def score_columns(model: Model, columns: Mapping[str, Any], count: int, *, contributions: bool = False) -> BatchScores:
    """Score `count` customers laid out by feature: floats with NaN for missing, or a sequence of categories."""
    slope = model.calibration.slope
    raw = np.full(count, model.intercept)
    parts = np.empty((count, len(model.tables))) if contributions else None
    for index, table in enumerate(model.tables):
        found = lookup(table, columns[table.feature])
        raw += found
        if parts is not None:
            parts[:, index] = slope * (found - table.mean)
    log_odds = model.calibration.offset + slope * raw
    return BatchScores(probability_of(log_odds), log_odds, parts, model.features)


def columns_of(tables: Sequence[Table], rows: Sequence[Vector]) -> dict[str, Any]:
    """The values of the tables' features by column."""
    columns: dict[str, Any] = {}
    for table in tables:
        name = table.feature
        values = [row.get(name) for row in rows]
        columns[name] = values if isinstance(table, CategoricalTable) else floats(name, values)
    return columns


def floats(name: str, values: Sequence[Any]) -> Floats:
    """A numeric column with NaN for missing values.

    Raises:
        Invalid: a value is not a number. Text is refused even where it looks like one.
    """
    if any(isinstance(value, str) for value in values):
        raise Invalid(f"the feature {name} must be a number", field=name)
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise Invalid(f"the feature {name} must be a number", field=name) from None


def lookup(table: Table, column: Any) -> Floats:
    """The score of each value of a column."""
    if isinstance(table, NumericTable):
        bins = np.searchsorted(np.array(table.edges), column, side="right")
        return np.where(np.isnan(column), table.missing, np.array(table.scores)[bins])
    find, absent = table.scores.get, table.missing
    return np.array([find(value, absent) for value in column], dtype=np.float64)


def probability_of(log_odds: Floats) -> Floats:
    """`rules.sigmoid` of many log-odds."""
    shrunk = np.exp(-np.abs(log_odds))
    return np.where(log_odds >= 0, 1.0, shrunk) / (1.0 + shrunk)
