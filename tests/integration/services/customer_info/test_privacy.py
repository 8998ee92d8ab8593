"""Privacy over the wire: nothing personal in plain, everything shown to who asks, nothing left of who is erased."""

import asyncio
import dataclasses
from dataclasses import replace
from datetime import timedelta
from typing import Any

import bson
import grpc
import pytest
from google.protobuf import json_format
from holdfast.customer_info.v1 import customers_pb2 as pb
from holdfast.customer_info.v1 import history_pb2, merges_pb2, portfolio_pb2, privacy_pb2, search_pb2
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.history_pb2_grpc import HistoryServiceStub
from holdfast.customer_info.v1.merges_pb2_grpc import MergesServiceStub
from holdfast.customer_info.v1.portfolio_pb2_grpc import PortfolioServiceStub
from holdfast.customer_info.v1.privacy_pb2_grpc import PrivacyServiceStub
from holdfast.customer_info.v1.search_pb2_grpc import SearchServiceStub

from chassis.errors import reason_of
from chassis.lineage import Lineage
from chassis.mongo.client import Store
from chassis.mongo.parts import AT_ONCE
from chassis.times import now
from chassis.vault.sealing import SealError
from chassis.vault.vault import Vault
from services.customer_info.customers.store import CustomerStore
from services.customer_info.duplicates.store import DuplicateStore
from services.customer_info.history.store import History
from services.customer_info.privacy.rules import Erasure
from services.customer_info.privacy.store import ErasureStore
from services.customer_info.privacy.usecases import LEFT_BEHIND, ErasureUseCases
from services.customer_info.verification.lock_rules import Lock, Whose
from services.customer_info.verification.rules import Challenge, FactorKind, Passed, Verification
from services.customer_info.verification.store import VerificationStore
from tests.integration.services.customer_info.messages import new_uuid, product
from tests.support.service import Keys

Metadata = tuple[tuple[str, str], ...]
GIVEN, FAMILY, STREET = "Zebulon", "Quxworthy", "Plumbago Lane 7, Xanadu"


@pytest.fixture
def lead(keys: Keys) -> Metadata:
    return keys.metadata("supervisor")


@dataclasses.dataclass
class Api:
    """The services that a test calls."""

    customers: CustomersServiceStub
    portfolio: PortfolioServiceStub
    privacy: PrivacyServiceStub
    merges: MergesServiceStub
    search: SearchServiceStub
    history: HistoryServiceStub


@pytest.fixture
def api(channel: grpc.aio.Channel) -> Api:
    return Api(
        CustomersServiceStub(channel),
        PortfolioServiceStub(channel),
        PrivacyServiceStub(channel),
        MergesServiceStub(channel),
        SearchServiceStub(channel),
        HistoryServiceStub(channel),
    )


@dataclasses.dataclass
class Somebody:
    """A person with all there is of one, and the texts that are personal."""

    customer: pb.Customer
    personal: tuple[str, ...]
    email: str
    phone: str
    msisdn: str
    external: str


class Nobody:
    """Another noun that has nothing to forget."""

    async def forget(self, transaction: Any, customer_ids: Any) -> None:
        """Nothing."""


@pytest.fixture
def erasures(store: Store, vault: Vault) -> ErasureUseCases:
    """What erases, in the process of the test, on the store of the service."""
    customers = CustomerStore(store, vault, History(store))
    return ErasureUseCases(ErasureStore(store), customers, Lineage(store), vault, [Nobody()], large=[History(store)])


