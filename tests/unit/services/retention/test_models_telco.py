"""The frontier on the IBM telco sample: five families of model tie at an AUC of 0.850, a log-loss of 0.410."""

import csv
from pathlib import Path

import pytest

from services.retention.features.rules import Value
from services.retention.models.rules import score
from services.retention.models.training import Trained, train

FILE = Path(__file__).resolve().parents[5] / "shared" / "data" / "telco_churn.csv"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason="the IBM telco sample is not on this machine")

WORDS = {
    "Yes": "yes", "No": "no", "1": "yes", "0": "no", "No phone service": "no_service",
    "No internet service": "no_service", "DSL": "dsl", "Fiber optic": "fiber", "Month-to-month": "month_to_month",
    "One year": "one_year", "Two year": "two_year", "Electronic check": "electronic_check",
    "Mailed check": "mailed_check", "Bank transfer (automatic)": "bank_transfer",
    "Credit card (automatic)": "credit_card",
}  # fmt: skip
COLUMNS = {
    "SeniorCitizen": "senior", "Partner": "partner", "Dependents": "dependents", "PhoneService": "phone_service",
    "MultipleLines": "multiple_lines", "InternetService": "internet_service", "OnlineSecurity": "online_security",
    "OnlineBackup": "online_backup", "DeviceProtection": "device_protection", "TechSupport": "tech_support",
    "StreamingTV": "streaming_tv", "StreamingMovies": "streaming_movies", "Contract": "contract_type",
    "PaperlessBilling": "paperless_billing", "PaymentMethod": "payment_method",
}  # fmt: skip


def vector_of(row: dict[str, str]) -> dict[str, Value]:
    values: dict[str, Value] = {name: WORDS[row[column]] for column, name in COLUMNS.items()}
    if row["InternetService"] == "No":
        values["internet_service"] = "none"
    total = row["TotalCharges"].strip()
    return {
        **values,
        "tenure_months": float(row["tenure"]),
        "monthly_charge": float(row["MonthlyCharges"]),
        "total_charge": float(total) if total else None,
    }


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with FILE.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def trained(rows: list[dict[str, str]]) -> Trained:
    labels = [int(row["Churn"] == "Yes") for row in rows]
    return train([row["customerID"] for row in rows], [vector_of(row) for row in rows], labels)


def test_the_model_reaches_the_frontier_and_does_not_leak(trained: Trained) -> None:
    assert 0.840 <= trained.report.auc <= 0.860
    assert trained.report.log_loss <= 0.418
    assert trained.report.brier <= 0.136
    assert trained.report.lift_top_decile >= 2.75


def test_probabilities_are_calibrated_in_every_tenth(trained: Trained) -> None:
    assert trained.report.calibration_error <= 0.015
    assert all(abs(tenth.mean_predicted - tenth.observed) <= 0.04 for tenth in trained.report.calibration)
    assert 0.9 <= trained.model.calibration.slope <= 1.1


def test_blank_totals_are_scored_as_missing(trained: Trained, rows: list[dict[str, str]]) -> None:
    blank = [row for row in rows if not row["TotalCharges"].strip()]
    assert len(blank) == 11
    assert all("total_charge" in score(trained.model, vector_of(row)).missing for row in blank)


def test_what_everybody_knows_of_this_sample_is_found(trained: Trained) -> None:
    assert next(iter(trained.report.importances)) == "contract_type"
    assert trained.report.rows == 7043
    assert trained.report.positives == 1869
