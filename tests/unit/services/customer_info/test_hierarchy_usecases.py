"""What happens to trees and their nodes, on a store in memory."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from holdfast.customer_info.v1 import hierarchy_pb2 as pb

from chassis.query.selection import Selection
from chassis.rules import AlreadyExists, Conflict, Invalid, NotFound, Refusal, Refused
from services.customer_info.customers.rules import Customer
from services.customer_info.hierarchy import rules
from services.customer_info.hierarchy.reading_usecases import HierarchyReading, Part
from services.customer_info.hierarchy.rules import Change, Kind, Placement, Reference, Tree, View
from services.customer_info.hierarchy.usecases import HierarchyUseCases, When, changed_events
from tests.support.fakes.customers import FakeCustomers
from tests.support.fakes.hierarchy import FakeFigures, FakeHierarchy, FakePlaced
from tests.support.fakes.lineage import FakeLineage
from tests.unit.services.customer_info.builders import NOON, company, later, new_uuid
from tests.unit.services.customer_info.trees import family, node, placement, tree

OWNER = company()
TREE = tree(OWNER.id)
NOW = When()
# Nodes are there since noon of a day that is past; changes without a time are made now.
NODES = family(TREE, "a", "z", "a/b", "a/c", "a/b/d")


class House:
    """The use cases over one store in memory."""

    def __init__(
        self,
        *kept: Tree | Placement,
        owner: Customer = OWNER,
        placed: FakePlaced | None = None,
        lineage: tuple[str, ...] = (),
    ) -> None:
        self.store = FakeHierarchy(*kept)
        self.placed = placed or FakePlaced()
        self.customers = FakeCustomers(owner)
        self.writes = HierarchyUseCases(self.store, self.customers)
        self.reads = HierarchyReading(self.store, FakeLineage(lineage), self.placed)

    async def shape(self, part: Part) -> list[str]:
        """The paths of what a part of the tree holds."""
        return ["/".join(p.path) async for seen in self.reads.subtree(part) for p in seen.nodes]

    def events(self) -> list[tuple[int, str, list[str]]]:
        """The changes of nodes that were told of: version, what became, of whom."""
        return [
            (e.sequence, pb.NodesChanged.Change.Name(e.data.change), list(e.data.node_ids))
            for e in self.store.events
            if isinstance(e.data, pb.NodesChanged)
        ]


@pytest.fixture
def house() -> House:
    return House(TREE, *NODES)


WHOLE = Part(OWNER.id, TREE.id)


async def refusal(attempt: Awaitable[Any]) -> Refusal:
    with pytest.raises(Refusal) as error:
        await attempt
    return error.value


async def test_a_tree_is_made_with_its_event_and_without_its_name_in_it() -> None:
    house = House()
    made = await house.writes.create(tree(OWNER.id, id="", view=View.OPERATOR), "", b"")
    assert house.store.trees == {made.id: made}
    (event,) = house.store.events
    assert (event.subject, event.customer_id, event.sequence) == (made.id, OWNER.id, 1)
    assert event.data == pb.TreeCreated(tree_id=made.id, customer_id=OWNER.id, view=pb.TREE_VIEW_OPERATOR)


async def test_a_retry_makes_one_tree() -> None:
    house = House()
    wish = tree(OWNER.id, id="")
    first = await house.writes.create(wish, "a-request", b"content")
    assert await house.writes.create(wish, "a-request", b"content") == first
    assert (await refusal(house.writes.create(wish, "a-request", b"other"))).reason == "REQUEST_ID_REUSED"
    assert len(house.store.events) == 1


async def test_a_tree_needs_a_customer_that_is_there_and_open() -> None:
    house = House()
    nobody = await refusal(house.writes.create(tree(), "", b""))
    assert (type(nobody), nobody.field) == (NotFound, "tree.customer_id")
    merged = HierarchyUseCases(FakeHierarchy(), FakeCustomers(replace(OWNER, merged_into="other")))
    assert (await refusal(merged.create(tree(OWNER.id), "", b""))).reason == "MERGED"


WRITES: list[Callable[[HierarchyUseCases], Awaitable[Any]]] = [
    lambda w: w.rename(TREE.id, "Sites", ""),
    lambda w: w.add(TREE.id, [node()], NOW, "", b""),
    lambda w: w.update(TREE.id, node("b"), frozenset({"name"}), NOW),
    lambda w: w.move(TREE.id, "b", "z", NOW),
    lambda w: w.end(TREE.id, "b", NOW),
]


@pytest.mark.parametrize("write", [*WRITES, lambda w: w.create(tree(OWNER.id, name="Sites"), "", b"")])
async def test_whoever_writes_a_tree_holds_its_customer_and_nothing_is_written_of_who_was_erased(
    house: House, write: Callable[[HierarchyUseCases], Awaitable[Any]]
) -> None:
    await write(house.writes)
    assert house.customers.held == [OWNER.id]
    erased = House(TREE, *NODES, owner=replace(OWNER, erase_time=NOON))
    before = erased.store.trees, erased.store.placements
    assert (await refusal(write(erased.writes))).reason == "ERASED"
    assert (erased.store.trees, erased.store.placements) == before
    assert erased.store.events == []


@pytest.mark.parametrize("write", WRITES)
async def test_the_trees_that_came_with_a_merged_record_go_on_to_grow(
    write: Callable[[HierarchyUseCases], Awaitable[Any]],
) -> None:
    house = House(TREE, *NODES, owner=replace(OWNER, merged_into=new_uuid()))
    await write(house.writes)
    assert house.store.trees[TREE.id].version == 2
    assert house.customers.held == [OWNER.id]


async def test_the_trees_of_a_customer_have_different_names(house: House) -> None:
    taken = await refusal(house.writes.create(tree(OWNER.id), "", b""))
    assert (type(taken), taken.field, taken.metadata["id"]) == (AlreadyExists, "tree.name", TREE.id)
    sites = await house.writes.create(tree(OWNER.id, name="Sites"), "", b"")
    assert isinstance(await refusal(house.writes.rename(sites.id, TREE.name, "")), AlreadyExists)
    assert (await house.writes.rename(sites.id, "Places", "v1")).name == "Places"
    assert (await house.writes.rename(sites.id, "Places", "v2")).version == 2
    assert (await refusal(house.writes.rename(sites.id, "Sites", "v1"))).metadata == {"etag": "v2"}
    assert isinstance(await refusal(house.writes.rename(new_uuid(), "Sites", "")), NotFound)
    assert (await refusal(house.writes.rename("", "Sites", ""))).field == "tree.id"


async def test_nodes_are_added_together_with_one_event(house: House) -> None:
    after, made = await house.writes.add(TREE.id, [node("f", "e"), node("e", "a"), node("")], NOW, "", b"")
    assert after.version == 2
    assert ["/".join(p.path) for p in made[:2]] == ["a/e/f", "a/e"]
    assert house.events() == [(2, "CHANGE_ADDED", [p.node_id for p in made])]
    assert set(await house.shape(WHOLE)) == {"a", "z", "a/b", "a/c", "a/b/d", "a/e", "a/e/f", made[2].node_id}


async def test_a_batch_with_one_bad_node_adds_nothing(house: House) -> None:
    for wish, kind in ((node("e", "nobody"), NotFound), (node("b", "z"), AlreadyExists), (node("e", name=""), Invalid)):
        assert isinstance(await refusal(house.writes.add(TREE.id, [node("f"), wish], NOW, "", b"")), kind)
    assert len(house.store.placements) == len(NODES)
    assert house.store.trees[TREE.id].version == 1
    assert house.events() == []


async def test_a_node_belongs_to_one_tree(house: House) -> None:
    other = await house.writes.create(tree(OWNER.id, name="Sites"), "", b"")
    assert isinstance(await refusal(house.writes.add(other.id, [node("b")], NOW, "", b"")), AlreadyExists)
    assert isinstance(await refusal(house.writes.add(other.id, [node("x", "b")], NOW, "", b"")), NotFound)
    for attempt in (
        house.writes.move(other.id, "b", "", NOW),
        house.writes.end(other.id, "b", NOW),
        house.writes.update(other.id, node("b"), frozenset({"name"}), NOW),
    ):
        assert isinstance(await refusal(attempt), NotFound)


async def test_a_node_that_was_undone_still_belongs_to_its_tree(house: House) -> None:
    other = await house.writes.create(tree(OWNER.id, name="Sites"), "", b"")
    _, (made,) = await house.writes.add(TREE.id, [node("e")], NOW, "", b"")
    await house.writes.end(TREE.id, "e", When(made.start))
    assert await house.store.former(None, ["e"]) == {}
    taken = await refusal(house.writes.add(other.id, [node("x"), node("e")], NOW, "", b""))
    assert (type(taken), taken.field, taken.metadata) == (AlreadyExists, "nodes[1].id", {"type": "node", "id": "e"})
    _, (back,) = await house.writes.add(TREE.id, [node("e")], NOW, "", b"")
    assert back.tree_id == TREE.id


async def test_a_retry_adds_its_nodes_once(house: House) -> None:
    first = await house.writes.add(TREE.id, [node("")], NOW, "a-request", b"content")
    assert await house.writes.add(TREE.id, [node("")], NOW, "a-request", b"content") == first
    assert len(house.store.placements) == len(NODES) + 1


async def test_an_update_begins_a_new_span_and_an_idle_one_nothing(house: House) -> None:
    wish = node("b", name="Marketing", kind=Kind.SITE, reference=Reference("account", "7"))
    after, changed = await house.writes.update(TREE.id, wish, frozenset({"name", "reference"}), When(later()))
    assert (changed.name, changed.kind, changed.start) == ("Marketing", Kind.DEPARTMENT, later())
    assert [(p.name, p.end) for p in await house.store.path("b", NOON)][1] == ("node b", later())
    assert (await house.writes.update(TREE.id, wish, frozenset({"name"}), NOW))[0].version == after.version == 2
    assert house.events() == [(2, "CHANGE_UPDATED", ["b"])]
    assert (await refusal(house.writes.update(TREE.id, node("b", name=""), frozenset({"name"}), NOW))).field
    assert (await refusal(house.writes.update(TREE.id, replace(wish, id=""), frozenset(), NOW))).field == "node.id"


async def test_a_move_takes_everything_below_along_and_the_past_stays(house: House) -> None:
    after, moved, count = await house.writes.move(TREE.id, "b", "z", When(later()))
    assert (after.version, moved.path, count) == (2, ("z", "b"), 2)
    assert set(await house.shape(WHOLE)) == {"a", "z", "a/c", "z/b", "z/b/d"}
    assert set(await house.shape(Part(OWNER.id, TREE.id, as_of=NOON))) == {"a", "z", "a/b", "a/c", "a/b/d"}
    assert house.events() == [(2, "CHANGE_MOVED", ["b", "d"])]
    assert (await house.writes.move(TREE.id, "b", "z", NOW))[2] == 0
    assert house.store.trees[TREE.id].version == 2
    assert (await house.writes.move(TREE.id, "b", "", NOW))[1].path == ("b",)


async def test_a_move_below_itself_or_to_nowhere_is_refused(house: House) -> None:
    for parent, kind in (("b", Invalid), ("d", Invalid), ("nobody", NotFound)):
        error = await refusal(house.writes.move(TREE.id, "b", parent, NOW))
        assert (type(error), error.field) == (kind, "parent_id")
    assert (await refusal(house.writes.move(TREE.id, "nobody", "a", NOW))).field == "node_id"


async def test_a_subtree_that_is_too_large_neither_moves_nor_ends(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MOST_MOVED", 3)
    for attempt in (house.writes.move(TREE.id, "a", "z", NOW), house.writes.end(TREE.id, "a", NOW)):
        refused = await refusal(attempt)
        assert (type(refused), refused.metadata) == (Refused, {"state": "4 nodes"})
    assert (await house.writes.move(TREE.id, "b", "z", NOW))[2] == 2
    assert (await house.writes.end(TREE.id, "z", NOW))[1] == 3


async def test_of_nodes_that_stand_deep_fewer_change_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = [node(f"deep {n}", f"deep {n - 1}" if n else "z") for n in range(8)]
    await house.writes.add(TREE.id, chain, NOW, "", b"")
    # As many nodes as may change on the first level, which have no room on the eighth.
    monkeypatch.setattr(rules, "MOST_MOVED", 4)
    monkeypatch.setattr(rules, "USUAL", 3)
    refused = await refusal(house.writes.move(TREE.id, "a", "deep 7", NOW))
    assert (type(refused), refused.field, refused.metadata) == (Refused, "parent_id", {"state": "4 nodes"})
    assert (await refusal(house.writes.end(TREE.id, "deep 4", NOW))).field == "node_id"
    assert (await house.writes.move(TREE.id, "a", "z", NOW))[2] == 4
    assert (await house.writes.end(TREE.id, "deep 5", NOW))[1] == 3


async def test_a_node_ends_with_everything_below_it(house: House) -> None:
    after, count = await house.writes.end(TREE.id, "b", When(later()))
    assert (after.version, count) == (2, 2)
    assert await house.shape(WHOLE) == ["a", "z", "a/c"]
    assert set(await house.shape(Part(OWNER.id, TREE.id, "b", NOON))) == {"a/b", "a/b/d"}
    assert house.events() == [(2, "CHANGE_ENDED", ["b", "d"])]
    assert isinstance(await refusal(house.writes.end(TREE.id, "b", NOW)), NotFound)
    _, (back,) = await house.writes.add(TREE.id, [node("b", "z")], NOW, "", b"")
    assert back.path == ("z", "b")


@pytest.mark.parametrize(
    "change",
    [
        lambda w, when: w.move(TREE.id, "b", "z", when),
        lambda w, when: w.end(TREE.id, "a", when),
        lambda w, when: w.update(TREE.id, node("d", name="x"), frozenset({"name"}), when),
        lambda w, when: w.add(TREE.id, [node("e", "d")], when, "", b""),
        lambda w, when: w.move(TREE.id, "z", "d", when),
    ],
)
async def test_what_is_recorded_is_not_written_over(
    house: House, change: Callable[[HierarchyUseCases, When], Awaitable[Any]]
) -> None:
    await house.writes.move(TREE.id, "d", "c", When(later(5)))
    before = house.store.placements
    refused = await refusal(change(house.writes, When(later(4))))
    assert isinstance(refused, Refused)
    assert refused.metadata == {"state": "changes at 2026-03-14T12:05:00.000Z"}
    assert isinstance(await refusal(change(house.writes, When(NOON - timedelta(days=1)))), Refused)
    assert house.store.placements == before
    await change(house.writes, When(later(5)))


async def test_a_change_at_the_begin_of_a_span_takes_its_place(house: House) -> None:
    await house.writes.move(TREE.id, "b", "z", When(NOON))
    assert len(house.store.placements) == len(NODES)
    assert set(await house.shape(Part(OWNER.id, TREE.id, as_of=NOON))) == {"a", "z", "a/c", "z/b", "z/b/d"}
    await house.writes.end(TREE.id, "b", When(NOON))
    assert len(house.store.placements) == len(NODES) - 2


async def test_every_write_needs_the_current_etag_if_any(house: House) -> None:
    stale = When(etag="v9")
    for attempt in (
        house.writes.add(TREE.id, [node()], stale, "", b""),
        house.writes.move(TREE.id, "b", "z", stale),
        house.writes.end(TREE.id, "b", stale),
        house.writes.update(TREE.id, node("b"), frozenset({"name"}), stale),
    ):
        error = await refusal(attempt)
        assert (type(error), error.metadata) == (Conflict, {"etag": "v1"})
    assert (await house.writes.move(TREE.id, "b", "z", When(etag="v1")))[0].version == 2
    for attempt in (house.writes.end(new_uuid(), "b", NOW), house.writes.add(new_uuid(), [node()], NOW, "", b"")):
        assert isinstance(await refusal(attempt), NotFound)


async def test_changes_without_a_time_take_effect_one_after_the_other(house: House) -> None:
    for parent in ("z", "a", "z", "a", "z"):
        await house.writes.move(TREE.id, "b", parent, NOW)
    lives = sorted((p for p in house.store.placements if p.node_id == "b"), key=lambda p: p.start)
    assert [p.parent_id for p in lives] == ["a", "z", "a", "z", "a", "z"]
    assert all(before.end == after.start > before.start for before, after in itertools.pairwise(lives))


def test_more_nodes_than_an_event_holds_are_told_of_in_several() -> None:
    ids = [f"{n}" for n in range(2001)]
    events = changed_events(TREE, Change.MOVED, ids, NOON)
    assert [len(e.data.node_ids) for e in events if isinstance(e.data, pb.NodesChanged)] == [1000, 1000, 1]
    assert {e.sequence for e in events} == {1}


async def test_a_part_is_read_down_to_a_level(house: House) -> None:
    assert await house.shape(Part(OWNER.id, TREE.id, levels=1)) == ["a", "z"]
    assert await house.shape(Part(OWNER.id, node_id="a", levels=1)) == ["a", "a/b", "a/c"]
    assert await house.shape(Part(OWNER.id, node_id="b")) == ["a/b", "a/b/d"]
    assert await house.shape(Part(OWNER.id, TREE.id, as_of=NOON - timedelta(days=1))) == []


async def test_an_empty_tree_is_read_as_one_batch_of_nothing() -> None:
    house = House(TREE)
    (seen,) = [s async for s in house.reads.subtree(WHOLE)]
    assert (seen.tree, list(seen.nodes)) == (TREE, [])


async def test_a_path_leads_from_the_top_to_the_node(house: House) -> None:
    seen = await house.reads.path(Part(OWNER.id, node_id="d"))
    assert seen.tree == TREE
    assert [p.node_id for p in seen.nodes] == ["a", "b", "d"]


async def test_what_is_not_there_or_somebody_elses_is_not_found(house: House) -> None:
    other = tree(name="Sites")
    await house.store.transact(lambda tx: house.store.insert_tree(tx, other))
    stranger = other.customer_id
    early = NOON - timedelta(days=1)
    parts = [
        Part(stranger, TREE.id),
        Part(stranger, node_id="b"),
        Part(OWNER.id, new_uuid()),
        Part(OWNER.id, node_id="nobody"),
        Part(OWNER.id, TREE.id, "nobody"),
        Part(OWNER.id, node_id="b", as_of=early),
        Part(stranger, other.id, "b"),
    ]
    for part in parts:
        assert isinstance(await refusal(house.shape(part)), NotFound)
        assert isinstance(await refusal(house.reads.roll_up(part)), NotFound)
        if part.node_id:
            assert isinstance(await refusal(house.reads.path(part)), NotFound)
    for customer_id, tree_id in ((stranger, TREE.id), (OWNER.id, other.id), (OWNER.id, new_uuid())):
        assert isinstance(await refusal(house.reads.tree(customer_id, tree_id)), NotFound)


async def test_the_trees_of_a_merged_customer_are_its_survivors() -> None:
    merged = tree(name="Sites")
    house = House(TREE, *NODES, merged, placement(merged, "m"), lineage=(OWNER.id, merged.customer_id))
    trees, _ = await house.reads.page(OWNER.id, Selection())
    assert {t.id for t in trees} == {TREE.id, merged.id}
    assert await house.reads.tree(OWNER.id, merged.id) == merged
    assert await house.shape(Part(OWNER.id, merged.id)) == ["m"]
    await house.reads.roll_up(Part(OWNER.id, merged.id))
    assert house.placed.asked == [(OWNER.id, merged.customer_id)]


async def test_sums_are_of_the_tree_as_it_was_and_of_the_products_of_today() -> None:
    placed = FakePlaced({"d": FakeFigures(2, {"EUR": 7}), "z": FakeFigures(1, {"EUR": 1})})
    house = House(TREE, *NODES, placed=placed)
    await house.writes.move(TREE.id, "b", "z", When(later()))
    for as_of, products in ((NOON, (2, 1)), (None, (0, 3))):
        told = await house.reads.roll_up(Part(OWNER.id, TREE.id, as_of=as_of, levels=1))
        found = {s.node.node_id if s.node else "": s.products for s in told}
        assert found == {"": 3, "a": products[0], "z": products[1]}
    (total,) = await house.reads.roll_up(Part(OWNER.id, node_id="b"))
    assert (total.products, total.descendants) == (2, {Kind.DEPARTMENT: 1})


async def test_each_change_of_a_node_is_put_on_record_with_the_time_it_was_made(house: House) -> None:
    tree, _ = await house.writes.update(TREE.id, node("c", name="Leaf"), frozenset({"name"}), When(NOON))
    named = tree.update_time
    await house.writes.move(TREE.id, "a", "z", When(later()))
    tree, _ = await house.writes.end(TREE.id, "z", When(later()))
    ((made, renamed), (ended, left)) = house.store.recorded("c")
    assert (made, renamed.name, renamed.start) == (named, "Leaf", NOON)
    assert (ended, left.name, left.end) == (tree.update_time, "Leaf", later())
    assert [n.parent_id for _, n in house.store.recorded("a")] == ["z", "z"]
    assert [n.end for _, n in house.store.recorded("b")] == [later()], "it went along with the node above it"
