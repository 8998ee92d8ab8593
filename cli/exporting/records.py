"""Files of all customers or products, piece by piece, as the mesh sends them."""

import asyncio
from collections.abc import AsyncIterable, Sequence
from typing import Any, BinaryIO, Final

import grpc
from holdfast.common.v1.query_pb2 import Predicate
from holdfast.common.v1.rows_pb2 import ROW_FORMAT_CSV, ROW_FORMAT_NDJSON
from holdfast.customer_info.v1.customers_pb2 import ExportCustomersRequest
from holdfast.customer_info.v1.portfolio_pb2 import ExportProductsRequest

from cli.client import Client
from cli.importing.bulk import Report

FORMATS: Final = {"ndjson": ROW_FORMAT_NDJSON, "csv": ROW_FORMAT_CSV}
TRIES: Final = 5
"""How often a stream that breaks is gone on with, without a piece in between."""
PAUSE: Final = 0.5


def request_of(kind: str, form: str, statuses: Sequence[str], fields: Sequence[str]) -> Any:
    """What to ask for a file of customers or products; statuses by their names in lower case."""
    message, prefix = (
        (ExportCustomersRequest, "CUSTOMER_STATUS_")
        if kind == "customers"
        else (ExportProductsRequest, "PRODUCT_STATUS_")
    )
    values = [prefix + status.strip().upper() for status in statuses]
    predicates = [Predicate(field="status", values=values)] if values else []
    return message(predicates=predicates, format=FORMATS[form], fields=fields)


async def write(client: Client, request: Any, out: BinaryIO, report: Report) -> int:
    """Write the file; how many rows it has. A stream that breaks is gone on with where it broke.

    Raises:
        grpc.aio.AioRpcError: the mesh refuses, or does not answer any more.
    """
    rows, tries = 0, 0
    while True:
        try:
            async for piece in _call(client, request):
                out.write(piece.data)
                rows, tries = rows + piece.rows, 0
                request.after = piece.position
                report(rows)
        except grpc.aio.AioRpcError as error:
            tries += 1
            if error.code() is not grpc.StatusCode.UNAVAILABLE or not request.after or tries == TRIES:
                raise
            await asyncio.sleep(PAUSE * tries)
        else:
            return rows


def _call(client: Client, request: Any) -> AsyncIterable[Any]:
    # No deadline: a file takes as long as it takes, and a connection that is gone is noticed.
    if isinstance(request, ExportCustomersRequest):
        return client.customers.ExportCustomers(request, metadata=client.metadata)
    return client.portfolio.ExportProducts(request, metadata=client.metadata)
