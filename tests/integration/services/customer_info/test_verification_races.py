"""Verification beside what else becomes of a customer, and of a caller, at that moment."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import grpc
import pytest
from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import customers_pb2, merges_pb2, privacy_pb2
from holdfast.customer_info.v1 import verification_pb2 as pb
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.merges_pb2_grpc import MergesServiceStub
from holdfast.customer_info.v1.privacy_pb2_grpc import PrivacyServiceStub
from holdfast.customer_info.v1.verification_pb2_grpc import VerificationsServiceStub

from chassis.errors import reason_of
from chassis.mongo.client import Store
from services.customer_info.verification.store import ATTEMPTS, CODES, FACTORS, LOCKS, VERIFICATIONS
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import new_uuid, person
from tests.support.polling import eventually
from tests.support.service import Keys

PIN, PET = pb.FACTOR_KIND_PIN, pb.FACTOR_KIND_SECRET_ANSWER
VERIFIED = pb.ASSURANCE_LEVEL_VERIFIED
RIGHT = "271828"


@pytest.fixture
def verification(channel: grpc.aio.Channel) -> VerificationsServiceStub:
    return VerificationsServiceStub(channel)


@pytest.fixture
def supervisor(keys: Keys) -> Metadata:
    return keys.metadata("supervisor", subject="supervisor-1")


@pytest.fixture
def fresh_agent(keys: Keys) -> Metadata:
    """An agent with no failures yet."""
    return keys.metadata("agent", subject=new_uuid())


@pytest.fixture
async def pinned(customers: CustomersServiceStub, verification: VerificationsServiceStub, supervisor: Metadata) -> str:
    """The id of a customer with a PIN."""
    request = customers_pb2.CreateCustomerRequest(customer=person())
    made = (await customers.CreateCustomer(request, metadata=supervisor)).customer
    await verification.SetFactor(pb.SetFactorRequest(customer_id=made.id, kind=PIN, value=RIGHT), metadata=supervisor)
    return str(made.id)


def asked(customer_id: str, *pins: str) -> pb.VerifyRequest:
    answers = [pb.FactorAnswer(kind=PIN, value=pin) for pin in pins]
    return pb.VerifyRequest(customer_id=customer_id, contact_id="call-1", answers=answers)


async def test_right_answers_of_callers_who_cannot_wait_count_as_no_failures(
    verification: VerificationsServiceStub, pinned: str, loader: Metadata, store: Store
) -> None:
    # Four, since a fifth that is not decided yet would lock out, as it should.
    for milliseconds in (30, 45, 60, 80):
        with contextlib.suppress(grpc.aio.AioRpcError):
            await verification.Verify(asked(pinned, RIGHT), metadata=loader, timeout=milliseconds / 1000)
    locks, attempts = store.collection(LOCKS.name), store.collection(ATTEMPTS.name)

    async def all_decided() -> bool:
        """Each try is counted once, given back once, and in the audit trail."""
        lock = await locks.find_one({"_id": {"$regex": pinned}})
        passed = await attempts.count_documents({"customer_id": pinned, "outcome": "passed"})
        return lock is not None and lock["failures"] == 0 and lock["version"] == 2 * passed

    assert (await verification.Verify(asked(pinned, RIGHT), metadata=loader)).attempts_left == 5
    await eventually(all_decided)
    assert not await attempts.count_documents({"customer_id": pinned, "outcome": {"$in": ["failed", "locked_out"]}})


async def test_nothing_is_left_of_who_is_erased_at_that_moment(
    channel: grpc.aio.Channel, loader: Metadata, supervisor: Metadata, store: Store
) -> None:
    verification, privacy = VerificationsServiceStub(channel), PrivacyServiceStub(channel)

    async def tried(method: Callable[..., Awaitable[object]], request: object, who: Metadata) -> str:
        while True:
            try:
                await method(request, metadata=who)
            except grpc.aio.AioRpcError as error:
                # The store lets go of one of several who want the same record.
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    return reason_of(error)
            else:
                return "done"

    async def at_once() -> list[str]:
        """The id of a customer that is erased, and what became of each that was asked for beside."""
        request = customers_pb2.CreateCustomerRequest(customer=person())
        made = (await CustomersServiceStub(channel).CreateCustomer(request, metadata=supervisor)).customer
        medium = made.contact_media[0]
        pin = pb.SetFactorRequest(customer_id=made.id, kind=PIN, value=RIGHT)
        await verification.SetFactor(pin, metadata=supervisor)
        pet = pb.SetFactorRequest(customer_id=made.id, kind=PET, label="first_pet", value="Rex")
        code = pb.IssueCodeRequest(
            customer_id=made.id, contact_id="call-1", medium_kind=medium.kind, medium_value=medium.value
        )
        erase = privacy_pb2.EraseCustomerRequest(customer_id=made.id, reason="asked")
        return [
            made.id,
            *await asyncio.gather(
                tried(verification.SetFactor, pet, supervisor),
                tried(verification.IssueCode, code, loader),
                tried(verification.Verify, asked(made.id, RIGHT), loader),
                tried(privacy.EraseCustomer, erase, supervisor),
            ),
        ]

    rounds = [await at_once() for _ in range(8)]
    assert {r[-1] for r in rounds} == {"done"}
    assert {reason for r in rounds for reason in r[1:]} <= {"done", "ERASED"}
    gone = {"customer_id": {"$in": [r[0] for r in rounds]}}
    for collection in (FACTORS, CODES, VERIFICATIONS):
        assert await store.collection(collection.name).count_documents(gone) == 0


async def test_a_customer_who_was_merged_keeps_its_factors_and_is_verified_under_either_id(
    channel: grpc.aio.Channel,
    pinned: str,
    fresh_agent: Metadata,
    supervisor: Metadata,
    keys: Keys,
) -> None:
    verification = VerificationsServiceStub(channel)
    request = customers_pb2.CreateCustomerRequest(customer=person())
    survivor = (await CustomersServiceStub(channel).CreateCustomer(request, metadata=supervisor)).customer
    await verification.Verify(asked(pinned), metadata=fresh_agent)
    merge = merges_pb2.MergeRequest(survivor_id=survivor.id, duplicate_id=pinned)
    await MergesServiceStub(channel).Merge(merge, metadata=supervisor)
    own = keys.metadata("customer", customer_id=pinned)
    await verification.SetFactor(pb.SetFactorRequest(customer_id=pinned, kind=PIN, value="57721566"), metadata=own)
    for customer_id in (survivor.id, pinned):
        answer = asked(customer_id, "57721566")
        assert (await verification.Verify(answer, metadata=fresh_agent)).verification.level == VERIFIED
        query = query_pb2.Query(predicates=[query_pb2.Predicate(field="customer_id", values=[customer_id])])
        listed = await verification.ListAttempts(pb.ListAttemptsRequest(query=query), metadata=supervisor)
        assert {a.customer_id for a in listed.attempts} >= {pinned, customer_id}


async def test_of_many_wrong_answers_under_either_id_five_are_tried_and_nobody_gets_more_by_being_parted(
    channel: grpc.aio.Channel, pinned: str, loader: Metadata, supervisor: Metadata
) -> None:
    verification, merges = VerificationsServiceStub(channel), MergesServiceStub(channel)
    request = customers_pb2.CreateCustomerRequest(customer=person())
    survivor = (await CustomersServiceStub(channel).CreateCustomer(request, metadata=supervisor)).customer.id
    for left in (4, 3):
        assert (await verification.Verify(asked(pinned, "314159"), metadata=loader)).attempts_left == left
    merge = merges_pb2.MergeRequest(survivor_id=survivor, duplicate_id=pinned)
    await merges.Merge(merge, metadata=supervisor)
    answers = await asyncio.gather(
        *(verification.Verify(asked(i, "314159"), metadata=loader) for i in (survivor, pinned) * 16),
        return_exceptions=True,
    )
    tried = [a.attempts_left for a in answers if isinstance(a, pb.VerifyResponse)]
    assert sorted(tried) == [0, 1, 2]
    refused = [a for a in answers if isinstance(a, grpc.aio.AioRpcError)]
    assert [reason_of(r) for r in refused] == ["LOCKED_OUT"] * 29
    await merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=pinned), metadata=supervisor)
    with pytest.raises(grpc.aio.AioRpcError) as own:
        await verification.Verify(asked(pinned, RIGHT), metadata=loader)
    assert reason_of(own.value) == "LOCKED_OUT"
    assert (await verification.Verify(asked(survivor), metadata=loader)).attempts_left == 2


async def test_who_is_parted_keeps_no_level_that_the_others_factor_gave(
    channel: grpc.aio.Channel, pinned: str, fresh_agent: Metadata, supervisor: Metadata
) -> None:
    verification, merges = VerificationsServiceStub(channel), MergesServiceStub(channel)
    request = customers_pb2.CreateCustomerRequest(customer=person())
    survivor = (await CustomersServiceStub(channel).CreateCustomer(request, metadata=supervisor)).customer.id

    async def levels() -> list[pb.AssuranceLevel.ValueType]:
        requests = [pb.GetVerificationRequest(customer_id=i, contact_id="call-1") for i in (survivor, pinned)]
        read = [await verification.GetVerification(r, metadata=fresh_agent) for r in requests]
        return [r.verification.level for r in read]

    merge = merges_pb2.MergeRequest(survivor_id=survivor, duplicate_id=pinned)
    await merges.Merge(merge, metadata=supervisor)
    assert (await verification.Verify(asked(survivor, RIGHT), metadata=fresh_agent)).passed
    assert await levels() == [VERIFIED, VERIFIED]
    await merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=pinned), metadata=supervisor)
    assert await levels() == [pb.ASSURANCE_LEVEL_CLAIMED, VERIFIED]
