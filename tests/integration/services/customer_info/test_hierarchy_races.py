"""Many who change the same tree at once, and trees that are large."""

import asyncio
import random
from typing import Any

import grpc
import pytest
from holdfast.customer_info.v1 import customers_pb2
from holdfast.customer_info.v1 import hierarchy_pb2 as pb
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.hierarchy_pb2_grpc import HierarchyServiceStub

from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.forester import Forester, after, node, refusal
from tests.integration.services.customer_info.messages import bad_fields, company, metadata_of


async def enterprise(stub: HierarchyServiceStub, customers: CustomersServiceStub, agent: Metadata) -> Forester:
    request = customers_pb2.CreateCustomerRequest(customer=company())
    made = await customers.CreateCustomer(request, metadata=agent)
    return Forester(stub, agent, made.customer.id)


@pytest.fixture
async def trees(channel: grpc.aio.Channel, customers: CustomersServiceStub, agent: Metadata) -> Forester:
    """An enterprise without trees."""
    return await enterprise(HierarchyServiceStub(channel), customers, agent)


async def test_moves_at_once_never_make_a_circle(trees: Forester) -> None:
    tree = await trees.planted()
    nodes = [node(f"{n}") for n in range(8)]
    await trees.add(tree.id, *nodes)
    chance = random.Random(7)
    moves = [chance.sample(nodes, 2) for _ in range(64)]
    outcomes = await asyncio.gather(
        *(trees.move(tree.id, one.id, other.id) for one, other in moves), return_exceptions=True
    )
    refused = [o for o in outcomes if isinstance(o, BaseException)]
    assert all(isinstance(o, grpc.aio.AioRpcError) and bad_fields(o) == ["parent_id"] for o in refused)
    assert 0 < len(refused) < 64, "some would have closed a circle, others not"
    parents = await trees.parents(tree.id)
    assert len(parents) == 8
    for node_id in parents:
        above = set()
        while node_id:
            assert node_id not in above
            above.add(node_id)
            node_id = parents[node_id]  # noqa: PLW2901 - the walk up
    (answer,) = await trees.read(tree.id)
    idle = sum(1 for o in outcomes if isinstance(o, pb.MoveNodeResponse) and not o.moved)
    assert answer.tree.etag == f"v{2 + 64 - len(refused) - idle}", "none was lost, none was done twice"


async def test_changes_of_many_trees_of_a_customer_at_once_are_all_made(trees: Forester) -> None:
    planted = await asyncio.gather(*(trees.planted() for _ in range(8)))
    outcomes = await asyncio.gather(*(trees.add(tree.id, node()) for tree in planted for _ in range(8)))
    assert len({o.nodes[0].id for o in outcomes}) == 64
    for tree in planted:
        (answer,) = await trees.read(tree.id)
        assert (answer.tree.etag, len(answer.nodes)) == ("v9", 8)


async def test_of_changes_with_the_same_etag_one_is_made(trees: Forester) -> None:
    tree, one = await trees.planted(), node()
    added = await trees.add(tree.id, one)
    changes = [pb.Node(id=one.id, name=f"{n}") for n in range(16)]
    outcomes = await asyncio.gather(
        *(trees.update(tree.id, c, etag=added.tree.etag) for c in changes), return_exceptions=True
    )
    refused = [o for o in outcomes if isinstance(o, grpc.aio.AioRpcError)]
    assert {o.code() for o in refused} == {grpc.StatusCode.ABORTED}
    assert len(refused) == 15


async def test_a_node_id_given_to_two_trees_at_once_goes_to_one(trees: Forester) -> None:
    planted = [await trees.planted() for _ in range(4)]
    shared = node()
    outcomes = await asyncio.gather(*(trees.add(t.id, shared) for t in planted), return_exceptions=True)
    refused = [o for o in outcomes if isinstance(o, grpc.aio.AioRpcError)]
    assert [o.code() for o in refused] == [grpc.StatusCode.ALREADY_EXISTS] * 3
    assert len([t for t in planted if await trees.parents(t.id)]) == 1