@pytest.fixture
async def somebody(api: Api, lead: Metadata) -> Somebody:
    tail = f"{int(new_uuid()[:8], 16) % 10**7:07d}"
    email, phone, msisdn = f"{new_uuid()}@quxworthy.example", f"+49301{tail}", f"+4915{tail}11"
    external = new_uuid()
    made = pb.Customer(individual=pb.Individual(given_name=GIVEN, family_name=FAMILY))
    made.contact_media.add(kind=pb.ContactMedium.KIND_EMAIL, value=email)
    made.contact_media.add(kind=pb.ContactMedium.KIND_PHONE, value=phone)
    made.contact_media.add(kind=pb.ContactMedium.KIND_POST, value=STREET)
    made.external_ids.add(issuer="billing", value=external)
    request = pb.CreateCustomerRequest(customer=made, request_id=new_uuid())
    customer = (await api.customers.CreateCustomer(request, metadata=lead)).customer
    changed = pb.Customer(id=customer.id, individual=pb.Individual(given_name=GIVEN, family_name="Quxworthy-Doe"))
    await api.customers.UpdateCustomer(pb.UpdateCustomerRequest(customer=changed), metadata=lead)
    owned = product(customer.id, family="mobile")
    owned.identifiers.add(kind="msisdn", value=msisdn)
    await api.portfolio.AddProduct(portfolio_pb2.AddProductRequest(product=owned), metadata=lead)
    return Somebody(customer, (GIVEN, FAMILY, STREET, email, phone, msisdn, external), email, phone, msisdn, external)


async def everything(store: Store) -> dict[str, list[dict[str, Any]]]:
    """A backup of the database."""
    names = await store.database.list_collection_names()
    return {name: [d async for d in store.collection(name).find({})] for name in names}


async def test_nothing_personal_lies_in_the_store_in_plain(somebody: Somebody, store: Store) -> None:
    raw = b"".join(bson.encode(d) for documents in (await everything(store)).values() for d in documents)
    assert somebody.customer.id.encode() in raw
    assert [text for text in somebody.personal if text.encode() in raw or text.lower().encode() in raw] == []


async def test_an_export_shows_everything(api: Api, somebody: Somebody, keys: Keys) -> None:
    asked = privacy_pb2.ExportCustomerRequest(customer_id=somebody.customer.id)
    own = keys.metadata("customer", customer_id=somebody.customer.id)
    shown: dict[str, list[dict[str, Any]]] = {}
    async for part in api.privacy.ExportCustomer(asked, metadata=own):
        shown.setdefault(part.kind, []).extend(json_format.MessageToDict(r) for r in part.records)
    text = str(shown)
    assert [t for t in somebody.personal if t not in text] == []
    assert [len(shown[kind]) for kind in ("customer", "product", "former_version")] == [1, 1, 1]
    assert shown["former_version"][0]["was"]["individual"]["family_name"] == FAMILY
    stranger = keys.metadata("customer", customer_id=new_uuid())
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async for _ in api.privacy.ExportCustomer(asked, metadata=stranger):
            pass
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_an_export_shows_levels_failures_and_that_a_record_was_told_apart(
    api: Api, somebody: Somebody, store: Store, vault: Vault, lead: Metadata
) -> None:
    who, other, until = somebody.customer.id, new_uuid(), now() + timedelta(minutes=10)
    factors = VerificationStore(store)
    passed = (Passed(Challenge(FactorKind.PIN), until),)
    await factors.transact(lambda t: factors.keep(t, Verification(who, "call-1", until, passed)))
    before = Lock(Whose.CUSTOMER, who)
    assert await factors.swap(before, replace(before, failures=3, until=until, version=1))
    await DuplicateStore(store, vault).part(other, who)
    shown: dict[str, list[dict[str, Any]]] = {}
    async for part in api.privacy.ExportCustomer(privacy_pb2.ExportCustomerRequest(customer_id=who), metadata=lead):
        shown.setdefault(part.kind, []).extend(json_format.MessageToDict(r) for r in part.records)
    (level,), (lock,), (told_apart,) = (
        shown[kind] for kind in ("verification_level", "verification_lock", "told_apart")
    )
    assert (level["contact_id"], level["passed"][0]["kind"]) == ("call-1", "pin")
    assert (lock["failures"], "until" in lock) == (3, True)
    # Whose the other record is, is nothing of this person's.
    assert set(told_apart) == {"by", "time"}


