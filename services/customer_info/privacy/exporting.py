"""Everything that this service holds on a person, opened."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from chassis.exporting import Pages, Record
from chassis.rules import Refused, missing
from chassis.vault.joint import key_of
from chassis.vault.sealing import DataKey
from services.customer_info.customers.rules import Customer

Document = dict[str, Any]
# Reads a record as it is kept, with its customer's key.
Read = Callable[[Document, DataKey | None], Record]
# The records of one kind, of some customers, as they are kept.
Find = Callable[[Sequence[str]], AsyncIterator[list[Document]]]


class Customers(Protocol):
    """What the export asks of the store of customers."""

    async def get(self, customer_id: str) -> Customer | None: ...


class Members(Protocol):
    """What it asks of the lineage."""

    async def of(self, customer_id: str) -> tuple[str, ...]: ...


class Keys(Protocol):
    """What it asks of the vault."""

    async def keys(self, owners: Collection[str]) -> dict[str, DataKey]: ...


class Exporting:
    """Shows a person what is held on them."""

    def __init__(
        self, customers: Customers, lineage: Members, keys: Keys, kinds: Mapping[str, tuple[Find, Read]]
    ) -> None:
        """`kinds`: for each its records, and how one is read."""
        self._customers = customers
        self._lineage = lineage
        self._keys = keys
        self._kinds = kinds

    async def export(self, customer_id: str) -> Mapping[str, Pages]:
        """The records of each kind, under whatever of the person's ids they were written.

        Raises:
            NotFound: there is no such customer; Refused: the person was erased (ERASED), be it while it is read.
        """
        await self._check(customer_id)
        members = await self._lineage.of(customer_id)
        keys = await self._keys.keys(members)

        async def opened(find: Find, read: Read) -> Pages:
            async for documents in find(members):
                # A record that names no customer is one. What held the data of who is another one now, stays closed.
                yield [read(d, key_of(str(d.get("customer_id", d["_id"])), d, keys)) for d in documents]
            # Of who was erased meanwhile some records were read empty, and others not at all.
            await self._check(customer_id)

        return {name: opened(*kind) for name, kind in self._kinds.items()}

    async def _check(self, customer_id: str) -> None:
        customer = await self._customers.get(customer_id)
        if customer is None:
            raise missing("customer", customer_id)
        if customer.erase_time:
            metadata = {"type": "customer", "id": customer_id}
            raise Refused("the person was erased: nothing is held", reason="ERASED", metadata=metadata)
