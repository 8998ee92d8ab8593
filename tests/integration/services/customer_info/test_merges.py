"""Merges over the wire: dry run, merge, un-merge, and what many at once end in."""

import asyncio
import random
from collections.abc import Callable

import grpc
import pytest
from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import customers_pb2 as pb
from holdfast.customer_info.v1 import merges_pb2
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.merges_pb2_grpc import MergesServiceStub
from holdfast.customer_info.v1.portfolio_pb2_grpc import PortfolioServiceStub

from chassis.errors import reason_of
from chassis.events.outbox import OUTBOX
from chassis.mongo.client import Store
from tests.integration.services.customer_info.messages import company, new_uuid, person
from tests.support.service import Keys

Metadata = tuple[tuple[str, str], ...]


@pytest.fixture
def merges(channel: grpc.aio.Channel) -> MergesServiceStub:
    return MergesServiceStub(channel)


@pytest.fixture
def lead(keys: Keys) -> Metadata:
    return keys.metadata("supervisor")


@pytest.fixture
def created(customers: CustomersServiceStub, lead: Metadata) -> Callable[..., "asyncio.Future[pb.Customer]"]:
    async def create(customer: pb.Customer) -> pb.Customer:
        answer = await customers.CreateCustomer(pb.CreateCustomerRequest(customer=customer), metadata=lead)
        return answer.customer

    return create  # type: ignore[return-value]


async def got(customers: CustomersServiceStub, lead: Metadata, customer_id: str) -> pb.Customer:
    return (await customers.GetCustomer(pb.GetCustomerRequest(customer_id=customer_id), metadata=lead)).customer


def external(value: str) -> pb.ExternalId:
    return pb.ExternalId(issuer="billing", value=value)


async def test_a_preview_shows_what_a_merge_then_makes_and_changes_nothing(
    customers: CustomersServiceStub,
    merges: MergesServiceStub,
    created: Callable[..., asyncio.Future[pb.Customer]],
    lead: Metadata,
) -> None:
    survivor, duplicate = (
        await created(person(language="de")),
        await created(person(external_ids=[external(new_uuid())])),
    )
    asked = merges_pb2.PreviewMergeRequest(survivor_id=survivor.id, duplicate_id=duplicate.id)
    preview = await merges.PreviewMerge(asked, metadata=lead)
    assert await got(customers, lead, survivor.id) == survivor
    assert await got(customers, lead, duplicate.id) == duplicate
    request = merges_pb2.MergeRequest(
        survivor_id=survivor.id,
        duplicate_id=duplicate.id,
        survivor_etag=preview.survivor_etag,
        duplicate_etag=preview.duplicate_etag,
        request_id=new_uuid(),
    )
    made = await merges.Merge(request, metadata=lead)
    for customer in (preview.customer, made.customer):
        customer.ClearField("update_time")
    assert made.customer == preview.customer
    assert {o.field for o in preview.outcomes} == {o.field for o in made.merge.outcomes}
    again = await merges.Merge(request, metadata=lead)
    assert again.merge == made.merge


async def test_whoever_asks_for_the_duplicate_gets_the_survivor(
    customers: CustomersServiceStub,
    merges: MergesServiceStub,
    created: Callable[..., asyncio.Future[pb.Customer]],
    lead: Metadata,
) -> None:
    value = new_uuid()
    survivor, duplicate = await created(person()), await created(person(external_ids=[external(value)]))
    address = duplicate.contact_media[0].value
    await merges.Merge(merges_pb2.MergeRequest(survivor_id=survivor.id, duplicate_id=duplicate.id), metadata=lead)
    assert (await got(customers, lead, duplicate.id)).id == survivor.id
    for asked in (
        pb.LookupCustomerRequest(external_id=pb.LookupExternalId(issuer="billing", value=value)),
        pb.LookupCustomerRequest(email=address),
        pb.LookupCustomerRequest(customer_id=duplicate.id),
        pb.LookupCustomerRequest(any=address),
    ):
        found = await customers.LookupCustomer(asked, metadata=lead)
        assert found.customer.id == survivor.id
    query = query_pb2.Query(order=[query_pb2.Order(field="create_time", descending=True)])
    listed = await customers.ListCustomers(pb.ListCustomersRequest(query=query), metadata=lead)
    assert duplicate.id not in {c.id for c in listed.customers}
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        change = pb.UpdateCustomerRequest(customer=pb.Customer(id=duplicate.id, language="fr"))
        await customers.UpdateCustomer(change, metadata=lead)
    assert reason_of(refused.value) == "MERGED"


