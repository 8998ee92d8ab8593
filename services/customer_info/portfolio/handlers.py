"""`PortfolioService`: protobuf in, protobuf out."""

from collections.abc import AsyncIterator, Iterator
from operator import attrgetter
from typing import Any

from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import portfolio_pb2 as pb
from holdfast.customer_info.v1 import portfolio_pb2_grpc

from chassis.app import App
from chassis.query.selection import Selection, selection
from chassis.times import now
from services.customer_info.exporting import pieces
from services.customer_info.loads import streams
from services.customer_info.loads import wire as loads_wire
from services.customer_info.loads.usecases import LoadUseCases
from services.customer_info.portfolio import view_wire, wire
from services.customer_info.portfolio.csv_wire import COLUMNS
from services.customer_info.portfolio.import_rules import Row
from services.customer_info.portfolio.usecases import PortfolioUseCases
from services.customer_info.portfolio.view_usecases import PortfolioViews


class PortfolioHandlers(portfolio_pb2_grpc.PortfolioServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: PortfolioUseCases, views: PortfolioViews, loads: LoadUseCases) -> None:
        self._usecases = usecases
        self._views = views
        self._loads = loads
        self._rows = streams.Kind("products", attrgetter("products"), wire.reader, _needs, usecases.load)

    async def AddProduct(self, request: pb.AddProductRequest, _: Any) -> pb.AddProductResponse:
        """Adds a product."""
        content = request.product.SerializeToString(deterministic=True)
        made = await self._usecases.add(wire.new(request.product), request.request_id, content)
        return pb.AddProductResponse(product=wire.message(made, now()))

    async def GetProduct(self, request: pb.GetProductRequest, _: Any) -> pb.GetProductResponse:
        """Reads one product."""
        kept = await self._usecases.get(request.product_id, request.customer_id)
        return pb.GetProductResponse(product=wire.message(kept, now()))

    async def UpdateProduct(self, request: pb.UpdateProductRequest, _: Any) -> pb.UpdateProductResponse:
        """Changes the fields of a mask."""
        names = wire.names(request.update_mask, request.product)
        after = await self._usecases.update(wire.new(request.product), names, request.product.etag)
        return pb.UpdateProductResponse(product=wire.message(after, now()))

    async def GetPortfolio(self, request: pb.GetPortfolioRequest, _: Any) -> pb.GetPortfolioResponse:
        """Reads a page of what one customer has."""
        page = request.page
        found = await self._views.portfolio(
            request.customer_id,
            include_ceased=request.include_ceased,
            page_size=page.page_size,
            page_token=page.page_token,
        )
        return view_wire.portfolio(found, now())

    async def GetHierarchyPortfolio(
        self, request: pb.GetHierarchyPortfolioRequest, _: Any
    ) -> pb.GetHierarchyPortfolioResponse:
        """Reads where in a hierarchy one customer's products stand."""
        found = await self._views.by_hierarchy(request.customer_id, request.tree_id, request.node_id)
        return view_wire.hierarchy(found)

    async def GetFamilyPortfolio(self, request: pb.GetFamilyPortfolioRequest, _: Any) -> pb.GetFamilyPortfolioResponse:
        """Reads what one customer has of each line and family."""
        return view_wire.families(await self._views.by_family(request.customer_id))

    async def ListProducts(self, request: pb.ListProductsRequest, _: Any) -> pb.ListProductsResponse:
        """Reads a page of products."""
        products, token = await self._usecases.page(selection(request.query))
        at = now()
        return pb.ListProductsResponse(
            products=[wire.message(p, at) for p in products], page=query_pb2.PageResponse(next_page_token=token)
        )

    async def ChangeProductStatus(
        self, request: pb.ChangeProductStatusRequest, _: Any
    ) -> pb.ChangeProductStatusResponse:
        """Moves a product along."""
        status = wire.status(request.status)
        after = await self._usecases.change_status(request.product_id, status, request.etag)
        return pb.ChangeProductStatusResponse(product=wire.message(after, now()))

    async def ImportProducts(
        self, requests: AsyncIterator[pb.ImportProductsRequest], _: Any
    ) -> pb.ImportProductsResponse:
        """Loads products in bulk."""
        done = await streams.run(self._rows, self._loads, requests)
        return pb.ImportProductsResponse(summary=loads_wire.summary(done))

    async def ExportProducts(
        self, request: pb.ExportProductsRequest, _: Any
    ) -> AsyncIterator[pb.ExportProductsResponse]:
        """Writes products as a file."""

        async def read(chosen: Selection, after: str, most: int) -> list[pb.Product]:
            at = now()
            return [wire.message(p, at) for p in await self._usecases.following(chosen, after, most)]

        async for piece in pieces(request, read, COLUMNS, pb.Product.DESCRIPTOR):
            yield pb.ExportProductsResponse(data=piece.data, rows=piece.rows, position=piece.position)


def _needs(row: Row) -> Iterator[str]:
    yield row.wish.id


def install(app: App, usecases: PortfolioUseCases, views: PortfolioViews, loads: LoadUseCases) -> None:
    """Serves `PortfolioService`."""
    descriptor = pb.DESCRIPTOR.services_by_name["PortfolioService"]
    handlers = PortfolioHandlers(usecases, views, loads)
    app.serve(portfolio_pb2_grpc.add_PortfolioServiceServicer_to_server, handlers, descriptor)
