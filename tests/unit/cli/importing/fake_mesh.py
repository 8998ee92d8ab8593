"""A mesh in memory, behind a real gRPC server: what a bulk load sees of customer_info and retention."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.message import Message
from holdfast.common.v1.rows_pb2 import BulkSummary, RowError
from holdfast.customer_info.v1 import customers_pb2, customers_pb2_grpc, portfolio_pb2, portfolio_pb2_grpc
from holdfast.interaction.v1 import interactions_pb2, interactions_pb2_grpc
from holdfast.retention.v1 import features_pb2, features_pb2_grpc

from cli.client import Client


class Shelf:
    """Rows by key: made, changed or left as they are; those in `refused` are refused."""

    def __init__(self) -> None:
        self.rows: dict[str, Message] = {}
        self.refused: set[str] = set()
        self.largest = 0

    def put(self, key: str, row: Message, summary: BulkSummary) -> None:
        summary.received += 1
        if key in self.refused:
            summary.failed += 1
            summary.errors.append(RowError(row=summary.received, reason="INVALID_FIELD", field="id", message="no"))
        elif key not in self.rows:
            summary.created += 1
        elif self.rows[key] == row:
            summary.unchanged += 1
        else:
            summary.updated += 1
        if key not in self.refused:
            self.rows[key] = row


class FakeMesh(
    customers_pb2_grpc.CustomersServiceServicer,
    portfolio_pb2_grpc.PortfolioServiceServicer,
    features_pb2_grpc.FeaturesServiceServicer,
    interactions_pb2_grpc.InteractionsServiceServicer,
):
    """Answers what a bulk load asks."""

    def __init__(self) -> None:
        self.customers, self.products, self.outcomes, self.interactions = Shelf(), Shelf(), Shelf(), Shelf()

    async def GetCustomer(self, request: customers_pb2.GetCustomerRequest, context: Any) -> Any:
        row = self.customers.rows.get(request.customer_id)
        if row is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such customer")
        assert isinstance(row, customers_pb2.Customer)
        return customers_pb2.GetCustomerResponse(customer=row)

    async def ImportCustomers(self, requests: AsyncIterator[Any], context: Any) -> Any:
        summary = BulkSummary()
        async for request in requests:
            self.customers.largest = max(self.customers.largest, len(request.customers))
            for row in request.customers:
                self.customers.put(row.id, row, summary)
        return customers_pb2.ImportCustomersResponse(summary=summary)

    async def ImportProducts(self, requests: AsyncIterator[Any], context: Any) -> Any:
        summary = BulkSummary()
        async for request in requests:
            self.products.largest = max(self.products.largest, len(request.products))
            for row in request.products:
                self.products.put(row.id, row, summary)
        return portfolio_pb2.ImportProductsResponse(summary=summary)

    async def GetFeatures(self, request: features_pb2.GetFeaturesRequest, context: Any) -> Any:
        owned = [row for row in self.products.rows.values() if getattr(row, "customer_id", "") == request.customer_id]
        feature = features_pb2.Feature(name="product_count", number=float(len(owned)))
        return features_pb2.GetFeaturesResponse(features=[feature])

    async def RecordOutcomes(self, requests: AsyncIterator[Any], context: Any) -> Any:
        summary = BulkSummary()
        async for request in requests:
            for row in request.outcomes:
                self.outcomes.put(row.customer_id, row, summary)
        return features_pb2.RecordOutcomesResponse(summary=summary)

    async def IngestInteractions(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        summary = BulkSummary()
        async for request in requests:
            before = (summary.created, summary.unchanged, summary.failed)
            for row in request.interactions:
                self.interactions.put(row.message_id, row, summary)
            yield interactions_pb2.IngestInteractionsResponse(
                acknowledged=summary.received,
                created=summary.created - before[0],
                duplicates=summary.unchanged - before[1],
                errors=summary.errors[before[2] :],
            )


def fake_mesh() -> FakeMesh:
    """An empty one. What it leaves out is abstract to the type checker only; a call of it is answered UNIMPLEMENTED."""
    return FakeMesh()  # type: ignore[abstract]


@asynccontextmanager
async def serving(mesh: FakeMesh) -> AsyncIterator[Client]:
    """A client of the mesh, on a free port."""
    server = grpc.aio.server()
    customers_pb2_grpc.add_CustomersServiceServicer_to_server(mesh, server)
    portfolio_pb2_grpc.add_PortfolioServiceServicer_to_server(mesh, server)
    features_pb2_grpc.add_FeaturesServiceServicer_to_server(mesh, server)
    interactions_pb2_grpc.add_InteractionsServiceServicer_to_server(mesh, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with Client(f"127.0.0.1:{port}", "token") as client:
            yield client
    finally:
        await server.stop(None)


class SilentBars:
    """Bars that nobody sees; they remember how far they came."""

    def __init__(self) -> None:
        self.finished: dict[str, bool] = {}

    def task(self, name: str, total: float) -> "SilentBar":
        return SilentBar(self, name, total)


class SilentBar:
    def __init__(self, bars: SilentBars, name: str, total: float) -> None:
        self._bars, self._name, self._total = bars, name, total

    def done(self, completed: float, note: str = "") -> None:
        self._bars.finished[self._name] = completed >= self._total
