"""`LoadsService`: protobuf in, protobuf out."""

from typing import Any

from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import loads_pb2 as pb
from holdfast.customer_info.v1 import loads_pb2_grpc

from chassis.app import App
from services.customer_info.loads import wire
from services.customer_info.loads.usecases import LoadUseCases


class LoadsHandlers(loads_pb2_grpc.LoadsServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: LoadUseCases) -> None:
        self._usecases = usecases

    async def GetLoad(self, request: pb.GetLoadRequest, _: Any) -> pb.GetLoadResponse:
        """Reads how far a load is."""
        return pb.GetLoadResponse(load=wire.message(await self._usecases.get(request.load_id)))

    async def ListLoadErrors(self, request: pb.ListLoadErrorsRequest, _: Any) -> pb.ListLoadErrorsResponse:
        """Reads a page of the rows of a load that were refused."""
        page = request.page
        found, token = await self._usecases.errors(request.load_id, page.page_size, page.page_token)
        return pb.ListLoadErrorsResponse(
            errors=[wire.row_error(fault) for fault in found], page=query_pb2.PageResponse(next_page_token=token)
        )


def install(app: App, usecases: LoadUseCases) -> None:
    """Serves `LoadsService`."""
    descriptor = pb.DESCRIPTOR.services_by_name["LoadsService"]
    app.serve(loads_pb2_grpc.add_LoadsServiceServicer_to_server, LoadsHandlers(usecases), descriptor)
