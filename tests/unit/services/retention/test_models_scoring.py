"""Scoring by additive tables, one customer or many."""

import math
import subprocess
import sys
from bisect import bisect_right

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Invalid
from services.retention.features.rules import Value
from services.retention.models.batch import score_batch
from services.retention.models.rules import Model, NumericTable, Table, score, sigmoid
from tests.unit.services.retention.builders import hand_made_model, models, restless_customer, vectors


def by_hand(table: Table, value: Value) -> float:
    if value is None or value != value:  # noqa: PLR0124  # NaN
        return table.missing
    if isinstance(table, NumericTable):
        assert isinstance(value, float)
        return table.scores[bisect_right(table.edges, value)]
    assert isinstance(value, str)
    return table.scores.get(value, table.missing)


@given(models(), vectors)
def test_log_odds_are_exactly_the_calibrated_sum_of_the_tables(model: Model, vector: dict[str, Value]) -> None:
    raw = model.intercept
    for table in model.tables:
        raw += by_hand(table, vector.get(table.feature))
    scored = score(model, vector)
    assert scored.log_odds == model.calibration.offset + model.calibration.slope * raw
    assert scored.probability == sigmoid(scored.log_odds)


@given(models(), vectors)
def test_contributions_sum_to_the_distance_from_the_population(model: Model, vector: dict[str, Value]) -> None:
    scored = score(model, vector)
    total = math.fsum(scored.contributions.values())
    assert set(scored.contributions) == set(model.features)
    assert total == pytest.approx(scored.log_odds - scored.baseline_log_odds, abs=1e-9)


@given(models(), st.lists(vectors, max_size=8))
def test_a_batch_gives_the_same_figures_as_one_by_one(model: Model, rows: list[dict[str, Value]]) -> None:
    batch = score_batch(model, rows, contributions=True)
    assert batch.contributions is not None
    for index, row in enumerate(rows):
        one = score(model, row)
        assert batch.log_odds[index] == one.log_odds
        assert batch.probability[index] == pytest.approx(one.probability, rel=1e-12)
        assert dict(zip(batch.features, batch.contributions[index], strict=True)) == one.contributions


@given(models(), vectors, vectors)
def test_calibration_never_changes_a_ranking(model: Model, one: dict[str, Value], other: dict[str, Value]) -> None:
    def raw(vector: dict[str, Value]) -> float:
        return model.intercept + math.fsum(by_hand(table, vector.get(table.feature)) for table in model.tables)

    if raw(one) < raw(other) - 1e-6:
        assert score(model, one).log_odds < score(model, other).log_odds
        assert score(model, one).probability <= score(model, other).probability


def test_a_customer_scored_by_hand() -> None:
    scored = score(hand_made_model(), restless_customer())
    assert scored.log_odds == pytest.approx(0.1 + 1.2 * (-1 + 1 + 0.5 + 0.4 + 0.5 + 0.2 + 0.8))
    assert scored.contributions["tenure_months"] == pytest.approx(1.2 * 1.5)
    assert scored.missing == ()


def test_an_edge_belongs_to_the_bin_above_it() -> None:
    model = hand_made_model()
    below, at = (score(model, {"tenure_months": value}).log_odds for value in (5.999, 6.0))
    assert below - at == pytest.approx(1.2)


def test_a_batch_puts_an_edge_into_the_same_bin() -> None:
    rows: list[dict[str, Value]] = [{"tenure_months": value} for value in (5.999, 6.0, 23.999, 24.0)]
    batch = score_batch(hand_made_model(), rows)
    assert list(batch.log_odds) == [score(hand_made_model(), row).log_odds for row in rows]


def test_missing_values_have_a_bin_of_their_own_and_are_named() -> None:
    model = hand_made_model()
    scored = score(model, {"tenure_months": None, "open_tickets": math.nan, "contract_type": "two_year"})
    assert scored.missing == ("tenure_months", "payment_method", "internet_service", "tech_support", "open_tickets")
    assert scored.contributions["tenure_months"] == pytest.approx(1.2 * 0.75)


def test_an_unknown_category_counts_like_a_missing_one() -> None:
    model = hand_made_model()
    assert score(model, {"contract_type": "lifelong"}).log_odds == score(model, {"contract_type": None}).log_odds


def test_text_in_place_of_a_number_is_refused_with_the_feature() -> None:
    for scorer in (lambda row: score(hand_made_model(), row), lambda row: score_batch(hand_made_model(), [row])):
        with pytest.raises(Invalid) as refusal:
            scorer({"tenure_months": "12"})
        assert refusal.value.field == "tenure_months"


@pytest.mark.parametrize("log_odds", [-1000.0, -30.0, 0.0, 30.0, 1000.0])
def test_the_probability_never_overflows(log_odds: float) -> None:
    assert 0.0 <= sigmoid(log_odds) <= 1.0
    assert sigmoid(log_odds) + sigmoid(-log_odds) == pytest.approx(1.0)


def test_an_empty_batch_is_empty() -> None:
    assert score_batch(hand_made_model(), []).probability.shape == (0,)


def test_scoring_one_customer_loads_neither_numpy_nor_scikit_learn() -> None:
    program = (
        "import sys, services.retention.scores.rules, services.retention.models.training\n"
        "sys.exit(bool({'numpy', 'sklearn', 'pymongo', 'grpc'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_batch_of_thousands_is_finite_throughout() -> None:
    scored = score_batch(hand_made_model(), [restless_customer()] * 5_000)
    assert np.isfinite(scored.probability).all()
