"""Keeps a customer as it is while something is written of it.

A transaction reads a snapshot: a customer that was open when it was read may have been erased by the time the write is
there, and then something is left of who was erased. Whoever writes of a customer holds it in the same transaction.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from chassis.rules import erased, missing
from services.customer_info.customers.rules import Customer, check_open


class Owners(Protocol):
    """What is asked of the store of customers."""

    async def read(self, transaction: Any, customer_id: str) -> Customer | None: ...

    async def hold(self, transaction: Any, customer_ids: Sequence[str]) -> None: ...


class Lineage(Protocol):
    """Which ids are one customer."""

    async def read(self, transaction: Any, customer_id: str) -> tuple[str, ...]: ...


async def unerased_held(owners: Owners, transaction: Any, customer_id: str, field: str | None = None) -> Customer:
    """A customer whose record may have been merged by now, but is not erased, and will not be before the transaction
    ends: what came with a merged record goes on under its id.

    Raises:
        NotFound: there is none, and `field` named it; Refused: it was erased (ERASED).
    """
    customer = await owners.read(transaction, customer_id)
    if customer is None:
        raise missing("customer", customer_id, field)
    if customer.erase_time:
        raise erased(customer_id)
    await owners.hold(transaction, [customer_id])
    return customer


async def held(owners: Owners, transaction: Any, customer_id: str, field: str | None = None) -> Customer:
    """The same of a customer that is not merged either.

    Raises:
        NotFound: there is none, and `field` named it; Refused: it was merged (MERGED) or erased (ERASED).
    """
    customer = await unerased_held(owners, transaction, customer_id, field)
    check_open(customer, field)
    return customer


async def survivor_held(
    owners: Owners, lineage: Lineage, transaction: Any, customer_id: str
) -> tuple[Customer, tuple[str, ...]]:
    """The same of who has this id by now, whatever it was merged into, and all ids of that customer.

    Raises:
        NotFound: there is no such customer; Refused: it was erased (ERASED).
    """
    ids = await lineage.read(transaction, customer_id)
    return await held(owners, transaction, ids[0]), ids
