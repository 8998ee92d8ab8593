"""Training on made-up customers whose truth is known."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Invalid, Refused
from services.retention.features.rules import Value
from services.retention.models.card import card
from services.retention.models.encoding import decode, digest, encode
from services.retention.models.evaluation import Predictions, figures, lift
from services.retention.models.fitting import edges_of
from services.retention.models.report import report_from_document
from services.retention.models.rules import CategoricalTable, Model, NumericTable, Table, score
from services.retention.models.training import Options, Trained, train
from tests.unit.services.retention.builders import MONTH_TO_MONTH_EFFECT, TENURE_EFFECT, made_up_customers

IDS, ROWS, LABELS, TRUTH = made_up_customers(3000)


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train(IDS, ROWS, LABELS, Options(seed=3))


def table_of(model: Model, feature: str) -> Table:
    return next(table for table in model.tables if table.feature == feature)


def test_a_known_effect_of_a_category_is_recovered(trained: Trained) -> None:
    table = table_of(trained.model, "contract_type")
    assert isinstance(table, CategoricalTable)
    found = trained.model.calibration.slope * (table.scores["month_to_month"] - table.scores["two_year"])
    assert found == pytest.approx(MONTH_TO_MONTH_EFFECT, abs=0.3)


def test_a_known_effect_of_a_number_is_recovered(trained: Trained) -> None:
    table = table_of(trained.model, "tenure_months")
    assert isinstance(table, NumericTable)
    found = trained.model.calibration.slope * (table.scores[-1] - table.scores[0])
    assert found == pytest.approx(TENURE_EFFECT * 60, abs=0.6)


def test_the_model_ranks_nearly_as_well_as_the_truth_itself(trained: Trained) -> None:
    best = figures(Predictions(np.array(LABELS, dtype=float), np.array(TRUTH)))
    assert 0.70 < best.auc < 0.85
    assert best.auc - 0.015 < trained.report.auc < best.auc + 0.005
    assert trained.report.log_loss < best.log_loss + 0.01


def test_probabilities_are_close_to_the_truth_they_were_drawn_from(trained: Trained) -> None:
    gaps = [abs(score(trained.model, row).probability - truth) for row, truth in zip(ROWS, TRUTH, strict=True)]
    assert sum(gaps) / len(gaps) < 0.03
    assert trained.report.calibration_error < 0.03


def test_features_without_effect_weigh_little_and_useless_ones_are_dropped(trained: Trained) -> None:
    importances = trained.report.importances
    assert list(importances)[:2] in (["contract_type", "tenure_months"], ["tenure_months", "contract_type"])
    assert max(importances["senior"], importances["sentiment_90d"]) < importances["contract_type"] / 3
    assert trained.report.dropped["partner"] == "the same for every customer"
    assert trained.report.dropped["monthly_charge"] == "missing for every customer"
    assert set(trained.model.features) == {"tenure_months", "contract_type", "senior", "sentiment_90d"}


def test_contributions_are_zero_on_average_over_the_population(trained: Trained) -> None:
    for feature in trained.model.features:
        mean = math.fsum(score(trained.model, row).contributions[feature] for row in ROWS) / len(ROWS)
        assert mean == pytest.approx(0.0, abs=1e-5)


def test_tables_are_centred_so_that_a_missing_value_without_evidence_counts_as_an_average_one(trained: Trained) -> None:
    for feature in ("contract_type", "tenure_months"):
        table = table_of(trained.model, feature)
        assert table.missing == 0.0
        assert table.mean == pytest.approx(0.0, abs=1e-5)


def test_the_same_seed_and_data_give_the_same_model_in_any_order_of_rows(trained: Trained) -> None:
    order = list(range(len(IDS)))
    random.Random(5).shuffle(order)
    again = train([IDS[i] for i in order], [ROWS[i] for i in order], [LABELS[i] for i in order], Options(seed=3))
    assert encode(again.model) == encode(trained.model)
    assert again.report.folds == trained.report.folds


def test_a_single_changed_label_changes_the_digest_of_the_data(trained: Trained) -> None:
    changed = train(IDS, ROWS, [1 - LABELS[0], *LABELS[1:]], Options(seed=3))
    assert changed.model.provenance.data_digest != trained.model.provenance.data_digest


def test_a_trained_model_is_a_valid_model(trained: Trained) -> None:
    assert decode(encode(trained.model)) == trained.model
    assert trained.model.provenance.rows == 3000
    assert trained.model.provenance.positives == sum(LABELS)
    assert trained.model.horizon_months == 12


def test_labels_without_any_signal_give_no_better_than_chance_and_the_base_rate() -> None:
    draw = random.Random(11)
    labels = [int(draw.random() < 0.3) for _ in IDS]
    noise = train(IDS, ROWS, labels)
    assert 0.45 < noise.report.auc < 0.55
    assert noise.model.calibration.slope > 0
    probabilities = [score(noise.model, row).probability for row in ROWS]
    assert sum(probabilities) / len(probabilities) == pytest.approx(sum(labels) / len(labels), abs=0.02)


def test_labels_that_a_feature_gives_away_do_not_break_the_training() -> None:
    ids, rows, _, _ = made_up_customers(400)
    labels = [int(row["contract_type"] == "month_to_month") for row in rows]
    perfect = train(ids, rows, labels)
    assert perfect.report.auc > 0.999
    assert decode(encode(perfect.model)) == perfect.model


def test_a_category_that_a_fold_never_met_does_not_break_the_training() -> None:
    ids, rows, labels, _ = made_up_customers(120, seed=2)
    rows[0]["payment_method"] = "other"
    rows[1]["payment_method"] = "credit_card"
    model = train(ids, rows, labels).model
    assert "payment_method" in model.features


def test_progress_is_told_from_nothing_to_all() -> None:
    heard: list[tuple[int, int, str]] = []
    train(
        IDS[:300],
        ROWS[:300],
        LABELS[:300],
        Options(folds=3),
        lambda done, total, step: heard.append((done, total, step)),
    )
    assert [done for done, _, _ in heard] == [0, 1, 2, 3, 4]
    assert {total for _, total, _ in heard} == {4}
    assert heard[-1][2] == "done"


def test_the_report_survives_its_document(trained: Trained) -> None:
    assert report_from_document(trained.report.to_document()) == trained.report
    assert len(trained.report.folds) == 5
    assert sum(fold.rows for fold in trained.report.folds) == trained.report.rows
    assert sum(tenth.rows for tenth in trained.report.calibration) == trained.report.rows


def test_the_card_tells_figures_limits_and_what_is_left_out(trained: Trained) -> None:
    text = card(trained.model, trained.report)
    assert digest(encode(trained.model)) in text
    assert f"{trained.report.auc:.4f}" in text
    assert "gender: a protected characteristic" in text
    assert "monthly charge: missing for every customer of the training data" in text
    assert "## Limits" in text
    assert "## Intended use" in text


def refusal(ids: list[str], rows: list[dict[str, Value]], labels: list[int]) -> Invalid | Refused:
    with pytest.raises((Invalid, Refused)) as caught:
        train(ids, rows, labels)
    return caught.value  # type: ignore[return-value]


def test_too_few_customers_are_refused_with_how_many_are_needed() -> None:
    found = refusal(IDS[:99], ROWS[:99], LABELS[:99])
    assert (found.reason, found.metadata) == ("TOO_FEW_OUTCOMES", {"rows": "99", "needed": "100"})


@pytest.mark.parametrize("label", [0, 1])
def test_too_few_of_one_outcome_are_refused(label: int) -> None:
    labels = [1 - label] * 181 + [label] * 19
    found = refusal(IDS[:200], ROWS[:200], labels)
    assert (found.reason, found.metadata) == ("TOO_FEW_OUTCOMES", {"rows": "19", "needed": "20"})


@pytest.mark.parametrize("label", [2, -1, None, "Yes", 0.5, 1.0])
def test_a_label_that_is_not_binary_is_refused_with_its_row(label: object) -> None:
    labels: list[object] = [*LABELS[:17], label, *LABELS[18:200]]
    assert refusal(IDS[:200], ROWS[:200], labels).field == "labels[17]"  # type: ignore[arg-type]


def test_a_repeated_id_is_refused_with_its_row_and_without_the_id() -> None:
    found = refusal([*IDS[:199], IDS[0]], ROWS[:200], LABELS[:200])
    assert found.field == "ids[199]"
    assert IDS[0] not in found.message


def test_lists_of_different_lengths_are_refused() -> None:
    assert refusal(IDS[:200], ROWS[:199], LABELS[:200]).field == "labels"


@pytest.mark.parametrize(
    ("feature", "value"),
    [("contract_type", "lifelong"), ("tenure_months", "12"), ("tenure_months", math.inf), ("senior", 1.0)],
)
def test_a_value_outside_its_domain_is_refused_with_its_feature(feature: str, value: Value) -> None:
    rows = [*ROWS[:199], {**ROWS[199], feature: value}]
    assert refusal(IDS[:200], rows, LABELS[:200]).field == feature


def test_customers_about_whom_nothing_is_known_are_refused() -> None:
    found = refusal(IDS[:200], [{} for _ in range(200)], LABELS[:200])
    assert "nothing to learn from" in found.message


@pytest.mark.parametrize("option", ["folds", "repeats", "max_bins", "horizon_months"])
def test_an_option_out_of_range_is_refused_with_its_name(option: str) -> None:
    with pytest.raises(Invalid) as caught:
        Options(**{option: 0})
    assert caught.value.field == option


@given(st.lists(st.integers(0, 500), min_size=1, max_size=400), st.integers(2, 32))
def test_edges_rise_lie_between_values_and_are_no_more_than_asked_for(values: list[int], max_bins: int) -> None:
    edges = edges_of(np.array(values, dtype=float), max_bins)
    assert list(edges) == sorted(set(edges))
    assert len(edges) < max_bins
    assert all(min(values) < edge < max(values) and edge not in values for edge in edges)


def test_lift_compares_the_top_with_all() -> None:
    labels = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], dtype=float)
    assert lift(Predictions(labels, np.linspace(1, 0, 10)), 0.1) == pytest.approx(5.0)
