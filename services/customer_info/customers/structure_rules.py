"""The legal structure of customers: who is above whom. Pure."""

from collections.abc import Iterable

from chassis.rules import Invalid
from services.customer_info.customers.rules import Customer, Individual

# A legal structure deeper than this is a mistake in the data; it also bounds the walks through it.
DEEPEST = 32


def check_parents(customer: Customer, chain: Iterable[Customer], height: int = 0) -> None:
    """Passes when `chain`, the parents of `customer` from the nearest up, makes sense.

    `height` is how many levels there are below the customer.

    Raises:
        Invalid: the nearest is a person, the customer is among them, or the levels are more than 32.
    """
    for depth, parent in enumerate(chain, 1):
        if isinstance(parent.party, Individual) and depth == 1:
            raise Invalid("a parent must be an organization", field="customer.parent_id")
        if parent.id == customer.id:
            raise Invalid("the customer would be above itself", field="customer.parent_id")
        if depth + height >= DEEPEST:
            raise Invalid(f"the structure would be deeper than {DEEPEST} levels", field="customer.parent_id")
