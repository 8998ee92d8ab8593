"""Several records that were merged into one: parted in any order, beside erasures, and whatever the clocks say."""

from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from holdfast.customer_info.v1 import customers_pb2 as pb
from holdfast.customer_info.v1 import merges_pb2, privacy_pb2
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.merges_pb2_grpc import MergesServiceStub
from holdfast.customer_info.v1.privacy_pb2_grpc import PrivacyServiceStub

from chassis.mongo.client import Store
from services.customer_info.merges.store import MERGES
from tests.integration.services.customer_info.messages import company, new_uuid, person, stamp
from tests.support.service import Keys

NAME = [merges_pb2.FieldChoice(field="individual", keep=merges_pb2.SURVIVORSHIP_DUPLICATE)]


class Desk:
    """Somebody who may do all of it."""

    def __init__(self, channel: grpc.aio.Channel, keys: Keys) -> None:
        self.lead = keys.metadata("supervisor")
        self.customers = CustomersServiceStub(channel)
        self.merges = MergesServiceStub(channel)
        self.privacy = PrivacyServiceStub(channel)

    async def create(self, customer: pb.Customer) -> pb.Customer:
        request = pb.CreateCustomerRequest(customer=customer)
        return (await self.customers.CreateCustomer(request, metadata=self.lead)).customer

    async def change(self, customer: pb.Customer) -> None:
        await self.customers.UpdateCustomer(pb.UpdateCustomerRequest(customer=customer), metadata=self.lead)

    async def merge(self, survivor: pb.Customer, duplicate: pb.Customer, **wish: Any) -> merges_pb2.MergeResponse:
        request = merges_pb2.MergeRequest(survivor_id=survivor.id, duplicate_id=duplicate.id, **wish)
        return await self.merges.Merge(request, metadata=self.lead)

    async def part(self, duplicate: pb.Customer) -> merges_pb2.UnmergeResponse:
        return await self.merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=duplicate.id), metadata=self.lead)

    async def erase(self, customer: pb.Customer) -> None:
        request = privacy_pb2.EraseCustomerRequest(customer_id=customer.id, reason="asked")
        await self.privacy.EraseCustomer(request, metadata=self.lead)


@pytest.fixture
def desk(channel: grpc.aio.Channel, keys: Keys) -> Desk:
    return Desk(channel, keys)


def called(name: str, **changes: Any) -> pb.Customer:
    return pb.Customer(individual=pb.Individual(given_name=name, family_name=name), **changes)


def phone(number: str, start: str = "", end: str = "") -> pb.ContactMedium:
    medium = pb.ContactMedium(kind=pb.ContactMedium.KIND_PHONE, value=number)
    if start:
        medium.valid.start.CopyFrom(stamp(start))
    if end:
        medium.valid.end.CopyFrom(stamp(end))
    return medium


def told(customer: pb.Customer) -> Message:
    """What a customer tells of itself, without what every change changes."""
    shown = pb.Customer()
    shown.CopyFrom(customer)
    for name in ("etag", "update_time"):
        shown.ClearField(name)
    return shown


async def trio(desk: Desk) -> list[pb.Customer]:
    """Three records, of which the second and the third have one address."""
    shared = pb.ContactMedium(kind=pb.ContactMedium.KIND_EMAIL, value=f"{new_uuid()}@example.com")
    known = [pb.ExternalId(issuer="billing", value=new_uuid())]
    return [
        await desk.create(called("Ann", since=stamp("2024-01-01"))),
        await desk.create(called("Bea", since=stamp("2020-01-01"), language="de", contact_media=[shared])),
        await desk.create(
            called("Cat", since=stamp("2010-01-01"), language="fr", contact_media=[shared], external_ids=known)
        ),
    ]


