"""From labelled customers to additive tables: the columns of a ridge logistic regression, and its way back to tables.

A numeric feature becomes one step column per bin edge (value at or above the edge). A ridge penalty on the steps
penalises the difference between neighbouring bins, so the fitted table is a smooth staircase: a P-spline of degree 0
with a first-order penalty (Eilers and Marx 1996, "Flexible smoothing with B-splines and penalties"). A categorical
feature becomes one column per category. All columns are centred, so that a missing value without its own evidence
shrinks towards the population's mean. The regression itself is handed in: this module needs numpy alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.retention.features.rules import FEATURES, Feature
from services.retention.models.batch import lookup
from services.retention.models.dataset import Dataset, is_missing, unusable
from services.retention.models.rules import Calibration, CategoricalTable, Model, NumericTable, Provenance, Table

Floats = NDArray[np.float64]
Regression = Callable[[Floats, Floats], tuple[float, Floats]]
"""Columns and labels in, intercept and one weight per column out."""

DECIMALS = 6
"""Scores are rounded here: far below any effect, far above what differs between builds of a numerical library."""
MIN_ROWS_PER_BIN = 20


@dataclass(frozen=True, slots=True)
class Block:
    """The columns of one feature, and what is needed to read their weights back.

    Attributes:
        matrix: centred columns; the last one marks missing values if `has_missing`.
        centre: mean of each column before centring, without the missing column.
        edges, categories: one of them, by the feature's kind.
    """

    feature: Feature
    matrix: Floats
    centre: Floats
    edges: tuple[float, ...]
    categories: tuple[str, ...]
    has_missing: bool
    scale: float


def fit(dataset: Dataset, regression: Regression, max_bins: int, step_scale: float) -> Model:
    """Fit the additive tables; calibration and horizon are left as they are at first.

    Args:
        max_bins: the most bins of a numeric feature.
        step_scale: height of a step column beside a category's 1: the smaller, the smoother the staircase.
    """
    dropped = unusable(dataset)
    used = [feature for feature in FEATURES if feature.name not in dropped]
    blocks = [_block(feature, dataset.columns[feature.name], max_bins, step_scale) for feature in used]
    matrix = np.hstack([block.matrix for block in blocks]) if blocks else np.empty((len(dataset.labels), 0))
    intercept, weights = regression(matrix, dataset.labels)
    tables: list[Table] = []
    start = 0
    for block in blocks:
        stop = start + block.matrix.shape[1]
        table = _table(block, weights[start:stop])
        tables.append(replace(table, mean=_rounded(lookup(table, dataset.columns[table.feature]).mean())))
        start = stop
    provenance = Provenance(len(dataset.labels), dataset.positives, 0, dataset.data_digest)
    return Model(_rounded(intercept), tuple(tables), Calibration(), 1, provenance)


def edges_of(values: Floats, max_bins: int) -> tuple[float, ...]:
    """Bin edges half-way between neighbouring values: all of them where there are few values, else quantiles.

    Between the values, so that no edge depends on the last bit of a sum.
    """
    distinct = np.unique(values)
    bins = max(2, min(max_bins, len(values) // MIN_ROWS_PER_BIN))
    if len(distinct) <= bins:
        upper = distinct[1:]
    else:
        cuts = np.quantile(values, np.linspace(0.0, 1.0, bins + 1)[1:-1], method="inverted_cdf")
        upper = np.unique(cuts)
        upper = upper[upper > distinct[0]]
    lower = distinct[np.searchsorted(distinct, upper) - 1]
    middles = np.unique(np.round((lower + upper) / 2.0, DECIMALS))
    return tuple(float(edge) + 0.0 for edge in middles)


def _block(feature: Feature, column: NDArray[Any], max_bins: int, step_scale: float) -> Block:
    absent = is_missing(column)
    present = ~absent
    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    if feature.kind == "numeric":
        edges = edges_of(column[present], max_bins)
        scale, raw = step_scale, (column[:, None] >= np.array(edges)) * step_scale
    else:
        met = set(column[present])
        categories = tuple(category for category in feature.categories if category in met)
        scale, raw = 1.0, (column[:, None] == np.array(categories, dtype=object)).astype(np.float64)
    centre = raw[present].mean(axis=0)
    matrix = np.where(present[:, None], raw - centre, 0.0)
    if absent.any():
        matrix = np.hstack([matrix, absent[:, None].astype(np.float64)])
    return Block(feature, matrix, centre, edges, categories, bool(absent.any()), scale)


def _table(block: Block, weights: Floats) -> Table:
    missing = _rounded(weights[-1]) if block.has_missing else 0.0
    own = weights[:-1] if block.has_missing else weights
    origin = -float(own @ block.centre)
    if block.feature.kind == "numeric":
        steps = np.concatenate([[0.0], np.cumsum(own) * block.scale])
        return NumericTable(
            block.feature.name, block.edges, tuple(_rounded(origin + step) for step in steps), missing, 0.0
        )
    scores = {category: _rounded(origin + weight) for category, weight in zip(block.categories, own, strict=True)}
    return CategoricalTable(block.feature.name, scores, missing, 0.0)


def _rounded(value: Any) -> float:
    # Adding 0.0 turns -0.0 into 0.0, which reads better and encodes in one way.
    return round(float(value), DECIMALS) + 0.0
