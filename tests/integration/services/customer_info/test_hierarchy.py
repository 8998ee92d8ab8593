"""Trees through a real process, a real socket and a real MongoDB."""

import asyncio
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1 import query_pb2, types_pb2
from holdfast.customer_info.v1 import customers_pb2, portfolio_pb2
from holdfast.customer_info.v1 import hierarchy_pb2 as pb
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from holdfast.customer_info.v1.portfolio_pb2_grpc import PortfolioServiceStub
from holdfast.events.v1 import events_pb2, events_pb2_grpc

from chassis.errors import reason_of
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.forester import Forester, after, chain, node, refusal
from tests.integration.services.customer_info.messages import (
    bad_fields,
    company,
    metadata_of,
    new_uuid,
    product,
    stamp,
)
from tests.support.service import Keys

SITE, DEPARTMENT = pb.NODE_KIND_SITE, pb.NODE_KIND_DEPARTMENT


@pytest.fixture
async def trees(channel: grpc.aio.Channel, customers: CustomersServiceStub, agent: Metadata) -> Forester:
    """An enterprise without trees."""
    request = customers_pb2.CreateCustomerRequest(customer=company())
    made = await customers.CreateCustomer(request, metadata=agent)
    return Forester(HierarchyServiceStub(channel), agent, made.customer.id)


async def test_trees_are_made_listed_read_and_renamed(trees: Forester) -> None:
    made = [await trees.planted(name="Sites"), await trees.planted(name="Accounts", view=pb.TREE_VIEW_OPERATOR)]
    assert [(t.etag, t.view) for t in made] == [("v1", pb.TREE_VIEW_CUSTOMER), ("v1", pb.TREE_VIEW_OPERATOR)]
    listed = await trees.stub.ListTrees(pb.ListTreesRequest(customer_id=trees.customer_id), metadata=trees.metadata)
    assert list(listed.trees) == made
    predicate = query_pb2.Predicate(field="view", values=["TREE_VIEW_OPERATOR"])
    request = pb.ListTreesRequest(customer_id=trees.customer_id, query=query_pb2.Query(predicates=[predicate]))
    assert list((await trees.stub.ListTrees(request, metadata=trees.metadata)).trees) == made[1:]
    renaming = pb.UpdateTreeRequest(tree=pb.Tree(id=made[0].id, name="Places", etag="v1"))
    renamed = (await trees.stub.UpdateTree(renaming, metadata=trees.metadata)).tree
    read = pb.GetTreeRequest(customer_id=trees.customer_id, tree_id=renamed.id)
    assert (await trees.stub.GetTree(read, metadata=trees.metadata)).tree == renamed
    assert (renamed.name, renamed.etag) == ("Places", "v2")
    stale = await refusal(trees.stub.UpdateTree(renaming, metadata=trees.metadata))
    assert (stale.code(), metadata_of(stale)) == (grpc.StatusCode.ABORTED, {"etag": "v2"})
    taken = await refusal(trees.planted(name="Places"))
    assert (taken.code(), metadata_of(taken)["id"]) == (grpc.StatusCode.ALREADY_EXISTS, renamed.id)


async def test_trees_whose_ids_the_caller_chose_are_listed_in_the_order_in_which_they_were_made(
    trees: Forester,
) -> None:
    ids = sorted((new_uuid() for _ in range(3)), reverse=True)
    for tree_id in ids:
        await trees.planted(id=tree_id)
    request = pb.ListTreesRequest(customer_id=trees.customer_id)
    request.query.page.page_size = 2
    first = await trees.stub.ListTrees(request, metadata=trees.metadata)
    request.query.page.page_token = first.page.next_page_token
    second = await trees.stub.ListTrees(request, metadata=trees.metadata)
    assert [[t.id for t in page.trees] for page in (first, second)] == [ids[:2], ids[2:]]


async def test_a_tree_grows_moves_and_shrinks_and_every_time_can_be_read(trees: Forester) -> None:
    tree = await trees.planted()
    top, left, right = node("Group"), node("Left", kind=SITE), node("Right")
    left.parent_id = right.parent_id = top.id
    leaf = node("Leaf", left.id, reference=types_pb2.Reference(type="account", id="7"))
    added = await trees.add(tree.id, leaf, right, left, top)
    assert [n.name for n in added.nodes] == ["Leaf", "Right", "Left", "Group"]
    assert [n.depth for n in added.nodes] == [3, 2, 2, 1]
    (first,) = await trees.read(tree.id)
    assert (first.tree, first.nodes[0].name, first.nodes[-1]) == (added.tree, "Group", added.nodes[0])
    moved = await trees.move(tree.id, left.id, right.id, etag=added.tree.etag)
    assert (moved.moved, moved.node.parent_id, moved.tree.etag) == (2, right.id, "v3")
    renamed = await trees.update(tree.id, pb.Node(id=left.id, name="East"))
    assert (renamed.node.name, renamed.node.kind, renamed.node.parent_id) == ("East", SITE, right.id)
    ended = await trees.end(tree.id, leaf.id)
    assert (ended.ended, ended.tree.etag) == (1, "v5")
    assert await trees.parents(tree.id) == {top.id: "", right.id: top.id, left.id: right.id}
    grown = {top.id: "", left.id: top.id, right.id: top.id, leaf.id: left.id}
    assert await trees.parents(tree.id, as_of=after(added)) == grown
    assert await trees.parents(node_id=left.id, as_of=moved.node.valid.start) == {left.id: right.id, leaf.id: left.id}
    assert await trees.parents(tree.id, as_of=after(added, -1)) == {}
    assert await trees.parents(tree.id, levels=1) == {top.id: ""}


