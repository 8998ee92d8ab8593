"""Products that are written while their customer is erased: on either side of it, and never behind it."""

import asyncio
from dataclasses import replace
from functools import partial

import grpc
import pytest
from holdfast.customer_info.v1 import customers_pb2, portfolio_pb2, privacy_pb2
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.portfolio_pb2_grpc import PortfolioServiceStub
from holdfast.customer_info.v1.privacy_pb2_grpc import PrivacyServiceStub

from chassis.bulk import Outcome
from chassis.errors import reason_of
from chassis.lineage import Lineage
from chassis.mongo.client import Store
from chassis.rules import Refused
from chassis.vault.vault import Vault
from services.customer_info.accounts.store import AccountStore
from services.customer_info.catalogue.defaults import default_families
from services.customer_info.catalogue.rules import Characteristic, Family
from services.customer_info.catalogue.store import CatalogueStore
from services.customer_info.catalogue.usecases import CatalogueUseCases
from services.customer_info.customers.rules import Customer
from services.customer_info.hierarchy.store import HierarchyStore
from services.customer_info.history.store import History
from services.customer_info.portfolio.identifier_rules import ServiceIdentifier
from services.customer_info.portfolio.import_rules import Row
from services.customer_info.portfolio.rules import Status
from services.customer_info.portfolio.store import ProductStore
from services.customer_info.portfolio.usecases import PortfolioUseCases
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.erasing import Rival, Watched, left
from tests.integration.services.customer_info.messages import person as person_message
from tests.integration.services.customer_info.messages import product as product_message
from tests.support.service import Keys
from tests.unit.services.customer_info.builders import new_uuid, person, product


class House:
    """A replica that still has the keys of its customers in memory, and another one that erases."""

    def __init__(self, store: Store, vault: Vault, other: Vault) -> None:
        sealed = (store, vault, History(store))
        self.customers = Watched(*sealed)
        self.catalogue = CatalogueUseCases(CatalogueStore(store, History(store)))
        self.portfolio = PortfolioUseCases(
            ProductStore(*sealed),
            self.customers,
            catalogue=self.catalogue,
            trees=HierarchyStore(*sealed),
            accounts=AccountStore(*sealed),
            lineage=Lineage(store),
        )
        elsewhere = (store, other, History(store))
        self._rival = Rival(elsewhere, ProductStore(*elsewhere), History(store))
        self.left = partial(left, store, "products")

    async def owner(self) -> Customer:
        made = person()
        await self.customers.load([made], [], [])
        return made

    def erase_after_the_next_look(self, customer: Customer) -> None:
        self.customers.then = lambda: self._rival.erase(customer.id)


@pytest.fixture
async def house(store: Store, vault: Vault, other_vault: Vault) -> House:
    made = House(store, vault, other_vault)
    await made.catalogue.start(default_families())
    return made


def circuit() -> tuple[ServiceIdentifier, ...]:
    return (ServiceIdentifier("circuit", new_uuid()),)


async def test_a_product_is_not_added_behind_an_erasure(house: House) -> None:
    owner = await house.owner()
    house.erase_after_the_next_look(owner)
    with pytest.raises(Refused) as refused:
        await house.portfolio.add(product(owner.id, family="voice", identifiers=circuit()), "", b"")
    assert refused.value.reason == "ERASED"
    assert await house.left(owner) == []


async def test_an_identifier_is_not_written_behind_an_erasure(house: House) -> None:
    owner = await house.owner()
    there = await house.portfolio.add(product(owner.id, family="voice"), "", b"")
    house.erase_after_the_next_look(owner)
    wish = product(owner.id, id=there.id, identifiers=circuit())
    with pytest.raises(Refused) as refused:
        await house.portfolio.update(wish, frozenset({"identifiers"}), "")
    assert refused.value.reason == "ERASED"
    (left,) = await house.left(owner)
    assert not {"sealed", "lookup", "identifier_keys"} & left.keys()


async def test_what_no_family_lists_any_more_is_not_sealed_behind_an_erasure(house: House) -> None:
    owner = await house.owner()
    listed = Family(f"f{new_uuid()[:8]}", "Once", "voice", (Characteristic("contact"),), open=True)
    await house.catalogue.define(listed, "")
    wish = product(owner.id, family=listed.name, characteristics=(("contact", "Jane Doe"),))
    there = await house.portfolio.add(wish, "", b"")
    await house.catalogue.define(replace(listed, characteristics=()), "")
    house.erase_after_the_next_look(owner)
    after = await house.portfolio.change_status(there.id, Status.SUSPENDED, "")
    assert after.characteristics == ()
    (left,) = await house.left(owner)
    assert (left["status"], left["characteristics"], "sealed" in left) == ("suspended", [], False)


async def test_a_batch_leaves_nothing_of_who_is_erased_before_it_is_written(house: House) -> None:
    owner, other = await house.owner(), await house.owner()
    there = await house.portfolio.add(product(owner.id, family="voice"), "", b"")
    rows = [
        product(owner.id, family="voice", identifiers=circuit()),
        product(other.id, family="voice", identifiers=circuit()),
        product(owner.id, id=there.id, family="voice", identifiers=circuit()),
        product(owner.id, family="voice"),
    ]
    house.erase_after_the_next_look(owner)
    outcomes = await house.portfolio.load([Row(row) for row in rows])
    assert [getattr(o, "reason", o) for o in outcomes] == ["ERASED", Outcome.CREATED, "ERASED", "ERASED"]
    (left,) = await house.left(owner)
    assert left["_id"] == there.id
    assert not {"sealed", "lookup", "identifier_keys"} & left.keys()


async def test_of_many_products_that_are_added_while_their_customers_are_erased_nothing_personal_is_left(
    channel: grpc.aio.Channel, agent: Metadata, keys: Keys, store: Store
) -> None:
    customers, portfolio = CustomersServiceStub(channel), PortfolioServiceStub(channel)
    privacy, admin = PrivacyServiceStub(channel), keys.metadata("admin")
    create = customers_pb2.CreateCustomerRequest(customer=person_message())
    owners = [(await customers.CreateCustomer(create, metadata=agent)).customer.id for _ in range(12)]

    async def add(owner: str) -> str:
        wish = product_message(owner, family="voice")
        wish.identifiers.add(kind="circuit", value=new_uuid())
        try:
            await portfolio.AddProduct(portfolio_pb2.AddProductRequest(product=wish), metadata=agent)
        except grpc.aio.AioRpcError as refused:
            return reason_of(refused)
        return "added"

    async def erase(owner: str) -> str:
        asked = privacy_pb2.EraseCustomerRequest(customer_id=owner, reason="asked")
        await privacy.EraseCustomer(asked, metadata=admin)
        return "erased"

    calls = [call for owner in owners for call in (add(owner), add(owner), erase(owner), add(owner), add(owner))]
    assert set(await asyncio.gather(*calls)) <= {"added", "erased", "ERASED"}
    found = store.collection("products").find({"customer_id": {"$in": owners}})
    assert [d["_id"] async for d in found if {"sealed", "lookup", "identifier_keys"} & d.keys()] == []