async def test_who_is_erased_is_found_nowhere_and_readable_nowhere(
    api: Api, somebody: Somebody, lead: Metadata, store: Store, vault: Vault
) -> None:
    backup = await everything(store)
    asked = privacy_pb2.EraseCustomerRequest(customer_id=somebody.customer.id, reason="request of the data subject")
    erased = await api.privacy.EraseCustomer(asked, metadata=lead)
    assert list(erased.member_ids) == [somebody.customer.id]
    assert await api.privacy.EraseCustomer(asked, metadata=lead) == erased
    left = (
        await api.customers.GetCustomer(pb.GetCustomerRequest(customer_id=somebody.customer.id), metadata=lead)
    ).customer
    assert left.HasField("erase_time")
    assert (left.individual.given_name, list(left.contact_media), list(left.external_ids)) == ("", [], [])
    for wanted in (
        pb.LookupCustomerRequest(email=somebody.email),
        pb.LookupCustomerRequest(phone=somebody.phone),
        pb.LookupCustomerRequest(phone=somebody.msisdn),
        pb.LookupCustomerRequest(any=somebody.external),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await api.customers.LookupCustomer(wanted, metadata=lead)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    search = search_pb2.SearchCustomersRequest(text=f"{GIVEN} {FAMILY}", include_archived=True)
    found = await api.search.SearchCustomers(search, metadata=lead)
    assert somebody.customer.id not in {f.customer.id for f in found.found}
    owned = await api.portfolio.GetPortfolio(
        portfolio_pb2.GetPortfolioRequest(customer_id=somebody.customer.id), metadata=lead
    )
    assert [list(p.identifiers) for p in owned.products] == [[]]
    # What a backup holds is sealed with a key that is nowhere any more.
    assert await vault.key(somebody.customer.id) is None
    theirs = [d for d in backup["customers"] if d["_id"] == somebody.customer.id]
    other = (await vault.make([new_uuid()])).popitem()[1]
    with pytest.raises(SealError):
        other.open(f"customers:{somebody.customer.id}", theirs[0]["sealed"])
    with pytest.raises(grpc.aio.AioRpcError) as gone:
        async for _ in api.privacy.ExportCustomer(
            privacy_pb2.ExportCustomerRequest(customer_id=somebody.customer.id), metadata=lead
        ):
            pass
    assert reason_of(gone.value) == "ERASED"


async def test_nothing_is_written_of_the_erased_any_more(api: Api, somebody: Somebody, lead: Metadata) -> None:
    who = somebody.customer.id
    await api.privacy.EraseCustomer(privacy_pb2.EraseCustomerRequest(customer_id=who, reason="asked"), metadata=lead)
    refusals = []
    for call in (
        api.customers.UpdateCustomer(
            pb.UpdateCustomerRequest(customer=pb.Customer(id=who, language="de")), metadata=lead
        ),
        api.portfolio.AddProduct(portfolio_pb2.AddProductRequest(product=product(who)), metadata=lead),
        api.customers.CreateCustomer(pb.CreateCustomerRequest(customer=somebody.customer), metadata=lead),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        refusals.append(reason_of(refused.value))
    assert refusals[0] == "ERASED"
    assert set(refusals) <= {"ERASED", "FAILED_PRECONDITION", "ALREADY_EXISTS"}


async def test_all_ids_of_a_person_are_erased_together(
    api: Api, somebody: Somebody, lead: Metadata, vault: Vault, store: Store
) -> None:
    twin = pb.Customer(individual=pb.Individual(given_name=GIVEN, family_name=FAMILY))
    made = (await api.customers.CreateCustomer(pb.CreateCustomerRequest(customer=twin), metadata=lead)).customer
    merge = merges_pb2.MergeRequest(survivor_id=somebody.customer.id, duplicate_id=made.id)
    await api.merges.Merge(merge, metadata=lead)
    # Asked with the id of the duplicate.
    asked = privacy_pb2.EraseCustomerRequest(customer_id=made.id, reason="asked")
    erased = await api.privacy.EraseCustomer(asked, metadata=lead)
    assert list(erased.member_ids) == [somebody.customer.id, made.id]
    assert await vault.keys(erased.member_ids) == {}
    event = await store.collection("outbox").find_one(
        {"subject": somebody.customer.id, "type": "holdfast.customer_info.v1.CustomerErased"}
    )
    assert list(privacy_pb2.CustomerErased.FromString(event["data"]).member_ids) == list(erased.member_ids)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await api.merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=made.id), metadata=lead)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_what_a_process_that_died_has_left_is_carried_out(
    api: Api, somebody: Somebody, store: Store, lead: Metadata, erasures: ErasureUseCases
) -> None:
    asked = Erasure((somebody.customer.id,), "asked", "tester", now() - LEFT_BEHIND - timedelta(seconds=1))
    await store.transact(lambda t: ErasureStore(store).keep(t, asked))
    assert await erasures.finish_left_behind() == 1
    assert await erasures.finish_left_behind() == 0
    left = (
        await api.customers.GetCustomer(pb.GetCustomerRequest(customer_id=somebody.customer.id), metadata=lead)
    ).customer
    assert left.HasField("erase_time")


