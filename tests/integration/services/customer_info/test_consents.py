"""Consents through a real process, a real socket and a real MongoDB."""

import asyncio
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from holdfast.common.v1 import query_pb2, types_pb2
from holdfast.customer_info.v1 import consents_pb2 as pb
from holdfast.customer_info.v1 import customers_pb2, merges_pb2, privacy_pb2, profiles_pb2
from holdfast.customer_info.v1.consents_pb2_grpc import ConsentsServiceStub
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.merges_pb2_grpc import MergesServiceStub
from holdfast.customer_info.v1.privacy_pb2_grpc import PrivacyServiceStub
from holdfast.customer_info.v1.profiles_pb2_grpc import ProfilesServiceStub
from holdfast.events.v1 import events_pb2, events_pb2_grpc

from chassis.errors import reason_of
from chassis.times import from_timestamp, now, to_timestamp
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import bad_fields, metadata_of, new_uuid, person
from tests.support.service import Keys

EMAIL, SMS = pb.CONTACT_CHANNEL_EMAIL, pb.CONTACT_CHANNEL_SMS
FORM = pb.ConsentSource(channel="store", evidence=types_pb2.Reference(type="document", id="form-7"))
MARKETING = pb.ConsentGiven(purpose="marketing", basis=pb.LAWFUL_BASIS_CONSENT, channels=[EMAIL])


@pytest.fixture
def consents(channel: grpc.aio.Channel) -> ConsentsServiceStub:
    return ConsentsServiceStub(channel)


@pytest.fixture
async def owner(customers: CustomersServiceStub, agent: Metadata) -> str:
    """The id of a customer of whom nothing was recorded."""
    request = customers_pb2.CreateCustomerRequest(customer=person())
    return str((await customers.CreateCustomer(request, metadata=agent)).customer.id)


async def given(consents: ConsentsServiceStub, agent: Metadata, customer_id: str) -> pb.ConsentRecord:
    request = pb.RecordConsentRequest(customer_id=customer_id, given=MARKETING, source=FORM)
    return (await consents.RecordConsent(request, metadata=agent)).record


async def withdrawn(consents: ConsentsServiceStub, who: Metadata, customer_id: str) -> pb.ConsentRecord:
    stop = pb.ConsentWithdrawn(purpose="marketing")
    request = pb.WithdrawConsentRequest(customer_id=customer_id, withdrawn=stop)
    return (await consents.WithdrawConsent(request, metadata=who)).record


async def asked(
    consents: ConsentsServiceStub,
    agent: Metadata,
    customer_id: str,
    purpose: str = "marketing",
    at: datetime | None = None,
) -> pb.ContactDecision:
    request = pb.MayContactRequest(customer_id=customer_id, purpose=purpose, channel=EMAIL)
    if at is not None:
        request.at.CopyFrom(to_timestamp(at))
    return (await consents.MayContact(request, metadata=agent)).decision


async def test_a_consent_is_given_withdrawn_and_given_anew(
    consents: ConsentsServiceStub, agent: Metadata, owner: str
) -> None:
    assert (await asked(consents, agent, owner)).reason == pb.CONTACT_REASON_NO_CONSENT
    first = await given(consents, agent, owner)
    assert (first.given, first.source, first.by) == (MARKETING, FORM, "tester")
    yes = await asked(consents, agent, owner)
    assert (yes.allowed, yes.reason, yes.record_id) == (True, pb.CONTACT_REASON_ALLOWED_BY_CONSENT, first.id)
    stop = await withdrawn(consents, (*agent, ("x-holdfast-channel", "call")), owner)
    assert stop.source.channel == "call"
    no = await asked(consents, agent, owner)
    assert (no.allowed, no.reason, no.record_id) == (False, pb.CONTACT_REASON_WITHDRAWN, stop.id)
    anew = await given(consents, agent, owner)
    assert (await asked(consents, agent, owner)).record_id == anew.id
    then = pb.MayContactRequest(customer_id=owner, purpose="marketing", channel=EMAIL, at=first.time)
    assert (await consents.MayContact(then, metadata=agent)).decision.record_id == first.id
    records = (await consents.ListConsents(pb.ListConsentsRequest(customer_id=owner), metadata=agent)).records
    assert list(records) == [anew, stop, first]


