"""How responsibilities are inherited and overridden, and what a report tells of what is not looked after."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.customer_info.hierarchy.rules import Placement
from services.customer_info.responsibilities import tree_rules
from services.customer_info.responsibilities.rules import Assignment, Responsibility, Standing, dependencies
from services.customer_info.responsibilities.tree_rules import Gap, GapKind
from tests.unit.services.customer_info.builders import NOON, later
from tests.unit.services.customer_info.responsibility_builders import assignment, duty
from tests.unit.services.customer_info.trees import family, placement, tree

TREE = tree()
# a ── b ── c
# │    └─── d
# └─── e
PLACES = family(TREE, "a", "a/b", "a/b/c", "a/b/d", "a/e")
A, B, C, D, E = PLACES
MANAGER = duty("manager", required=True)
SORTER = duty("sorter", "collector")
COLLECTOR = duty("collector")
CATALOGUE = {r.name: r for r in (MANAGER, SORTER, COLLECTOR)}
# Whoever holds something can be reached.
ALL_WELL: Mapping[str, Standing] = {}


def report(
    *assignments: Assignment,
    places: Sequence[Placement] = PLACES,
    catalogue: dict[str, Responsibility] = CATALOGUE,
    standings: Mapping[str, Standing] = ALL_WELL,
) -> list[tuple[str, str, GapKind, int]]:
    return [(g.node_id, g.responsibility, g.kind, g.nodes) for g in gaps(assignments, places, catalogue, standings)]


def gaps(
    assignments: Sequence[Assignment],
    places: Sequence[Placement] = PLACES,
    catalogue: dict[str, Responsibility] = CATALOGUE,
    standings: Mapping[str, Standing] = ALL_WELL,
) -> list[Gap]:
    known = {a.id: standings.get(a.id, Standing.REACHABLE) for a in assignments if a.holds(NOON)}
    return tree_rules.gaps(places, assignments, known, catalogue, NOON)


# A random tree as the parent of each node but the first, and random spans of random duties at random nodes.
shapes = st.integers(1, 9).flatmap(lambda n: st.tuples(*(st.integers(-1, max(k - 1, 0)) for k in range(n))))
held = st.lists(
    st.tuples(st.integers(0, 8), st.sampled_from(list(CATALOGUE)), st.integers(-3, 3), st.integers(0, 3)), max_size=12
)


def grown(parents: Sequence[int]) -> list[Placement]:
    places: list[Placement] = []
    for n, parent in enumerate(parents):
        above = places[parent].path if 0 <= parent < n else ()
        places.append(placement(TREE, *above, f"{n}"))
    return sorted(places, key=lambda p: p.depth)


def given_out(places: Sequence[Placement], wanted: Sequence[tuple[int, str, int, int]]) -> list[Assignment]:
    by_id = {p.node_id: p for p in places}
    return [
        assignment(by_id[f"{node}"], name, id=f"{n}", start=later(start), end=later(start + length))
        for n, (node, name, start, length) in enumerate(wanted)
        if f"{node}" in by_id
    ]


def naive(path: Sequence[Placement], assignments: Sequence[Assignment], name: str) -> set[str]:
    """Walks from the node up to the first place where somebody has it."""
    for place in reversed(path):
        here = {a.id for a in assignments if (a.node_id, a.responsibility) == (place.node_id, name) and a.holds(NOON)}
        if here:
            return here
    return set()


@given(shapes, held)
def test_who_has_it_is_the_nearest_on_the_way_up(parents: tuple[int, ...], wanted: list[Any]) -> None:
    places = grown(parents)
    assignments = given_out(places, wanted)
    by_id = {p.node_id: p for p in places}
    for place in places:
        path = [by_id[node_id] for node_id in place.path]
        situation = tree_rules.on_path(path, assignments, NOON)
        for name in CATALOGUE:
            found = situation.get(name)
            told = {a.id for a in found.assignments} if found and found.present else set()
            assert told == naive(path, assignments, name)


@given(shapes, held, st.lists(st.sampled_from(Standing), min_size=12, max_size=12))
def test_a_report_counts_every_node_and_need_that_a_walk_of_each_node_finds(
    parents: tuple[int, ...], wanted: list[Any], standings: list[Standing]
) -> None:
    places = grown(parents)
    assignments = given_out(places, wanted)
    told = {a.id: standings[int(a.id)] for a in assignments}
    by_id = {p.node_id: p for p in places}
    expected = 0
    for place in places:
        path = [by_id[node_id] for node_id in place.path]
        needed = {n for n, r in CATALOGUE.items() if r.required}
        for name in CATALOGUE:
            if naive(path, assignments, name):
                needed |= {name, *dependencies(name, CATALOGUE)}
        for name in needed:
            holders = naive(path, assignments, name)
            expected += not any(told[h] is Standing.REACHABLE for h in holders)
    found = gaps(assignments, places, standings=told)
    assert sum(g.nodes for g in found) == expected
    assert all(g.nodes > 0 for g in found)
    begins = [(g.node_id, g.responsibility) for g in found]
    assert len(set(begins)) == len(begins)


def test_what_is_held_at_the_top_is_held_everywhere() -> None:
    assert report(assignment(A)) == []


def test_what_nobody_has_is_told_once_at_the_top() -> None:
    assert report() == [("a", "manager", GapKind.NO_HOLDER, 5)]


def test_a_holder_below_does_not_hold_above() -> None:
    assert report(assignment(B)) == [("a", "manager", GapKind.NO_HOLDER, 2)]


def test_a_gap_begins_where_somebody_out_of_reach_overrides() -> None:
    top, lost = assignment(A), assignment(B)
    (gap,) = gaps([top, lost], standings={lost.id: Standing.UNREACHABLE})
    assert (gap.node_id, gap.kind, gap.nodes) == ("b", GapKind.UNREACHABLE, 3)
    assert gap.assignment_ids == (lost.id,)
    assert gap.path == ("node a", "node b")
    assert report(top, lost, standings={lost.id: Standing.LEFT}) == [("b", "manager", GapKind.LEFT, 3)]


def test_of_several_one_who_can_be_reached_is_enough() -> None:
    both = [assignment(A), assignment(A)]
    assert report(*both, standings={both[0].id: Standing.LEFT}) == []
    neither = {both[0].id: Standing.LEFT, both[1].id: Standing.UNREACHABLE}
    assert report(*both, standings=neither) == [("a", "manager", GapKind.UNREACHABLE, 5)]


def test_who_ended_without_a_successor_has_left_unless_somebody_above_has_it() -> None:
    gone = assignment(B, start=later(-9), end=later(-1))
    assert report(gone) == [("a", "manager", GapKind.NO_HOLDER, 2), ("b", "manager", GapKind.LEFT, 3)]
    assert report(gone, assignment(A)) == []
    assert report(gone, assignment(B)) == [("a", "manager", GapKind.NO_HOLDER, 2)]
    never = replace(gone, end=gone.start)
    assert report(never) == [("a", "manager", GapKind.NO_HOLDER, 5)]
    coming = assignment(A, start=later(1))
    assert report(coming) == [("a", "manager", GapKind.NO_HOLDER, 5)]


def test_what_an_assigned_one_depends_on_is_needed_from_there_down() -> None:
    top, sorter = assignment(A), assignment(B, "sorter")
    (gap,) = gaps([top, sorter])
    assert (gap.node_id, gap.responsibility, gap.kind) == ("b", "collector", GapKind.NO_HOLDER)
    assert (gap.needed_by, gap.nodes) == (("sorter",), 3)
    assert report(top, sorter, assignment(C, "collector")) == [("b", "collector", GapKind.NO_HOLDER, 2)]
    assert report(top, sorter, assignment(A, "collector")) == []


def test_who_cannot_do_what_was_given_to_them_is_told_whether_or_not_it_is_needed() -> None:
    silent = assignment(B, "collector")
    (gap,) = gaps([assignment(A), silent], standings={silent.id: Standing.LEFT})
    assert (gap.node_id, gap.responsibility, gap.kind, gap.nodes) == ("b", "collector", GapKind.LEFT, 3)
    assert (gap.required, gap.needed_by, gap.assignment_ids) == (False, (), (silent.id,))
    assert report(assignment(A), assignment(B, "collector", start=later(-9), end=later(-1))) == []


def test_what_is_missing_at_every_top_is_told_once_of_the_tree() -> None:
    forest = family(TREE, "a", "b", "c", "a/d")
    assert report(places=forest) == [("", "manager", GapKind.NO_HOLDER, 4)]
    first = placement(TREE, "a")
    assert report(assignment(first), places=forest) == [
        ("b", "manager", GapKind.NO_HOLDER, 1),
        ("c", "manager", GapKind.NO_HOLDER, 1),
    ]
    assert report(places=[]) == []


def test_a_tree_of_ten_thousand_nodes_gives_a_readable_report() -> None:
    paths = [f"top/{m}/{m}-{n}" for m in range(10) for n in range(1000)]
    places = family(TREE, "top", *(f"top/{m}" for m in range(10)), *paths)
    by_id = {p.node_id: p for p in places if p.depth == 2}
    assigned = [assignment(by_id[f"{m}"], "sorter") for m in range(9)]
    found = gaps(assigned, places)
    assert [(g.node_id, g.responsibility, g.nodes) for g in found] == [
        ("top", "manager", 10_011),
        *((f"{m}", "collector", 1001) for m in range(9)),
    ]