async def test_a_store_of_keys_that_was_restored_brings_nobody_back(
    api: Api, somebody: Somebody, lead: Metadata, key_store: Store, erasures: ErasureUseCases
) -> None:
    who = somebody.customer.id
    before = await key_store.collection("keys").find_one({"_id": who})
    await api.privacy.EraseCustomer(privacy_pb2.EraseCustomerRequest(customer_id=who, reason="asked"), metadata=lead)
    await key_store.collection("keys").replace_one({"_id": who}, before)
    await erasures.destroy_again()
    assert "wrapped" not in await key_store.collection("keys").find_one({"_id": who})


@pytest.mark.parametrize("lost", [["customers"], ["customers", "erasures"]], ids=" and ".join)
async def test_a_store_of_records_that_was_restored_brings_nobody_back(
    somebody: Somebody, store: Store, erasures: ErasureUseCases, lost: list[str]
) -> None:
    who, customers = somebody.customer.id, store.collection("customers")
    before = await customers.find_one({"_id": who})
    first = await erasures.erase(who, "", "asked")
    emptied = await customers.find_one({"_id": who})
    for name in lost:
        await store.collection(name).delete_one({"_id": who})
    await customers.insert_one(before)
    assert await erasures.erase_again() == 1
    left = await customers.find_one({"_id": who})
    assert left["erase_time"] > emptied["erase_time"]
    assert left["version"] == emptied["version"]
    assert not {"sealed", "lookup", "terms", "external_keys"} & set(left)
    assert (await store.collection("erasures").find_one({"_id": who}))["done_time"] > first.done_time
    assert await store.collection("history").count_documents({"subject": who}) == before["version"]
    assert await erasures.erase_again() == 0


async def test_an_erasure_goes_through_a_long_history_part_by_part(
    api: Api, somebody: Somebody, store: Store, lead: Metadata, erasures: ErasureUseCases
) -> None:
    who, history = somebody.customer.id, store.collection("history")
    entry = await history.find_one({"subject": who})
    plain = {"language": "de", "characteristics": [["household", "4"]], "since": entry["update_time"]}
    many = [
        entry | {"_id": f"{entry['_id']}:{n}", "document": entry["document"] | plain} for n in range(2 * AT_ONCE + 7)
    ]
    await history.insert_many(many)
    assert (await erasures.erase(who, "", "asked")).done_time is not None
    kept = [d["document"] async for d in history.find({"customer_id": who})]
    assert len(kept) > len(many)
    assert not any({"sealed", *plain} & set(document) for document in kept)
    request = history_pb2.ListChangesRequest(customer_id=who)
    assert (await api.history.ListChanges(request, metadata=lead)).changes


async def test_two_who_erase_one_at_once_do_so_once(api: Api, somebody: Somebody, lead: Metadata, store: Store) -> None:
    asked = privacy_pb2.EraseCustomerRequest(customer_id=somebody.customer.id, reason="asked")

    async def erase() -> str:
        for _ in range(20):
            try:
                return str((await api.privacy.EraseCustomer(asked, metadata=lead)).erase_time)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
        return "busy"

    assert len(set(await asyncio.gather(*(erase() for _ in range(8))))) == 1
    told = {"subject": somebody.customer.id, "type": "holdfast.customer_info.v1.CustomerErased"}
    assert await store.collection("outbox").count_documents(told) == 1
