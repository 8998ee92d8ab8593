"""`SearchService`: protobuf in, protobuf out."""

from typing import Any

from holdfast.customer_info.v1 import search_pb2 as pb
from holdfast.customer_info.v1 import search_pb2_grpc

from chassis.app import App
from services.customer_info.customers.wire import message
from services.customer_info.search.usecases import SearchUseCases


class SearchHandlers(search_pb2_grpc.SearchServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: SearchUseCases) -> None:
        self._usecases = usecases

    async def SearchCustomers(self, request: pb.SearchCustomersRequest, _: Any) -> pb.SearchCustomersResponse:
        """Finds customers by name."""
        found = await self._usecases.search(request.text, request.limit, include_archived=request.include_archived)
        return pb.SearchCustomersResponse(
            found=[pb.FoundCustomer(customer=message(f.customer), score=f.score) for f in found]
        )


def install(app: App, usecases: SearchUseCases) -> None:
    """Serves `SearchService`."""
    descriptor = pb.DESCRIPTOR.services_by_name["SearchService"]
    app.serve(search_pb2_grpc.add_SearchServiceServicer_to_server, SearchHandlers(usecases), descriptor)
