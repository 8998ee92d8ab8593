"""Agreements: which one governs a ticket, what it promises to a priority, and what is refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from chassis.rules import Invalid
from services.sla.agreements.rules import (
    Agreement,
    Metric,
    Objective,
    Operator,
    PriorityTarget,
    Scope,
    in_force,
    objective_for,
)
from services.sla.calendars.rules import CalendarRef

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
NAIVE = NEW_YEAR.replace(tzinfo=None)
CALENDAR = CalendarRef("office", 1)
HOUR = 3600


def resolution(target: float | None = 24 * HOUR, **changes: object) -> Objective:
    values: dict[str, object] = {"metric": Metric.RESOLUTION, "unit": "s", "target": target, "calendar": CALENDAR}
    return Objective(**(values | changes))  # type: ignore[arg-type]


def agreement(name: str, scope: Scope = Scope(), version: int = 1, **changes: object) -> Agreement:  # noqa: B008 (frozen)
    values: dict[str, object] = {"objectives": (resolution(),), "valid_from": NEW_YEAR, **changes}
    return Agreement(name, version, scope, **values)  # type: ignore[arg-type]


def governing(
    agreements: list[Agreement], at: datetime = NEW_YEAR, customer: str = "ada", product: str = "fibre"
) -> str:
    answers = {
        found.id + "/" + str(found.version) if found else "none"
        for order in permutations(agreements)
        for found in [in_force(order, customer_id=customer, product=product, at=at)]
    }
    assert len(answers) == 1, "the answer depends on the order of the agreements"
    return answers.pop()


def test_the_most_specific_scope_wins() -> None:
    everybody, product = agreement("all"), agreement("product", Scope(product="fibre"))
    customer, both = agreement("customer", Scope("ada")), agreement("both", Scope("ada", "fibre"))
    assert governing([everybody, product, customer, both]) == "both/1"
    assert governing([everybody, product, customer]) == "customer/1"
    assert governing([everybody, product]) == "product/1"
    assert governing([everybody]) == "all/1"


def test_an_agreement_of_somebody_else_or_about_something_else_does_not_govern() -> None:
    assert governing([agreement("a", Scope("bob")), agreement("b", Scope(product="voice"))]) == "none"


def test_an_agreement_governs_from_its_first_instant_up_to_but_not_including_its_last() -> None:
    only = [agreement("all", valid_to=NEW_YEAR + timedelta(days=31))]
    assert governing(only, NEW_YEAR - timedelta(microseconds=1)) == "none"
    assert governing(only, NEW_YEAR) == "all/1"
    assert governing(only, NEW_YEAR + timedelta(days=31)) == "none"


def test_the_highest_valid_version_speaks_for_its_agreement() -> None:
    later = NEW_YEAR + timedelta(days=31)
    versions = [agreement("all"), agreement("all", version=2, valid_from=later)]
    assert governing(versions, later - timedelta(seconds=1)) == "all/1"
    assert governing(versions, later) == "all/2"


def test_what_a_newer_version_no_longer_covers_is_no_longer_promised() -> None:
    narrowed = agreement("gold", Scope("ada", "voice"), version=2, valid_from=NEW_YEAR + timedelta(days=1))
    agreements = [agreement("gold", Scope("ada")), narrowed, agreement("all")]
    assert governing(agreements, NEW_YEAR + timedelta(days=2)) == "all/1"


def test_among_equally_specific_agreements_the_latest_wins_and_then_the_smallest_id() -> None:
    latest = agreement("a", valid_from=NEW_YEAR + timedelta(days=1))
    assert governing([latest, agreement("b")], NEW_YEAR + timedelta(days=2)) == "a/1"
    assert governing([agreement("b"), agreement("a")]) == "a/1"


def test_asking_for_a_naive_instant_is_refused() -> None:
    with pytest.raises(Invalid):
        in_force([], customer_id=None, product=None, at=NAIVE)


def test_a_priority_has_its_own_target_or_that_of_the_rest() -> None:
    objective = resolution(targets=(PriorityTarget("critical", 4 * HOUR), PriorityTarget("high", 8 * HOUR)))
    assert [objective.target_for(name) for name in ("critical", "high", "low", None)] == [
        4 * HOUR, 8 * HOUR, 24 * HOUR, 24 * HOUR,
    ]  # fmt: skip
    assert resolution(None, targets=(PriorityTarget("critical", HOUR),)).target_for("low") is None


def test_the_objective_that_names_the_priority_comes_before_the_one_for_the_rest() -> None:
    rest, critical = resolution(), resolution(None, targets=(PriorityTarget("critical", HOUR),))
    gold = agreement("gold", objectives=(rest, critical))
    assert objective_for(gold, Metric.RESOLUTION, "critical") is critical
    assert objective_for(gold, Metric.RESOLUTION, "low") is rest
    assert objective_for(gold, Metric.FIRST_RESPONSE, "low") is None


def test_custom_objectives_are_told_apart_by_name() -> None:
    visits = Objective(Metric.CUSTOM, "visits", 2, name="visits", operator=Operator.AT_LEAST)
    calls = Objective(Metric.CUSTOM, "calls", 5, name="calls")
    both = agreement("a", objectives=(visits, calls))
    assert objective_for(both, Metric.CUSTOM, None, "calls") is calls


@pytest.mark.parametrize(
    ("operator", "tolerance", "kept", "broken"),
    [
        (Operator.AT_MOST, 0, 20, 20.1),
        (Operator.BELOW, 0, 19.9, 20),
        (Operator.AT_LEAST, 0, 20, 19.9),
        (Operator.ABOVE, 0, 20.1, 20),
        (Operator.AT_MOST, 5, 25, 25.1),
        (Operator.AT_LEAST, 5, 15, 14.9),
    ],
)
def test_a_measured_value_is_held_against_operator_and_tolerance(
    operator: Operator, tolerance: float, kept: float, broken: float
) -> None:
    objective = Objective(Metric.LATENCY, "ms", 20, operator=operator, tolerance=tolerance)
    assert objective.is_met(kept) is True
    assert objective.is_met(broken) is False


def test_a_measured_value_of_a_priority_without_target_is_not_judged() -> None:
    assert Objective(Metric.LATENCY, "ms", targets=(PriorityTarget("high", 20),)).is_met(1, "low") is None


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("unit", lambda: resolution(unit="h")),
        ("unit", lambda: Objective(Metric.CUSTOM, "", 1, name="x")),
        ("name", lambda: Objective(Metric.CUSTOM, "x", 1)),
        ("target", lambda: resolution(None)),
        ("target", lambda: resolution(0)),
        ("target", lambda: resolution(-1)),
        ("target", lambda: resolution(1.5)),
        ("target", lambda: resolution(float("nan"))),
        ("target", lambda: resolution(float("inf"))),
        ("target", lambda: resolution(11 * 366 * 24 * HOUR)),
        ("target", lambda: Objective(Metric.AVAILABILITY, "%", 100.1, operator=Operator.AT_LEAST)),
        ("tolerance", lambda: resolution(tolerance=0.5)),
        ("targets", lambda: resolution(targets=(PriorityTarget("high", 1), PriorityTarget("high", 2)))),
        ("operator", lambda: resolution(operator=Operator.AT_LEAST)),
        ("calendar", lambda: resolution(calendar=None)),
        ("thresholds", lambda: resolution(thresholds=(0.0,))),
        ("thresholds", lambda: resolution(thresholds=(1.1,))),
        ("id", lambda: agreement("")),
        ("version", lambda: agreement("a", version=0)),
        ("objectives", lambda: agreement("a", objectives=())),
        ("objectives", lambda: agreement("a", objectives=(resolution(), resolution(HOUR)))),
        ("valid_from", lambda: agreement("a", valid_from=NAIVE)),
        ("valid_to", lambda: agreement("a", valid_to=NAIVE)),
        ("valid_to", lambda: agreement("a", valid_to=NEW_YEAR)),
    ],
)
def test_terms_that_make_no_sense_are_refused_with_their_field(field: str, make: Callable[[], object]) -> None:
    with pytest.raises(Invalid) as refusal:
        make()
    assert refusal.value.field == field