async def test_a_path_is_read_as_of_a_time(trees: Forester) -> None:
    tree = await trees.planted()
    nodes = chain(4)
    added = await trees.add(tree.id, *nodes)
    await trees.move(tree.id, nodes[3].id, nodes[0].id)

    async def names(**changes: Any) -> list[str]:
        request = pb.GetPathRequest(customer_id=trees.customer_id, node_id=nodes[3].id, **changes)
        found = await trees.stub.GetPath(request, metadata=trees.metadata)
        assert found.tree.id == tree.id
        return [n.name for n in found.nodes]

    assert await names() == ["0", "3"]
    assert await names(as_of=after(added)) == ["0", "1", "2", "3"]
    gone = await refusal(names(as_of=after(added, -1)))
    assert (gone.code(), metadata_of(gone)["id"]) == (grpc.StatusCode.NOT_FOUND, nodes[3].id)


async def test_a_change_is_planned_and_what_is_recorded_is_not_written_over(trees: Forester) -> None:
    tree = await trees.planted()
    nodes = chain(3)
    await trees.add(tree.id, *nodes, effective_time=stamp("2020-01-01"))
    await trees.move(tree.id, nodes[2].id, "", effective_time=stamp("2100-01-01"))
    assert (await trees.parents(tree.id))[nodes[2].id] == nodes[1].id
    assert (await trees.parents(tree.id, as_of=stamp("2100-01-01")))[nodes[2].id] == ""
    for attempt in (
        trees.end(tree.id, nodes[1].id),
        trees.move(tree.id, nodes[2].id, nodes[0].id),
        trees.add(tree.id, node("x", nodes[2].id)),
    ):
        refused = await refusal(attempt)
        assert refused.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert metadata_of(refused) == {"state": "changes at 2100-01-01T00:00:00.000Z"}
    assert (await trees.end(tree.id, nodes[0].id, effective_time=stamp("2101-01-01"))).ended == 2


async def test_a_retry_with_the_same_request_id_adds_its_nodes_once(trees: Forester) -> None:
    tree = await trees.planted()
    nodes = [node("a", id=""), node("b", id="")]
    request_id = new_uuid()
    answers = await asyncio.gather(*(trees.add(tree.id, *nodes, request_id=request_id) for _ in range(8)))
    assert all(a == answers[0] for a in answers)
    assert set(await trees.parents(tree.id)) == {n.id for n in answers[0].nodes}
    reused = await refusal(trees.add(tree.id, node("c"), request_id=request_id))
    assert reason_of(reused) == "REQUEST_ID_REUSED"


async def test_what_makes_no_sense_is_refused_by_field_and_changes_nothing(trees: Forester) -> None:
    tree, nodes = await trees.planted(), chain(32)
    added = await trees.add(tree.id, *nodes)
    low, sibling = nodes[-1].id, node("Sibling", nodes[0].id)
    cases = [
        (trees.move(tree.id, nodes[3].id, low), "parent_id"),
        (trees.move(tree.id, nodes[3].id, nodes[3].id), "parent_id"),
        (trees.add(tree.id, node("x", low)), "nodes[0].parent_id"),
        (trees.add(tree.id, sibling, sibling), "nodes[1].id"),
        (trees.add(tree.id, node("")), "nodes[0].name"),
        (trees.add(tree.id, node("x", "no uuid")), "nodes[0].parent_id"),
        (trees.update(tree.id, pb.Node(id=low), "name"), "node.name"),
        (trees.update(tree.id, pb.Node(name="x")), "node.id"),
        (trees.update(tree.id, pb.Node(id=low, name="x"), "parent_id"), "update_mask"),
        (trees.end(tree.id, low, effective_time=Timestamp(seconds=2**40)), "effective_time"),
        (trees.read(levels=33, tree_id=tree.id), "levels"),
        (trees.read(), ""),
        (trees.planted(customer_id=""), "tree"),
    ]
    for attempt, field in cases:
        refused = await refusal(attempt)
        assert refused.code() is grpc.StatusCode.INVALID_ARGUMENT, refused
        assert bad_fields(refused) == [field]
    second = await refusal(trees.add(tree.id, node("x", nodes[0].id, id=nodes[5].id)))
    assert (second.code(), metadata_of(second)) == (
        grpc.StatusCode.ALREADY_EXISTS,
        {"type": "node", "id": nodes[5].id},
    )
    (unchanged,) = await trees.read(tree.id)
    assert unchanged.tree == added.tree
    assert len(unchanged.nodes) == 32


