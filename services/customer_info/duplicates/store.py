"""Duplicates in MongoDB: the only file of this noun that knows it.

The blocking keys of a customer stand in its own record among its terms, each as a blind token (`CUSTOMERS`); pairs that
somebody knows to be two stand here.
"""

from collections.abc import Collection as Several
from collections.abc import Sequence

from chassis.call import subject
from chassis.mongo.client import Document, Store
from chassis.mongo.schema import Collection, Index
from chassis.times import now
from chassis.vault.vault import Vault
from services.customer_info.customers.documents import BLOCK, MERGED, all_readable
from services.customer_info.customers.rules import Customer
from services.customer_info.customers.store import CUSTOMERS, SHOWN

DISTINCT = Collection(
    "distinct_pairs",
    required={"by": "string", "time": "date"},
    optional={"customer_ids": "array"},
    indexes=[Index([("customer_ids", 1)], serves="the export of what is held on a customer")],
)


class DuplicateStore:
    """Candidates, and pairs that are none."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._customers = store.collection(CUSTOMERS.name)
        self._distinct = store.collection(DISTINCT.name)
        self._vault = vault

    async def sharing(self, keys: Several[str], most: int) -> list[Customer]:
        """Customers that share any of the blocking keys, at most `most`; one indexed read."""
        tokens = self._vault.shorts(BLOCK, keys)
        condition: Document = {"terms": {"$in": tokens}, "status": {"$ne": MERGED}}
        return await self._opened([d async for d in self._customers.find(condition, SHOWN).limit(most)])

    async def following(self, after: str, most: int) -> list[Customer]:
        """The customers after an id, in the order of ids, at most `most`; without those merged or erased."""
        condition: Document = {"_id": {"$gt": after}, "sealed": {"$exists": True}, "status": {"$ne": MERGED}}
        return await self._opened([d async for d in self._customers.find(condition, SHOWN).sort("_id", 1).limit(most)])

    async def distinct(self, customer_id: str, others: Sequence[str]) -> set[str]:
        """Those of the others that are known to be another customer than this one."""
        keys = {_pair(customer_id, other): other for other in others}
        return {keys[d["_id"]] async for d in self._distinct.find({"_id": {"$in": list(keys)}}, {"_id": 1})}

    async def part(self, customer_id: str, other_id: str) -> None:
        """Keeps that two records are two customers."""
        known = {
            "$setOnInsert": {"by": subject(), "time": now()},
            "$set": {"customer_ids": sorted((customer_id, other_id))},
        }
        await self._distinct.update_one({"_id": _pair(customer_id, other_id)}, known, upsert=True)

    async def _opened(self, documents: Sequence[Document]) -> list[Customer]:
        return await all_readable(documents, self._vault)


def _pair(one: str, other: str) -> str:
    return ":".join(sorted((one, other)))