async def test_a_node_id_given_to_trees_of_several_customers_at_once_goes_to_one(
    trees: Forester, customers: CustomersServiceStub
) -> None:
    owners = [trees, *[await enterprise(trees.stub, customers, trees.metadata) for _ in range(3)]]
    planted = [await owner.planted() for owner in owners]
    shared = node()

    async def add_and_undo(owner: Forester, tree: pb.Tree) -> None:
        added = await owner.add(tree.id, shared)
        await owner.end(tree.id, shared.id, effective_time=after(added))

    for _ in range(4):
        attempts = [add_and_undo(owner, tree) for owner, tree in zip(owners, planted, strict=True)]
        outcomes = await asyncio.gather(*attempts, return_exceptions=True)
        refused = [o for o in outcomes if isinstance(o, grpc.aio.AioRpcError)]
        assert [o.code() for o in refused] == [grpc.StatusCode.ALREADY_EXISTS] * 3
    etags = [(await owner.read(tree.id))[0].tree.etag for owner, tree in zip(owners, planted, strict=True)]
    assert sorted(etags) == ["v1", "v1", "v1", "v9"], "it was the same one's each time"


async def large(trees: Forester, tree_id: str, size: int) -> tuple[list[pb.Node], pb.AddNodesResponse]:
    """A subtree of so many nodes, five below each, added a thousand at a time."""
    nodes = [node("0")]
    while len(nodes) < size:
        nodes.append(node(f"{len(nodes)}", nodes[(len(nodes) - 1) // 5].id))
    answers = [await trees.add(tree_id, *nodes[n : n + 1000]) for n in range(0, size, 1000)]
    return nodes, answers[-1]


async def test_a_subtree_of_ten_thousand_nodes_is_read_at_once(trees: Forester) -> None:
    tree = await trees.planted()
    await trees.add(tree.id, node("Aside"))
    nodes, _ = await large(trees, tree.id, 10_000)
    answers = await trees.read(tree.id, node_id=nodes[0].id)
    assert [len(a.nodes) for a in answers] == [500] * 20
    seen: set[str] = set()
    for told in (n for a in answers for n in a.nodes):
        assert not told.parent_id or told.parent_id in seen
        seen.add(told.id)
    assert seen == {n.id for n in nodes}
    refused = await refusal(trees.end(tree.id, nodes[0].id))
    assert metadata_of(refused) == {"state": "10000 nodes"}


async def test_figures_that_a_usual_client_would_not_take_are_refused_with_what_to_ask_for(trees: Forester) -> None:
    tree, top = await trees.planted(), node("Top")
    await trees.add(tree.id, top)
    for _ in range(5):
        await trees.add(tree.id, *[node("部" * 128, top.id) for _ in range(1000)])

    async def told(levels: int) -> pb.RollUpResponse:
        request = pb.RollUpRequest(customer_id=trees.customer_id, tree_id=tree.id, levels=levels)
        return await trees.stub.RollUp(request, metadata=trees.metadata, timeout=60)

    refused = await refusal(told(2))
    assert (refused.code(), bad_fields(refused)) == (grpc.StatusCode.INVALID_ARGUMENT, ["levels"])
    assert "fewer levels" in (refused.details() or "")
    assert [s.descendants[0].count for s in (await told(1)).nodes] == [5000]


async def test_readers_see_all_of_a_move_or_nothing_of_it(trees: Forester) -> None:
    tree = await trees.planted()
    nodes, added = await large(trees, tree.id, 1500)
    aside = node("Aside")
    await trees.add(tree.id, aside)
    shapes = [await shape(trees, tree.id)]
    moving = asyncio.create_task(trees.move(tree.id, nodes[0].id, aside.id))
    while not moving.done():
        shapes.append(await shape(trees, tree.id))
    assert (await moving).moved == 1500
    shapes.append(await shape(trees, tree.id))
    before, now = shapes[0], shapes[-1]
    assert now == {aside.id: 1} | {n.id: before[n.id] + 1 for n in nodes}
    assert all(seen in (before, now) for seen in shapes)
    del before[aside.id]
    assert await shape(trees, tree.id, as_of=after(added)) == before


async def shape(trees: Forester, tree_id: str, **changes: Any) -> dict[str, int]:
    """How deep each node stands."""
    return {n.id: n.depth for answer in await trees.read(tree_id, **changes) for n in answer.nodes}
