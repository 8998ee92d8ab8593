"""A record that held somebody else's data while they were merged: who reads it since, and what an erasure leaves."""

import grpc
import pytest
from google.protobuf import json_format
from holdfast.customer_info.v1 import customers_pb2 as pb
from holdfast.customer_info.v1 import history_pb2, merges_pb2, privacy_pb2, search_pb2
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.history_pb2_grpc import HistoryServiceStub
from holdfast.customer_info.v1.merges_pb2_grpc import MergesServiceStub
from holdfast.customer_info.v1.privacy_pb2_grpc import PrivacyServiceStub
from holdfast.customer_info.v1.search_pb2_grpc import SearchServiceStub

from chassis.mongo.client import Store
from chassis.times import now, to_timestamp
from chassis.vault.joint import SEALED_WITH
from chassis.vault.sealing import SealError
from chassis.vault.vault import Vault
from services.customer_info.customers.store import CUSTOMERS
from services.customer_info.history.store import HISTORY
from tests.integration.services.customer_info.messages import person
from tests.support.service import Keys

Metadata = tuple[tuple[str, str], ...]


class Pair:
    """Bea, into whom Ann was merged by mistake."""

    def __init__(self, channel: grpc.aio.Channel, keys: Keys) -> None:
        self.customers = CustomersServiceStub(channel)
        self.merges = MergesServiceStub(channel)
        self.privacy = PrivacyServiceStub(channel)
        self.history = HistoryServiceStub(channel)
        self.search = SearchServiceStub(channel)
        self.lead = keys.metadata("supervisor")
        self.ann, self.bea = pb.Customer(), pb.Customer()
        self.merged = pb.GetCustomerRequest()

    @property
    def address(self) -> str:
        """What Bea's record tells of Ann."""
        return self.ann.contact_media[0].value

    async def make(self) -> None:
        """Makes both, and merges Ann into Bea."""
        self.ann, self.bea = [
            (
                await self.customers.CreateCustomer(pb.CreateCustomerRequest(customer=person()), metadata=self.lead)
            ).customer
            for _ in range(2)
        ]
        merge = merges_pb2.MergeRequest(survivor_id=self.bea.id, duplicate_id=self.ann.id)
        made = (await self.merges.Merge(merge, metadata=self.lead)).customer
        assert self.address in {m.value for m in made.contact_media}
        change = pb.UpdateCustomerRequest(customer=pb.Customer(id=self.bea.id, language="fr"))
        await self.customers.UpdateCustomer(change, metadata=self.lead)
        self.merged = pb.GetCustomerRequest(customer_id=self.bea.id, as_of=to_timestamp(now()))

    async def part(self) -> None:
        """Parts them again."""
        await self.merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=self.ann.id), metadata=self.lead)

    async def erase(self, customer_id: str) -> None:
        """Erases one of them."""
        asked = privacy_pb2.EraseCustomerRequest(customer_id=customer_id, reason="asked")
        await self.privacy.EraseCustomer(asked, metadata=self.lead)

    async def told(self, reader: Metadata) -> str:
        """All that is told of Bea's past: as it stood, and change by change."""
        then = await self.customers.GetCustomer(self.merged, metadata=reader)
        changes = await self.history.ListChanges(
            history_pb2.ListChangesRequest(customer_id=self.bea.id), metadata=reader
        )
        record = await self.history.GetRecord(
            history_pb2.GetRecordRequest(
                customer_id=self.bea.id, kind="customer", record_id=self.bea.id, as_of=self.merged.as_of
            ),
            metadata=reader,
        )
        return "".join(json_format.MessageToJson(m) for m in (then, changes, record))

    async def exported(self, reader: Metadata) -> str:
        """The export of Bea."""
        asked = privacy_pb2.ExportCustomerRequest(customer_id=self.bea.id)
        return "".join(
            [json_format.MessageToJson(p) async for p in self.privacy.ExportCustomer(asked, metadata=reader)]
        )


@pytest.fixture
async def pair(channel: grpc.aio.Channel, keys: Keys) -> Pair:
    made = Pair(channel, keys)
    await made.make()
    return made


async def test_a_merged_record_is_read_found_and_changed_as_any_other(pair: Pair) -> None:
    for asked in (
        pb.LookupCustomerRequest(email=pair.address),
        pb.LookupCustomerRequest(customer_id=pair.ann.id),
        pb.LookupCustomerRequest(any=pair.bea.contact_media[0].value),
    ):
        found = (await pair.customers.LookupCustomer(asked, metadata=pair.lead)).customer
        assert (found.id, found.language, len(found.contact_media)) == (pair.bea.id, "fr", 2)
    wanted = search_pb2.SearchCustomersRequest(text="Ada Example", limit=50)
    shown = await pair.search.SearchCustomers(wanted, metadata=pair.lead)
    assert all(f.customer.individual.family_name for f in shown.found)
    assert pair.address in await pair.exported(pair.lead)


async def test_who_was_parted_again_is_not_told_what_was_the_others(pair: Pair, keys: Keys) -> None:
    own = keys.metadata("customer", customer_id=pair.bea.id)
    assert pair.address in await pair.told(own)
    before = await pair.customers.GetCustomer(pair.merged, metadata=pair.lead)
    await pair.part()
    assert pair.address not in await pair.told(own)
    assert pair.address not in await pair.exported(own)
    assert pair.address not in await pair.exported(pair.lead)
    assert await pair.customers.GetCustomer(pair.merged, metadata=pair.lead) == before, "who works here reads what was"
    assert pair.bea.contact_media[0].value in await pair.exported(own)


