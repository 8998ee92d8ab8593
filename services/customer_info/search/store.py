"""Search terms in MongoDB: the only file of this noun that knows it.

The terms of a customer stand in its own record, each as a blind token, and are indexed beside it (`CUSTOMERS`).
"""

from collections.abc import Collection, Iterable

from chassis.mongo.client import Document, Store
from chassis.vault.vault import Vault
from services.customer_info.customers.documents import MERGED, TERM, all_readable
from services.customer_info.customers.rules import Customer, Status
from services.customer_info.customers.store import CUSTOMERS, SHOWN


class SearchStore:
    """Customers by the terms they are found under."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._customers = store.collection(CUSTOMERS.name)
        self._vault = vault

    async def holding(
        self, terms: Collection[str], most: int, *, within: Iterable[Collection[str]] = (), include_archived: bool
    ) -> list[Customer]:
        """Customers that hold any of the terms, and any of each of `within`; at most `most`, by one indexed read."""
        hidden = [MERGED] if include_archived else [MERGED, Status.ARCHIVED.value]
        condition: Document = {"terms": {"$in": self._tokens(terms)}, "status": {"$nin": hidden}}
        if also := [{"terms": {"$in": self._tokens(some)}} for some in within]:
            condition["$and"] = also
        documents = [d async for d in self._customers.find(condition, SHOWN).limit(most)]
        return await all_readable(documents, self._vault)

    def _tokens(self, terms: Iterable[str]) -> list[int]:
        return self._vault.shorts(TERM, terms)
