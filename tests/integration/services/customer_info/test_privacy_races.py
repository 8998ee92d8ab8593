"""Records that are merged or parted while a person is erased: on either side of it, and nobody is erased by half."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from holdfast.customer_info.v1 import customers_pb2 as pb
from holdfast.customer_info.v1 import merges_pb2, privacy_pb2
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.merges_pb2_grpc import MergesServiceStub
from holdfast.customer_info.v1.privacy_pb2_grpc import PrivacyServiceStub

from chassis.errors import reason_of
from chassis.lineage import Lineage
from chassis.mongo.client import Store
from chassis.vault.vault import Vault
from services.customer_info.customers.rules import Customer
from services.customer_info.customers.store import CustomerStore
from services.customer_info.history.store import History
from services.customer_info.privacy.store import ErasureStore
from services.customer_info.privacy.usecases import ErasureUseCases
from tests.integration.services.customer_info.messages import person
from tests.support.service import Keys

Metadata = tuple[tuple[str, str], ...]
ROUNDS = range(-8, 8)
# Nobody's fault: too many were in each other's way.
BUSY = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED}


@dataclass
class Pair:
    """Two records, and what they are known by."""

    one: pb.Customer
    two: pb.Customer

    @property
    def ids(self) -> list[str]:
        return [self.one.id, self.two.id]

    @property
    def emails(self) -> list[str]:
        return [c.contact_media[0].value for c in (self.one, self.two)]


class Desk:
    """Somebody who may do all of it."""

    def __init__(self, channel: grpc.aio.Channel, lead: Metadata) -> None:
        self.customers, self.lead = CustomersServiceStub(channel), lead
        self.merges, self.privacy = MergesServiceStub(channel), PrivacyServiceStub(channel)

    async def create(self) -> pb.Customer:
        request = pb.CreateCustomerRequest(customer=person())
        return (await self.customers.CreateCustomer(request, metadata=self.lead)).customer

    async def pair(self) -> Pair:
        return Pair(await self.create(), await self.create())

    async def merge(self, survivor: pb.Customer, duplicate: pb.Customer) -> str:
        request = merges_pb2.MergeRequest(survivor_id=survivor.id, duplicate_id=duplicate.id)
        return await outcome(self.merges.Merge(request, metadata=self.lead))

    async def unmerge(self, duplicate: pb.Customer) -> str:
        return await outcome(
            self.merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=duplicate.id), metadata=self.lead)
        )

    async def erase(self, customer: pb.Customer) -> list[str]:
        """All ids that the person had."""
        request = privacy_pb2.EraseCustomerRequest(customer_id=customer.id, reason="asked")
        while True:
            try:
                return list((await self.privacy.EraseCustomer(request, metadata=self.lead)).member_ids)
            except grpc.aio.AioRpcError as error:
                if error.code() not in BUSY:
                    raise

    async def got(self, customer_id: str) -> pb.Customer:
        request = pb.GetCustomerRequest(customer_id=customer_id)
        return (await self.customers.GetCustomer(request, metadata=self.lead)).customer

    async def looked_up(self, email: str) -> str:
        return await outcome(self.customers.LookupCustomer(pb.LookupCustomerRequest(email=email), metadata=self.lead))


@pytest.fixture
def desk(channel: grpc.aio.Channel, keys: Keys) -> Desk:
    return Desk(channel, keys.metadata("supervisor"))


async def outcome(call: Awaitable[Any]) -> str:
    """The reason of a refusal; "" where there was none."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return str(reason_of(error))
    return ""


async def side_by_side(n: int, first: Awaitable[Any], second: Awaitable[Any]) -> tuple[Any, Any]:
    """What both answer: started together, each ahead of the other by a few turns of the loop in some of the rounds."""

    async def later(call: Awaitable[Any], turns: int) -> Any:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await call

    return await asyncio.gather(later(first, max(0, n) * 12), later(second, max(0, -n) * 12))


async def assert_erased(desk: Desk, store: Store, vault: Vault, *whom: pb.Customer) -> None:
    """Nothing of these people is readable, under whatever id, and nothing leads to them."""
    ids = [c.id for c in whom]
    emails = {c.contact_media[0].value for c in whom}
    for customer in whom:
        left = await desk.got(customer.id)
        assert left.HasField("erase_time")
        assert not left.contact_media
    assert await vault.keys(ids) == {}
    assert [await desk.looked_up(email) for email in emails] == ["NOT_FOUND"] * len(emails)
    theirs = {"$or": [{"_id": {"$in": ids}}, {"subject": {"$in": ids}}]}
    for collection in ("customers", "history"):
        async for kept in store.collection(collection).find(theirs):
            assert "sealed" not in {**kept, **kept.get("document", {})}, collection