async def test_a_merged_id_is_answered_for_a_time_as_it_was_then_but_to_who_was_parted_since_with_its_own(
    pair: Pair, keys: Keys
) -> None:
    asked = pb.GetCustomerRequest(customer_id=pair.ann.id, as_of=pair.merged.as_of)
    own = keys.metadata("customer", customer_id=pair.ann.id)
    then = await pair.customers.GetCustomer(pair.merged, metadata=pair.lead)
    before = pb.GetCustomerRequest(customer_id=pair.ann.id, as_of=pair.ann.update_time)
    for reader in (pair.lead, own):
        assert await pair.customers.GetCustomer(asked, metadata=reader) == then
        assert (await pair.customers.GetCustomer(before, metadata=reader)).customer == pair.ann
    await pair.part()
    assert await pair.customers.GetCustomer(asked, metadata=pair.lead) == then, "who works here reads what was"
    mine = (await pair.customers.GetCustomer(asked, metadata=own)).customer
    assert (mine.id, mine.contact_media) == (pair.ann.id, pair.ann.contact_media)
    await pair.erase(pair.ann.id)
    left = (await pair.customers.GetCustomer(asked, metadata=pair.lead)).customer
    assert (left.id, list(left.contact_media)) == (pair.bea.id, [])


async def test_what_cannot_be_read_of_a_merged_past_is_told_as_such(pair: Pair, keys: Keys) -> None:
    await pair.part()
    asked = history_pb2.ListChangesRequest(customer_id=pair.bea.id, kinds=["customer"])
    for reader in (keys.metadata("customer", customer_id=pair.bea.id), pair.lead):
        if reader is pair.lead:
            await pair.erase(pair.ann.id)
        changes = (await pair.history.ListChanges(asked, metadata=reader)).changes
        told = [(c.version, c.unreadable, c.erased) for c in changes]
        assert told == [(4, True, False), (3, True, False), (2, True, False), (1, False, False)]
        # Since when somebody is a customer is kept in plain: the merge took Ann's.
        assert all({f.name for f in c.fields} <= {"since"} for c in changes[:3])
        assert {"contact_media", "individual"} <= {f.name for f in changes[3].fields}


async def test_who_is_erased_after_they_were_parted_is_gone_from_the_others_past_too(
    pair: Pair, store: Store, vault: Vault
) -> None:
    ids = [pair.ann.id, pair.bea.id]
    backup = [d async for d in store.collection(CUSTOMERS.name).find({"_id": pair.bea.id})]
    await pair.part()
    backup += [
        {"_id": d["subject"], **d["document"], SEALED_WITH: d.get(SEALED_WITH, [])}
        async for d in store.collection(HISTORY.name).find({"subject": pair.bea.id})
    ]
    mixed = [d for d in backup if d.get(SEALED_WITH)]
    assert len(mixed) == 3, "as it stood before they were parted; and in its history, merged and changed"
    await pair.erase(pair.ann.id)
    assert pair.address not in await pair.told(pair.lead)
    left = [d async for d in store.collection(HISTORY.name).find({"customer_id": {"$in": ids}})]
    assert [d for d in left if SEALED_WITH in d and "sealed" in d["document"]] == []
    # Of what a backup holds, Bea's key opens her own, and nothing that held Ann's.
    key = await vault.key(pair.bea.id)
    assert key is not None
    assert await vault.key(pair.ann.id) is None
    for document in backup:
        if document in mixed:
            with pytest.raises(SealError):
                key.open(f"customers:{pair.bea.id}", document["sealed"])
        else:
            assert key.open(f"customers:{pair.bea.id}", document["sealed"])
    present = (
        await pair.customers.GetCustomer(pb.GetCustomerRequest(customer_id=pair.bea.id), metadata=pair.lead)
    ).customer
    assert [m.value for m in present.contact_media] == [pair.bea.contact_media[0].value]


async def test_a_chain_of_merges_is_sealed_with_the_keys_of_all_and_parted_from_its_end(
    pair: Pair, store: Store
) -> None:
    cat = (
        await pair.customers.CreateCustomer(pb.CreateCustomerRequest(customer=person()), metadata=pair.lead)
    ).customer
    merge = merges_pb2.MergeRequest(survivor_id=cat.id, duplicate_id=pair.bea.id)
    await pair.merges.Merge(merge, metadata=pair.lead)

    async def sealed_with(customer_id: str) -> list[str]:
        kept = await store.collection(CUSTOMERS.name).find_one({"_id": customer_id})
        return list(kept.get(SEALED_WITH, []))

    assert sorted(await sealed_with(cat.id)) == sorted([pair.ann.id, pair.bea.id])
    assert await sealed_with(pair.bea.id) == [pair.ann.id]
    await pair.merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=pair.bea.id), metadata=pair.lead)
    assert await sealed_with(cat.id) == []
    assert await sealed_with(pair.bea.id) == [pair.ann.id]
    await pair.part()
    assert await sealed_with(pair.bea.id) == []
    found = (
        await pair.customers.LookupCustomer(pb.LookupCustomerRequest(email=pair.address), metadata=pair.lead)
    ).customer
    assert found.id == pair.ann.id
