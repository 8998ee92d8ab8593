"""Training a churn model: the one entry. It needs the extra `train`, and imports what is in it when it is called.

Method: ridge logistic regression on binned features (`fitting`), calibrated by a line on out-of-fold log-odds. It was
chosen as the simplest of the methods that tie at the frontier on the IBM telco data (splines with logistic regression,
small boosted trees, explainable boosting): its tables are the model, nothing has to be converted or approximated.
`penalty`, `step_scale` and `max_bins` lie on a plateau: halving or doubling any of them moves the AUC by under 0.001.

Classes are neither weighted nor resampled: either ruins the probabilities, and a value is computed from them.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from chassis.rules import Invalid, Refused
from services.retention.features.rules import Vector
from services.retention.models.report import Report
from services.retention.models.rules import Calibration, Model

if TYPE_CHECKING:
    from services.retention.models.dataset import Dataset
    from services.retention.models.evaluation import Predictions
    from services.retention.models.fitting import Floats

Progress = Callable[[int, int, str], None]
"""Called with the steps done, the steps there are, and what comes next."""

MIN_SLOPE = 0.01
MAX_SLOPE = 10.0
"""Bounds of the calibration's slope; data without any signal would otherwise turn the ranking around."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to train.

    Args:
        horizon_months: the labels say who left within this many months.
        folds, repeats: of the stratified cross-validation that measures the model.
        seed: of the folds. The same seed and data give the same model, byte for byte.
        max_bins: the most bins of a numeric feature.
        penalty: strength of the ridge; the inverse of scikit-learn's C.
        step_scale: the smaller, the smoother numeric tables are.
    """

    horizon_months: int = 12
    folds: int = 5
    repeats: int = 1
    seed: int = 0
    max_bins: int = 32
    penalty: float = 10 / 3
    step_scale: float = 0.3

    def __post_init__(self) -> None:
        for name, least, most in (
            ("horizon_months", 1, 120), ("folds", 2, 10), ("repeats", 1, 20), ("seed", 0, 2**31), ("max_bins", 2, 256),
            ("penalty", 1e-6, 1e6), ("step_scale", 1e-3, 1e3),
        ):  # fmt: skip
            if not least <= getattr(self, name) <= most:
                raise Invalid(f"{name} must lie between {least:g} and {most:g}", field=name)


@dataclass(frozen=True, slots=True)
class Trained:
    """A model and the report on it."""

    model: Model
    report: Report


def train(
    ids: Sequence[str],
    vectors: Sequence[Vector],
    labels: Sequence[int],
    options: Options | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Train on labelled customers, and measure the model on customers it has not seen.

    Args:
        ids: one per customer; they decide the order, and are not learned from.
        vectors: their features.
        labels: 1 left within the horizon, 0 stayed.

    Raises:
        Invalid: a repeated id, a label that is not 0 or 1, a value outside its feature's domain.
        Refused: too few customers or too few of one outcome (`TOO_FEW_OUTCOMES`), too many, or nothing to learn from;
            or the extra `train` is not installed.
    """
    options = options or Options()
    try:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        from services.retention.models import dataset
    except ModuleNotFoundError as error:
        raise Refused(f"training needs {error.name}: install holdfast with the extra 'train'") from None
    # Matrices this small gain nothing from threads, and beside other work on the machine waiting for one another makes
    # training eight times slower. One thread also adds up in one order: the same figures on any number of cores.
    with threadpool_limits(limits=1):
        return _train(dataset.build(ids, vectors, labels), options, progress or _silent)


def _train(data: "Dataset", options: Options, tell: Progress) -> Trained:
    from services.retention.models import dataset, evaluation

    started = time.perf_counter()
    dropped = dataset.unusable(data)
    if len(dropped) == len(data.columns):
        raise Refused("there is nothing to learn from: every feature is missing or the same for all")
    total = options.folds * options.repeats + 1
    predictions: list[Predictions] = []
    for index, (learn, test) in enumerate(_splits(data.labels, options.folds, options.repeats, options.seed)):
        tell(index, total, f"fold {index + 1} of {total - 1}")
        predictions.append(evaluation.predict(_calibrated(data.take(learn), options), data.take(test)))
    tell(total - 1, total, "the final model")
    model = _calibrated(data, options)
    model = replace(model, provenance=replace(model.provenance, seed=options.seed))
    measured = evaluation.report(model, data, predictions, dropped)
    tell(total, total, "done")
    return Trained(model, replace(measured, seconds=time.perf_counter() - started))


def _silent(_done: int, _total: int, _step: str) -> None:
    """Progress that nobody asked for."""


def _splits(labels: "Floats", folds: int, repeats: int, seed: int) -> "list[tuple[Any, Any]]":
    from sklearn.model_selection import RepeatedStratifiedKFold

    splitter = RepeatedStratifiedKFold(n_splits=folds, n_repeats=repeats, random_state=seed)
    return list(splitter.split(labels, labels))


def _calibrated(data: "Dataset", options: Options) -> Model:
    """Fit the tables on all of `data`, and the calibration on log-odds that each came from the other folds."""
    import numpy as np

    from services.retention.models import fitting
    from services.retention.models.batch import score_columns

    def fitted(part: "Dataset") -> Model:
        return fitting.fit(part, _ridge(options.penalty), options.max_bins, options.step_scale)

    unseen = np.empty(len(data.labels))
    for learn, test in _splits(data.labels, 5, 1, options.seed):
        held_out = data.take(test)
        unseen[test] = score_columns(fitted(data.take(learn)), held_out.columns, len(test)).log_odds
    return replace(fitted(data), calibration=_calibration(unseen, data.labels), horizon_months=options.horizon_months)


def _ridge(penalty: float) -> "Callable[[Floats, Floats], tuple[float, Floats]]":
    from sklearn.linear_model import LogisticRegression

    def regression(matrix: "Floats", labels: "Floats") -> "tuple[float, Floats]":
        # Newton's method with a Cholesky solver: exact, deterministic, and fast for many rows and few columns.
        solver = LogisticRegression(C=1.0 / penalty, solver="newton-cholesky", max_iter=200)
        solver.fit(matrix, labels)
        return float(solver.intercept_[0]), solver.coef_[0]

    return regression


def _calibration(log_odds: "Floats", labels: "Floats") -> Calibration:
    # A weak ridge keeps the slope finite where the classes separate; at 100 rows it moves it by a thousandth.
    offset, (slope,) = _ridge(0.01)(log_odds[:, None], labels)
    if not MIN_SLOPE <= slope <= MAX_SLOPE:
        slope = min(max(slope, MIN_SLOPE), MAX_SLOPE)
        share = float(labels.mean())
        offset = math.log(share / (1.0 - share)) - slope * float(log_odds.mean())
    return Calibration(slope=round(float(slope), 6), offset=round(float(offset), 6) + 0.0)