async def test_an_unmerge_gives_each_its_own_with_later_edits(
    customers: CustomersServiceStub,
    merges: MergesServiceStub,
    created: Callable[..., asyncio.Future[pb.Customer]],
    lead: Metadata,
    store: Store,
) -> None:
    survivor = await created(person(language="de"))
    duplicate = await created(person(external_ids=[external(new_uuid())]))
    await merges.Merge(merges_pb2.MergeRequest(survivor_id=survivor.id, duplicate_id=duplicate.id), metadata=lead)
    edited = await got(customers, lead, survivor.id)
    edited.language = "fr"
    edited.contact_media.add(kind=pb.ContactMedium.KIND_PHONE, value="+49 30 1234567")
    edited.ClearField("etag")
    await customers.UpdateCustomer(pb.UpdateCustomerRequest(customer=edited), metadata=lead)
    parted = await merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=duplicate.id), metadata=lead)
    assert parted.survivor.language == "fr"
    assert [m.value for m in parted.survivor.contact_media] == [survivor.contact_media[0].value, "+49301234567"]
    assert not parted.survivor.external_ids
    assert (parted.duplicate.external_ids, parted.duplicate.contact_media) == (
        duplicate.external_ids,
        duplicate.contact_media,
    )
    assert await got(customers, lead, duplicate.id) == parted.duplicate
    lineage = await merges.ListMerges(merges_pb2.ListMergesRequest(customer_id=duplicate.id), metadata=lead)
    assert list(lineage.member_ids) == [duplicate.id]
    assert lineage.merges[0].unmerged_by == "tester"
    told = store.collection(OUTBOX.name).find({"subject": survivor.id}).sort("_id", 1)
    names = [e["type"].rpartition(".")[2] async for e in told]
    assert names == [
        "CustomerCreated",
        "CustomerUpdated",
        "CustomersMerged",
        "CustomerUpdated",
        "CustomerUpdated",
        "CustomersUnmerged",
    ]


async def test_chains_lead_to_the_last_survivor_and_part_from_the_end(
    customers: CustomersServiceStub,
    merges: MergesServiceStub,
    created: Callable[..., asyncio.Future[pb.Customer]],
    lead: Metadata,
) -> None:
    a, b, c = [await created(person()) for _ in range(3)]
    await merges.Merge(merges_pb2.MergeRequest(survivor_id=b.id, duplicate_id=c.id), metadata=lead)
    await merges.Merge(merges_pb2.MergeRequest(survivor_id=a.id, duplicate_id=b.id), metadata=lead)
    assert (await got(customers, lead, c.id)).id == a.id
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=c.id), metadata=lead)
    assert reason_of(refused.value) == "MERGED"
    with pytest.raises(grpc.aio.AioRpcError) as one:
        await merges.Merge(merges_pb2.MergeRequest(survivor_id=c.id, duplicate_id=a.id), metadata=lead)
    assert reason_of(one.value) == "FAILED_PRECONDITION"
    await merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=b.id), metadata=lead)
    assert (await got(customers, lead, c.id)).id == b.id
    assert (await got(customers, lead, a.id)).contact_media == a.contact_media
    await merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=c.id), metadata=lead)
    assert [(await got(customers, lead, x.id)).contact_media for x in (a, b, c)] == [x.contact_media for x in (a, b, c)]


