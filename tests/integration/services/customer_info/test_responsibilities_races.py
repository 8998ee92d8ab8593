"""Responsibilities that are given while their enterprise is erased or parted: never behind it."""

import pytest

from chassis.lineage import Lineage
from chassis.mongo.client import Store
from chassis.rules import Refused
from chassis.vault.vault import Vault
from services.customer_info.customers.rules import Customer
from services.customer_info.hierarchy.rules import Placement
from services.customer_info.hierarchy.store import HierarchyStore
from services.customer_info.history.store import History
from services.customer_info.responsibilities.rules import Assignment, Wish
from services.customer_info.responsibilities.store import ResponsibilityStore
from services.customer_info.responsibilities.usecases import ResponsibilityUseCases
from tests.integration.services.customer_info.erasing import Rival, Watched, left
from tests.unit.services.customer_info.builders import NOON, company, new_uuid
from tests.unit.services.customer_info.responsibility_builders import PAT, duty
from tests.unit.services.customer_info.trees import placement, tree


class Office:
    """A replica that still has the keys of its customers in memory, and another one that erases."""

    def __init__(self, store: Store, vault: Vault, other: Vault) -> None:
        sealed, elsewhere = (store, vault, History(store)), (store, other, History(store))
        self.store = store
        self.customers = Watched(*sealed)
        self.trees = HierarchyStore(*sealed)
        self.assignments = ResponsibilityStore(*sealed)
        self.duties = ResponsibilityUseCases(self.assignments, self.customers, self.trees, Lineage(store))
        self.rival = Rival(elsewhere, ResponsibilityStore(*elsewhere), History(store))

    async def place(self) -> tuple[Customer, Placement]:
        """An enterprise, and the top of its tree."""
        owner = company()
        grown = tree(owner.id)
        top = placement(grown, new_uuid())
        await self.customers.load([owner], [], [])
        await self.assignments.add_missing([duty("gardener")])

        async def work(transaction: object) -> None:
            await self.trees.insert_tree(transaction, grown)
            await self.trees.change(transaction, [], [top], NOON)

        await self.trees.transact(work)
        return owner, top

    async def assign(self, place: Placement) -> Assignment:
        return await self.duties.assign(Wish(place.customer_id, place.node_id, "gardener", contact=PAT), "", b"")


@pytest.fixture
def office(store: Store, vault: Vault, other_vault: Vault) -> Office:
    return Office(store, vault, other_vault)


async def test_a_responsibility_is_not_given_behind_an_erasure(office: Office) -> None:
    owner, top = await office.place()
    office.customers.then = lambda: office.rival.erase(owner.id)
    with pytest.raises(Refused) as refused:
        await office.assign(top)
    assert refused.value.reason == "ERASED"
    assert await left(office.store, "responsibility_assignments", owner) == []


async def test_an_assignment_does_not_end_behind_an_erasure(office: Office) -> None:
    owner, top = await office.place()
    made = await office.assign(top)
    office.customers.then = lambda: office.rival.erase(owner.id)
    with pytest.raises(Refused) as refused:
        await office.duties.end(owner.id, made.id, None, "")
    assert refused.value.reason == "ERASED"
    (kept,) = await left(office.store, "responsibility_assignments", owner)
    assert "sealed" not in kept
