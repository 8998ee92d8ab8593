"""What a training found out: the figures, as plain values.

All figures come from customers that the scored model had not seen: bins, scores and calibration are fitted anew inside
every fold.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FoldFigures:
    """The figures of one fold.

    Attributes:
        auc: area under the ROC curve, the chance that a leaver is ranked above a stayer.
        pr_auc: average precision, the area under the precision-recall curve.
        log_loss: mean negative log-likelihood, in nats.
        brier: mean squared error of the probability (Brier 1950).
        lift_top_decile: share of leavers in the top tenth by probability, over their share in all.
    """

    rows: int
    positives: int
    auc: float
    pr_auc: float
    log_loss: float
    brier: float
    lift_top_decile: float


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """One tenth of the customers by probability: what was predicted and what happened."""

    rows: int
    mean_predicted: float
    observed: float


@dataclass(frozen=True, slots=True)
class Report:
    """The report of one training.

    Attributes:
        rows, positives: customers trained on, and how many of them left.
        auc, auc_sd, pr_auc, log_loss, brier, lift_top_decile: means over the folds, and the AUC's standard deviation.
        calibration_error: mean absolute gap between predicted and observed over the tenths, weighted by rows.
        calibration: the tenths, lowest probability first, pooled over all folds.
        folds: every fold's figures.
        importances: per feature, the mean absolute contribution in log-odds, largest first.
        dropped: features left out, and why.
        seconds: wall-clock time of the training.
    """

    rows: int
    positives: int
    auc: float
    auc_sd: float
    pr_auc: float
    log_loss: float
    brier: float
    lift_top_decile: float
    calibration_error: float
    calibration: tuple[CalibrationBin, ...]
    folds: tuple[FoldFigures, ...]
    importances: Mapping[str, float]
    dropped: Mapping[str, str]
    seconds: float

    def to_document(self) -> dict[str, Any]:
        """The report as dicts, lists, text and numbers."""
        plain = asdict(self)
        return {**plain, "calibration": list(plain["calibration"]), "folds": list(plain["folds"])}


def report_from_document(document: Mapping[str, Any]) -> Report:
    """The report that `to_document` wrote."""
    return Report(
        **{
            **document,
            "calibration": tuple(CalibrationBin(**entry) for entry in document["calibration"]),
            "folds": tuple(FoldFigures(**entry) for entry in document["folds"]),
        }
    )
