"""Duplicates over the wire: found with their reasons, dismissed, listed."""

import grpc
import pytest
from holdfast.customer_info.v1 import customers_pb2 as pb
from holdfast.customer_info.v1 import duplicates_pb2
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.duplicates_pb2_grpc import DuplicatesServiceStub

from tests.integration.services.customer_info.messages import new_uuid
from tests.support.service import Keys

Metadata = tuple[tuple[str, str], ...]
SAME = duplicates_pb2.DUPLICATE_VERDICT_SAME


@pytest.fixture
def duplicates(channel: grpc.aio.Channel) -> DuplicatesServiceStub:
    return DuplicatesServiceStub(channel)


def ada(given: str = "Adelheid", family: str = "Quittenbaum", email: str = "", phone: str = "") -> pb.Customer:
    made = pb.Customer(individual=pb.Individual(given_name=given, family_name=family))
    if email:
        made.contact_media.add(kind=pb.ContactMedium.KIND_EMAIL, value=email)
    if phone:
        made.contact_media.add(kind=pb.ContactMedium.KIND_PHONE, value=phone)
    return made


async def test_who_moved_or_was_mistyped_is_found_and_who_lives_there_too_is_not_the_same(
    duplicates: DuplicatesServiceStub, customers: CustomersServiceStub, agent: Metadata
) -> None:
    tail = f"{int(new_uuid()[:8], 16) % 10**7:07d}"
    email, phone = f"{new_uuid()}@example.com", f"+49301{tail}"
    drafts = [ada(email=email, phone=phone), ada(given="Adelhied", email=email), ada(given="Bertram", phone=phone)]
    made = [
        (await customers.CreateCustomer(pb.CreateCustomerRequest(customer=d), metadata=agent)).customer for d in drafts
    ]
    for request in (
        duplicates_pb2.FindDuplicatesRequest(customer_id=made[0].id),
        duplicates_pb2.FindDuplicatesRequest(customer=ada(email=email, phone=phone)),
    ):
        answer = await duplicates.FindDuplicates(request, metadata=agent)
        verdicts = {c.customer.id: c.verdict for c in answer.candidates}
        assert verdicts[made[1].id] == SAME
        assert verdicts.get(made[2].id) != SAME
        scores = [c.score for c in answer.candidates]
        assert scores == sorted(scores, reverse=True)
        best = answer.candidates[0]
        assert {e.field for e in best.evidence} >= {"given_name", "family_name", "email"}
        assert email not in str(best.evidence)


async def test_two_who_are_known_to_be_two_are_not_suggested_again(
    duplicates: DuplicatesServiceStub, customers: CustomersServiceStub, agent: Metadata, keys: Keys
) -> None:
    email = f"{new_uuid()}@example.com"
    one, other = [
        (await customers.CreateCustomer(pb.CreateCustomerRequest(customer=ada(email=email)), metadata=agent)).customer
        for _ in range(2)
    ]
    lead = keys.metadata("supervisor")

    async def told() -> set[tuple[str, str]]:
        found = set()
        position = ""
        async for part in duplicates.ScanDuplicates(
            duplicates_pb2.ScanDuplicatesRequest(least_score=0.9), metadata=lead
        ):
            found |= {(p.customer_id, p.other_id) for p in part.pairs}
            assert part.position > position
            position = part.position
        return found

    assert (one.id, other.id) in await told()
    request = duplicates_pb2.DismissDuplicateRequest(customer_id=other.id, other_id=one.id)
    for _ in range(2):
        await duplicates.DismissDuplicate(request, metadata=agent)
    assert (one.id, other.id) not in await told()
    answer = await duplicates.FindDuplicates(duplicates_pb2.FindDuplicatesRequest(customer_id=one.id), metadata=agent)
    assert other.id not in {c.customer.id for c in answer.candidates}


async def test_who_shares_one_of_many_addresses_is_found_from_either_side(
    duplicates: DuplicatesServiceStub, customers: CustomersServiceStub, agent: Metadata
) -> None:
    shared = f"zz{new_uuid()}@example.com"
    one, other = ada(), ada(family="Gruber-Lang", email=shared)
    for email in (f"a{new_uuid()}@example.com", f"b{new_uuid()}@example.com", shared):
        one.contact_media.add(kind=pb.ContactMedium.KIND_EMAIL, value=email)
    ids = [
        (await customers.CreateCustomer(pb.CreateCustomerRequest(customer=c), metadata=agent)).customer.id
        for c in (one, other)
    ]
    for mine, theirs in (ids, reversed(ids)):
        request = duplicates_pb2.FindDuplicatesRequest(customer_id=mine)
        found = await duplicates.FindDuplicates(request, metadata=agent)
        assert {c.customer.id: c.verdict for c in found.candidates}.get(theirs) == SAME


async def test_of_two_the_record_that_was_made_first_is_told_as_the_older_whatever_their_ids(
    duplicates: DuplicatesServiceStub, customers: CustomersServiceStub, agent: Metadata, keys: Keys
) -> None:
    email = f"{new_uuid()}@example.com"
    older, younger = (f"{digit}{new_uuid()[1:]}" for digit in "f0")
    for customer_id in (older, younger):
        draft = ada(email=email)
        draft.id = customer_id
        await customers.CreateCustomer(pb.CreateCustomerRequest(customer=draft), metadata=agent)
    told = [
        (p.customer_id, p.other_id)
        async for part in duplicates.ScanDuplicates(
            duplicates_pb2.ScanDuplicatesRequest(), metadata=keys.metadata("supervisor")
        )
        for p in part.pairs
    ]
    assert [pair for pair in told if older in pair] == [(older, younger)]


async def test_a_record_is_no_duplicate_of_itself(
    duplicates: DuplicatesServiceStub, customers: CustomersServiceStub, agent: Metadata
) -> None:
    draft = ada(email=f"{new_uuid()}@example.com")
    made = (await customers.CreateCustomer(pb.CreateCustomerRequest(customer=draft), metadata=agent)).customer
    found = await duplicates.FindDuplicates(duplicates_pb2.FindDuplicatesRequest(customer_id=made.id), metadata=agent)
    assert made.id not in {c.customer.id for c in found.candidates}
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        itself = duplicates_pb2.DismissDuplicateRequest(customer_id=made.id, other_id=made.id)
        await duplicates.DismissDuplicate(itself, metadata=agent)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
