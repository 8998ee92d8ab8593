"""`HierarchyService`: protobuf in, protobuf out."""

from collections.abc import AsyncIterator
from typing import Any

from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import hierarchy_pb2 as pb
from holdfast.customer_info.v1 import hierarchy_pb2_grpc

from chassis.app import App
from chassis.query.selection import selection
from chassis.times import moment, to_timestamp
from services.customer_info.hierarchy import wire
from services.customer_info.hierarchy.reading_usecases import HierarchyReading, Part
from services.customer_info.hierarchy.usecases import HierarchyUseCases, When
from services.customer_info.wire import asked_for


class HierarchyHandlers(hierarchy_pb2_grpc.HierarchyServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: HierarchyUseCases, reading: HierarchyReading) -> None:
        self._usecases = usecases
        self._reading = reading

    async def CreateTree(self, request: pb.CreateTreeRequest, _: Any) -> pb.CreateTreeResponse:
        """Makes a tree."""
        content = request.tree.SerializeToString(deterministic=True)
        made = await self._usecases.create(wire.tree(request.tree), request.request_id, content)
        return pb.CreateTreeResponse(tree=wire.tree_message(made))

    async def GetTree(self, request: pb.GetTreeRequest, _: Any) -> pb.GetTreeResponse:
        """Reads one tree."""
        found = await self._reading.tree(request.customer_id, request.tree_id)
        return pb.GetTreeResponse(tree=wire.tree_message(found))

    async def ListTrees(self, request: pb.ListTreesRequest, _: Any) -> pb.ListTreesResponse:
        """Reads a page of a customer's trees."""
        trees, token = await self._reading.page(request.customer_id, selection(request.query))
        return pb.ListTreesResponse(
            trees=[wire.tree_message(t) for t in trees], page=query_pb2.PageResponse(next_page_token=token)
        )

    async def UpdateTree(self, request: pb.UpdateTreeRequest, _: Any) -> pb.UpdateTreeResponse:
        """Renames a tree."""
        wire.tree_names(request.update_mask)
        after = await self._usecases.rename(request.tree.id, request.tree.name, request.tree.etag)
        return pb.UpdateTreeResponse(tree=wire.tree_message(after))

    async def AddNodes(self, request: pb.AddNodesRequest, _: Any) -> pb.AddNodesResponse:
        """Adds nodes."""
        content = asked_for(request)
        wishes = [wire.node(n) for n in request.nodes]
        tree, made = await self._usecases.add(request.tree_id, wishes, _when(request), request.request_id, content)
        return pb.AddNodesResponse(tree=wire.tree_message(tree), nodes=[wire.node_message(p) for p in made])

    async def UpdateNode(self, request: pb.UpdateNodeRequest, _: Any) -> pb.UpdateNodeResponse:
        """Changes the fields of a mask."""
        names = wire.node_names(request.update_mask, request.node)
        tree, after = await self._usecases.update(request.tree_id, wire.node(request.node), names, _when(request))
        return pb.UpdateNodeResponse(tree=wire.tree_message(tree), node=wire.node_message(after))

    async def MoveNode(self, request: pb.MoveNodeRequest, _: Any) -> pb.MoveNodeResponse:
        """Moves a node with all below it."""
        tree, after, moved = await self._usecases.move(
            request.tree_id, request.node_id, request.parent_id, _when(request)
        )
        return pb.MoveNodeResponse(tree=wire.tree_message(tree), node=wire.node_message(after), moved=moved)

    async def EndNode(self, request: pb.EndNodeRequest, _: Any) -> pb.EndNodeResponse:
        """Ends a node with all below it."""
        tree, ended = await self._usecases.end(request.tree_id, request.node_id, _when(request))
        return pb.EndNodeResponse(tree=wire.tree_message(tree), ended=ended)

    async def GetSubtree(self, request: pb.GetSubtreeRequest, _: Any) -> AsyncIterator[pb.GetSubtreeResponse]:
        """Reads a tree or a part of it."""
        first = True
        async for seen in self._reading.subtree(_part(request)):
            answer = pb.GetSubtreeResponse(nodes=[wire.node_message(p) for p in seen.nodes])
            if first:
                answer.tree.CopyFrom(wire.tree_message(seen.tree))
                answer.as_of.CopyFrom(to_timestamp(seen.at))
                first = False
            yield answer

    async def GetPath(self, request: pb.GetPathRequest, _: Any) -> pb.GetPathResponse:
        """Reads a node and those above it."""
        part = Part(request.customer_id, node_id=request.node_id, as_of=moment(request, "as_of", "as_of"))
        seen = await self._reading.path(part)
        return pb.GetPathResponse(tree=wire.tree_message(seen.tree), nodes=[wire.node_message(p) for p in seen.nodes])

    async def RollUp(self, request: pb.RollUpRequest, _: Any) -> pb.RollUpResponse:
        """Adds up what stands below."""
        return wire.roll_up_message(await self._reading.roll_up(_part(request)))


def _when(
    request: pb.AddNodesRequest | pb.UpdateNodeRequest | pb.MoveNodeRequest | pb.EndNodeRequest,
) -> When:
    return When(moment(request, "effective_time", "effective_time"), request.etag)


def _part(request: pb.GetSubtreeRequest | pb.RollUpRequest) -> Part:
    as_of = moment(request, "as_of", "as_of")
    return Part(request.customer_id, request.tree_id, request.node_id, as_of, request.levels)


def install(app: App, usecases: HierarchyUseCases, reading: HierarchyReading) -> None:
    """Serves `HierarchyService`."""
    descriptor = pb.DESCRIPTOR.services_by_name["HierarchyService"]
    handlers = HierarchyHandlers(usecases, reading)
    app.serve(hierarchy_pb2_grpc.add_HierarchyServiceServicer_to_server, handlers, descriptor)
