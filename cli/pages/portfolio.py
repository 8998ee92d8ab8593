"""What do they have?"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from holdfast.customer_info.v1.portfolio_pb2 import GetPortfolioResponse, Product, ProductStatus
from rich.console import Group, RenderableType
from rich.text import Text

from cli.pages.frame import columns
from cli.pages.text import DASH, day, enum_words, moment, money, plain, words

MOST: Final = 30
STATUS_STYLE: Final = {
    ProductStatus.PRODUCT_STATUS_ACTIVE: "green",
    ProductStatus.PRODUCT_STATUS_CEASED: "bright_black",
}


def body(portfolio: GetPortfolioResponse, now: datetime) -> RenderableType:
    """A row a product, and what they cost together."""
    if not portfolio.products:
        return Text("No product.")
    table = columns(
        "product", "what", "state", "contract", "known by", "a month", right=("a month",), flexible="known by"
    )
    for product in portfolio.products[:MOST]:
        status = enum_words(ProductStatus.Name(product.status), "PRODUCT_STATUS_")
        table.add_row(
            Text(plain(product.name)),
            Text(words(product.family)),
            Text(status, style=STATUS_STYLE.get(product.status, "yellow")),
            Text(_contract(product, now)),
            Text(", ".join(plain(one.value) for one in product.identifiers) or DASH),
            Text(money(product.monthly_price) if product.HasField("monthly_price") else DASH),
        )
    more = len(portfolio.products) - MOST
    total = Text.assemble(
        (f"and {more} more   " if more > 0 else "", "dim"),
        ("together ", "dim"),
        (" + ".join(map(money, portfolio.monthly_total)) or DASH, "bold"),
        (" a month", "dim"),
    )
    return Group(table, total)


def names(portfolio: GetPortfolioResponse) -> Mapping[str, str]:
    """The name of each product by its id."""
    return {product.id: plain(product.name) for product in portfolio.products}


def _contract(product: Product, now: datetime) -> str:
    if not product.term.months:
        return "monthly"
    end = product.term.commitment.end
    if not product.term.commitment.HasField("end"):
        return f"{product.term.months} months"
    return f"{product.term.months} months, {'until' if moment(end) >= now else 'ended'} {day(end)}"
