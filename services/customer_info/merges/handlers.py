"""`MergesService`: protobuf in, protobuf out."""

from typing import Any

from holdfast.customer_info.v1 import merges_pb2 as pb
from holdfast.customer_info.v1 import merges_pb2_grpc

from chassis.app import App
from chassis.etag import etag
from services.customer_info.customers.wire import message as customer_message
from services.customer_info.merges import wire
from services.customer_info.merges.usecases import MergeUseCases, Wish
from services.customer_info.wire import asked_for


class MergesHandlers(merges_pb2_grpc.MergesServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: MergeUseCases) -> None:
        self._usecases = usecases

    async def PreviewMerge(self, request: pb.PreviewMergeRequest, _: Any) -> pb.PreviewMergeResponse:
        """Shows what a merge would make."""
        wish = Wish(request.survivor_id, request.duplicate_id, wire.choices(request.choices))
        found = await self._usecases.preview(wish)
        return pb.PreviewMergeResponse(
            customer=customer_message(found.customer),
            outcomes=wire.outcomes(found.merge.outcomes),
            survivor_etag=etag(found.survivor.version),
            duplicate_etag=etag(found.duplicate.version),
        )

    async def Merge(self, request: pb.MergeRequest, _: Any) -> pb.MergeResponse:
        """Makes two records one."""
        wish = Wish(
            request.survivor_id,
            request.duplicate_id,
            wire.choices(request.choices),
            request.survivor_etag,
            request.duplicate_etag,
        )
        customer, merge = await self._usecases.merge(wish, request.request_id, asked_for(request))
        return pb.MergeResponse(customer=customer_message(customer), merge=wire.message(merge))

    async def Unmerge(self, request: pb.UnmergeRequest, _: Any) -> pb.UnmergeResponse:
        """Parts two records."""
        survivor, duplicate, merge = await self._usecases.unmerge(request.duplicate_id)
        return pb.UnmergeResponse(
            survivor=customer_message(survivor), duplicate=customer_message(duplicate), merge=wire.message(merge)
        )

    async def ListMerges(self, request: pb.ListMergesRequest, _: Any) -> pb.ListMergesResponse:
        """Lists the merges of a customer."""
        merges, members = await self._usecases.lineage(request.customer_id)
        return pb.ListMergesResponse(merges=[wire.message(m) for m in merges], member_ids=members)


def install(app: App, usecases: MergeUseCases) -> None:
    """Serves `MergesService`."""
    descriptor = pb.DESCRIPTOR.services_by_name["MergesService"]
    app.serve(merges_pb2_grpc.add_MergesServiceServicer_to_server, MergesHandlers(usecases), descriptor)
