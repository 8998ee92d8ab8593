"""Verification through a real process, a real socket and a real MongoDB."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta

import grpc
import pytest
from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import customers_pb2
from holdfast.customer_info.v1 import verification_pb2 as pb
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.verification_pb2_grpc import VerificationsServiceStub
from holdfast.events.v1 import events_pb2, events_pb2_grpc

from chassis.errors import reason_of
from chassis.mongo.client import Store
from chassis.times import from_timestamp, now
from services.customer_info.verification.store import ATTEMPTS, CODES, FACTORS, VERIFICATION_COLLECTIONS
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import bad_fields, metadata_of, new_uuid, person
from tests.support.service import Keys, Process, serving

PIN, CODE, PET = pb.FACTOR_KIND_PIN, pb.FACTOR_KIND_ONE_TIME_CODE, pb.FACTOR_KIND_SECRET_ANSWER
VERIFIED, STRONG = pb.ASSURANCE_LEVEL_VERIFIED, pb.ASSURANCE_LEVEL_STRONG
RIGHT, WRONG = "271828", "314159"


@pytest.fixture(scope="module")
def service(mongo_uri: Callable[[str], str], keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """The service, which logs all it ever would."""
    uris = {f"{name}_mongo_uri": mongo_uri(name) for name in ("customer_info", "customer_info_keys")}
    folder = tmp_path_factory.mktemp("customer_info")
    with serving("services.customer_info", keys, folder, log_level="debug", **uris) as process:
        yield process


@pytest.fixture
def verification(channel: grpc.aio.Channel) -> VerificationsServiceStub:
    return VerificationsServiceStub(channel)


@pytest.fixture
def supervisor(keys: Keys) -> Metadata:
    return keys.metadata("supervisor", subject="supervisor-1")


@pytest.fixture
def fresh_agent(keys: Keys) -> Metadata:
    """An agent with no failures yet."""
    return (*keys.metadata("agent", subject=new_uuid()), ("x-holdfast-channel", "call"))


@pytest.fixture
async def caller(customers: CustomersServiceStub, agent: Metadata) -> customers_pb2.Customer:
    request = customers_pb2.CreateCustomerRequest(customer=person())
    return (await customers.CreateCustomer(request, metadata=agent)).customer


@pytest.fixture
async def pinned(
    caller: customers_pb2.Customer, verification: VerificationsServiceStub, supervisor: Metadata
) -> customers_pb2.Customer:
    """A customer with a PIN."""
    request = pb.SetFactorRequest(customer_id=caller.id, kind=PIN, value=RIGHT)
    await verification.SetFactor(request, metadata=supervisor)
    return caller


def asked(customer_id: str, *answers: tuple[pb.FactorKind.ValueType, str], contact: str = "call-1") -> pb.VerifyRequest:
    given = [pb.FactorAnswer(kind=kind, value=value) for kind, value in answers]
    return pb.VerifyRequest(customer_id=customer_id, contact_id=contact, answers=given)


async def level(
    verification: VerificationsServiceStub, agent: Metadata, customer_id: str, contact: str = "call-1"
) -> pb.AssuranceLevel.ValueType:
    request = pb.GetVerificationRequest(customer_id=customer_id, contact_id=contact)
    return (await verification.GetVerification(request, metadata=agent)).verification.level


async def test_a_caller_climbs_from_claimed_to_strong(
    verification: VerificationsServiceStub, pinned: customers_pb2.Customer, fresh_agent: Metadata, loader: Metadata
) -> None:
    assert await level(verification, fresh_agent, pinned.id) == pb.ASSURANCE_LEVEL_NONE
    claimed = await verification.Verify(asked(pinned.id), metadata=fresh_agent)
    assert claimed.verification.level == pb.ASSURANCE_LEVEL_CLAIMED
    known = await verification.Verify(asked(pinned.id, (PIN, RIGHT)), metadata=fresh_agent)
    assert (known.passed, known.verification.level, known.attempts_left) == (True, VERIFIED, 5)
    issue = pb.IssueCodeRequest(
        customer_id=pinned.id,
        contact_id="call-1",
        medium_kind=pinned.contact_media[0].kind,
        medium_value=pinned.contact_media[0].value,
    )
    issued = await verification.IssueCode(issue, metadata=loader)
    sure = await verification.Verify(asked(pinned.id, (CODE, issued.code)), metadata=fresh_agent)
    assert (sure.passed, sure.verification.level) == (True, STRONG)
    assert list(sure.verification.passed) == [CODE, PIN]
    left = from_timestamp(sure.verification.expire_time) - now()
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    assert await level(verification, fresh_agent, pinned.id) == STRONG
    assert await level(verification, fresh_agent, pinned.id, "call-2") == pb.ASSURANCE_LEVEL_NONE


async def test_sixty_four_wrong_answers_at_once_get_five_tries(
    verification: VerificationsServiceStub, pinned: customers_pb2.Customer, loader: Metadata, keys: Keys
) -> None:
    answers = await asyncio.gather(
        *(verification.Verify(asked(pinned.id, (PIN, WRONG)), metadata=loader) for _ in range(64)),
        return_exceptions=True,
    )
    tried = [a for a in answers if isinstance(a, pb.VerifyResponse)]
    refused = [a for a in answers if isinstance(a, grpc.aio.AioRpcError)]
    assert len(tried) == 5
    assert not any(t.passed for t in tried)
    assert sorted(t.attempts_left for t in tried) == [0, 1, 2, 3, 4]
    assert {(r.code(), reason_of(r)) for r in refused} == {(grpc.StatusCode.FAILED_PRECONDITION, "LOCKED_OUT")}
    assert len(refused) == 59
    assert metadata_of(refused[0])["whose"] == "customer"
    with pytest.raises(grpc.aio.AioRpcError) as right:
        await verification.Verify(asked(pinned.id, (PIN, RIGHT)), metadata=loader)
    assert reason_of(right.value) == "LOCKED_OUT"
    query = query_pb2.Query(
        predicates=[query_pb2.Predicate(field="customer_id", values=[pinned.id])],
        page=query_pb2.PageRequest(page_size=100),
    )
    trail = await verification.ListAttempts(
        pb.ListAttemptsRequest(query=query), metadata=keys.metadata("auditor", subject="auditor-1")
    )
    outcomes = [a.outcome for a in trail.attempts]
    assert outcomes.count(pb.VERIFICATION_OUTCOME_FAILED) == 5
    assert outcomes.count(pb.VERIFICATION_OUTCOME_LOCKED_OUT) == 60
    assert {a.by for a in trail.attempts} == {"tester", "supervisor-1"}


async def test_a_lock_out_ends_when_a_supervisor_lifts_it(
    verification: VerificationsServiceStub,
    pinned: customers_pb2.Customer,
    fresh_agent: Metadata,
    loader: Metadata,
    supervisor: Metadata,
) -> None:
    for _ in range(5):
        last = await verification.Verify(asked(pinned.id, (PIN, WRONG)), metadata=loader)
    wait = from_timestamp(last.locked_until) - now()
    assert timedelta(seconds=40) < wait <= timedelta(minutes=1)
    await verification.LiftLock(pb.LiftLockRequest(customer_id=pinned.id), metadata=supervisor)
    assert (await verification.Verify(asked(pinned.id, (PIN, RIGHT)), metadata=fresh_agent)).passed
    with pytest.raises(grpc.aio.AioRpcError) as own:
        await verification.LiftLock(pb.LiftLockRequest(agent="supervisor-1"), metadata=supervisor)
    assert (own.value.code(), reason_of(own.value)) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_APPROVER")


async def test_an_agent_who_fails_over_many_customers_is_locked_out(
    verification: VerificationsServiceStub,
    customers: CustomersServiceStub,
    pinned: customers_pb2.Customer,
    agent: Metadata,
    keys: Keys,
) -> None:
    subject = new_uuid()
    spraying = keys.metadata("agent", subject=subject)
    made = await asyncio.gather(
        *(
            customers.CreateCustomer(customers_pb2.CreateCustomerRequest(customer=person()), metadata=agent)
            for _ in range(12)
        )
    )
    tries = await asyncio.gather(
        *(verification.Verify(asked(m.customer.id, (PIN, WRONG)), metadata=spraying) for m in made),
        return_exceptions=True,
    )
    refused = [t for t in tries if isinstance(t, grpc.aio.AioRpcError)]
    assert len(refused) == 7
    assert {metadata_of(r)["whose"] for r in refused} == {"agent"}
    other = keys.metadata("agent", subject=new_uuid())
    assert (await verification.Verify(asked(pinned.id, (PIN, RIGHT)), metadata=other)).passed


async def test_nothing_that_was_answered_is_kept_but_as_a_hash(
    verification: VerificationsServiceStub,
    pinned: customers_pb2.Customer,
    fresh_agent: Metadata,
    loader: Metadata,
    store: Store,
) -> None:
    issue = pb.IssueCodeRequest(
        customer_id=pinned.id,
        contact_id="call-1",
        medium_kind=pinned.contact_media[0].kind,
        medium_value=pinned.contact_media[0].value,
    )
    code = (await verification.IssueCode(issue, metadata=loader)).code
    await verification.Verify(asked(pinned.id, (PIN, WRONG)), metadata=fresh_agent)
    kept = [
        d
        for collection in VERIFICATION_COLLECTIONS
        async for d in store.collection(collection.name).find({"customer_id": pinned.id})
    ]
    assert {d["hash"][:28] for d in kept if "hash" in d} == {"$argon2id$v=19$m=24576,t=2,p"}
    assert not any(secret in str(kept) for secret in (RIGHT, WRONG, code))
    for collection in (FACTORS, CODES, ATTEMPTS):
        assert await store.collection(collection.name).find_one({"customer_id": pinned.id})


async def test_nothing_that_was_answered_is_logged(
    verification: VerificationsServiceStub, pinned: customers_pb2.Customer, fresh_agent: Metadata, service: Process
) -> None:
    await verification.Verify(asked(pinned.id, (PIN, WRONG)), metadata=fresh_agent)
    log = await asyncio.to_thread(service.log.read_text)
    assert "VerificationsService/Verify" in log
    assert RIGHT not in log
    assert WRONG not in log


async def test_factors_are_listed_without_their_hashes(
    verification: VerificationsServiceStub, pinned: customers_pb2.Customer, fresh_agent: Metadata, supervisor: Metadata
) -> None:
    early = pb.SetFactorRequest(customer_id=pinned.id, kind=PET, label="first_pet", value="Rex", contact_id="call-1")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await verification.SetFactor(early, metadata=fresh_agent)
    assert metadata_of(refused.value) == {"state": "none"}
    await verification.Verify(asked(pinned.id, (PIN, RIGHT)), metadata=fresh_agent)
    made = (await verification.SetFactor(early, metadata=fresh_agent)).factor
    assert made.channel == "call"
    request = pb.ListFactorsRequest(customer_id=pinned.id)
    found = list((await verification.ListFactors(request, metadata=fresh_agent)).factors)
    assert [(f.kind, f.label) for f in found] == [(PIN, ""), (PET, "first_pet")]
    assert found[1] == made
    assert {field.name for field in pb.Factor.DESCRIPTOR.fields} == {"kind", "label", "set_time", "by", "channel"}
    remove = pb.RemoveFactorRequest(customer_id=pinned.id, kind=PIN)
    await verification.RemoveFactor(remove, metadata=supervisor)
    assert not (await verification.Verify(asked(pinned.id, (PIN, RIGHT)), metadata=fresh_agent)).passed


async def test_customers_keep_their_own_factors_only(
    verification: VerificationsServiceStub, pinned: customers_pb2.Customer, keys: Keys
) -> None:
    own = keys.metadata("customer", customer_id=pinned.id)
    await verification.SetFactor(pb.SetFactorRequest(customer_id=pinned.id, kind=PIN, value="57721566"), metadata=own)
    assert (
        len((await verification.ListFactors(pb.ListFactorsRequest(customer_id=pinned.id), metadata=own)).factors) == 1
    )
    with pytest.raises(grpc.aio.AioRpcError) as foreign:
        await verification.ListFactors(pb.ListFactorsRequest(customer_id=new_uuid()), metadata=own)
    assert reason_of(foreign.value) == "NOT_OWN_CUSTOMER"
    with pytest.raises(grpc.aio.AioRpcError) as itself:
        await verification.Verify(asked(pinned.id, (PIN, RIGHT)), metadata=own)
    assert itself.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_codes_are_for_systems_and_the_audit_trail_is_not_for_agents(
    verification: VerificationsServiceStub, pinned: customers_pb2.Customer, fresh_agent: Metadata, supervisor: Metadata
) -> None:
    issue = pb.IssueCodeRequest(
        customer_id=pinned.id, contact_id="c", medium_kind=customers_pb2.ContactMedium.KIND_EMAIL, medium_value="x"
    )
    for metadata in (fresh_agent, supervisor):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await verification.IssueCode(issue, metadata=metadata)
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(grpc.aio.AioRpcError) as listed:
        await verification.ListAttempts(pb.ListAttemptsRequest(), metadata=fresh_agent)
    assert listed.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_bad_input_names_its_field_and_counts_as_no_try(
    verification: VerificationsServiceStub, pinned: customers_pb2.Customer, loader: Metadata, supervisor: Metadata
) -> None:
    twice = asked(pinned.id, (PIN, WRONG), (PIN, RIGHT))
    for _ in range(6):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await verification.Verify(twice, metadata=loader)
        assert bad_fields(refused.value) == ["answers[1]"]
    assert (await verification.Verify(asked(pinned.id, (PIN, RIGHT)), metadata=loader)).passed
    wrong = {
        "value": pb.SetFactorRequest(customer_id=pinned.id, kind=PIN, value="1234"),
        "label": pb.SetFactorRequest(customer_id=pinned.id, kind=PET, value="Rex"),
        "kind": pb.SetFactorRequest(customer_id=pinned.id, kind=CODE, value="123456"),
        "customer_id": pb.SetFactorRequest(customer_id="somebody", kind=PIN, value=RIGHT),
    }
    for field, request in wrong.items():
        with pytest.raises(grpc.aio.AioRpcError) as bad:
            await verification.SetFactor(request, metadata=supervisor)
        assert bad_fields(bad.value) == [field]
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await verification.Verify(asked(new_uuid(), (PIN, RIGHT)), metadata=loader)
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND


async def test_verifications_and_lock_outs_are_told(
    verification: VerificationsServiceStub,
    pinned: customers_pb2.Customer,
    loader: Metadata,
    channel: grpc.aio.Channel,
) -> None:
    await verification.Verify(asked(pinned.id, (PIN, RIGHT)), metadata=loader)
    for _ in range(5):
        await verification.Verify(asked(pinned.id, (PIN, WRONG)), metadata=loader)
    wanted = ["holdfast.customer_info.v1.CustomerVerified", "holdfast.customer_info.v1.VerificationLocked"]
    told: list[events_pb2.Event] = []
    stream = events_pb2_grpc.EventsServiceStub(channel).Subscribe(
        events_pb2.SubscribeRequest(types=wanted), metadata=loader, timeout=30
    )
    async for answer in stream:
        told += [e for e in answer.events if e.customer_id == pinned.id]
        if len(told) == 2:
            break
    stream.cancel()
    assert [e.type for e in told] == wanted
    verified, locked = pb.CustomerVerified(), pb.VerificationLocked()
    told[0].data.Unpack(verified)
    told[1].data.Unpack(locked)
    assert (verified.level, verified.contact_id) == (VERIFIED, "call-1")
    assert locked.whose == pb.LOCK_SUBJECT_CUSTOMER
