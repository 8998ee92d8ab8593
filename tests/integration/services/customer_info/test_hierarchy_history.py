"""What became of nodes, and who did it, told by a real process on a real MongoDB."""

from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from holdfast.customer_info.v1 import customers_pb2, history_pb2
from holdfast.customer_info.v1 import hierarchy_pb2 as pb
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from holdfast.customer_info.v1.history_pb2_grpc import HistoryServiceStub

from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.forester import Forester, after, node, refusal
from tests.integration.services.customer_info.messages import company, metadata_of
from tests.support.service import Keys


async def enterprise(channel: grpc.aio.Channel, customers: CustomersServiceStub, keys: Keys) -> Forester:
    gardener: Metadata = (*keys.metadata("agent", subject="gardener"), ("x-channel", "call"))
    request = customers_pb2.CreateCustomerRequest(customer=company())
    made = await customers.CreateCustomer(request, metadata=gardener)
    return Forester(HierarchyServiceStub(channel), gardener, made.customer.id)


@pytest.fixture
async def trees(channel: grpc.aio.Channel, customers: CustomersServiceStub, keys: Keys) -> Forester:
    """An enterprise without trees, and who looks after them."""
    return await enterprise(channel, customers, keys)


async def told(channel: grpc.aio.Channel, trees: Forester, node_id: str) -> list[tuple[int, str, dict[str, Any]]]:
    """What became of a node, first things first: the version, who made it, and each field as it was and is."""
    request = history_pb2.ListChangesRequest(customer_id=trees.customer_id, kinds=["node"])
    answer = await HistoryServiceStub(channel).ListChanges(request, metadata=trees.metadata)
    return [
        (c.version, c.by, {f.name: (MessageToDict(f).get("before"), MessageToDict(f).get("after")) for f in c.fields})
        for c in reversed(answer.changes)
        if c.record_id == node_id
    ]


async def test_every_change_of_a_node_tells_who_made_it_and_what_it_was(
    channel: grpc.aio.Channel, trees: Forester
) -> None:
    tree, top, leaf = await trees.planted(), node("Top"), node("Leaf")
    await trees.add(tree.id, top, leaf)
    await trees.update(tree.id, pb.Node(id=leaf.id, name="Twig"), "name")
    moved = await trees.move(tree.id, leaf.id, top.id)
    await trees.end(tree.id, top.id)
    added, renamed, put, ended = await told(channel, trees, leaf.id)
    assert [(v, by) for v, by, _ in (added, renamed, put, ended)] == [(n, "gardener") for n in range(1, 5)]
    assert added[2]["name"] == (None, "Leaf")
    assert renamed[2]["name"] == ("Leaf", "Twig")
    assert put[2]["parent_id"] == (None, top.id)
    before, left = ended[2]["valid"]
    assert (before["start"], "end" in before, "end" in left) == (moved.node.valid.start.ToJsonString(), False, True)


async def test_what_a_change_takes_the_place_of_stays_in_the_history(
    channel: grpc.aio.Channel, trees: Forester, customers: CustomersServiceStub
) -> None:
    tree, one = await trees.planted(), node("Wrong name")
    added = await trees.add(tree.id, one)
    since = after(added)
    await trees.update(tree.id, pb.Node(id=one.id, name="Right name"), "name", effective_time=since)
    await trees.end(tree.id, one.id, effective_time=since)
    assert await trees.parents(tree.id, as_of=since) == {}, "it is as if it had never been"
    again = await trees.add(tree.id, node("Once more", id=one.id), effective_time=since)
    changes = await told(channel, trees, one.id)
    assert [fields.get("name") for _, _, fields in changes] == [
        (None, "Wrong name"),
        ("Wrong name", "Right name"),
        None,
        ("Right name", "Once more"),
    ]
    request = history_pb2.GetRecordRequest(customer_id=trees.customer_id, kind="node", record_id=one.id)
    request.as_of.CopyFrom(added.tree.update_time)
    history = HistoryServiceStub(channel)
    then = await history.GetRecord(request, metadata=trees.metadata)
    assert (then.content["name"], then.content["tree_id"], then.version) == ("Wrong name", tree.id, 1)
    request.as_of.CopyFrom(again.tree.update_time)
    assert (await history.GetRecord(request, metadata=trees.metadata)).content["name"] == "Once more"


async def test_the_record_of_a_node_that_was_undone_is_never_another_customers(
    channel: grpc.aio.Channel, trees: Forester, customers: CustomersServiceStub, keys: Keys
) -> None:
    other = await enterprise(channel, customers, keys)
    tree, foreign, one = await trees.planted(), await other.planted(), node("Undone")
    await trees.end(tree.id, one.id, effective_time=after(await trees.add(tree.id, one)))
    taken = await refusal(other.add(foreign.id, node("Foreign", id=one.id)))
    assert (taken.code(), metadata_of(taken)) == (grpc.StatusCode.ALREADY_EXISTS, {"type": "node", "id": one.id})
    assert await told(channel, other, one.id) == []
    assert [by for _, by, _ in await told(channel, trees, one.id)] == ["gardener"] * 2
