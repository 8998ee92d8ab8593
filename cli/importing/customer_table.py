"""A row of a CSV file of customers as a message; the columns are those that `holdfast export customers` writes."""

from collections.abc import Collection, Mapping
from typing import Final

from holdfast.customer_info.v1.customers_pb2 import (
    BilledTotals,
    BillingPreference,
    ContactMedium,
    Customer,
    CustomerCategory,
    CustomerStatus,
    ExternalId,
    Individual,
    Organization,
    PaymentMethod,
)

from chassis.cells import parted
from cli.importing.table_cells import CellError, characteristics, choice, money, pairs, time, valid, whole, yes

COLUMNS: Final = (
    "id", "status", "category", "given_name", "family_name", "trading_name", "registration_number", "email",
    "phone", "post", "social", "preferred", "external_ids", "parent_id", "since", "language", "payment_method",
    "paperless", "billed_monthly", "billed_total", "characteristics",
)  # fmt: skip
IGNORED: Final = ("create_time", "update_time")
"""Columns that say what the record says of itself: nobody can set it."""
KINDS: Final = ("email", "phone", "post", "social")
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "individual": ("given_name", "family_name"),
    "organization": ("trading_name", "registration_number"),
    "contact_media": (*KINDS, "preferred"),
    "billing": ("payment_method", "paperless"),
    "billed": ("billed_monthly", "billed_total"),
}
"""Fields of the contract that are told in several columns."""


def told(columns: Collection[str]) -> list[str]:
    """The fields, or parts of them, that a file with these columns tells of, as the contract names them."""
    parted = {column for its in FIELDS.values() for column in its}
    found = [column for column in COLUMNS if column in columns and column not in parted]
    for field, its in FIELDS.items():
        if all(column in columns for column in its):
            found.append(field)
        else:
            # Which address is preferred is told with its address.
            parts = (column.removeprefix(f"{field}_") for column in its if column in columns and column != "preferred")
            found.extend(f"{field}.{part}" for part in parts)
    return found


def customer(cells: Mapping[str, str]) -> Customer:
    """The customer of a row, by the names of its columns; an empty cell says nothing.

    Raises:
        CellError: a cell makes no sense.
    """
    said = {column: cell for column, cell in cells.items() if cell}
    made = Customer(id=said.get("id", ""), parent_id=said.get("parent_id", ""), language=said.get("language", ""))
    if "status" in said:
        made.status = CustomerStatus.Value(choice("status", said["status"], "CUSTOMER_STATUS_", CustomerStatus.keys()))
    if "category" in said:
        made.category = CustomerCategory.Value(
            choice("category", said["category"], "CUSTOMER_CATEGORY_", CustomerCategory.keys())
        )
    _party(made, said)
    made.contact_media.extend(_media(said))
    made.external_ids.extend(
        ExternalId(issuer=issuer, value=value)
        for issuer, value in pairs("external_ids", said.get("external_ids", ""), ":")
    )
    if "since" in said:
        made.since.CopyFrom(time("since", said["since"]))
    _paying(made, said)
    made.characteristics.extend(characteristics("characteristics", said.get("characteristics", "")))
    return made


def _party(made: Customer, said: Mapping[str, str]) -> None:
    person = {"given_name", "family_name"} & said.keys()
    company = {"trading_name", "registration_number"} & said.keys()
    if person and company:
        raise CellError(min(company), "a customer is a person or an organisation, not both")
    if company:
        made.organization.CopyFrom(
            Organization(
                trading_name=said.get("trading_name", ""), registration_number=said.get("registration_number", "")
            )
        )
    elif person:
        made.individual.CopyFrom(
            Individual(given_name=said.get("given_name", ""), family_name=said.get("family_name", ""))
        )


def _media(said: Mapping[str, str]) -> list[ContactMedium]:
    preferred = dict(_preferred(one) for one in parted(said.get("preferred", "")))
    found = []
    for kind in KINDS:
        for place, text in enumerate(parted(said.get(kind, "")), 1):
            value, period = valid(kind, text)
            medium = ContactMedium(kind=ContactMedium.Kind.Value(f"KIND_{kind.upper()}"), value=value, valid=period)
            medium.preferred = preferred.get(kind) == place
            found.append(medium)
    return found


def _preferred(text: str) -> tuple[str, int]:
    """A kind, and the place in its column of the address that is preferred."""
    kind, _, place = text.strip().partition(":")
    if kind not in KINDS:
        raise CellError("preferred", f"must be some of {', '.join(KINDS)}, such as email or email:2")
    return kind, whole("preferred", place) if place else 1


def _paying(made: Customer, said: Mapping[str, str]) -> None:
    if "payment_method" in said or "paperless" in said:
        made.billing.CopyFrom(BillingPreference(paperless=yes("paperless", said.get("paperless", "false"))))
    if "payment_method" in said:
        made.billing.payment_method = PaymentMethod.Value(
            choice("payment_method", said["payment_method"], "PAYMENT_METHOD_", PaymentMethod.keys())
        )
    billed = {
        name: money(f"billed_{name}", said[f"billed_{name}"])
        for name in ("monthly", "total")
        if f"billed_{name}" in said
    }
    if billed:
        made.billed.CopyFrom(BilledTotals(**billed))