async def test_do_not_contact_stands_above_consent_until_it_is_lifted(
    consents: ConsentsServiceStub, agent: Metadata, owner: str
) -> None:
    entry = pb.DoNotContact(extent=pb.DoNotContact.EXTENT_ALL_BUT_REQUIRED, reason=pb.DoNotContact.REASON_BEREAVEMENT)
    source = pb.ConsentSource(note="her brother called")
    request = pb.SetDoNotContactRequest(customer_id=owner, do_not_contact=entry, source=source)
    made = (await consents.SetDoNotContact(request, metadata=agent)).record
    assert (made.do_not_contact, made.source.note) == (entry, "her brother called")
    await given(consents, agent, owner)
    for purpose in ("marketing", "service"):
        no = await asked(consents, agent, owner, purpose)
        assert (no.reason, no.record_id) == (pb.CONTACT_REASON_DO_NOT_CONTACT, made.id)
    assert (await asked(consents, agent, owner, "legal_notice")).allowed
    lift = pb.LiftDoNotContactRequest(customer_id=owner, record_id=made.id)
    lifted = (await consents.LiftDoNotContact(lift, metadata=agent)).record
    assert lifted.lifted.record_id == made.id
    assert (await asked(consents, agent, owner)).allowed
    with pytest.raises(grpc.aio.AioRpcError) as again:
        await consents.LiftDoNotContact(lift, metadata=agent)
    assert metadata_of(again.value) == {"state": "lifted"}


async def test_many_are_answered_at_once(
    consents: ConsentsServiceStub, customers: CustomersServiceStub, agent: Metadata, loader: Metadata
) -> None:
    made = await asyncio.gather(
        *(
            customers.CreateCustomer(customers_pb2.CreateCustomerRequest(customer=person()), metadata=agent)
            for _ in range(12)
        )
    )
    ids = [m.customer.id for m in made]
    await asyncio.gather(*(given(consents, agent, i) for i in ids[::2]))
    wanted = [*ids, new_uuid(), *ids[:2]]
    request = pb.MayContactManyRequest(customer_ids=wanted, purpose="marketing", channel=EMAIL)
    found = (await consents.MayContactMany(request, metadata=loader)).decisions
    assert [d.customer_id for d in found] == wanted
    assert [d.allowed for d in found] == [*([True, False] * 6), False, True, False]
    assert found[12].reason == pb.CONTACT_REASON_NO_SUCH_CUSTOMER


async def test_records_made_at_once_are_each_later_than_another_and_the_last_one_counts(
    consents: ConsentsServiceStub, agent: Metadata, owner: str
) -> None:
    turns = [given if n % 2 else withdrawn for n in range(24)]
    records = await asyncio.gather(*(turn(consents, agent, owner) for turn in turns))
    times = sorted(from_timestamp(r.time) for r in records)
    assert len(set(times)) == 24
    last = max(records, key=lambda r: from_timestamp(r.time))
    decision = await asked(consents, agent, owner)
    assert (decision.allowed, decision.record_id) == (last.HasField("given"), last.id)


async def test_a_retry_records_nothing_more(consents: ConsentsServiceStub, agent: Metadata, owner: str) -> None:
    request = pb.RecordConsentRequest(customer_id=owner, given=MARKETING, source=FORM, request_id=new_uuid())
    answers = await asyncio.gather(*(consents.RecordConsent(request, metadata=agent) for _ in range(8)))
    assert len({a.record.id for a in answers}) == 1
    request.given.purpose = "surveys"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await consents.RecordConsent(request, metadata=agent)
    assert reason_of(refused.value) == "REQUEST_ID_REUSED"
    assert len((await consents.ListConsents(pb.ListConsentsRequest(customer_id=owner), metadata=agent)).records) == 1


