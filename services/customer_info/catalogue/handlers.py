"""`CatalogueService`: protobuf in, protobuf out."""

from typing import Any

from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import catalogue_pb2 as pb
from holdfast.customer_info.v1 import catalogue_pb2_grpc

from chassis.app import App
from chassis.query.selection import DEFAULT_PAGE_SIZE, selection
from services.customer_info.catalogue import wire
from services.customer_info.catalogue.usecases import CatalogueUseCases


class CatalogueHandlers(catalogue_pb2_grpc.CatalogueServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: CatalogueUseCases) -> None:
        self._usecases = usecases

    async def GetFamily(self, request: pb.GetFamilyRequest, _: Any) -> pb.GetFamilyResponse:
        """Reads one family."""
        return pb.GetFamilyResponse(family=wire.message(await self._usecases.get(request.name)))

    async def ListFamilies(self, request: pb.ListFamiliesRequest, _: Any) -> pb.ListFamiliesResponse:
        """Reads a page of families."""
        families, token = await self._usecases.page(selection(request.query))
        return pb.ListFamiliesResponse(
            families=[wire.message(f) for f in families], page=query_pb2.PageResponse(next_page_token=token)
        )

    async def ListFamilyVersions(self, request: pb.ListFamilyVersionsRequest, _: Any) -> pb.ListFamilyVersionsResponse:
        """Reads a page of what a family was."""
        page = request.page
        made, token = await self._usecases.versions(request.name, page.page_size or DEFAULT_PAGE_SIZE, page.page_token)
        return pb.ListFamilyVersionsResponse(
            versions=[wire.version_message(m) for m in made], page=query_pb2.PageResponse(next_page_token=token)
        )

    async def DefineFamily(self, request: pb.DefineFamilyRequest, _: Any) -> pb.DefineFamilyResponse:
        """Makes or changes a family."""
        after = await self._usecases.define(wire.family(request.family), request.family.etag)
        return pb.DefineFamilyResponse(family=wire.message(after))

    async def RetireFamily(self, request: pb.RetireFamilyRequest, _: Any) -> pb.RetireFamilyResponse:
        """Takes a family off sale."""
        after = await self._usecases.retire(request.name, request.etag)
        return pb.RetireFamilyResponse(family=wire.message(after))


def install(app: App, usecases: CatalogueUseCases) -> None:
    """Serves `CatalogueService`."""
    descriptor = pb.DESCRIPTOR.services_by_name["CatalogueService"]
    app.serve(catalogue_pb2_grpc.add_CatalogueServiceServicer_to_server, CatalogueHandlers(usecases), descriptor)
