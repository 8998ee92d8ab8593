"""Who had an id at a time, by the merges that were known then; also by those that were undone since."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.customer_info.customers.rules import Customer


class Owners(Protocol):
    """What is asked of the store of customers."""

    async def many_as_of(self, customer_ids: Sequence[str], at: datetime) -> dict[str, Customer]: ...


async def survivors_as_of(owners: Owners, customer_ids: Sequence[str], at: datetime) -> dict[str, Customer]:
    """The customers who had the ids at `at`, as they stood then, by id; an id that was nobody's yet is left out.

    All ids of such a customer are its own and its `sources`. It is one read for all, and one more for each merge that
    leads on from there.
    """
    known: dict[str, Customer] = {}
    read: set[str] = set()
    wanted = set(customer_ids)
    while wanted:
        known |= await owners.many_as_of(list(wanted), at)
        read |= wanted
        wanted = {c.merged_into for c in known.values() if c.merged_into} - read
    return {i: _survivor(known[i], known) for i in customer_ids if i in known}


def _survivor(customer: Customer, known: dict[str, Customer]) -> Customer:
    while customer.merged_into in known:
        customer = known[customer.merged_into]
    return customer
