"""Sums over a tree."""

from collections import Counter

import pytest

from chassis.rules import Invalid
from services.customer_info.hierarchy import figure_rules, wire
from services.customer_info.hierarchy.figure_rules import roll_up
from services.customer_info.hierarchy.rules import Kind
from tests.support.fakes.hierarchy import FakeFigures
from tests.unit.services.customer_info.trees import placement, tree

TREE = tree()
A = placement(TREE, "a", kind=Kind.LEGAL_ENTITY)
OTHER = placement(TREE, "other", kind=Kind.SITE)
B, C = placement(TREE, "a", "b", kind=Kind.SITE), placement(TREE, "a", "c", kind=Kind.SITE)
D = placement(TREE, "a", "b", "d", kind=Kind.COST_CENTRE)
PLACED = {
    "a": FakeFigures(1, {"EUR": 5}),
    "d": FakeFigures(3, {"EUR": 10, "USD": 2}),
    "c": FakeFigures(2),
    "other": FakeFigures(1, {"USD": 40}),
    "elsewhere": FakeFigures(9, {"EUR": 900}),
}


def test_a_node_adds_up_itself_and_all_below_it() -> None:
    (total,) = roll_up([A, B, C, D], "a", PLACED, 0)
    assert total.node == A
    assert total.descendants == Counter({Kind.SITE: 2, Kind.COST_CENTRE: 1})
    assert (total.products, total.totals) == (6, Counter(EUR=15, USD=2))


def test_a_sum_that_no_message_holds_is_told_as_the_greatest_that_one_does() -> None:
    (total,) = roll_up([A], "a", {"a": FakeFigures(2, {"EUR": 2**63, "USD": 2**63 - 1})}, 0)
    assert [m.micros for m in wire.sums_message(total).monthly_total] == [2**63 - 1] * 2


def test_a_tree_adds_up_all_its_nodes() -> None:
    (total,) = roll_up([A, OTHER, B, C, D], "", PLACED, 0)
    assert total.node is None
    assert total.descendants == Counter({Kind.SITE: 3, Kind.LEGAL_ENTITY: 1, Kind.COST_CENTRE: 1})
    assert (total.products, total.totals) == (7, Counter(EUR=15, USD=42))


def test_a_tree_without_nodes_adds_up_to_nothing() -> None:
    (total,) = roll_up([], "", PLACED, 32)
    assert (total.descendants, total.products, total.totals) == (Counter(), 0, Counter())


def test_levels_say_which_nodes_are_told_of_one_by_one() -> None:
    told = roll_up([A, B, C, D], "a", PLACED, 1)
    assert [s.node for s in told] == [A, B, C]
    assert [(s.products, dict(s.totals)) for s in told[1:]] == [(3, {"EUR": 10, "USD": 2}), (2, {})]
    assert [s.node for s in roll_up([A, OTHER, B, C, D], "", PLACED, 2)] == [None, A, OTHER, B, C]
    assert [s.node for s in roll_up([B, D], "b", PLACED, 32)] == [B, D]


def test_an_answer_is_no_larger_than_a_client_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    told = roll_up([A, B, C, D], "a", PLACED, 2)
    size = wire.roll_up_message(told).ByteSize()
    monkeypatch.setattr(wire, "MOST_BYTES", size)
    whole = wire.roll_up_message(told)
    assert [s.node.id for s in (whole.total, *whole.nodes)] == ["a", "b", "c", "d"]
    monkeypatch.setattr(wire, "MOST_BYTES", size - 1)
    with pytest.raises(Invalid) as refused:
        wire.roll_up_message(told)
    assert refused.value.field == "levels"
    assert "fewer levels" in refused.value.message


def test_an_answer_tells_of_no_more_nodes_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_rules, "MOST_TOLD", 2)
    assert len(roll_up([A, B, C], "a", {}, 1)) == 3
    with pytest.raises(Invalid) as refused:
        roll_up([A, B, C, D], "a", {}, 2)
    assert refused.value.field == "levels"
    assert "fewer levels" in refused.value.message
