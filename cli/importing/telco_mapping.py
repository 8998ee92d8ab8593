"""From a row of the IBM telco file to the mesh's own messages."""

import calendar
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1.types_pb2 import Characteristic, Money
from holdfast.customer_info.v1.customers_pb2 import (
    BilledTotals,
    BillingPreference,
    Customer,
    CustomerCategory,
    CustomerStatus,
    ExternalId,
    PaymentMethod,
)
from holdfast.customer_info.v1.portfolio_pb2 import ContractTerm, Product, ProductStatus, ProductStatusChange
from holdfast.retention.v1.features_pb2 import Outcome

from cli.importing.telco_rows import TelcoRow

NAMESPACE: Final = uuid.UUID("6f0a5c4e-6f1e-5b0e-9d5b-7c1f3c0b1a55")
"""Ids are made of the file's ids in this namespace: the same row is the same customer for ever."""
ISSUER: Final = "telco"
CURRENCY: Final = "USD"
PAYMENTS: Final = {
    "Electronic check": PaymentMethod.PAYMENT_METHOD_ELECTRONIC_CHECK,
    "Mailed check": PaymentMethod.PAYMENT_METHOD_MAILED_CHECK,
    "Bank transfer (automatic)": PaymentMethod.PAYMENT_METHOD_BANK_TRANSFER,
    "Credit card (automatic)": PaymentMethod.PAYMENT_METHOD_CREDIT_CARD,
}
# The file knows the sum alone. These list prices, found by regression on it, are right within a dollar; what is left
# of the sum goes to the main product, so that the portfolio adds up to the cent.
ADDON_PRICE: Final = {
    "online_security": Decimal(5),
    "online_backup": Decimal(5),
    "device_protection": Decimal(5),
    "tech_support": Decimal(5),
    "streaming_tv": Decimal(10),
    "streaming_movies": Decimal(10),
}
VOICE_PRICE: Final = {False: Decimal(20), True: Decimal(25)}
ADDON_NAME: Final = {
    "online_security": "Online Security",
    "online_backup": "Online Backup",
    "device_protection": "Device Protection",
    "tech_support": "Tech Support",
    "streaming_tv": "Streaming TV",
    "streaming_movies": "Streaming Movies",
}


def customer_id(telco_id: str) -> str:
    """The mesh's id of a customer of the file."""
    return str(uuid.uuid5(NAMESPACE, telco_id))


def customer(row: TelcoRow, known: Customer | None, today: date) -> Customer:
    """The customer of a row. What the file does not tell stays as it is known.

    `since` is `tenure` months before today for a customer who is new, and what is known for one who is not: the same
    file on another day changes nothing.
    """
    record = Customer()
    if known is None:
        record.status = CustomerStatus.CUSTOMER_STATUS_ACTIVE
        record.category = CustomerCategory.CUSTOMER_CATEGORY_RETAIL
        record.individual.family_name = f"Telco {row.customer_id}"
    else:
        record.CopyFrom(known)
    record.id = customer_id(row.customer_id)
    if not record.HasField("since"):
        record.since.CopyFrom(_midnight(months_before(today, row.tenure)))
    if not any(one.issuer == ISSUER and one.value == row.customer_id for one in record.external_ids):
        record.external_ids.append(ExternalId(issuer=ISSUER, value=row.customer_id))
    record.billing.CopyFrom(BillingPreference(payment_method=PAYMENTS[row.payment], paperless=row.paperless))
    record.billed.CopyFrom(BilledTotals(monthly=_money(row.monthly), total=_money(row.total)))
    for name, value in (("senior", row.senior), ("partner", row.partner), ("dependents", row.dependents)):
        _characterise(record, name, "yes" if value else "no")
    return record


def products(row: TelcoRow, since: Timestamp) -> list[Product]:
    """What the customer of a row has, active since it came; together they cost what the file says."""
    parts = list(_parts(row))
    if not parts:
        return []
    main = next((place for place, part in enumerate(parts) if part[0] == "internet"), 0)
    prices = [price for _, _, _, price in parts]
    prices[main] = row.monthly - sum(price for place, price in enumerate(prices) if place != main)
    if prices[main] < 0:
        prices = [row.monthly if place == main else Decimal(0) for place in range(len(parts))]
    return [
        Product(
            id=str(uuid.uuid5(NAMESPACE, f"{row.customer_id}/{family}")),
            customer_id=customer_id(row.customer_id),
            family=family,
            name=name,
            status=ProductStatus.PRODUCT_STATUS_ACTIVE,
            monthly_price=_money(price),
            term=ContractTerm(months=row.term),
            characteristics=[Characteristic(name=key, value=value) for key, value in characteristics],
            history=[ProductStatusChange(status=ProductStatus.PRODUCT_STATUS_ACTIVE, time=since)],
        )
        for (family, name, characteristics, _), price in zip(parts, prices, strict=True)
    ]


def outcome(row: TelcoRow, since: Timestamp, today: date) -> Outcome:
    """Whether the customer of a row left, as of the file's snapshot: `tenure` months after it came."""
    came = datetime.fromtimestamp(since.seconds, UTC).date()
    observed = min(months_after(came, row.tenure), today)
    return Outcome(customer_id=customer_id(row.customer_id), churned=row.churned, observe_time=_midnight(observed))


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier; the last of the month where that month is shorter."""
    return months_after(day, -months)


def months_after(day: date, months: int) -> date:
    """The same day so many months later; the last of the month where that month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _parts(row: TelcoRow) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...], Decimal]]:
    if row.phone:
        lines = (("multiple_lines", "yes" if row.multiple_lines else "no"),)
        yield "voice", "Phone", lines, VOICE_PRICE[row.multiple_lines]
    if row.technology:
        name = "Internet DSL" if row.technology == "dsl" else "Internet Fiber"
        yield "internet", name, (("technology", row.technology),), Decimal(0)
    for family in row.addons:
        yield family, ADDON_NAME[family], (), ADDON_PRICE[family]


def _characterise(record: Customer, name: str, value: str) -> None:
    for one in record.characteristics:
        if one.name == name:
            one.value = value
            return
    record.characteristics.append(Characteristic(name=name, value=value))


def _money(amount: Decimal) -> Money:
    return Money(currency_code=CURRENCY, micros=int(amount * 1_000_000))


def _midnight(day: date) -> Timestamp:
    return Timestamp(seconds=int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()))