async def test_a_customer_reads_and_withdraws_its_own_and_gives_nothing(
    consents: ConsentsServiceStub, agent: Metadata, owner: str, keys: Keys
) -> None:
    await given(consents, agent, owner)
    own = keys.metadata("customer", customer_id=owner, subject="ada")
    assert len((await consents.ListConsents(pb.ListConsentsRequest(customer_id=owner), metadata=own)).records) == 1
    assert (await withdrawn(consents, own, owner)).by == "ada"
    with pytest.raises(grpc.aio.AioRpcError) as foreign:
        await withdrawn(consents, own, new_uuid())
    assert reason_of(foreign.value) == "NOT_OWN_CUSTOMER"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await given(consents, own, owner)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_customer_whose_token_names_a_merged_id_withdraws_for_who_it_is_now(
    consents: ConsentsServiceStub,
    channel: grpc.aio.Channel,
    agent: Metadata,
    owner: str,
    keys: Keys,
) -> None:
    request = customers_pb2.CreateCustomerRequest(customer=person())
    survivor = (await CustomersServiceStub(channel).CreateCustomer(request, metadata=agent)).customer.id
    await given(consents, agent, survivor)
    merges, lead = MergesServiceStub(channel), keys.metadata("supervisor")
    await merges.Merge(merges_pb2.MergeRequest(survivor_id=survivor, duplicate_id=owner), metadata=lead)
    assert (await asked(consents, agent, owner)).allowed
    own = keys.metadata("customer", customer_id=owner, subject="ada")
    stop = await withdrawn(consents, own, owner)
    entry = pb.SetDoNotContactRequest(customer_id=owner, do_not_contact=pb.DoNotContact())
    await consents.SetDoNotContact(entry, metadata=own)
    lift = pb.LiftDoNotContactRequest(customer_id=survivor, record_id=(await asked(consents, agent, owner)).record_id)
    await consents.LiftDoNotContact(lift, metadata=agent)
    for customer_id in (owner, survivor):
        assert (await asked(consents, agent, customer_id)).record_id == stop.id
    await merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=owner), metadata=lead)
    assert (await asked(consents, agent, survivor)).allowed, "nobody takes another's word"
    assert (await asked(consents, agent, owner)).record_id == stop.id


async def test_lists_are_asked_by_kind_purpose_and_time(
    consents: ConsentsServiceStub, agent: Metadata, owner: str
) -> None:
    await given(consents, agent, owner)
    stop = await withdrawn(consents, agent, owner)
    query = query_pb2.Query(predicates=[query_pb2.Predicate(field="kind", values=["withdrawn"])])
    request = pb.ListConsentsRequest(customer_id=owner, query=query)
    assert list((await consents.ListConsents(request, metadata=agent)).records) == [stop]
    foreign = pb.ListConsentsRequest(customer_id=owner)
    foreign.query.predicates.add(field="customer_id", values=[new_uuid()])
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await consents.ListConsents(foreign, metadata=agent)
    assert reason_of(refused.value) == "INVALID_QUERY"


async def test_one_who_left_keeps_its_consents_and_loses_the_contract(
    consents: ConsentsServiceStub, customers: CustomersServiceStub, agent: Metadata, owner: str
) -> None:
    await given(consents, agent, owner)
    closed = customers_pb2.ChangeCustomerStatusRequest(customer_id=owner, status=customers_pb2.CUSTOMER_STATUS_CLOSED)
    await customers.ChangeCustomerStatus(closed, metadata=agent)
    assert (await asked(consents, agent, owner)).allowed
    assert (await asked(consents, agent, owner, "service")).reason == pb.CONTACT_REASON_CUSTOMER_LEFT


