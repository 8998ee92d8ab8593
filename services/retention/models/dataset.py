"""Labelled customers laid out by feature, checked before anything is learned. Needs numpy (the extra `train`)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chassis.rules import Invalid, Refused
from services.retention.features.rules import FEATURES, Feature, Vector
from services.retention.models.batch import floats

MIN_ROWS = 100
MIN_PER_CLASS = 20
"""Fewer leavers than this leave a fold with a handful, and every figure with an error larger than itself."""
MAX_ROWS = 200_000
"""At some 250 columns of eight bytes a row this is 400 MB; more customers than this no longer sharpen a table."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Columns by feature (floats with NaN, or objects with None), labels (1.0 left, 0.0 stayed), and their digest."""

    columns: Mapping[str, NDArray[Any]]
    labels: NDArray[np.float64]
    data_digest: str

    def take(self, rows: NDArray[np.intp]) -> "Dataset":
        """Some of the rows."""
        return Dataset({name: column[rows] for name, column in self.columns.items()}, self.labels[rows], "")

    @property
    def positives(self) -> int:
        """How many left."""
        return int(self.labels.sum())


def build(ids: Sequence[str], vectors: Sequence[Vector], labels: Sequence[int]) -> Dataset:
    """Check and lay out labelled customers, sorted by id, so that the order they came in changes nothing.

    Raises:
        Invalid: lengths differ, an id repeats, a label is not 0 or 1, or a value is outside its feature's domain.
        Refused: too few customers, too few of one outcome (`TOO_FEW_OUTCOMES`), or too many to hold in memory.
    """
    _check(ids, vectors, labels)
    order = sorted(range(len(ids)), key=ids.__getitem__)
    columns = {feature.name: _column(feature, [vectors[row].get(feature.name) for row in order])
               for feature in FEATURES}  # fmt: skip
    fingerprint = hashlib.sha256()
    for row in order:
        known = {feature.name: vectors[row].get(feature.name) for feature in FEATURES}
        fingerprint.update(json.dumps([ids[row], int(labels[row]), known], sort_keys=True).encode())
    return Dataset(columns, np.array([labels[row] for row in order], dtype=np.float64), fingerprint.hexdigest())


def unusable(dataset: Dataset) -> dict[str, str]:
    """The features that nothing can be learned from, and why."""
    reasons: dict[str, str] = {}
    for feature in FEATURES:
        column = dataset.columns[feature.name]
        absent = is_missing(column)
        if absent.all():
            reasons[feature.name] = "missing for every customer"
        elif not absent.any() and (column == column[0]).all():
            reasons[feature.name] = "the same for every customer"
    return reasons


def is_missing(column: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values of a column are missing."""
    if column.dtype == object:
        return np.array([value is None for value in column], dtype=np.bool_)
    return np.isnan(column.astype(np.float64, copy=False))


def _check(ids: Sequence[str], vectors: Sequence[Vector], labels: Sequence[int]) -> None:
    if not len(ids) == len(vectors) == len(labels):
        raise Invalid("ids, vectors and labels must have the same length", field="labels")
    seen: set[str] = set()
    for row, (one, label) in enumerate(zip(ids, labels, strict=True)):
        if one in seen:
            raise Invalid(f"ids[{row}] repeats an earlier id", field=f"ids[{row}]")
        seen.add(one)
        if not isinstance(label, (int, np.integer, np.bool_)) or label not in (0, 1):
            raise Invalid(f"labels[{row}] must be 0 (stayed) or 1 (left)", field=f"labels[{row}]")
    if len(ids) > MAX_ROWS:
        raise Refused(f"{len(ids)} customers do not fit in memory: train on a sample of at most {MAX_ROWS}")
    positives = sum(int(label) for label in labels)
    _need(len(ids), MIN_ROWS, "labelled customers")
    _need(positives, MIN_PER_CLASS, "customers who left")
    _need(len(ids) - positives, MIN_PER_CLASS, "customers who stayed")


def _need(have: int, needed: int, what: str) -> None:
    if have < needed:
        raise Refused(
            f"training needs at least {needed} {what}, there are {have}",
            reason="TOO_FEW_OUTCOMES",
            metadata={"rows": str(have), "needed": str(needed)},
        )


def _column(feature: Feature, values: list[Any]) -> NDArray[Any]:
    if feature.kind == "numeric":
        column = floats(feature.name, values)
        if np.isinf(column).any():
            raise Invalid(f"the feature {feature.name} must be finite", field=feature.name)
        return column
    legal = {None, *feature.categories}
    if any(value not in legal for value in values):
        raise Invalid(f"the feature {feature.name} holds a category it does not have", field=feature.name)
    return np.array(values, dtype=object)