async def test_a_merge_that_would_close_a_circle_of_parents_is_refused(
    customers: CustomersServiceStub,
    merges: MergesServiceStub,
    created: Callable[..., asyncio.Future[pb.Customer]],
    lead: Metadata,
) -> None:
    top = await created(company())
    middle = await created(company(parent_id=top.id))
    bottom = await created(company(parent_id=middle.id))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await merges.Merge(merges_pb2.MergeRequest(survivor_id=top.id, duplicate_id=bottom.id), metadata=lead)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (await got(customers, lead, bottom.id)) == bottom


async def test_a_preview_refuses_what_a_merge_would_refuse_and_a_company_can_be_one_with_its_parent(
    customers: CustomersServiceStub,
    merges: MergesServiceStub,
    created: Callable[..., asyncio.Future[pb.Customer]],
    lead: Metadata,
) -> None:
    top = await created(company())
    middle = await created(company(parent_id=top.id))
    bottom = await created(company(parent_id=middle.id))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        asked = merges_pb2.PreviewMergeRequest(survivor_id=top.id, duplicate_id=bottom.id)
        await merges.PreviewMerge(asked, metadata=lead)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(refused.value) == "INVALID_FIELD"
    assert "choose another parent_id" in str(refused.value.details())
    wanted = merges_pb2.MergeRequest(survivor_id=middle.id, duplicate_id=bottom.id)
    assert (await merges.Merge(wanted, metadata=lead)).customer.parent_id == top.id


async def test_an_unmerge_that_would_close_a_circle_of_parents_is_refused_and_changes_nothing(
    customers: CustomersServiceStub,
    merges: MergesServiceStub,
    created: Callable[..., asyncio.Future[pb.Customer]],
    lead: Metadata,
) -> None:
    parent = await created(company())
    survivor, duplicate = await created(company(parent_id=parent.id)), await created(company())
    choices = [merges_pb2.FieldChoice(field="parent_id", keep=merges_pb2.SURVIVORSHIP_DUPLICATE)]
    wanted = merges_pb2.MergeRequest(survivor_id=survivor.id, duplicate_id=duplicate.id, choices=choices)
    await merges.Merge(wanted, metadata=lead)
    moved = pb.UpdateCustomerRequest(customer=pb.Customer(id=parent.id, parent_id=survivor.id))
    await customers.UpdateCustomer(moved, metadata=lead)
    before = await got(customers, lead, survivor.id)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=duplicate.id), metadata=lead)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert await got(customers, lead, survivor.id) == before
    back = pb.UpdateCustomerRequest(customer=pb.Customer(id=parent.id))
    back.update_mask.paths.append("parent_id")
    await customers.UpdateCustomer(back, metadata=lead)
    parted = await merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=duplicate.id), metadata=lead)
    assert parted.survivor.parent_id == parent.id


async def test_concurrent_merges_of_overlapping_pairs_end_in_one_survivor(
    customers: CustomersServiceStub,
    merges: MergesServiceStub,
    created: Callable[..., asyncio.Future[pb.Customer]],
    lead: Metadata,
) -> None:
    records = [await created(person(external_ids=[external(new_uuid())])) for _ in range(9)]
    chance = random.Random(7)
    pairs = [(records[n], records[n + 1]) for n in range(8)]
    pairs += [tuple(chance.sample(records, 2)) for _ in range(16)]  # type: ignore[misc]
    chance.shuffle(pairs)

    async def merge(survivor: pb.Customer, duplicate: pb.Customer) -> str:
        request = merges_pb2.MergeRequest(survivor_id=survivor.id, duplicate_id=duplicate.id)
        for _ in range(20):
            try:
                await merges.Merge(request, metadata=lead)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    return reason_of(error)
            else:
                return "merged"
        return "busy"

    ended = await asyncio.gather(*(merge(*pair) for pair in pairs))
    assert sorted(set(ended)) == ["FAILED_PRECONDITION", "merged"]
    assert ended.count("merged") == 8
    survivors = {(await got(customers, lead, r.id)).id for r in records}
    assert len(survivors) == 1
    last = await got(customers, lead, survivors.pop())
    assert {e.value for e in last.external_ids} == {r.external_ids[0].value for r in records}
    lineage = await merges.ListMerges(merges_pb2.ListMergesRequest(customer_id=last.id), metadata=lead)
    assert sorted(lineage.member_ids) == sorted(r.id for r in records)
    assert lineage.member_ids[0] == last.id


