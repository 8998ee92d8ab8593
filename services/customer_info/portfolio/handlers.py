"""`PortfolioService`: protobuf in, protobuf out."""

from collections.abc import AsyncIterator
from typing import Any

from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import portfolio_pb2 as pb
from holdfast.customer_info.v1 import portfolio_pb2_grpc

from chassis.bulk import Tally
from chassis.query.selection import selection
from services.customer_info.loading import note
from services.customer_info.portfolio import wire
from services.customer_info.portfolio.usecases import PortfolioUseCases
from services.customer_info.wire import money_message


class PortfolioHandlers(portfolio_pb2_grpc.PortfolioServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: PortfolioUseCases) -> None:
        self._usecases = usecases

    async def AddProduct(self, request: pb.AddProductRequest, _: Any) -> pb.AddProductResponse:
        """Adds a product."""
        content = request.product.SerializeToString(deterministic=True)
        made = await self._usecases.add(wire.new(request.product), request.request_id, content)
        return pb.AddProductResponse(product=wire.message(made))

    async def GetPortfolio(self, request: pb.GetPortfolioRequest, _: Any) -> pb.GetPortfolioResponse:
        """Reads what one customer has."""
        found = await self._usecases.portfolio(request.customer_id, include_ceased=request.include_ceased)
        return pb.GetPortfolioResponse(
            products=[wire.message(p) for p in found.products],
            monthly_total=[m for m in map(money_message, found.monthly_total) if m],
        )

    async def ListProducts(self, request: pb.ListProductsRequest, _: Any) -> pb.ListProductsResponse:
        """Reads a page of products."""
        products, token = await self._usecases.page(selection(request.query))
        return pb.ListProductsResponse(
            products=[wire.message(p) for p in products], page=query_pb2.PageResponse(next_page_token=token)
        )

    async def ChangeProductStatus(
        self, request: pb.ChangeProductStatusRequest, _: Any
    ) -> pb.ChangeProductStatusResponse:
        """Moves a product along."""
        status = wire.status(request.status)
        after = await self._usecases.change_status(request.product_id, status, request.etag)
        return pb.ChangeProductStatusResponse(product=wire.message(after))

    async def ImportProducts(
        self, requests: AsyncIterator[pb.ImportProductsRequest], _: Any
    ) -> pb.ImportProductsResponse:
        """Loads products in bulk."""
        tally = Tally()
        async for request in requests:
            await note(tally, request.products, wire.row, self._usecases.load)
        return pb.ImportProductsResponse(summary=tally.summary())
