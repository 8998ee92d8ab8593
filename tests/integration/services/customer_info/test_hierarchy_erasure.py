"""Trees that are written while or after their customer is erased: on either side of it, and never behind it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from holdfast.customer_info.v1 import customers_pb2, privacy_pb2
from holdfast.customer_info.v1 import hierarchy_pb2 as pb
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from holdfast.customer_info.v1.privacy_pb2_grpc import PrivacyServiceStub

from chassis.errors import reason_of
from chassis.mongo.client import Store
from chassis.rules import Refused
from chassis.vault.vault import Vault
from services.customer_info.hierarchy.rules import Node, Placement, Tree
from services.customer_info.hierarchy.store import HierarchyStore
from services.customer_info.hierarchy.usecases import HierarchyUseCases, When
from services.customer_info.history.store import History
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.erasing import Rival, Watched
from tests.integration.services.customer_info.forester import Forester
from tests.integration.services.customer_info.forester import node as node_message
from tests.integration.services.customer_info.messages import person as person_message
from tests.support.service import Keys
from tests.unit.services.customer_info.builders import new_uuid, person
from tests.unit.services.customer_info.trees import node

NOW = When()


@dataclass(frozen=True)
class Grown:
    """A tree with a node at its top and one below it."""

    tree: Tree
    top: Placement
    low: Placement


class House:
    """A replica that still has the keys of its customers in memory, and another one that erases."""

    def __init__(self, store: Store, vault: Vault, other: Vault) -> None:
        sealed = (store, vault, History(store))
        self.store = store
        self.customers = Watched(*sealed)
        self.trees = HierarchyUseCases(HierarchyStore(*sealed), self.customers)
        elsewhere = (store, other, History(store))
        self.rival = Rival(elsewhere, HierarchyStore(*elsewhere), History(store))

    async def grown(self) -> Grown:
        owner = person()
        await self.customers.load([owner], [], [])
        tree = await self.trees.create(Tree("", owner.id, "Departments"), "", b"")
        top = node()
        tree, (head, low) = await self.trees.add(tree.id, [top, node("", top.id)], NOW, "", b"")
        return Grown(tree, head, low)


@pytest.fixture
def house(store: Store, vault: Vault, other_vault: Vault) -> House:
    return House(store, vault, other_vault)


async def personal(store: Store, *customer_ids: str) -> list[str]:
    """What of these customers' trees is sealed, now or in a former version."""
    theirs = {"customer_id": {"$in": customer_ids}}
    collections = [store.collection(f"hierarchy_{name}") for name in ("trees", "placements", "nodes")]
    kept = [d for c in collections for d in await c.find(theirs).to_list()]
    former = await store.collection("history").find({**theirs, "kind": {"$in": ["tree", "node"]}}).to_list()
    return [d["_id"] for d in [*kept, *(f["document"] for f in former)] if {"sealed", "name_token"} & d.keys()]


WRITES: dict[str, Callable[[HierarchyUseCases, Grown], Awaitable[Any]]] = {
    "a tree is made": lambda w, g: w.create(Tree("", g.tree.customer_id, "Jane Doe's flats"), "", b""),
    "a tree is renamed": lambda w, g: w.rename(g.tree.id, "Jane Doe's flats", ""),
    "a node is added": lambda w, g: w.add(g.tree.id, [Node(new_uuid(), "Jane Doe")], NOW, "", b""),
    "a node is changed": lambda w, g: w.update(g.tree.id, Node(g.low.node_id, "Jane Doe"), frozenset({"name"}), NOW),
    "a node is moved": lambda w, g: w.move(g.tree.id, g.low.node_id, "", NOW),
    "a node is ended": lambda w, g: w.end(g.tree.id, g.top.node_id, NOW),
}


@pytest.mark.parametrize("what", WRITES)
async def test_nothing_is_written_of_who_was_erased_while_a_replica_still_has_the_key(house: House, what: str) -> None:
    grown = await house.grown()
    await house.rival.erase(grown.tree.customer_id)
    with pytest.raises(Refused) as refused:
        await WRITES[what](house.trees, grown)
    assert refused.value.reason == "ERASED"
    assert await personal(house.store, grown.tree.customer_id) == []


@pytest.mark.parametrize("what", WRITES)
async def test_nothing_is_written_behind_an_erasure(house: House, what: str) -> None:
    grown = await house.grown()
    house.customers.then = lambda: house.rival.erase(grown.tree.customer_id)
    with pytest.raises(Refused) as refused:
        await WRITES[what](house.trees, grown)
    assert refused.value.reason == "ERASED"
    assert await personal(house.store, grown.tree.customer_id) == []


async def test_of_trees_that_grow_while_their_customers_are_erased_nothing_personal_is_left(
    channel: grpc.aio.Channel, agent: Metadata, keys: Keys, store: Store
) -> None:
    customers, privacy = CustomersServiceStub(channel), PrivacyServiceStub(channel)
    create = customers_pb2.CreateCustomerRequest(customer=person_message())
    made = [(await customers.CreateCustomer(create, metadata=agent)).customer.id for _ in range(8)]
    owners = [Forester(HierarchyServiceStub(channel), agent, customer_id) for customer_id in made]
    planted = [await owner.planted() for owner in owners]

    async def outcome(call: Awaitable[Any]) -> str:
        try:
            await call
        except grpc.aio.AioRpcError as refused:
            return reason_of(refused)
        return "done"

    def calls(owner: Forester, tree: pb.Tree) -> list[Awaitable[Any]]:
        asked = privacy_pb2.EraseCustomerRequest(customer_id=owner.customer_id, reason="asked")
        erase = privacy.EraseCustomer(asked, metadata=keys.metadata("admin"))
        writes = [
            owner.add(tree.id, node_message()),
            owner.planted(),
            owner.add(tree.id, node_message()),
            owner.planted(),
        ]
        return [*writes[:2], erase, *writes[2:]]

    every = [call for owner, tree in zip(owners, planted, strict=True) for call in calls(owner, tree)]
    assert set(await asyncio.gather(*map(outcome, every))) <= {"done", "ERASED"}
    assert await personal(store, *made) == []
