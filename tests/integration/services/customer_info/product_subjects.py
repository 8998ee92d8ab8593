"""The store of products, as its contract suites are run against it."""

from typing import Any

from chassis.mongo.client import Store
from chassis.vault.vault import Vault
from services.customer_info.history.store import History
from services.customer_info.portfolio.ports import Products
from services.customer_info.portfolio.rules import Product
from services.customer_info.portfolio.store import ProductStore
from services.customer_info.portfolio.usecases import added_event
from tests.integration.services.customer_info.subjects import Subject, told_by_fake, told_by_outbox
from tests.support.fakes.portfolio import FakeProducts


def of_products(which: str, store: Store, vault: Vault) -> Subject[Any]:
    """The "fake" or the "real" store."""
    if which == "fake":
        fake = FakeProducts()
        return Subject(fake, told_by_fake(fake))
    return Subject(ProductStore(store, vault, History(store)), told_by_outbox(store))


async def keep(products: Products, *kept: Product) -> None:
    """Keeps products, each with its event."""
    await products.load(kept, [], [added_event(p) for p in kept])
