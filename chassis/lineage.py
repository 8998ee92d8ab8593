"""Lineage: which records turned out to be one customer.

Records keep, for ever, the customer id under which they were written. A merge says only that two ids are one customer,
and an un-merge that they are not: nothing is moved, so nothing has to be moved back, and whatever was written meanwhile
is with the right record again. Customer information decides; the other services follow its events, each in a small
collection of its own, and resolve the ids when they read.
"""

from collections.abc import Sequence

from chassis.coalesce import Coalescer
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.schema import Collection
from chassis.times import now

LINEAGE = Collection("lineage", required={"members": "array", "update_time": "date"})
# More duplicates of one customer than this is a mistake in the data; it also bounds what a read asks for.
MOST_MEMBERS = 64


class Lineage:
    """The groups of ids that are one customer. Nobody who is one alone has a record here."""

    def __init__(self, store: Store) -> None:
        self._lineage = store.collection(LINEAGE.name)
        self._reads: Coalescer[str, tuple[str, ...]] = Coalescer(self._read)

    async def of(self, customer_id: str) -> tuple[str, ...]:
        """All ids of the customer who has this one, the survivor's first; reads that come together share a trip."""
        return await self._reads.submit(customer_id)

    async def of_many(self, customer_ids: Sequence[str], transaction: Transaction = None) -> dict[str, tuple[str, ...]]:
        """The same for many at once, as a transaction sees it where there is one."""
        wanted = list(dict.fromkeys(customer_ids))
        found = self._lineage.find({"_id": {"$in": wanted}}, {"members": 1}, session=transaction)
        known = {d["_id"]: tuple(d["members"]) async for d in found}
        return {customer_id: known.get(customer_id, (customer_id,)) for customer_id in wanted}

    async def read(self, transaction: Transaction, customer_id: str) -> tuple[str, ...]:
        """The ids of one customer, as a transaction sees them."""
        return (await self.of_many([customer_id], transaction))[customer_id]

    async def put(self, transaction: Transaction, groups: Sequence[Sequence[str]]) -> None:
        """Puts ids into the groups, in each the survivor first; who is left alone in one is on its own again."""
        stamp = now()
        everyone = [member for group in groups for member in group]
        await self._lineage.delete_many({"_id": {"$in": everyone}}, session=transaction)
        documents: list[Document] = [
            {"_id": member, "members": list(group), "update_time": stamp}
            for group in groups
            if len(group) > 1
            for member in group
        ]
        if documents:
            await self._lineage.insert_many(documents, session=transaction)

    async def _read(self, customer_ids: Sequence[str]) -> list[tuple[str, ...]]:
        if len(customer_ids) == 1:
            found = await self._lineage.find_one({"_id": customer_ids[0]})
            return [tuple(found["members"]) if found else (customer_ids[0],)]
        known = await self.of_many(customer_ids)
        return [known[customer_id] for customer_id in customer_ids]
