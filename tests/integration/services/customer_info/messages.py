"""Customers and products as callers send them, and refusals as they get them."""

import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2
from holdfast.common.v1 import types_pb2
from holdfast.customer_info.v1 import customers_pb2, portfolio_pb2

from chassis.errors import DETAILS_TRAILER
from chassis.times import to_timestamp


def new_uuid() -> str:
    return str(uuid.uuid4())


def stamp(text: str) -> Timestamp:
    """`2025-03-01` as a message."""
    return to_timestamp(datetime.fromisoformat(text).replace(tzinfo=UTC))


def person(**changes: Any) -> customers_pb2.Customer:
    """A person with an email address of their own."""
    customer = customers_pb2.Customer(individual=customers_pb2.Individual(given_name="Ada", family_name="Example"))
    customer.contact_media.add(kind=customers_pb2.ContactMedium.KIND_EMAIL, value=f"{uuid.uuid4().hex}@example.com")
    customer.MergeFrom(customers_pb2.Customer(**changes))
    return customer


def company(**changes: Any) -> customers_pb2.Customer:
    """An organisation."""
    return customers_pb2.Customer(organization=customers_pb2.Organization(trading_name="Example Ltd"), **changes)


def product(customer_id: str, **changes: Any) -> portfolio_pb2.Product:
    """A product of this customer."""
    usual: dict[str, Any] = {
        "customer_id": customer_id,
        "family": "broadband",
        "name": "Fibre 250",
        "monthly_price": types_pb2.Money(currency_code="EUR", micros=29_850_000),
    }
    return portfolio_pb2.Product(**{**usual, **changes})


def entered(status: portfolio_pb2.ProductStatus.ValueType, day: str) -> portfolio_pb2.ProductStatusChange:
    """That a product entered this state at the begin of this day."""
    return portfolio_pb2.ProductStatusChange(status=status, time=stamp(day))


async def customer_batches(
    rows: Sequence[customers_pb2.Customer], size: int
) -> AsyncIterator[customers_pb2.ImportCustomersRequest]:
    """Rows as a stream of batches."""
    for n in range(0, len(rows), size):
        yield customers_pb2.ImportCustomersRequest(customers=rows[n : n + size])


async def product_batches(
    rows: Sequence[portfolio_pb2.Product], size: int
) -> AsyncIterator[portfolio_pb2.ImportProductsRequest]:
    """Rows as a stream of batches."""
    for n in range(0, len(rows), size):
        yield portfolio_pb2.ImportProductsRequest(products=rows[n : n + size])


def details(error: grpc.aio.AioRpcError) -> Iterable[Any]:
    """The packed details of a refusal."""
    trailers = dict(error.trailing_metadata() or ())
    found: Iterable[Any] = status_pb2.Status.FromString(trailers[DETAILS_TRAILER]).details
    return found


def bad_fields(error: grpc.aio.AioRpcError) -> list[str]:
    """The fields that a refusal names."""
    found = error_details_pb2.BadRequest()
    if not any(detail.Unpack(found) for detail in details(error)):
        raise AssertionError("the error names no field")
    return [violation.field for violation in found.field_violations]


def metadata_of(error: grpc.aio.AioRpcError) -> dict[str, str]:
    """What comes with the reason of a refusal."""
    found = error_details_pb2.ErrorInfo()
    if not any(detail.Unpack(found) for detail in details(error)):
        raise AssertionError("the error gives no reason")
    return dict(found.metadata)