async def test_64_updates_at_once_with_etags_lose_none(
    customers: CustomersServiceStub, created: Callable[..., asyncio.Future[pb.Customer]], lead: Metadata
) -> None:
    there = await created(person())

    async def add(n: int) -> None:
        while True:
            now = await got(customers, lead, there.id)
            now.characteristics.add(name=f"n{n}", value="1")
            change = pb.Customer(id=now.id, etag=now.etag, characteristics=now.characteristics)
            try:
                await customers.UpdateCustomer(pb.UpdateCustomerRequest(customer=change), metadata=lead)
            except grpc.aio.AioRpcError as error:
                if error.code() not in (grpc.StatusCode.ABORTED, grpc.StatusCode.UNAVAILABLE):
                    raise
            else:
                return

    await asyncio.gather(*(add(n) for n in range(64)))
    after = await got(customers, lead, there.id)
    assert {c.name for c in after.characteristics} == {f"n{n}" for n in range(64)}
    assert after.etag == "v65"


async def test_the_portfolio_of_both_is_shown_with_the_survivor(
    merges: MergesServiceStub,
    portfolio: PortfolioServiceStub,
    created: Callable[..., asyncio.Future[pb.Customer]],
    lead: Metadata,
) -> None:
    from holdfast.common.v1 import query_pb2
    from holdfast.customer_info.v1 import portfolio_pb2

    from tests.integration.services.customer_info.messages import product

    survivor, duplicate = await created(person()), await created(person())
    added = [
        (await portfolio.AddProduct(portfolio_pb2.AddProductRequest(product=product(c.id)), metadata=lead)).product.id
        for c in (survivor, duplicate)
    ]
    await merges.Merge(merges_pb2.MergeRequest(survivor_id=survivor.id, duplicate_id=duplicate.id), metadata=lead)
    for customer in (survivor, duplicate):
        asked = portfolio_pb2.GetPortfolioRequest(customer_id=customer.id)
        found = await portfolio.GetPortfolio(asked, metadata=lead)
        assert sorted(p.id for p in found.products) == sorted(added)
        query = query_pb2.Query(predicates=[query_pb2.Predicate(field="customer_id", values=[customer.id])])
        some = await portfolio.ListProducts(portfolio_pb2.ListProductsRequest(query=query), metadata=lead)
        assert sorted(p.id for p in some.products) == sorted(added)
    await merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=duplicate.id), metadata=lead)
    asked = portfolio_pb2.GetPortfolioRequest(customer_id=survivor.id)
    assert [p.id for p in (await portfolio.GetPortfolio(asked, metadata=lead)).products] == added[:1]


async def test_the_children_of_a_duplicate_are_listed_under_its_survivor(
    customers: CustomersServiceStub,
    merges: MergesServiceStub,
    created: Callable[..., asyncio.Future[pb.Customer]],
    lead: Metadata,
) -> None:
    survivor, duplicate = await created(company()), await created(company())
    children = [await created(person(parent_id=parent.id)) for parent in (survivor, duplicate)]
    request = merges_pb2.MergeRequest(survivor_id=survivor.id, duplicate_id=duplicate.id)
    await merges.Merge(request, metadata=lead)
    for parent in (survivor, duplicate):
        query = query_pb2.Query(predicates=[query_pb2.Predicate(field="parent_id", values=[parent.id])])
        found = await customers.ListCustomers(pb.ListCustomersRequest(query=query), metadata=lead)
        assert {c.id for c in found.customers} == {c.id for c in children}
