"""Bands, reasons, remedies and the value of a customer."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Invalid
from services.retention.features.rules import Value
from services.retention.models.rules import CategoricalTable, Model, score, sigmoid
from services.retention.scores.rules import (
    BandThresholds,
    Money,
    TierThresholds,
    ValueParameters,
    band,
    expected_months,
    lifetime_value,
    monthly_hazard,
    reasons,
    tier,
    what_would_lower,
)
from tests.unit.services.retention.builders import hand_made_model, models, restless_customer, vectors

probabilities = st.floats(0.0, 1.0)


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        (0.0, "low"),
        (0.1499, "low"),
        (0.15, "medium"),
        (0.35, "high"),
        (0.5999, "high"),
        (0.6, "critical"),
        (1, "critical"),
    ],
)
def test_a_threshold_belongs_to_the_band_above_it(probability: float, expected: str) -> None:
    assert band(probability) == expected


def test_thresholds_that_do_not_rise_are_refused() -> None:
    with pytest.raises(Invalid):
        BandThresholds(medium=0.5, high=0.4)
    with pytest.raises(Invalid):
        TierThresholds(gold=Decimal(1))


@given(models(), vectors)
def test_reasons_are_the_largest_exact_contributions(model: Model, vector: dict[str, Value]) -> None:
    scored = score(model, vector)
    found = reasons(scored, vector, limit=4)
    sizes = [reason.log_odds for reason in found]
    assert sizes == sorted((size for size in scored.contributions.values() if size > 0), reverse=True)[:4]
    for reason in found:
        assert reason.log_odds == scored.contributions[reason.feature]
        without = sigmoid(scored.log_odds - reason.log_odds)
        assert reason.points == pytest.approx(100 * (scored.probability - without))
        assert reason.points >= 0


def test_reasons_read_like_sentences() -> None:
    vector = restless_customer()
    texts = [reason.text for reason in reasons(score(hand_made_model(), vector), vector)]
    assert texts == [
        "customer for 2 months", "2 open tickets", "month-to-month contract", "fibre internet",
        "pays by electronic check",
    ]  # fmt: skip


@given(models(), vectors)
def test_every_remedy_is_exact_and_lowers_the_probability(model: Model, vector: dict[str, Value]) -> None:
    today = score(model, vector).probability
    found = what_would_lower(model, vector)
    assert len(found) <= 3
    assert len({remedy.feature for remedy in found}) == len(found)
    assert [remedy.probability for remedy in found] == sorted(remedy.probability for remedy in found)
    for remedy in found:
        assert remedy.probability == score(model, {**vector, remedy.feature: remedy.to_value}).probability
        assert remedy.probability < today
        assert remedy.points == pytest.approx(100 * (today - remedy.probability))
        assert vector[remedy.feature] is not None


def test_the_three_best_remedies_come_first() -> None:
    found = what_would_lower(hand_made_model(), restless_customer())
    assert [(remedy.feature, remedy.to_value) for remedy in found] == [
        ("contract_type", "two_year"),
        ("open_tickets", 0.0),
        ("payment_method", "bank_transfer"),
    ]


def test_technical_support_is_not_offered_without_internet() -> None:
    vector: dict[str, Value] = {"internet_service": "none", "tech_support": "no_service"}
    assert what_would_lower(hand_made_model(), vector) == ()


def test_nobody_is_offered_a_shorter_contract() -> None:
    model = hand_made_model()
    longer = [remedy.to_value for remedy in what_would_lower(model, {"contract_type": "one_year"})]
    assert longer == ["two_year"]
    assert what_would_lower(model, {"contract_type": "two_year"}) == ()


def test_nobody_is_offered_a_shorter_contract_even_where_those_with_one_stay() -> None:
    table = CategoricalTable("contract_type", {"month_to_month": -2.0, "one_year": -1.0, "two_year": 1.0}, 0.0, 0.0)
    model = replace(hand_made_model(), tables=(table,))
    assert what_would_lower(model, {"contract_type": "two_year"}) == ()


def test_nothing_is_said_about_a_change_that_training_never_met() -> None:
    found = what_would_lower(hand_made_model(), {"payment_method": "electronic_check"})
    assert [remedy.to_value for remedy in found] == ["bank_transfer"]


@given(probabilities, st.integers(1, 60))
def test_the_monthly_hazard_adds_up_to_the_probability(probability: float, months: int) -> None:
    hazard = monthly_hazard(probability, months)
    assert 0.0 <= hazard <= 1.0
    assert 1.0 - (1.0 - hazard) ** months == pytest.approx(probability, abs=1e-9)


@given(probabilities, st.integers(1, 120), st.integers(0, 300))
def test_the_closed_form_equals_the_sum_over_months(probability: float, months: int, rate: int) -> None:
    parameters = ValueParameters(months=months, annual_discount_rate=Decimal(rate) / 1000)
    hazard = monthly_hazard(probability, 12)
    summed = sum((1 - hazard) ** t * (1 + rate / 1000) ** (-t / 12) for t in range(1, months + 1))
    assert expected_months(probability, parameters) == pytest.approx(summed, rel=1e-9, abs=1e-9)


@given(probabilities, probabilities)
def test_the_likelier_a_customer_leaves_the_less_it_is_worth(one: float, other: float) -> None:
    lower, higher = sorted((one, other))
    charge = Money("EUR", 65_000_000)
    assert lifetime_value(charge, higher).micros <= lifetime_value(charge, lower).micros


def test_a_customer_who_never_leaves_without_discounting_pays_every_month() -> None:
    parameters = ValueParameters(margin_rate=Decimal("0.5"), annual_discount_rate=Decimal(0), months=24)
    assert lifetime_value(Money("EUR", 29_850_000), 0.0, parameters) == Money("EUR", 358_200_000)


def test_a_customer_who_surely_leaves_is_worth_nothing() -> None:
    assert lifetime_value(Money("EUR", 29_850_000), 1.0) == Money("EUR", 0)


def test_a_value_worked_out_by_hand() -> None:
    # One month, half leave within it, no discount: 10.00 * 0.4 * 0.5.
    parameters = ValueParameters(label_months=1, months=1, annual_discount_rate=Decimal(0))
    value = lifetime_value(Money("EUR", 10_000_000), 0.5, parameters)
    assert (value.amount, value.currency_code) == (Decimal("2.000000"), "EUR")


@pytest.mark.parametrize("probability", [-0.01, 1.01, float("nan")])
def test_what_is_no_probability_is_refused(probability: float) -> None:
    with pytest.raises(Invalid):
        lifetime_value(Money("EUR", 1), probability)


def test_a_negative_charge_is_refused() -> None:
    with pytest.raises(Invalid):
        lifetime_value(Money("EUR", -1), 0.5)


@pytest.mark.parametrize("name", ["label_months", "months", "margin_rate", "annual_discount_rate"])
def test_a_parameter_out_of_range_is_refused_with_its_name(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        ValueParameters(**{name: -1})  # type: ignore[arg-type]
    assert refusal.value.field == name


@pytest.mark.parametrize(
    ("amount", "expected"), [(0, "bronze"), (249, "bronze"), (250, "silver"), (600, "gold"), (1000, "platinum")]
)
def test_a_tier_begins_at_its_threshold(amount: int, expected: str) -> None:
    assert tier(Money("EUR", amount * 1_000_000)) == expected