async def test_bad_input_names_its_field_and_changes_nothing(
    consents: ConsentsServiceStub, agent: Metadata, owner: str
) -> None:
    late, early = to_timestamp(now()), to_timestamp(now() - timedelta(days=1))
    period = pb.ConsentGiven(
        purpose="surveys", basis=pb.LAWFUL_BASIS_CONSENT, valid=types_pb2.Period(start=late, end=early)
    )
    requests = {
        "given.purpose": pb.RecordConsentRequest(
            customer_id=owner, given=pb.ConsentGiven(purpose="Not So", basis=pb.LAWFUL_BASIS_CONSENT)
        ),
        "given.basis": pb.RecordConsentRequest(customer_id=owner, given=pb.ConsentGiven(purpose="surveys")),
        "given.channels": pb.RecordConsentRequest(
            customer_id=owner,
            given=pb.ConsentGiven(purpose="surveys", basis=pb.LAWFUL_BASIS_CONSENT, channels=[EMAIL, EMAIL]),
        ),
        "given.valid": pb.RecordConsentRequest(customer_id=owner, given=period, source=FORM),
        "given": pb.RecordConsentRequest(customer_id=owner, source=FORM),
        "source": pb.RecordConsentRequest(customer_id=owner, given=MARKETING),
        "source.channel": pb.RecordConsentRequest(
            customer_id=owner, given=MARKETING, source=pb.ConsentSource(channel="The Shop")
        ),
    }
    for field, request in requests.items():
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await consents.RecordConsent(request, metadata=agent)
        assert bad_fields(refused.value) == [field]
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await given(consents, agent, new_uuid())
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
    assert not (await consents.ListConsents(pb.ListConsentsRequest(customer_id=owner), metadata=agent)).records


async def test_changes_are_told_without_what_was_said(
    consents: ConsentsServiceStub, agent: Metadata, loader: Metadata, owner: str, channel: grpc.aio.Channel
) -> None:
    made = await given(consents, agent, owner)
    stop = pb.ConsentWithdrawn(purpose="marketing", channels=[SMS])
    source = pb.ConsentSource(note="too many messages")
    await consents.WithdrawConsent(
        pb.WithdrawConsentRequest(customer_id=owner, withdrawn=stop, source=source), metadata=agent
    )
    wanted = ["holdfast.customer_info.v1.ConsentChanged"]
    told: list[pb.ConsentChanged] = []
    stream = events_pb2_grpc.EventsServiceStub(channel).Subscribe(
        events_pb2.SubscribeRequest(types=wanted), metadata=loader, timeout=30
    )
    async for answer in stream:
        for event in answer.events:
            if event.customer_id == owner:
                assert b"too many" not in event.SerializeToString()
                told.append(pb.ConsentChanged())
                event.data.Unpack(told[-1])
        if len(told) == 2:
            break
    stream.cancel()
    assert [(t.state, list(t.purposes), list(t.channels)) for t in told] == [
        (pb.CONSENT_STATE_GIVEN, ["marketing"], [EMAIL]),
        (pb.CONSENT_STATE_WITHDRAWN, ["marketing"], [SMS]),
    ]
    assert told[0].record_id == made.id


