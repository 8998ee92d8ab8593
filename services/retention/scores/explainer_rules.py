"""A model prepared for explaining: what reasons and remedies need of each bin is looked up, not worked out again.

The same figures, to the last bit, as `score`, `reasons` and `what_would_lower`, which say what they mean; in a third
of the time. A call that scores one customer pays for it once; a model is prepared once.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.retention.features.rules import BY_NAME, NAMES, Feature, Value
from services.retention.models.rules import CategoricalTable, Model, NumericTable, Table, log_odds_of, sigmoid
from services.retention.scores.rules import Reason, Remedy, possible

MOST_REASONS = 5
MOST_REMEDIES = 3


class Explained(NamedTuple):
    """A probability, why it is not lower, and what would lower it."""

    probability: float
    reasons: tuple[Reason, ...]
    remedies: tuple[Remedy, ...]


class _Cell(NamedTuple):
    """What a bin says: its raw score, its contribution, and the value that lowers the score most, if any."""

    raw: float
    part: float
    better: Value
    better_raw: float


@dataclass(frozen=True, slots=True)
class _Row:
    """A table, prepared; `position` is that of its feature among `NAMES`."""

    feature: Feature
    position: int
    edges: tuple[float, ...] | None
    bins: tuple[_Cell, ...]
    categories: Mapping[Value, _Cell]
    missing: _Cell

    def at(self, value: Value) -> _Cell:
        """The bin of a value."""
        if self.edges is None:
            return self.categories.get(value, self.missing)
        if value is None or value != value:  # noqa: PLR0124  # NaN
            return self.missing
        return self.bins[bisect_right(self.edges, value)]


class Explainer:
    """Explains the scores of one model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._rows = tuple(_row(table, model.calibration.slope) for table in model.tables)

    def explain(self, values: Sequence[Value]) -> Explained:
        """Scores a customer by its features in the order of `NAMES`."""
        found: list[float] = []
        raising: list[tuple[float, _Row]] = []
        lowering: list[tuple[float, int, _Cell]] = []
        for index, row in enumerate(self._rows):
            cell = row.at(values[row.position])
            found.append(cell.raw)
            if cell.part > 0.0:
                raising.append((cell.part, row))
            if cell.better is not None:
                lowering.append((cell.better_raw - cell.raw, index, cell))
        log_odds = log_odds_of(self._model, found)
        today = sigmoid(log_odds)
        raising.sort(key=_negative)
        lowering.sort()
        reasons = tuple([_reason(row, values, part, log_odds, today) for part, row in raising[:MOST_REASONS]])
        remedies = [self._remedy(values, found, index, cell, today) for _, index, cell in lowering[:MOST_REMEDIES]]
        remedies.sort(key=_probability)
        return Explained(today, reasons, tuple([one for one in remedies if one.probability < today]))

    def _remedy(self, values: Sequence[Value], found: list[float], index: int, cell: _Cell, today: float) -> Remedy:
        row = self._rows[index]
        found[index] = cell.better_raw
        lower = sigmoid(log_odds_of(self._model, found))
        found[index] = cell.raw
        return Remedy(
            row.feature.name,
            values[row.position],
            cell.better,
            row.feature.phrase(cell.better),
            lower,
            100.0 * (today - lower),
        )


def _negative(pair: tuple[float, _Row]) -> float:
    return -pair[0]


def _probability(remedy: Remedy) -> float:
    return remedy.probability


def _reason(row: _Row, values: Sequence[Value], part: float, log_odds: float, today: float) -> Reason:
    value = values[row.position]
    points = 100.0 * (today - sigmoid(log_odds - part))
    return Reason(row.feature.name, value, row.feature.phrase(value), part, points)


def _row(table: Table, slope: float) -> _Row:
    feature = BY_NAME[table.feature]

    def cell(raw: float, to: tuple[Value, ...]) -> _Cell:
        lower = [(table.at(one), one) for one in to if table.at(one) < raw]
        better_raw, better = min(lower, key=lambda one: one[0], default=(raw, None))
        return _Cell(raw, slope * (raw - table.mean), better, better_raw)

    categories: dict[Value, _Cell] = {}
    edges: tuple[float, ...] | None = None
    bins: tuple[_Cell, ...] = ()
    if isinstance(table, CategoricalTable):
        categories = {one: cell(table.at(one), possible(table, one)) for one in feature.categories}
    else:
        assert isinstance(table, NumericTable)
        edges, bins = table.edges, tuple(cell(raw, feature.actions) for raw in table.scores)
    position = NAMES.index(table.feature)
    return _Row(feature, position, edges, bins, categories, cell(table.missing, ()))
