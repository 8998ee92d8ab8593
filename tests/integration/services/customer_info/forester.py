"""Trees as callers grow them."""

from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.customer_info.v1 import hierarchy_pb2 as pb
from holdfast.customer_info.v1.hierarchy_pb2_grpc import HierarchyServiceStub

from chassis.times import from_timestamp, to_timestamp
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import new_uuid


class Forester:
    """Calls the service about one customer's trees."""

    def __init__(self, stub: HierarchyServiceStub, metadata: Metadata, customer_id: str) -> None:
        self.stub, self.metadata, self.customer_id = stub, metadata, customer_id

    async def planted(self, **changes: Any) -> pb.Tree:
        """A tree without nodes."""
        usual = {"customer_id": self.customer_id, "name": f"Tree {new_uuid()}"}
        request = pb.CreateTreeRequest(tree=pb.Tree(**{**usual, **changes}))
        return (await self.stub.CreateTree(request, metadata=self.metadata)).tree

    async def add(self, tree_id: str, *nodes: pb.Node, **changes: Any) -> pb.AddNodesResponse:
        request = pb.AddNodesRequest(tree_id=tree_id, nodes=nodes, **changes)
        return await self.stub.AddNodes(request, metadata=self.metadata, timeout=60)

    async def move(self, tree_id: str, node_id: str, parent_id: str, **changes: Any) -> pb.MoveNodeResponse:
        request = pb.MoveNodeRequest(tree_id=tree_id, node_id=node_id, parent_id=parent_id, **changes)
        return await self.stub.MoveNode(request, metadata=self.metadata, timeout=60)

    async def update(self, tree_id: str, changed: pb.Node, *names: str, **changes: Any) -> pb.UpdateNodeResponse:
        mask = FieldMask(paths=names)
        request = pb.UpdateNodeRequest(tree_id=tree_id, node=changed, update_mask=mask, **changes)
        return await self.stub.UpdateNode(request, metadata=self.metadata)

    async def end(self, tree_id: str, node_id: str, **changes: Any) -> pb.EndNodeResponse:
        request = pb.EndNodeRequest(tree_id=tree_id, node_id=node_id, **changes)
        return await self.stub.EndNode(request, metadata=self.metadata)

    async def read(self, tree_id: str = "", **changes: Any) -> list[pb.GetSubtreeResponse]:
        request = pb.GetSubtreeRequest(customer_id=self.customer_id, tree_id=tree_id, **changes)
        return [answer async for answer in self.stub.GetSubtree(request, metadata=self.metadata)]

    async def parents(self, tree_id: str = "", **changes: Any) -> dict[str, str]:
        """What stands under what."""
        return {n.id: n.parent_id for answer in await self.read(tree_id, **changes) for n in answer.nodes}


def node(name: str = "Sales", parent_id: str = "", **changes: Any) -> pb.Node:
    return pb.Node(
        **{"id": new_uuid(), "name": name, "parent_id": parent_id, "kind": pb.NODE_KIND_DEPARTMENT, **changes}
    )


def chain(length: int) -> list[pb.Node]:
    """Nodes, each below the one before it."""
    found = [node("0")]
    while len(found) < length:
        found.append(node(f"{len(found)}", found[-1].id))
    return found


async def refusal(attempt: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await attempt
    return refused.value


def after(answer: pb.AddNodesResponse, milliseconds: int = 0) -> Timestamp:
    """When nodes were added, or so much later."""
    return to_timestamp(from_timestamp(answer.nodes[0].valid.start) + timedelta(milliseconds=milliseconds))
