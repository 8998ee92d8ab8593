"""Precision and recall on records whose owners are known; the weights were set with other records."""

import pytest

from bench.duplicates.evaluation import Outcome, evaluate
from bench.duplicates.labelled import labelled


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return evaluate(labelled(8_000, seed=5))


def test_of_those_found_98_in_100_are_one_customer(outcome: Outcome) -> None:
    assert outcome.precision() >= 0.98


def test_of_those_that_are_one_customer_90_in_100_are_found(outcome: Outcome) -> None:
    assert outcome.recall() >= 0.90


def test_blocking_misses_few(outcome: Outcome) -> None:
    assert outcome.blocked >= 0.97
    assert len(outcome.pairs) < 3 * outcome.records


def test_the_same_seed_makes_the_same_records() -> None:
    assert labelled(300, seed=7) == labelled(300, seed=7)
    assert labelled(300, seed=7) != labelled(300, seed=8)
