"""The contract of the store of trees: the fake and the real one keep the same promises."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from chassis.mongo.client import Store
from chassis.query.selection import Selection
from chassis.rules import AlreadyExists, Conflict, Refusal
from chassis.vault.vault import Vault
from services.customer_info.hierarchy.rules import DEEPEST, Change, Kind, Placement, Reference, Tree, View, touched
from services.customer_info.hierarchy.store import BATCH, PLACEMENTS, TREES, HierarchyStore
from services.customer_info.hierarchy.usecases import changed_events, created_event
from services.customer_info.history.kinds import KEPT
from services.customer_info.history.store import HISTORY, History, Records
from tests.integration.services.customer_info.subjects import Subject, told_by_fake, told_by_outbox
from tests.support.fakes.hierarchy import FakeHierarchy
from tests.unit.services.customer_info.builders import NOON, later, new_uuid
from tests.unit.services.customer_info.trees import placement, tree

both = pytest.mark.parametrize("subject", ["fake", "real"], indirect=True)


@pytest.fixture
def real(store: Store, vault: Vault) -> HierarchyStore:
    return HierarchyStore(store, vault, History(store))


@pytest.fixture
def subject(request: pytest.FixtureRequest, store: Store, real: HierarchyStore) -> Subject[Any]:
    if request.param == "fake":
        fake = FakeHierarchy()
        return Subject(fake, told_by_fake(fake))
    return Subject(real, told_by_outbox(store))


async def keep(trees: Any, kept: Tree, *nodes: Placement) -> None:
    async def work(transaction: Any) -> None:
        await trees.insert_tree(transaction, kept)
        await trees.change(transaction, (), nodes, NOON)

    await trees.transact(work)


async def change(trees: Any, closed: list[Placement], opened: list[Placement], minutes: int) -> None:
    await trees.transact(lambda tx: trees.change(tx, closed, opened, later(minutes)))


def family(of: Tree, **changes: Any) -> dict[str, Placement]:
    """Four nodes, by letters: a, b and c below it, d below b."""
    ids = {letter: new_uuid() for letter in "abcd"}
    paths = ("a", "ab", "ac", "abd")
    return {p[-1]: placement(of, *(ids[letter] for letter in p), **changes) for p in paths}


def spot(document: Mapping[str, Any]) -> tuple[str, Any, Any]:
    """Below what a node on record stands, since when and until when."""
    return document["parent_id"], document["from"], document["to"]


async def read(
    trees: Any, of: Tree, top: Placement | None = None, minutes: int = 0, deepest: int = DEEPEST
) -> list[Placement]:
    async with trees.snapshot() as seen:
        batches = trees.subtree(seen, of.id, top.path if top else (), later(minutes), deepest)
        return [p async for batch in batches for p in batch]


async def listed(trees: Any, *customer_ids: str, selection: Selection) -> list[Tree]:
    """The trees of all pages."""
    page, token = await trees.page(customer_ids, selection)
    if not token:
        return list(page)
    return [*page, *await listed(trees, *customer_ids, selection=replace(selection, page_token=token))]


async def failing(work: Awaitable[Any]) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await work
    return refused.value


@both
async def test_trees_and_nodes_are_kept_whole(subject: Subject[Any]) -> None:
    kept = tree(view=View.OPERATOR, version=3, update_time=later())
    nodes = family(kept, kind=Kind.COST_CENTRE, reference=Reference("account", "7"))
    await keep(subject.store, kept, *nodes.values())
    assert await subject.store.tree(None, kept.id) == kept
    assert await subject.store.tree_of(None, nodes["d"].node_id) == kept
    in_order = sorted(nodes.values(), key=lambda p: (p.depth, p.path))
    assert await read(subject.store, kept) == await subject.store.nodes(kept.id, NOON) == in_order
    assert [await subject.store.tree(None, new_uuid()), await subject.store.tree_of(None, new_uuid())] == [None, None]


@both
async def test_a_part_is_read_as_of_a_time_with_parents_before_their_children(subject: Subject[Any]) -> None:
    kept = tree()
    n = family(kept)
    await keep(subject.store, kept, *reversed(n.values()))
    under_c = [replace(n[i], path=(*n["c"].path, *n[i].path[1:]), start=later(5)) for i in "bd"]
    await change(subject.store, [n["b"], n["d"]], under_c, 5)
    before = await read(subject.store, kept, minutes=4)
    assert [p.depth for p in before] == [1, 2, 2, 3]
    assert {p.path for p in before} == {p.path for p in n.values()}
    assert {p.end for p in before if p.node_id in (n["b"].node_id, n["d"].node_id)} == {later(5)}
    assert (await read(subject.store, kept, minutes=5))[2:] == under_c
    assert await read(subject.store, kept, n["c"], 5) == [n["c"], *under_c]
    assert await read(subject.store, kept, n["c"], 5, deepest=3) == [n["c"], under_c[0]]
    assert await read(subject.store, kept, n["b"], 4) == [replace(n[i], end=later(5)) for i in "bd"]
    assert await read(subject.store, kept, minutes=-1) == []
    assert await read(subject.store, tree(), n["b"]) == []


@both
async def test_a_path_is_that_of_its_time(subject: Subject[Any]) -> None:
    kept = tree()
    n = family(kept)
    await keep(subject.store, kept, *n.values())
    renamed = replace(n["a"], name="Group", start=later(5))
    await change(subject.store, [n["a"]], [renamed], 5)
    await change(subject.store, [n["d"]], [], 7)
    assert await subject.store.path(n["d"].node_id, later(6)) == (renamed, n["b"], replace(n["d"], end=later(7)))
    assert (await subject.store.path(n["d"].node_id, later(4)))[0] == replace(n["a"], end=later(5))
    for minutes in (-1, 7):
        assert await subject.store.path(n["d"].node_id, later(minutes)) == ()
    assert await subject.store.path(n["a"].node_id, later(6)) == (renamed,)


@both
async def test_what_has_not_ended_and_what_ever_was_are_told_apart(subject: Subject[Any]) -> None:
    kept = tree()
    n = family(kept)
    await keep(subject.store, kept, *n.values())
    await change(subject.store, [n["d"]], [], 5)
    d, c = n["d"].node_id, n["c"].node_id
    ended = replace(n["d"], end=later(5))
    assert await subject.store.former(None, [d, c, new_uuid()]) == {d: [ended], c: [n["c"]]}
    assert await subject.store.lasting(None, kept.id, [d, c], later(4)) == {d: [ended], c: [n["c"]]}
    assert await subject.store.lasting(None, kept.id, [d, c], later(5)) == {c: [n["c"]]}
    assert await subject.store.lasting(None, new_uuid(), [d, c], later(4)) == {}
    assert await subject.store.below(None, kept.id, n["b"].path, later(4)) == [n["b"], ended]
    assert await subject.store.below(None, kept.id, n["b"].path, later(5)) == [n["b"]]
    assert await subject.store.below(None, new_uuid(), n["b"].path, later(4)) == []


@both
async def test_a_placement_that_ends_where_it_began_never_was(subject: Subject[Any]) -> None:
    kept = tree()
    n = family(kept)
    await keep(subject.store, kept, *n.values())
    other = replace(n["d"], name="other")
    await change(subject.store, [n["d"]], [other], 0)
    assert await subject.store.former(None, [other.node_id]) == {other.node_id: [other]}
    await change(subject.store, [other], [], 0)
    assert await subject.store.former(None, [other.node_id]) == {}


@both
async def test_a_node_has_one_place_in_one_tree(subject: Subject[Any]) -> None:
    one, two = tree(), tree()
    n = family(one)
    await keep(subject.store, one, *n.values())
    await keep(subject.store, two)
    again = placement(two, n["b"].node_id, start=later())
    for opened in ([again], [placement(two, new_uuid(), start=later()), again], [replace(n["b"], name="x")]):
        refused = await failing(change(subject.store, [], opened, 1))
        assert isinstance(refused, AlreadyExists)
        assert refused.metadata == {"type": "node", "id": n["b"].node_id}
    assert await read(subject.store, two, minutes=9) == []


@both
async def test_a_node_is_on_record_in_one_tree(subject: Subject[Any]) -> None:
    one, two = tree(), tree()
    n = family(one)
    a, b = n["a"].node_id, n["b"].node_id
    await keep(subject.store, one)
    await keep(subject.store, two)
    await subject.store.transact(lambda tx: subject.store.record(tx, [n["a"], n["b"]], later()))
    assert await subject.store.homes(None, [a, b, new_uuid()]) == {a: one.id, b: one.id}
    taken = [placement(two, new_uuid()), placement(two, b)]
    refused = await failing(subject.store.transact(lambda tx: subject.store.record(tx, taken, later(2))))
    assert (type(refused), refused.metadata) == (AlreadyExists, {"type": "node", "id": b})
    assert await subject.store.homes(None, [p.node_id for p in taken]) == {b: one.id}


@both
async def test_trees_of_a_customer_have_their_ids_and_names_for_themselves(subject: Subject[Any]) -> None:
    one = tree()
    two = tree(one.customer_id, name="Sites")
    await keep(subject.store, one)
    await keep(subject.store, two)
    await keep(subject.store, tree(name=one.name))
    taken = await failing(keep(subject.store, tree(one.customer_id)))
    assert (taken.field, taken.metadata) == ("tree.name", {"type": "tree", "id": one.id})
    taken = await failing(keep(subject.store, tree(id=one.id)))
    assert (taken.field, taken.metadata) == ("tree.id", {"type": "tree", "id": one.id})
    renamed = replace(touched(two, later()), name=one.name)
    taken = await failing(subject.store.transact(lambda tx: subject.store.replace_tree(tx, renamed)))
    assert (taken.field, taken.metadata) == ("tree.name", {"type": "tree", "id": one.id})
    assert await subject.store.tree(None, two.id) == two


@both
async def test_trees_are_listed_by_customer_and_view(subject: Subject[Any]) -> None:
    owner, merged = new_uuid(), new_uuid()
    ids = sorted(new_uuid() for _ in range(5))
    kept = [tree(merged if n == 2 else owner, id=i, name=f"{n}", view=list(View)[n % 2]) for n, i in enumerate(ids)]
    for one in [*reversed(kept), tree()]:
        await keep(subject.store, one)
    whose = (subject.store, owner, merged)
    assert await listed(*whose, selection=Selection(page_size=2)) == kept
    customers = Selection(page_size=1).where("view", "TREE_VIEW_CUSTOMER")
    assert await listed(*whose, selection=customers) == kept[1::2]
    assert (await failing(listed(*whose, selection=Selection().where("name", "1")))).reason == "INVALID_QUERY"


@both
async def test_the_oldest_trees_come_first_whatever_their_ids(subject: Subject[Any]) -> None:
    owner, ids = new_uuid(), sorted((new_uuid() for _ in range(4)), reverse=True)
    kept = [tree(owner, id=i, name=f"{n}", create_time=later(n)) for n, i in enumerate(ids)]
    for one in kept:
        await keep(subject.store, one)
    assert await listed(subject.store, owner, selection=Selection(page_size=1)) == kept


@both
async def test_a_transaction_keeps_all_its_writes_or_none(subject: Subject[Any]) -> None:
    kept = tree()
    n = family(kept)
    after = touched(kept, later())

    async def work(transaction: Any) -> None:
        await subject.store.insert_tree(transaction, kept, created_event(kept))
        assert await subject.store.hold(transaction, kept.id) == kept
        await subject.store.replace_tree(transaction, after)
        told = changed_events(after, Change.ADDED, [p.node_id for p in n.values()], NOON)
        await subject.store.change(transaction, (), list(n.values()), NOON, *told)

    async def broken(transaction: Any) -> None:
        await work(transaction)
        raise Conflict("no")

    with pytest.raises(Conflict):
        await subject.store.transact(broken)
    assert await subject.store.tree(None, kept.id) is None
    assert await subject.store.former(None, [n["a"].node_id]) == {}
    assert await subject.told([kept.id]) == []
    await subject.store.transact(work)
    assert await subject.store.tree(None, kept.id) == after
    assert await subject.told([kept.id]) == [(kept.id, 1, "TreeCreated"), (kept.id, 2, "NodesChanged")]
    assert await subject.store.transact(lambda tx: subject.store.hold(tx, new_uuid())) is None


@both
async def test_a_request_is_done_once_and_remembers_its_answer(subject: Subject[Any]) -> None:
    kept = tree()
    nodes = list(family(kept, reference=Reference("account", "7")).values())

    async def make(transaction: Any) -> Tree:
        await subject.store.insert_tree(transaction, kept)
        return kept

    async def add(transaction: Any) -> tuple[Tree, list[Placement]]:
        await subject.store.change(transaction, (), nodes, NOON)
        return kept, nodes

    one, other = new_uuid(), new_uuid()
    calls: list[tuple[Callable[..., Awaitable[Any]], str, Any, Any]] = [
        (subject.store.create_once, one, make, kept),
        (subject.store.add_once, other, add, (kept, nodes)),
    ]
    for once, request_id, work, answer in calls:
        assert await once(request_id, b"content", work) == answer
        assert await once(request_id, b"content", work) == answer
        assert (await failing(once(request_id, b"other", work))).reason == "REQUEST_ID_REUSED"


@both
async def test_a_large_part_comes_in_batches(subject: Subject[Any]) -> None:
    kept, top = tree(), new_uuid()
    nodes = [placement(kept, top), *(placement(kept, top, new_uuid()) for _ in range(2 * BATCH))]
    await keep(subject.store, kept, *nodes)
    async with subject.store.snapshot() as seen:
        batches = [b async for b in subject.store.subtree(seen, kept.id, (), NOON)]
    assert [len(b) for b in batches] == [BATCH, BATCH, 1]
    assert {p for b in batches for p in b} == set(nodes)


@both
async def test_a_snapshot_stays_what_it_was_while_others_write(subject: Subject[Any]) -> None:
    kept, top = tree(), new_uuid()
    nodes = [placement(kept, top), *(placement(kept, top, new_uuid()) for _ in range(2 * BATCH))]
    await keep(subject.store, kept, *nodes)
    async with subject.store.snapshot() as seen:
        batches = subject.store.subtree(seen, kept.id, (), NOON)
        found = list(await anext(batches))
        await change(subject.store, nodes[1:], [], 5)
        found += [p async for b in batches for p in b]
        assert set(found) == set(nodes)
    assert {p.end for p in await subject.store.nodes(kept.id, NOON) if p.depth > 1} == {later(5)}


@both
async def test_who_is_forgotten_leaves_a_shape_without_names(subject: Subject[Any]) -> None:
    gone, stays = tree(), tree()
    n, m = family(gone, reference=Reference("account", "7")), family(stays)
    await keep(subject.store, gone, *n.values())
    await keep(subject.store, stays, *m.values())
    await change(subject.store, [n["d"]], [], 5)
    await subject.store.transact(lambda tx: subject.store.forget(tx, [gone.customer_id]))
    assert await subject.store.tree(None, gone.id) == replace(gone, name="")
    for minutes in (0, 9):
        left = await read(subject.store, gone, minutes=minutes)
        assert {(p.name, p.reference) for p in left} == {("", None)}
    assert {p.path for p in await read(subject.store, gone)} == {p.path for p in n.values()}
    assert set(await read(subject.store, stays)) == set(m.values())


async def test_what_people_wrote_is_sealed(store: Store, real: HierarchyStore) -> None:
    kept = tree(name="A telling name")
    n = family(kept, name="A telling name", reference=Reference("account", "A telling number"))
    await keep(real, kept, *n.values())
    await real.transact(lambda tx: real.replace_tree(tx, replace(touched(kept, later()), name="Another")))
    for name, key in ((TREES.name, "_id"), (PLACEMENTS.name, "tree_id"), (HISTORY.name, "subject")):
        documents = [d async for d in store.collection(name).find({key: kept.id})]
        assert documents
        assert b"telling" not in repr(documents).encode()
        assert all("sealed" in str(d) for d in documents)


async def test_a_customer_whose_key_was_destroyed_has_trees_without_names(real: HierarchyStore, vault: Vault) -> None:
    kept = tree()
    n = family(kept)
    await keep(real, kept, *n.values())
    await vault.destroy([kept.customer_id])
    assert await real.tree(None, kept.id) == replace(kept, name="")
    assert {p.name for p in await real.nodes(kept.id, NOON)} == {""}
    assert (await failing(keep(real, tree(kept.customer_id, name="x")))).reason == "ERASED"


async def test_the_former_versions_of_a_tree_are_kept_with_who_changed_them(store: Store, real: HierarchyStore) -> None:
    kept = tree()
    await keep(real, kept)
    await real.transact(lambda tx: real.replace_tree(tx, touched(kept, later())))
    (entry,) = [d async for d in store.collection(HISTORY.name).find({"subject": kept.id})]
    assert (entry["kind"], entry["version"], entry["customer_id"]) == ("tree", 1, kept.customer_id)
    assert entry["document"]["by"] == "system"
    assert "name_token" not in entry["document"]


async def test_a_node_is_on_record_as_it_is_and_history_has_what_it_was(store: Store, real: HierarchyStore) -> None:
    kept = tree()
    top, below = placement(kept, new_uuid()), placement(kept, new_uuid(), new_uuid(), reference=Reference("x", "7"))
    moved, ended = replace(below, path=(below.node_id,), start=later()), replace(top, end=later())

    async def work(transaction: Any) -> None:
        await real.record(transaction, [top, below], later(1))
        await real.record(transaction, [moved, ended], later(2))

    await real.transact(work)
    records = Records(store, KEPT)
    for node, was in ((moved, below), (ended, top)):
        now = await records.one("node", node.node_id)
        assert now is not None
        assert (now.version, now.time, now.by) == (2, later(2), "system")
        (entry,) = [d async for d in store.collection(HISTORY.name).find({"subject": node.node_id})]
        assert (entry["kind"], entry["version"], entry["update_time"]) == ("node", 1, later(1))
        assert b"Sales" not in repr((now.document, entry)).encode()
        assert spot(now.document) == (node.parent_id, node.start, node.end)
        assert spot(entry["document"]) == (was.parent_id, was.start, was.end)
    await real.transact(lambda tx: real.forget(tx, [kept.customer_id]))
    left = await records.one("node", top.node_id)
    assert left is not None
    assert "sealed" not in left.document


async def test_two_who_hold_a_tree_come_one_after_the_other(real: HierarchyStore) -> None:
    kept = tree()
    await keep(real, kept)

    async def count(transaction: Any) -> None:
        before = await real.hold(transaction, kept.id)
        assert before is not None
        await asyncio.sleep(0)
        await real.replace_tree(transaction, touched(before, later()))

    await asyncio.gather(*(real.transact(count) for _ in range(16)))
    after = await real.tree(None, kept.id)
    assert after is not None
    assert after.version == 17
