"""How good a model is, on customers it has not seen. Needs the extra `train`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    roc_auc_score,
)

from services.retention.models.batch import score_columns
from services.retention.models.dataset import Dataset
from services.retention.models.report import CalibrationBin, FoldFigures, Report
from services.retention.models.rules import Model

TENTHS = 10


@dataclass(frozen=True, slots=True)
class Predictions:
    """What happened, and what a model that had not seen it expected."""

    labels: NDArray[np.float64]
    probability: NDArray[np.float64]


def predict(model: Model, unseen: Dataset) -> Predictions:
    """Score held-out customers with the finished tables, exactly as a service would."""
    scores = score_columns(model, unseen.columns, len(unseen.labels))
    return Predictions(unseen.labels, scores.probability)


def figures(predictions: Predictions) -> FoldFigures:
    """The figures of one fold."""
    labels, probability = predictions.labels, predictions.probability
    return FoldFigures(
        rows=len(labels),
        positives=int(labels.sum()),
        auc=float(roc_auc_score(labels, probability)),
        pr_auc=float(average_precision_score(labels, probability)),
        log_loss=float(log_loss(labels, probability)),
        brier=float(brier_score_loss(labels, probability)),
        lift_top_decile=lift(predictions, 1 / TENTHS),
    )


def lift(predictions: Predictions, share: float) -> float:
    """Rate of leavers among the `share` with the highest probability, over the rate among all."""
    top = np.argsort(-predictions.probability, kind="stable")[: max(1, round(len(predictions.labels) * share))]
    return float(predictions.labels[top].mean() / predictions.labels.mean())


def calibration(predictions: Predictions) -> tuple[CalibrationBin, ...]:
    """Predicted and observed rates by tenths of the customers, lowest probability first."""
    order = np.argsort(predictions.probability, kind="stable")
    return tuple(
        CalibrationBin(len(rows), float(predictions.probability[rows].mean()), float(predictions.labels[rows].mean()))
        for rows in np.array_split(order, TENTHS)
    )


def importances(model: Model, data: Dataset) -> dict[str, float]:
    """Mean absolute contribution of each feature over the training population, largest first."""
    scores = score_columns(model, data.columns, len(data.labels), contributions=True)
    if scores.contributions is None:
        return {}
    sizes = np.abs(scores.contributions).mean(axis=0)
    ranked = sorted(zip(scores.features, sizes, strict=True), key=lambda pair: -pair[1])
    return {name: float(size) for name, size in ranked}


def report(model: Model, data: Dataset, folds: Sequence[Predictions], dropped: Mapping[str, str]) -> Report:
    """Everything a training has to tell but its duration, which the caller adds."""
    measured = [figures(fold) for fold in folds]
    pooled = Predictions(
        np.concatenate([fold.labels for fold in folds]), np.concatenate([fold.probability for fold in folds])
    )
    tenths = calibration(pooled)
    gaps = sum(tenth.rows * abs(tenth.mean_predicted - tenth.observed) for tenth in tenths)

    def mean(name: str) -> float:
        return float(np.mean([getattr(fold, name) for fold in measured]))

    return Report(
        rows=len(data.labels),
        positives=data.positives,
        auc=mean("auc"),
        auc_sd=float(np.std([fold.auc for fold in measured], ddof=1)),
        pr_auc=mean("pr_auc"),
        log_loss=mean("log_loss"),
        brier=mean("brier"),
        lift_top_decile=mean("lift_top_decile"),
        calibration_error=gaps / len(pooled.labels),
        calibration=tenths,
        folds=tuple(measured),
        importances=importances(model, data),
        dropped=dict(dropped),
        seconds=0.0,
    )