async def test_customers_read_their_own_trees_and_nobody_elses(trees: Forester, keys: Keys) -> None:
    tree, leaf = await trees.planted(), node("Leaf")
    await trees.add(tree.id, leaf)
    own = Forester(trees.stub, keys.metadata("customer", customer_id=trees.customer_id), trees.customer_id)
    assert set(await own.parents(tree.id)) == set(await own.parents(node_id=leaf.id)) == {leaf.id}
    other = new_uuid()
    stranger = Forester(trees.stub, keys.metadata("customer", customer_id=other), other)
    for attempt in (stranger.read(tree.id), stranger.read(node_id=leaf.id)):
        refused = await refusal(attempt)
        assert (refused.code(), reason_of(refused)) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
    nosy = Forester(trees.stub, stranger.metadata, trees.customer_id)
    assert reason_of(await refusal(nosy.read(tree.id))) == "NOT_OWN_CUSTOMER"
    auditor = Forester(trees.stub, keys.metadata("auditor"), trees.customer_id)
    assert set(await auditor.parents(tree.id)) == {leaf.id}
    for writer in (own, auditor):
        refused = await refusal(writer.end(tree.id, leaf.id))
        assert refused.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_figures_add_up_what_is_placed_below(trees: Forester, portfolio: PortfolioServiceStub) -> None:
    tree = await trees.planted()
    top, left, right = node("Group"), node("Left", kind=SITE), node("Right", kind=SITE)
    left.parent_id = right.parent_id = top.id
    leaf = node("Leaf", left.id)
    await trees.add(tree.id, top, left, right, leaf)
    for place, count in ((top, 1), (leaf, 2), (right, 3)):
        for _ in range(count):
            wish = product(trees.customer_id, node_ids=[place.id])
            request = portfolio_pb2.AddProductRequest(product=wish)
            await portfolio.AddProduct(request, metadata=trees.metadata)

    async def told(**changes: Any) -> list[tuple[str, int, int, dict[int, int]]]:
        request = pb.RollUpRequest(customer_id=trees.customer_id, **changes)
        answer = await trees.stub.RollUp(request, metadata=trees.metadata)
        return [
            (s.node.name, s.products, sum(m.micros for m in s.monthly_total), {d.kind: d.count for d in s.descendants})
            for s in [answer.total, *answer.nodes]
        ]

    price = 29_850_000
    group = ("Group", 6, 6 * price, {SITE: 2, DEPARTMENT: 1})
    assert await told(node_id=top.id) == [group]
    assert await told(tree_id=tree.id) == [("", 6, 6 * price, {SITE: 2, DEPARTMENT: 2})]
    below = await told(node_id=top.id, levels=1)
    assert below[0] == group
    assert sorted(below[1:]) == [("Left", 2, 2 * price, {DEPARTMENT: 1}), ("Right", 3, 3 * price, {})]
    await trees.move(tree.id, leaf.id, right.id)
    assert (await told(node_id=right.id)) == [("Right", 5, 5 * price, {DEPARTMENT: 1})]


async def test_every_change_is_told_without_names(trees: Forester, channel: grpc.aio.Channel, keys: Keys) -> None:
    tree = await trees.planted(name="A telling tree")
    nodes = [node("A telling node"), node("Another telling node")]
    await trees.add(tree.id, *nodes)
    await trees.update(tree.id, pb.Node(id=nodes[0].id, name="A telling name"))
    moved = await trees.move(tree.id, nodes[0].id, nodes[1].id)
    await trees.end(tree.id, nodes[1].id)
    events = await heard(channel, keys, tree.id, 5)
    assert [(e.type.rpartition(".")[2], e.sequence, e.customer_id) for e in events] == [
        (kind, n, trees.customer_id) for n, kind in enumerate(["TreeCreated", *["NodesChanged"] * 4], 1)
    ]
    told = [unpacked(e) for e in events[1:]]
    ids = [n.id for n in nodes]
    assert [(pb.NodesChanged.Change.Name(t.change), list(t.node_ids)) for t in told] == [
        ("CHANGE_ADDED", ids),
        ("CHANGE_UPDATED", ids[:1]),
        ("CHANGE_MOVED", ids[:1]),
        ("CHANGE_ENDED", ids[::-1]),
    ]
    assert told[2].effective_time == moved.node.valid.start
    assert not any(b"telling" in e.SerializeToString() for e in events)


async def heard(channel: grpc.aio.Channel, keys: Keys, tree_id: str, most: int) -> list[events_pb2.Event]:
    """So many events about a tree."""
    stream = events_pb2_grpc.EventsServiceStub(channel).Subscribe(
        events_pb2.SubscribeRequest(types=[m.DESCRIPTOR.full_name for m in (pb.TreeCreated, pb.NodesChanged)]),
        metadata=keys.metadata("service"),
        timeout=30,
    )
    found: list[events_pb2.Event] = []
    async for answer in stream:
        found += [e for e in answer.events if e.subject == tree_id]
        if len(found) >= most:
            break
    stream.cancel()
    return found


def unpacked(event: events_pb2.Event) -> pb.NodesChanged:
    found = pb.NodesChanged()
    assert event.data.Unpack(found)
    return found
