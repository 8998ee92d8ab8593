"""The model card: what a model is for, how good it is, and where it ends, as Markdown.

After Mitchell et al. 2019, "Model Cards for Model Reporting".
"""

from collections.abc import Iterable, Sequence

from services.retention.features.rules import BY_NAME, FEATURES, NOT_USED
from services.retention.models.encoding import digest, encode
from services.retention.models.report import Report
from services.retention.models.rules import Model

INTENDED = """\
Ranks customers by their probability of leaving, says why, and feeds the value of a customer. It is meant to decide whom
to offer help or a better contract, with a person or a written rule behind every offer. It is not meant to refuse
service, to set an individual price, or to judge creditworthiness."""

LIMITS = """\
- A contribution says how a feature goes together with leaving, not that changing it would cause a customer to stay.
  Only a hold-out group measures that.
- The figures hold for customers like those trained on. Watch drift and calibration against outcomes, and retrain.
- The model is additive: an effect that two features have only together is shared out between them.
- A missing value is scored by its own bin; a category that training never met counts as an average one."""


def card(model: Model, report: Report) -> str:
    """The model card in Markdown, the same for the same model and report."""
    sections = (
        ("Intended use", INTENDED),
        ("Training data", _data(model, report)),
        ("Figures on unseen customers", _figures(report)),
        ("Calibration by tenths", _calibration(report)),
        ("What it looks at", _importances(report)),
        ("What it does not look at", _left_out(report)),
        ("Limits", LIMITS),
        ("Identity", _identity(model)),
    )
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections)
    return f"# Churn model {digest(encode(model))[:12]}\n\n{body}\n"


def _data(model: Model, report: Report) -> str:
    share = report.positives / report.rows
    return (
        f"{report.rows:,} customers, of whom {report.positives:,} ({share:.1%}) left within {model.horizon_months} "
        f"months. Classes are neither weighted nor resampled, so probabilities are those of the data.\n\n"
        f"Digest of the data: `{model.provenance.data_digest}`"
    )


def _figures(report: Report) -> str:
    intro = (
        f"Stratified cross-validation, {len(report.folds)} folds; bins, scores and calibration are fitted anew in each."
    )
    rows = (
        ("AUC (ROC)", f"{report.auc:.4f} ± {report.auc_sd:.4f}", "0.5 is chance, 1 is perfect"),
        ("PR-AUC", f"{report.pr_auc:.4f}", f"{report.positives / report.rows:.4f} is chance"),
        ("Log-loss", f"{report.log_loss:.4f}", "lower is better"),
        ("Brier score", f"{report.brier:.4f}", "lower is better"),
        ("Lift in the top tenth", f"{report.lift_top_decile:.2f}", "1 is chance"),
        ("Calibration error", f"{report.calibration_error:.4f}", "mean gap of predicted and observed rates"),
    )
    return intro + "\n\n" + _table(("figure", "value", "how to read it"), rows)


def _calibration(report: Report) -> str:
    rows = (
        (str(index + 1), f"{tenth.rows:,}", f"{tenth.mean_predicted:.1%}", f"{tenth.observed:.1%}")
        for index, tenth in enumerate(report.calibration)
    )
    return _table(("tenth", "customers", "predicted", "observed"), rows)


def _importances(report: Report) -> str:
    rows = (
        (BY_NAME[name].label, f"{size:.3f}", BY_NAME[name].description) for name, size in report.importances.items()
    )
    return _table(("feature", "mean contribution (log-odds)", "meaning"), rows)


def _left_out(report: Report) -> str:
    always = [f"- {name}: {reason}." for name, reason in NOT_USED.items()]
    here = [
        f"- {feature.label}: {report.dropped[feature.name]} of the training data."
        for feature in FEATURES
        if feature.name in report.dropped
    ]
    return "\n".join(always + here)


def _identity(model: Model) -> str:
    rows = (
        ("sha256", f"`{digest(encode(model))}`"),
        ("feature schema", str(model.schema_version)),
        ("features", str(len(model.tables))),
        ("seed", str(model.provenance.seed)),
        ("calibration", f"slope {model.calibration.slope:g}, offset {model.calibration.offset:g}"),
    )
    return _table(("", ""), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
