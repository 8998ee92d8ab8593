"""Whose an identifier is, whatever its kind (C6)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from chassis.rules import NotFound
from chassis.times import now
from services.customer_info.customers import looking_up_rules as rules
from services.customer_info.customers.rules import Customer
from services.customer_info.identifier_rules import ID, Key


@dataclass(frozen=True, slots=True)
class Holding:
    """A thing of a customer's that an identifier belongs to; `type` is "customer", "product" or "account"."""

    type: str
    id: str
    customer_id: str


CUSTOMER = "customer"
MOST_FOUND: Final = 64
"""Customers that are read of those who share an identifier: among them is who is meant, or nobody can tell."""
# The keys to look for, by the type of thing that they may belong to.
Wanted = Mapping[str, Sequence[Key]]


class Customers(Protocol):
    """What the look-up asks of the store of customers."""

    async def find(self, keys: Sequence[Key]) -> list[Customer]:
        """The customers that any of the keys belongs to, or did; at most `MOST_FOUND`."""


class Survivors(Protocol):
    """What it asks of the use cases of customers."""

    async def get(self, customer_id: str) -> Customer: ...


class Holders(Protocol):
    """A store of things of customers that have identifiers."""

    async def holders(self, keys: Sequence[Key]) -> list[Holding]:
        """The things that any of the keys belongs to, one a customer."""


class LookUp:
    """Asks every store that may know an identifier: all at once, each with one indexed read."""

    def __init__(self, customers: Customers, survivors: Survivors, holders: Mapping[str, Holders]) -> None:
        """`holders` are the other stores, by the type of their things."""
        self._customers = customers
        self._survivors = survivors
        self._holders = holders

    async def customer(self, wanted: Wanted) -> tuple[Customer, Holding]:
        """The one customer that the keys lead to now, and the thing of its that they belong to.

        Raises:
            NotFound: they lead to none. Refused: they lead to several, which it names (AMBIGUOUS).
        """
        keys = wanted.get(CUSTOMER, ())
        own = [key for key in keys if key[0] != ID]
        ids = [key[1] for key in keys if key[0] == ID]
        others = [self._holders[kind].holders(its) for kind, its in wanted.items() if kind != CUSTOMER]
        shared, themselves, held = await asyncio.gather(
            self._customers.find(own) if own else _nobody(),
            self._by_id(ids),
            asyncio.gather(*others),
        )
        at = now()
        found = [*themselves, *(customer for customer in shared if rules.leads(own, customer, at))]
        matched = [(customer, Holding(CUSTOMER, customer.id, customer.id)) for customer in found]
        # Things keep the id of the record under which they came, which may have a survivor.
        matched += [(await self._survivors.get(h.customer_id), h) for answer in held for h in answer]
        return _only(matched, more=len(shared) >= MOST_FOUND)

    async def _by_id(self, customer_ids: Sequence[str]) -> list[Customer]:
        found = []
        for customer_id in customer_ids:
            try:
                found.append(await self._survivors.get(customer_id))
            except NotFound:
                continue
        return found


def _only(matched: Sequence[tuple[Customer, Holding]], *, more: bool) -> tuple[Customer, Holding]:
    first: dict[str, tuple[Customer, Holding]] = {}
    for customer, holding in matched:
        # Whatever was being written while a person was erased: nothing leads to them any more.
        if not customer.erase_time:
            first.setdefault(customer.id, (customer, holding))
    meant = rules.meant([customer for customer, _ in first.values()])
    if not meant:
        raise NotFound("no customer answers to this identifier", metadata={"type": CUSTOMER})
    if len(meant) > 1 or more:
        raise rules.ambiguous([customer.id for customer in meant], more=more)
    return first[meant[0].id]


async def _nobody() -> list[Customer]:
    return []
