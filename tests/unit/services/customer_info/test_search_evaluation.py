"""Whether search finds whom people look for, among a population with names as frequent as real ones."""

import pytest

from bench.name_search.crowds import CROWDS
from bench.name_search.evaluation import Finding, evaluate, evaluate_crowds, people
from bench.name_search.index import Index

LEAST = {
    "full name": 0.98,
    "reordered": 0.98,
    "without accents": 0.98,
    "umlauts transcribed": 0.97,
    "one slip": 0.95,
    "a slip in each of two words": 0.85,
    "family name alone": 0.95,
    "initial and family name": 0.9,
    "typing: 2 letters": 0.8,
    "typing: given name, 2 letters": 0.85,
    "typing: given name, 4 letters": 0.95,
    "company without legal form": 0.98,
    "company, other legal form": 0.98,
    "company reordered": 0.98,
    "company, one slip": 0.95,
}


PEOPLE = 20_000


@pytest.fixture(scope="module")
def index() -> Index:
    return Index([*people(PEOPLE, seed=11), *(names for crowd in CROWDS for names in crowd.names())])


@pytest.fixture(scope="module")
def findings(index: Index) -> dict[str, Finding]:
    return {f.kind: f for f in evaluate(index, queries=60, seed=12, among=PEOPLE)}


@pytest.mark.parametrize("kind", LEAST)
def test_who_is_looked_for_is_among_the_first_ten_or_ten_as_good(kind: str, findings: dict[str, Finding]) -> None:
    assert findings[kind].tied >= LEAST[kind]


def test_who_is_called_as_typed_is_found_in_a_crowd_that_nearly_is(index: Index) -> None:
    assert [f.kind for f in evaluate_crowds(index) if f.found < 1] == []


def test_a_customer_costs_no_more_than_twenty_terms(index: Index) -> None:
    assert index.terms / len(index.people) <= 20
