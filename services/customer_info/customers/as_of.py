"""Who had an id at a time, by the merges that were known then; also by those that were undone since."""

from collections.abc import Awaitable, Callable, Sequence
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
    asked: set[str] = set()
    wanted = set(customer_ids)
    while wanted:
        known |= await owners.many_as_of(list(wanted), at)
        asked |= wanted
        wanted = {c.merged_into for c in known.values() if c.merged_into} - asked

    async def read(customer_id: str) -> Customer | None:
        return known.get(customer_id)

    return {i: (await line(i, read))[-1] for i in customer_ids if i in known}


async def line(customer_id: str, read: Callable[[str], Awaitable[Customer | None]]) -> list[Customer]:
    """A record, and after it those that it was merged into, one into the next; `read` has all as of one time."""
    found: dict[str, Customer] = {}
    # Times of two replicas whose clocks differ may close a circle that was none.
    while customer_id and customer_id not in found and (then := await read(customer_id)):
        found[customer_id] = then
        customer_id = then.merged_into
    return list(found.values())
