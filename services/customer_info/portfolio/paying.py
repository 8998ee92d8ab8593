"""Who may be billed for what a customer has: the customer itself, and whoever is above it in the legal structure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from chassis.rules import NotFound
from services.customer_info.customers.structure_rules import DEEPEST
from services.customer_info.portfolio.ports import Lineage, Owners
from services.customer_info.portfolio.rules import Product


@dataclass(frozen=True, slots=True)
class Payers:
    """Whose the accounts are that are in use, by id; and whose accounts may pay for whom besides its own."""

    owners: Mapping[str, str]
    above: Mapping[str, Collection[str]]

    def check(self, product: Product) -> None:
        """Passes when the account that is billed is in use, and the customer's or of somebody above it.

        Raises:
            NotFound: it is closed, anybody else's, or there is none.
        """
        if not product.account_id:
            return
        owner, customer_id = self.owners.get(product.account_id), product.customer_id
        if owner is None or (owner != customer_id and owner not in self.above.get(customer_id, ())):
            raise NotFound(
                "neither the customer nor anybody above it in the legal structure has such an account in use",
                field="product.account_id",
                metadata={"type": "account", "id": product.account_id},
            )


async def payers(customers: Owners, lineage: Lineage, owners: Mapping[str, str], products: Iterable[Product]) -> Payers:
    """Who may pay for these products, of those whose the accounts in use are (`owners`).

    Nearly all pay by themselves: only for the others the structure is read, a level of all of them at a time.
    """
    others = {p.customer_id for p in products if owners.get(p.account_id, p.customer_id) != p.customer_id}
    return Payers(owners, await _above(customers, lineage, others))


async def _above(customers: Owners, lineage: Lineage, customer_ids: Collection[str]) -> dict[str, set[str]]:
    """All ids of each of the customers, and of those above it."""
    found: dict[str, set[str]] = {customer_id: set() for customer_id in customer_ids}
    level = {customer_id: customer_id for customer_id in customer_ids}
    for _ in range(DEEPEST + 1):
        if not level:
            break
        members = await lineage.of_many(list(level.values()))
        for customer_id, there in level.items():
            found[customer_id].update(members[there])
        # Who was merged into another one stands where the survivor does.
        standings = await customers.standings(list({members[there][0] for there in level.values()}))
        standing = {customer_id: standings.get(members[there][0]) for customer_id, there in level.items()}
        parents = {customer_id: one.parent_id for customer_id, one in standing.items() if one and one.parent_id}
        level = {customer_id: parent for customer_id, parent in parents.items() if parent not in found[customer_id]}
    return found
