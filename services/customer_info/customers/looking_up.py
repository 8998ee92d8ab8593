"""Whose an identifier is, whatever its kind (C6)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chassis.rules import NotFound
from services.customer_info.customers.rules import Customer
from services.customer_info.identifier_rules import Key


@dataclass(frozen=True, slots=True)
class Holding:
    """A thing of a customer's that an identifier belongs to; `type` is "customer", "product" or "account"."""

    type: str
    id: str
    customer_id: str


CUSTOMER = "customer"
# The keys to look for, by the type of thing that they may belong to.
Wanted = Mapping[str, Sequence[Key]]


class Customers(Protocol):
    """What the look-up asks of the store of customers."""

    async def find(self, keys: Sequence[Key]) -> list[Customer]: ...


class Survivors(Protocol):
    """What it asks of the use cases of customers."""

    async def get(self, customer_id: str) -> Customer: ...


class Holders(Protocol):
    """A store of things of customers that have identifiers."""

    async def holders(self, keys: Sequence[Key]) -> list[Holding]:
        """The things that any of the keys belongs to, at most two."""


class LookUp:
    """Asks every store that may know an identifier: all at once, each with one indexed read."""

    def __init__(self, customers: Customers, survivors: Survivors, holders: Mapping[str, Holders]) -> None:
        """`holders` are the other stores, by the type of their things."""
        self._customers = customers
        self._survivors = survivors
        self._holders = holders

    async def customer(self, wanted: Wanted) -> tuple[Customer, Holding]:
        """The one customer that the keys lead to, and the thing of its that they belong to.

        Raises:
            NotFound: they lead to none, or to more than one.
        """
        others = [self._holders[kind].holders(keys) for kind, keys in wanted.items() if kind != CUSTOMER]
        own = self._customers.find(wanted[CUSTOMER]) if CUSTOMER in wanted else _nobody()
        customers, held = await asyncio.gather(own, asyncio.gather(*others))
        # Things keep the id of the record under which they came, which may have a survivor.
        theirs = [(await self._survivors.get(h.customer_id), h) for answer in held for h in answer]
        found = [*((c, Holding(CUSTOMER, c.id, c.id)) for c in customers), *theirs]
        # Whatever was being written while a person was erased: nothing leads to them any more.
        found = [(customer, holding) for customer, holding in found if not customer.erase_time]
        if len({customer.id for customer, _ in found}) != 1:
            several = "several customers answer" if found else "no customer answers"
            raise NotFound(f"{several} to this identifier", metadata={"type": CUSTOMER})
        return found[0]


async def _nobody() -> list[Customer]:
    return []
