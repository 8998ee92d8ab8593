"""What another replica does at the worst moment: it erases a customer whose keys this one still has in memory."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from chassis.lineage import Lineage
from chassis.mongo.client import Document, Store
from chassis.vault.vault import Vault
from services.customer_info.customers.rules import Customer
from services.customer_info.customers.standing_rules import Standing
from services.customer_info.customers.store import CustomerStore
from services.customer_info.history.store import History
from services.customer_info.privacy.store import ErasureStore
from services.customer_info.privacy.usecases import ErasureUseCases, Forgetful

T = TypeVar("T")


class Watched(CustomerStore):
    """Customers of which one is looked at, and then, before anything else happens, something is done."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.then: Callable[[], Awaitable[Any]] | None = None

    async def read(self, transaction: Any, customer_id: str) -> Customer | None:
        return await self._watched(await super().read(transaction, customer_id))

    async def standings(self, customer_ids: Sequence[str]) -> dict[str, Standing]:
        return await self._watched(await super().standings(customer_ids))

    async def _watched(self, found: T) -> T:
        then, self.then = self.then, None
        if then is not None:
            await then()
        return found


class Rival:
    """The other replica, with a vault of its own; `forgetful` are the stores that forget with the customers."""

    def __init__(self, sealed: tuple[Store, Vault, History], *forgetful: Forgetful) -> None:
        store, vault, _ = sealed
        customers = CustomerStore(*sealed)
        self._erasures = ErasureUseCases(ErasureStore(store), customers, Lineage(store), vault, [], large=forgetful)

    async def erase(self, customer_id: str) -> None:
        """Erases a customer, all that it was merged with, and all of what the stores hold of them."""
        await self._erasures.erase(customer_id, "", "asked")


async def left(store: Store, collection: str, customer: Customer) -> list[Document]:
    """The customer's records in a collection, as they are kept."""
    return [d async for d in store.collection(collection).find({"customer_id": customer.id})]