async def test_a_customer_is_called_in_its_own_hours_and_told_when_they_begin(
    channel: grpc.aio.Channel, consents: ConsentsServiceStub, agent: Metadata, owner: str
) -> None:
    at = now() + timedelta(days=1)
    in_two_days = (at + timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    day = profiles_pb2.ContactDay.values()[in_two_days.isoweekday()]
    hours = profiles_pb2.ContactHours(days=[day], start="00:00", end="24:00")
    window = profiles_pb2.ContactWindow(time_zone="UTC", hours=[hours])
    profile = profiles_pb2.Profile(customer_id=owner, contact_window=window)
    update = profiles_pb2.UpdateProfileRequest(profile=profile)
    await ProfilesServiceStub(channel).UpdateProfile(update, metadata=agent)

    async def call(contact: pb.ContactChannel.ValueType, purpose: str = "service") -> pb.ContactDecision:
        request = pb.MayContactRequest(customer_id=owner, purpose=purpose, channel=contact, at=to_timestamp(at))
        return (await consents.MayContact(request, metadata=agent)).decision

    refused = await call(pb.CONTACT_CHANNEL_CALL)
    assert not refused.allowed
    assert refused.reason == pb.CONTACT_REASON_OUTSIDE_CONTACT_WINDOW
    assert from_timestamp(refused.open_time) == in_two_days
    for contact, purpose in ((EMAIL, "service"), (pb.CONTACT_CHANNEL_CALL, "emergency")):
        allowed = await call(contact, purpose)
        assert allowed.allowed
        assert not allowed.HasField("open_time")


async def test_far_times_are_answered_for(
    channel: grpc.aio.Channel, consents: ConsentsServiceStub, agent: Metadata, loader: Metadata, owner: str
) -> None:
    hours = profiles_pb2.ContactHours(days=[profiles_pb2.CONTACT_DAY_MONDAY], start="09:00", end="17:00")
    window = profiles_pb2.ContactWindow(time_zone="Asia/Tokyo", hours=[hours])
    profile = profiles_pb2.Profile(customer_id=owner, contact_window=window)
    await ProfilesServiceStub(channel).UpdateProfile(profiles_pb2.UpdateProfileRequest(profile=profile), metadata=agent)
    call = pb.CONTACT_CHANNEL_CALL
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    for at, reason in (
        (last, pb.CONTACT_REASON_OUTSIDE_CONTACT_WINDOW),
        (last - timedelta(days=6), pb.CONTACT_REASON_OUTSIDE_CONTACT_WINDOW),
        # Nobody kept any hours then.
        (first, pb.CONTACT_REASON_ALLOWED_BY_CONTRACT),
    ):
        one = pb.MayContactRequest(customer_id=owner, purpose="service", channel=call, at=to_timestamp(at))
        many = pb.MayContactManyRequest(customer_ids=[owner], purpose="service", channel=call, at=to_timestamp(at))
        decision = (await consents.MayContact(one, metadata=agent)).decision
        assert decision.reason == reason
        assert list((await consents.MayContactMany(many, metadata=loader)).decisions) == [decision]


async def test_of_a_time_that_has_passed_what_was_known_then_is_told(
    channel: grpc.aio.Channel, consents: ConsentsServiceStub, agent: Metadata, owner: str, keys: Keys
) -> None:
    customers, merges, lead = CustomersServiceStub(channel), MergesServiceStub(channel), keys.metadata("supervisor")
    request = customers_pb2.CreateCustomerRequest(customer=person())
    survivor = (await customers.CreateCustomer(request, metadata=agent)).customer.id
    await given(consents, agent, survivor)
    stop = await withdrawn(consents, agent, owner)
    times = [from_timestamp(stop.time)]
    merged = await merges.Merge(merges_pb2.MergeRequest(survivor_id=survivor, duplicate_id=owner), metadata=lead)
    times.append(from_timestamp(merged.customer.update_time))
    parted = await merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=owner), metadata=lead)
    times.append(max(from_timestamp(c.update_time) for c in (parted.survivor, parted.duplicate)))
    closed = customers_pb2.ChangeCustomerStatusRequest(
        customer_id=survivor, status=customers_pb2.CUSTOMER_STATUS_CLOSED
    )
    left = (await customers.ChangeCustomerStatus(closed, metadata=agent)).customer
    times.append(from_timestamp(left.update_time))
    for who, allowed in ((survivor, [True, False, True, True]), (owner, [False] * 4)):
        assert [(await asked(consents, agent, who, at=at)).allowed for at in times] == allowed
    reasons = [(await asked(consents, agent, survivor, "billing", at)).reason for at in times]
    assert reasons == [*[pb.CONTACT_REASON_ALLOWED_BY_CONTRACT] * 3, pb.CONTACT_REASON_CUSTOMER_LEFT]
    erase = privacy_pb2.EraseCustomerRequest(customer_id=survivor, reason="asked")
    await PrivacyServiceStub(channel).EraseCustomer(erase, metadata=lead)
    gone = [(await asked(consents, agent, survivor, "billing", at)).reason for at in times]
    assert gone == [pb.CONTACT_REASON_CUSTOMER_ERASED] * 4
    assert (await asked(consents, agent, owner, at=times[1])).record_id == stop.id