@pytest.mark.parametrize("choices", [[], NAME], ids=["by rule", "by choice"])
@pytest.mark.parametrize("order", [(1, 2), (2, 1)], ids=["first in, first out", "last in, first out"])
async def test_in_whatever_order_they_are_parted_each_is_as_it_was(
    desk: Desk, choices: list[merges_pb2.FieldChoice], order: tuple[int, int]
) -> None:
    ann, *others = before = await trio(desk)
    for other in others:
        await desk.merge(ann, other, choices=choices)
    after = list(before)
    for n in order:
        parted = await desk.part(before[n])
        after[0], after[n] = parted.survivor, parted.duplicate
    assert [told(c) for c in after] == [told(c) for c in before]


async def test_who_is_erased_after_they_were_parted_takes_nothing_of_those_who_stayed(desk: Desk) -> None:
    ann, bea, cat = await trio(desk)
    await desk.merge(ann, bea)
    await desk.merge(ann, cat, choices=NAME)
    corrected = pb.Customer(id=ann.id, individual=pb.Individual(given_name="Cathy", family_name="Cat"))
    await desk.change(corrected)
    await desk.part(bea)
    await desk.erase(bea)
    parted = await desk.part(cat)
    assert told(parted.survivor) == told(ann)
    assert parted.duplicate.individual == corrected.individual
    assert (parted.duplicate.external_ids, parted.duplicate.contact_media) == (cat.external_ids, cat.contact_media)


async def test_the_merge_that_holds_is_undone_whatever_the_clocks_said(desk: Desk, store: Store) -> None:
    ann, bea, cat = await trio(desk)
    undone = (await desk.merge(ann, cat)).merge
    await desk.part(cat)
    holds = (await desk.merge(bea, cat)).merge
    ahead = {"$set": {"merge_time": holds.merge_time.ToDatetime() + timedelta(seconds=2)}}
    await store.collection(MERGES.name).update_one({"_id": undone.id}, ahead)
    parted = await desk.part(cat)
    assert (parted.merge.id, parted.survivor.id) == (holds.id, bea.id)
    assert [told(c) for c in (parted.survivor, parted.duplicate)] == [told(c) for c in (bea, cat)]


async def test_a_retry_gets_the_first_answer_whatever_became_of_the_record_since(desk: Desk) -> None:
    ann, bea, cat = await trio(desk)
    request_id = new_uuid()
    first = await desk.merge(ann, bea, request_id=request_id)
    await desk.change(pb.Customer(id=ann.id, language="it"))
    await desk.merge(cat, ann)
    assert await desk.merge(ann, bea, request_id=request_id) == first


async def test_a_number_that_went_and_came_back_leads_to_the_survivor(desk: Desk) -> None:
    number = f"+49301{int(new_uuid()[:8], 16) % 10**7:07d}"
    ann = await desk.create(person(contact_media=[phone(number, end="2021-01-01")]))
    bea = await desk.create(person(contact_media=[phone(number, start="2022-01-01")]))
    await desk.merge(ann, bea)
    found = await desk.customers.LookupCustomer(pb.LookupCustomerRequest(phone=number), metadata=desk.lead)
    assert found.customer.id == ann.id
    cat = await desk.create(person(contact_media=[phone(number)]))
    preview = merges_pb2.PreviewMergeRequest(survivor_id=cat.id, duplicate_id=ann.id)
    outcomes = (await desk.merges.PreviewMerge(preview, metadata=desk.lead)).outcomes
    assert [o.conflict for o in outcomes if o.field == "contact_media"] == [True]


async def test_a_merge_that_would_make_a_structure_too_deep_is_refused(desk: Desk) -> None:
    async def chain(levels: int) -> list[pb.Customer]:
        made = [await desk.create(company())]
        while len(made) < levels:
            made.append(await desk.create(company(parent_id=made[-1].id)))
        return made

    above, below = await chain(20), await chain(14)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await desk.merge(above[-1], below[0])
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (await desk.merge(above[-2], below[0])).customer.id == above[-2].id