@pytest.mark.parametrize("erased", ["the duplicate", "the survivor"])
async def test_a_merge_beside_an_erasure_comes_before_it_for_both_or_is_refused(
    desk: Desk, store: Store, vault: Vault, erased: str
) -> None:
    for n in ROUNDS:
        pair = await desk.pair()
        victim, other = (pair.two, pair.one) if erased == "the duplicate" else (pair.one, pair.two)
        refusal, members = await side_by_side(n, desk.merge(pair.one, pair.two), desk.erase(victim))
        if not refusal:
            assert members == pair.ids
            await assert_erased(desk, store, vault, pair.one, pair.two)
            continue
        assert refusal in ("ERASED", "UNAVAILABLE")
        assert members == [victim.id]
        await assert_erased(desk, store, vault, victim)
        left = await desk.got(other.id)
        assert [m.value for m in left.contact_media] == [other.contact_media[0].value]
        assert await desk.erase(other) == [other.id]


@pytest.mark.parametrize("erased", ["the duplicate", "the survivor"])
async def test_a_record_that_was_parted_before_an_erasure_is_not_erased_with_the_other(
    desk: Desk, store: Store, vault: Vault, erased: str
) -> None:
    for n in ROUNDS:
        pair = await desk.pair()
        assert await desk.merge(pair.one, pair.two) == ""
        victim, other = (pair.two, pair.one) if erased == "the duplicate" else (pair.one, pair.two)
        refusal, members = await side_by_side(n, desk.unmerge(pair.two), desk.erase(victim))
        if refusal:
            assert refusal in ("ERASED", "FAILED_PRECONDITION", "UNAVAILABLE")
            assert members == pair.ids
            await assert_erased(desk, store, vault, pair.one, pair.two)
            continue
        assert members == [victim.id]
        await assert_erased(desk, store, vault, victim)
        assert [m.value for m in (await desk.got(other.id)).contact_media] == [other.contact_media[0].value]


class Watched(CustomerStore):
    """Customers of which one is looked at, and then, before anything else happens, something is done."""

    then: Callable[[], Awaitable[Any]] | None = None

    async def read(self, transaction: Any, customer_id: str) -> Customer | None:
        found = await super().read(transaction, customer_id)
        then, self.then = self.then, None
        if then is not None:
            await then()
        return found


@pytest.fixture
def watched(store: Store, vault: Vault) -> Watched:
    return Watched(store, vault, History(store))


@pytest.fixture
def erasures(store: Store, vault: Vault, watched: Watched) -> ErasureUseCases:
    return ErasureUseCases(ErasureStore(store), watched, Lineage(store), vault, [], large=[History(store)])


async def test_an_erasure_looks_again_when_somebody_was_merged_after_its_first_look(
    desk: Desk, watched: Watched, erasures: ErasureUseCases, store: Store, vault: Vault
) -> None:
    pair = await desk.pair()
    watched.then = lambda: desk.merge(pair.one, pair.two)
    erasure = await erasures.erase(pair.two.id, "", "asked")
    assert list(erasure.members) == pair.ids
    await assert_erased(desk, store, vault, pair.one, pair.two)


async def test_an_erasure_looks_again_when_somebody_was_parted_after_its_first_look(
    desk: Desk, watched: Watched, erasures: ErasureUseCases, store: Store, vault: Vault
) -> None:
    pair = await desk.pair()
    assert await desk.merge(pair.one, pair.two) == ""
    watched.then = lambda: desk.unmerge(pair.two)
    erasure = await erasures.erase(pair.one.id, "", "asked")
    assert list(erasure.members) == [pair.one.id]
    await assert_erased(desk, store, vault, pair.one)
    assert [m.value for m in (await desk.got(pair.two.id)).contact_media] == [pair.two.contact_media[0].value]


async def test_a_record_that_was_merged_into_an_erased_one_can_be_erased(
    desk: Desk, store: Store, vault: Vault
) -> None:
    pair = await desk.pair()
    assert await desk.erase(pair.one) == [pair.one.id]
    # As an earlier version of this service left it.
    await store.collection("customers").update_one({"_id": pair.two.id}, {"$set": {"merged_into": pair.one.id}})
    for who in pair.ids:
        lineage = {"_id": who, "members": pair.ids, "update_time": pair.one.update_time.ToDatetime()}
        await store.collection("lineage").insert_one(lineage)
    assert await desk.erase(pair.two) == pair.ids
    assert await desk.erase(pair.one) == pair.ids
    await assert_erased(desk, store, vault, pair.one, pair.two)
    told = {"subject": pair.one.id, "type": "holdfast.customer_info.v1.CustomerErased"}
    assert await store.collection("outbox").count_documents(told) == 2
