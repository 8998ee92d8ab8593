"""Customers and products to try things on."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from services.customer_info.customers.import_rules import Row as CustomerRow
from services.customer_info.customers.rules import (
    ContactMedium,
    Customer,
    ExternalId,
    Individual,
    MediumKind,
    Money,
    Organization,
)
from services.customer_info.portfolio.import_rules import Row as ProductRow
from services.customer_info.portfolio.rules import Product, StatusChange
from services.customer_info.portfolio.rules import Status as ProductStatus

NOON = datetime(2026, 3, 14, 12, 0, 0, tzinfo=UTC)


def new_uuid() -> str:
    return str(uuid.uuid4())


def later(minutes: int = 1) -> datetime:
    return NOON + timedelta(minutes=minutes)


def person(**changes: Any) -> Customer:
    """A person as the record keeps one."""
    usual: dict[str, Any] = {
        "id": new_uuid(),
        "party": Individual("Ada", "Example"),
        "since": NOON,
        "create_time": NOON,
        "update_time": NOON,
    }
    return Customer(**{**usual, **changes})


def company(**changes: Any) -> Customer:
    """An organisation as the record keeps one."""
    return person(**{"party": Organization("Example Ltd"), **changes})


def email(value: str, **changes: Any) -> ContactMedium:
    return ContactMedium(MediumKind.EMAIL, value, **changes)


def phone(value: str, **changes: Any) -> ContactMedium:
    return ContactMedium(MediumKind.PHONE, value, **changes)


def social(value: str, **changes: Any) -> ContactMedium:
    return ContactMedium(MediumKind.SOCIAL, value, **changes)


def billing_id(value: str) -> ExternalId:
    return ExternalId("billing", value)


def product(customer_id: str = "", status: ProductStatus = ProductStatus.ACTIVE, **changes: Any) -> Product:
    """A product as the record keeps one."""
    usual: dict[str, Any] = {
        "id": new_uuid(),
        "customer_id": customer_id or new_uuid(),
        "family": "broadband",
        "name": "Fibre 250",
        "status": status,
        "monthly_price": Money("EUR", 29_850_000),
        "history": (StatusChange(status, NOON),),
        "update_time": NOON,
    }
    return Product(**{**usual, **changes})


def history(*statuses: ProductStatus) -> tuple[StatusChange, ...]:
    """States entered one hour after another, the last one an hour before noon."""
    first = NOON - timedelta(hours=len(statuses))
    return tuple(StatusChange(s, first + timedelta(hours=n)) for n, s in enumerate(statuses))


def customer_rows(*customers: Customer) -> list[CustomerRow]:
    return [CustomerRow(c) for c in customers]


def product_rows(*products: Product) -> list[ProductRow]:
    return [ProductRow(p) for p in products]
