"""The rules of dated trees."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.rules import AlreadyExists, Invalid, NotFound, Refusal, Refused
from services.customer_info.hierarchy import rules
from services.customer_info.hierarchy.rules import (
    DEEPEST,
    FOREVER,
    Change,
    Kind,
    Node,
    Placement,
    Placements,
    Reference,
)
from tests.unit.services.customer_info.builders import NOON, later, new_uuid
from tests.unit.services.customer_info.trees import family, node, placement, tree

TREE = tree()


def refused(error: pytest.ExceptionInfo[Refusal]) -> tuple[type[Refusal], str | None]:
    return type(error.value), error.value.field


def by_node(*placements: Placement) -> Placements:
    found: dict[str, list[Placement]] = {}
    for one in placements:
        found.setdefault(one.node_id, []).append(one)
    return found


def test_new_nodes_stand_under_each_other_in_whatever_order_they_come() -> None:
    top, middle, low, other = (new_uuid() for _ in range(4))
    wishes = [node(low, middle), node(other, top), node(middle, top), node(top, "there")]
    made = rules.added(TREE, wishes, {}, by_node(placement(TREE, "root", "there")), later())
    assert [p.node_id for p in made] == [low, other, middle, top]
    assert made[0].path == ("root", "there", top, middle, low)
    assert made[1].path == ("root", "there", top, other)
    assert {(p.start, p.end, p.tree_id, p.customer_id) for p in made} == {(later(), FOREVER, TREE.id, TREE.customer_id)}
    assert (made[0].parent_id, made[0].depth) == (middle, 5)


def test_a_node_without_a_parent_stands_at_the_top() -> None:
    (made,) = rules.added(TREE, [node("a", reference=Reference("account", "7"))], {}, {}, NOON)
    assert (made.path, made.parent_id, made.depth) == (("a",), "", 1)
    assert made.reference == Reference("account", "7")


@pytest.mark.parametrize("length", [1, 2, 5])
def test_new_nodes_above_each_other_are_a_circle(length: int) -> None:
    ids = [new_uuid() for _ in range(length)]
    wishes = [node("fine"), *(node(i, ids[n - 1]) for n, i in enumerate(ids))]
    with pytest.raises(Invalid) as error:
        rules.added(TREE, wishes, {}, {}, NOON)
    assert refused(error) == (Invalid, "nodes[1].parent_id")


def test_new_nodes_are_refused_by_their_place_in_the_batch() -> None:
    there = placement(TREE, "a")
    cases: list[tuple[Node, Placements, Placements, type[Refusal], str]] = [
        (node("x", name="  "), {}, {}, Invalid, "nodes[1].name"),
        (node("fine"), {}, {}, Invalid, "nodes[1].id"),
        (node(TREE.id), {}, {}, Invalid, "nodes[1].id"),
        (node("a"), by_node(there), {}, AlreadyExists, "nodes[1].id"),
        (node("a"), by_node(replace(there, tree_id="another", end=NOON)), {}, AlreadyExists, "nodes[1].id"),
        (node("x", "nobody"), {}, {}, NotFound, "nodes[1].parent_id"),
        (node("x", "a"), {}, by_node(replace(there, end=later(9))), Refused, "nodes[1].parent_id"),
        (node("x", "a"), {}, by_node(replace(there, start=later(9))), Refused, "nodes[1].parent_id"),
    ]
    for wish, former, parents, kind, field in cases:
        with pytest.raises(kind) as error:
            rules.added(TREE, [node("fine"), wish], former, parents, later())
        assert refused(error) == (kind, field)


def test_a_node_that_ended_may_come_back_in_its_tree() -> None:
    ended = placement(TREE, "a", end=later())
    (made,) = rules.added(TREE, [node("a")], by_node(ended), {}, later())
    assert made.start == later()
    with pytest.raises(AlreadyExists):
        rules.added(TREE, [node("a")], by_node(ended), {}, NOON)


def test_a_node_of_which_nothing_is_left_may_come_back_in_its_tree_and_in_no_other() -> None:
    rules.check_homes(TREE, [node("new"), node("a")], {"a": TREE.id})
    with pytest.raises(AlreadyExists) as error:
        rules.check_homes(TREE, [node("new"), node("a")], {"a": "another"})
    assert refused(error) == (AlreadyExists, "nodes[1].id")
    assert error.value.metadata == {"type": "node", "id": "a"}


def test_new_nodes_are_not_deeper_than_allowed() -> None:
    ids = [f"n{n}" for n in range(DEEPEST + 1)]
    chain = [node(i, above) for i, above in zip(ids, ["", *ids], strict=False)]
    assert rules.added(TREE, chain[::-1][1:], {}, {}, NOON)[0].depth == DEEPEST
    for wishes in (chain, chain[::-1]):
        with pytest.raises(Invalid) as error:
            rules.added(TREE, wishes, {}, {}, NOON)
        assert error.value.field == f"nodes[{wishes.index(chain[-1])}].parent_id"


def test_a_subtree_moves_with_everything_below_it() -> None:
    subtree = family(TREE, "a/b", "a/b/c", "a/b/d", "a/b/c/e")
    (parent,) = family(TREE, "x/y")
    after = rules.moved(subtree, parent, later())
    assert [p.path for p in after] == [
        ("x", "y", "b"),
        ("x", "y", "b", "c"),
        ("x", "y", "b", "d"),
        ("x", "y", "b", "c", "e"),
    ]
    assert {(p.start, p.end) for p in after} == {(later(), FOREVER)}
    assert [p.name for p in after] == [p.name for p in subtree]
    assert [p.path for p in rules.moved(subtree, None, later())][::3] == [("b",), ("b", "c", "e")]


def test_a_node_that_is_there_already_does_not_move() -> None:
    assert rules.moved(family(TREE, "a/b"), placement(TREE, "a"), later()) == []
    assert rules.moved(family(TREE, "a"), None, later()) == []


@pytest.mark.parametrize("path", ["a/b", "a/b/c", "a/b/c/d"])
def test_a_move_never_makes_a_circle(path: str) -> None:
    with pytest.raises(Invalid) as error:
        rules.moved(family(TREE, "a/b", "a/b/c", "a/b/c/d"), family(TREE, path)[0], later())
    assert error.value.field == "parent_id"


def test_a_move_makes_nothing_deeper_than_allowed() -> None:
    subtree = family(TREE, "a/b", "a/b/c", "a/b/c/d")
    high = placement(TREE, *(f"n{n}" for n in range(DEEPEST - 3)))
    assert max(p.depth for p in rules.moved(subtree, high, later())) == DEEPEST
    with pytest.raises(Invalid) as error:
        rules.moved(subtree, placement(TREE, *high.path, "one more"), later())
    assert error.value.field == "parent_id"


def test_an_update_changes_the_fields_it_names_from_its_time_on() -> None:
    before = placement(TREE, "a", reference=Reference("account", "7"))
    wish = node("a", name="Marketing", kind=Kind.SITE)
    after = rules.updated(before, wish, {"name", "reference"}, later())
    assert (after.name, after.kind, after.reference, after.start) == ("Marketing", before.kind, None, later())
    assert rules.updated(before, wish, set(), later()) is before
    assert rules.updated(before, node("a", name=before.name), {"name"}, later()) is before
    with pytest.raises(Invalid) as error:
        rules.updated(before, node("a", name=""), {"name"}, later())
    assert error.value.field == "node.name"


def test_a_change_builds_on_what_holds_and_has_no_change_recorded_later() -> None:
    here = placement(TREE, "a")
    assert rules.standing([here], NOON, "a", "node_id") is here
    assert rules.standing([here], later(), "a", "node_id") is here
    with pytest.raises(NotFound) as missing:
        rules.standing([], NOON, "a", "node_id")
    assert missing.value.metadata == {"type": "node", "id": "a"}
    planned = [replace(here, end=later(5)), replace(here, start=later(5))]
    for recorded in (planned, planned[:1], planned[1:], [here, placement(TREE, "a", "b", start=later(5))]):
        with pytest.raises(Refused) as error:
            rules.standing(recorded, later(), "a", "node_id")
        assert error.value.metadata == {"state": "changes at 2026-03-14T12:05:00.000Z"}


def test_a_change_without_a_time_takes_effect_after_every_one_before_it() -> None:
    fresh = tree(update_time=later())
    tick = timedelta(milliseconds=1)
    assert rules.effective(None, fresh, later(2)) == later(2)
    assert rules.effective(None, fresh, NOON) == later() + tick
    assert rules.touched(fresh, NOON).update_time == later() + tick
    assert rules.effective(NOON, fresh, later(2)) == NOON
    with pytest.raises(Invalid) as error:
        rules.effective(FOREVER, fresh, NOON)
    assert error.value.field == "effective_time"


def test_a_read_without_a_time_sees_every_change_that_took_effect_at_once() -> None:
    fresh = tree(update_time=later())
    assert rules.read_time(None, fresh, NOON) == later()
    assert rules.read_time(None, fresh, later(2)) == later(2)
    assert rules.read_time(NOON, fresh, later(2)) == NOON
    with pytest.raises(Invalid) as error:
        rules.read_time(FOREVER, fresh, NOON)
    assert error.value.field == "as_of"


def test_a_tree_is_made_and_renamed_under_a_name_that_is_not_blank() -> None:
    made = rules.created(tree(version=7), "an id", later())
    assert (made.id, made.version, made.create_time, made.update_time) == ("an id", 1, later(), later())
    after = rules.renamed(made, "Sites", later(2))
    assert (after.name, after.version, after.update_time, after.create_time) == ("Sites", 2, later(2), later())
    assert rules.renamed(made, made.name, later(2)) is made
    with pytest.raises(Invalid) as blank:
        rules.created(tree(name=" "), "x", NOON)
    with pytest.raises(Invalid) as empty:
        rules.renamed(made, "", NOON)
    assert blank.value.field == empty.value.field == "tree.name"


def test_what_is_recorded_of_a_change_is_what_it_is_about() -> None:
    kept = tree()
    nodes = family(kept, "a", "a/b", "a/b/c")
    moved = [replace(p, path=("x", *p.path), start=later()) for p in nodes]
    assert rules.recorded(Change.ADDED, (), nodes, NOON) == nodes
    assert rules.recorded(Change.UPDATED, nodes[:1], moved[:1], later()) == moved[:1]
    assert rules.recorded(Change.MOVED, nodes, moved, later()) == moved[:1], "what is below goes along as it is"
    assert rules.recorded(Change.ENDED, nodes, (), later()) == [replace(p, end=later()) for p in nodes]
