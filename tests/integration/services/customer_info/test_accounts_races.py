"""Requests about accounts that come, or are decided, while their customer is erased: nothing is written behind it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chassis.lineage import Lineage
from chassis.mongo.client import Store
from chassis.rules import Refused
from chassis.vault.vault import Vault
from services.customer_info.accounts.request_rules import Request
from services.customer_info.accounts.rules import Account, Content, Kind
from services.customer_info.accounts.store import AccountStore
from services.customer_info.accounts.usecases import AccountUseCases
from services.customer_info.customers.rules import Customer
from services.customer_info.hierarchy.store import HierarchyStore
from services.customer_info.history.store import History
from services.customer_info.portfolio.store import ProductStore
from tests.integration.services.customer_info.erasing import Rival, Watched
from tests.unit.services.customer_info.account_builders import AGENT, SUPERVISOR, set_up_wish
from tests.unit.services.customer_info.builders import new_uuid, person

Step = Callable[["Office", Request], Awaitable[Any]]


class Office:
    """A replica that still has the keys of its customers in memory, and another one that erases."""

    def __init__(self, store: Store, vault: Vault, other: Vault) -> None:
        sealed, elsewhere = (store, vault, History(store)), (store, other, History(store))
        self.store = store
        self.customers = Watched(*sealed)
        self.accounts = AccountUseCases(
            AccountStore(*sealed),
            self.customers,
            nodes=HierarchyStore(*sealed),
            products=ProductStore(*sealed),
            lineage=Lineage(store),
        )
        self._rival = Rival(elsewhere, AccountStore(*elsewhere), History(store))

    async def owner(self) -> Customer:
        made = person()
        await self.customers.load([made], [], [])
        return made

    def erase_after_the_next_look(self, customer_id: str) -> None:
        self.customers.then = lambda: self._rival.erase(customer_id)

    async def asked(self, customer_id: str, parent: Account | None = None) -> Request:
        content = Content("Ada's books", new_uuid(), "EUR", parent_id=parent.id if parent else "")
        kind = Kind.COST_CENTRE if parent else Kind.BILLING_ACCOUNT
        return await self.accounts.ask(set_up_wish(customer_id, content, kind, reason="for Ada"), AGENT, "", b"")

    async def opened(self, customer_id: str) -> Account:
        """A billing account in use."""
        return (await approve(self, await self.asked(customer_id)))[1]

    async def merged(self, *customers: Customer) -> None:
        """Makes these one customer, as far as anybody reads."""

        async def work(transaction: Any) -> None:
            await Lineage(self.store).put(transaction, [[c.id for c in customers]])

        await self.store.transact(work)

    async def left(self, *customer_ids: str) -> list[dict[str, Any]]:
        """What is sealed of these customers' accounts and requests, and was before."""
        whose = {"customer_id": {"$in": list(customer_ids)}}
        found = [d async for d in self.store.collection("history").find(whose)]
        for name in ("accounts", "account_requests"):
            found += [d async for d in self.store.collection(name).find(whose)]
        return [d for d in found if "sealed" in {**d, **d.get("document", {})}]

    async def waiting(self, customer_id: str) -> int:
        waiting = {"customer_id": customer_id, "status": "asked"}
        return int(await self.store.collection("account_requests").count_documents(waiting))


async def approve(office: Office, request: Request) -> tuple[Request, Account]:
    return await office.accounts.approve(request.customer_id, request.id, "", "Ada said so", SUPERVISOR)


async def reject(office: Office, request: Request) -> Request:
    return await office.accounts.reject(request.customer_id, request.id, "", "Ada said no", SUPERVISOR)


async def withdraw(office: Office, request: Request) -> Request:
    return await office.accounts.withdraw(request.customer_id, request.id, "", "Ada changed her mind", AGENT)


@pytest.fixture
def office(store: Store, vault: Vault, other_vault: Vault) -> Office:
    return Office(store, vault, other_vault)


async def test_nothing_is_asked_behind_an_erasure(office: Office) -> None:
    owner = await office.owner()
    office.erase_after_the_next_look(owner.id)
    with pytest.raises(Refused) as refused:
        await office.asked(owner.id)
    assert refused.value.reason == "ERASED"
    assert (await office.left(owner.id), await office.waiting(owner.id)) == ([], 0)


async def test_nothing_is_asked_behind_an_erasure_about_what_came_with_a_merge(office: Office) -> None:
    owner, other = await office.owner(), await office.owner()
    parent = await office.opened(other.id)
    await office.merged(owner, other)
    office.erase_after_the_next_look(other.id)
    with pytest.raises(Refused) as refused:
        await office.asked(owner.id, parent)
    assert refused.value.reason == "ERASED"
    assert (await office.left(owner.id, other.id), await office.waiting(other.id)) == ([], 0)


@pytest.mark.parametrize("decide", [approve, reject, withdraw])
async def test_nothing_is_decided_behind_an_erasure(office: Office, decide: Step) -> None:
    owner = await office.owner()
    request = await office.asked(owner.id)
    office.erase_after_the_next_look(owner.id)
    with pytest.raises(Refused) as refused:
        await decide(office, request)
    assert refused.value.reason == "ERASED"
    assert (await office.left(owner.id), await office.waiting(owner.id)) == ([], 0)
