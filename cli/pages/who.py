"""Who is this?"""

from datetime import datetime

from holdfast.customer_info.v1.customers_pb2 import (
    ContactMedium,
    Customer,
    CustomerCategory,
    CustomerStatus,
    PaymentMethod,
)
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.pages.text import DASH, day, enum_words, moment, money, plain, span, words

STATUS_STYLE = {
    CustomerStatus.CUSTOMER_STATUS_ACTIVE: "green",
    CustomerStatus.CUSTOMER_STATUS_SUSPENDED: "yellow",
    CustomerStatus.CUSTOMER_STATUS_CLOSED: "red",
}


def body(customer: Customer, customer_id: str, now: datetime) -> RenderableType:
    """Name and standing in large, the rest as two columns of facts."""
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(ratio=1)
    grid.add_row("name", _headline(customer))
    grid.add_row("id", plain(customer_id))
    if customer.external_ids:
        known = (f"{plain(one.issuer)} {plain(one.value)}" for one in customer.external_ids)
        grid.add_row("known as", Text(" · ".join(known)))
    if customer.HasField("since"):
        length = span((now - moment(customer.since)).total_seconds())
        grid.add_row("customer since", f"{day(customer.since)} ({length})")
    if customer.parent_id:
        grid.add_row("belongs to", plain(customer.parent_id))
    grid.add_row("reached by", Text(" · ".join(map(_medium, customer.contact_media)) or DASH))
    grid.add_row("pays", Text(_payment(customer)))
    if customer.characteristics:
        shown = (f"{words(one.name)}: {plain(one.value)}" for one in customer.characteristics)
        grid.add_row("profile", Text(" · ".join(shown)))
    return grid


def name_of(customer: Customer) -> str:
    """What to call it; of who was erased nothing is left to call them by."""
    if customer.HasField("erase_time"):
        return "erased"
    if customer.WhichOneof("party") == "organization":
        return plain(customer.organization.trading_name)
    return plain(f"{customer.individual.given_name} {customer.individual.family_name}")


def _headline(customer: Customer) -> Text:
    kind = "organisation" if customer.WhichOneof("party") == "organization" else "person"
    status = enum_words(CustomerStatus.Name(customer.status), "CUSTOMER_STATUS_")
    category = enum_words(CustomerCategory.Name(customer.category), "CUSTOMER_CATEGORY_")
    return Text.assemble(
        (name_of(customer), "bold"),
        "  ",
        (status, STATUS_STYLE.get(customer.status, "")),
        (f" · {category} {kind}" if customer.category else f" · {kind}", "dim"),
        (f" · speaks {plain(customer.language)}" if customer.language else "", "dim"),
    )


def _medium(medium: ContactMedium) -> str:
    star = "*" if medium.preferred else ""
    return f"{enum_words(ContactMedium.Kind.Name(medium.kind), 'KIND_')} {plain(medium.value)}{star}"


def _payment(customer: Customer) -> str:
    parts = []
    if customer.billed.HasField("monthly"):
        parts.append(f"{money(customer.billed.monthly)} a month")
    if customer.billed.HasField("total"):
        parts.append(f"{money(customer.billed.total)} so far")
    if customer.billing.payment_method:
        parts.append(f"by {enum_words(PaymentMethod.Name(customer.billing.payment_method), 'PAYMENT_METHOD_')}")
    if customer.HasField("billing"):
        parts.append("paperless" if customer.billing.paperless else "on paper")
    return " · ".join(parts) or DASH
