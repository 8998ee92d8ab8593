"""The use cases of products around one customer, on stores in memory."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chassis.bulk import Outcome
from chassis.rules import Refusal
from services.customer_info.accounts.rules import Account
from services.customer_info.catalogue.rules import Family, Identifier
from services.customer_info.catalogue.usecases import CatalogueUseCases
from services.customer_info.hierarchy.rules import Placement
from services.customer_info.portfolio.identifier_rules import ServiceIdentifier
from services.customer_info.portfolio.rules import Product
from services.customer_info.portfolio.usecases import PortfolioUseCases
from tests.support.fakes.accounts import FakeAccounts
from tests.support.fakes.catalogue import FakeCatalogue
from tests.support.fakes.customers import FakeCustomers
from tests.support.fakes.hierarchy import FakeHierarchy
from tests.support.fakes.lineage import FakeLineage
from tests.support.fakes.portfolio import FakeProducts
from tests.unit.services.customer_info.builders import NOON, person

OWNER = person()
FAMILIES = [
    *(Family(name, name, name, open=True, update_time=NOON) for name in ("broadband", "mobile", "voice")),
    Family("leased_line", "Leased line", "broadband", identifiers=(Identifier("circuit", required=True),)),
]
CIRCUIT = (ServiceIdentifier("circuit", "CIR-1"),)


def usecases(
    *products: Product,
    places: Sequence[Placement] = (),
    payers: Sequence[Account] = (),
    lineage: tuple[str, ...] = (),
    owners: FakeCustomers | None = None,
    **changes: Any,
) -> tuple[PortfolioUseCases, FakeProducts]:
    store, catalogue = FakeProducts(*products), CatalogueUseCases(FakeCatalogue(*FAMILIES))
    owners = owners or FakeCustomers(replace(OWNER, **changes))
    trees, used = FakeHierarchy(*places), FakeAccounts(*payers)
    made = PortfolioUseCases(
        store, owners, catalogue=catalogue, trees=trees, accounts=used, lineage=FakeLineage(lineage)
    )
    return made, store


def told(outcomes: Sequence[Outcome | Refusal]) -> list[str]:
    """Each outcome by its name, each refusal by its reason and field."""
    return [o.value if isinstance(o, Outcome) else f"{o.reason} {o.field}" for o in outcomes]
