"""What happens to consents, on stores in memory."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from holdfast.customer_info.v1 import consents_pb2 as pb

from chassis.query.selection import Selection
from chassis.rules import Invalid, NotFound, Refused
from services.customer_info.consents import rules
from services.customer_info.consents.contact_rules import Reason
from services.customer_info.consents.rules import (
    Basis,
    Change,
    Channel,
    DoNotContact,
    Given,
    Lifted,
    Source,
    Withdrawn,
)
from services.customer_info.consents.usecases import Write
from services.customer_info.customers.rules import Status
from services.customer_info.profiles.rules import Day, Hours, Window
from tests.unit.services.customer_info.builders import NOON, later, new_uuid, person
from tests.unit.services.customer_info.consent_builders import MARKETING, SHOP, STOP, record
from tests.unit.services.customer_info.consent_house import House
from tests.unit.services.customer_info.profile_builders import full_profile

ADA = person()


@pytest.fixture
def house() -> House:
    return House(ADA)


async def test_a_consent_is_recorded_with_its_event_and_counts_at_once(house: House) -> None:
    assert await house.reason(ADA.id) is Reason.NO_CONSENT
    made = await house.add(ADA.id, replace(MARKETING, channels=(Channel.EMAIL,)))
    assert house.store.kept == {made.id: made}
    assert (made.by, made.source) == ("agent-1", SHOP)
    (event,) = house.store.events
    assert (event.subject, event.sequence, event.customer_id, event.time) == (made.id, 1, ADA.id, made.time)
    assert event.data == pb.ConsentChanged(
        customer_id=ADA.id,
        record_id=made.id,
        state=pb.CONSENT_STATE_GIVEN,
        purposes=["marketing"],
        channels=[pb.CONTACT_CHANNEL_EMAIL],
        basis=pb.LAWFUL_BASIS_CONSENT,
    )
    assert await house.reason(ADA.id) is Reason.ALLOWED_BY_CONSENT


async def test_records_of_a_customer_are_each_later_than_the_one_before(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.customer_info.consents.usecases.now", lambda: NOON)
    times = [(await house.add(ADA.id, c)).time for c in (MARKETING, STOP, MARKETING, STOP)]
    assert times == [NOON + n * timedelta(milliseconds=1) for n in range(4)]
    # Though the clock still shows a time before the latest.
    assert await house.reason(ADA.id) is Reason.WITHDRAWN
    assert house.customers.held == [ADA.id] * 4


async def test_a_retry_records_nothing_more(house: House) -> None:
    write = Write("RecordConsentRequest", new_uuid(), b"content")
    first = await house.add(ADA.id, MARKETING, write=write)
    assert await house.add(ADA.id, MARKETING, write=write) == first
    with pytest.raises(Invalid) as refused:
        await house.add(ADA.id, MARKETING, write=replace(write, content=b"other"))
    assert refused.value.reason == "REQUEST_ID_REUSED"
    await house.add(ADA.id, STOP, write=replace(write, method="WithdrawConsentRequest"))
    assert len(house.store.kept) == len(house.store.events) == 2


async def test_withdrawals_and_entries_are_told_with_what_they_are_about(house: House) -> None:
    await house.add(ADA.id, replace(STOP, channels=(Channel.SMS,)))
    entry = await house.add(ADA.id, DoNotContact(channels=(Channel.CALL,), purposes=("surveys",)))
    await house.add(ADA.id, Lifted(entry.id))
    told = [e.data for e in house.store.events]
    assert all(isinstance(data, pb.ConsentChanged) for data in told)
    states = [(d.state, list(d.purposes), list(d.channels)) for d in told]  # type: ignore[attr-defined]
    assert states == [
        (pb.CONSENT_STATE_WITHDRAWN, ["marketing"], [pb.CONTACT_CHANNEL_SMS]),
        (pb.CONSENT_STATE_DO_NOT_CONTACT, ["surveys"], [pb.CONTACT_CHANNEL_CALL]),
        (pb.CONSENT_STATE_LIFTED, ["surveys"], [pb.CONTACT_CHANNEL_CALL]),
    ]


async def test_a_consent_that_nothing_proves_is_none(house: House) -> None:
    with pytest.raises(Invalid) as refused:
        await house.add(ADA.id, MARKETING, Source(note="she said so"))
    assert refused.value.field == "source"
    for fine in (Source("store"), Source(evidence=("recording", "7"))):
        await house.add(ADA.id, MARKETING, fine)
    await house.add(ADA.id, Given("marketing", Basis.LEGITIMATE_INTERESTS), Source())
    await house.add(ADA.id, STOP, Source())


@pytest.mark.parametrize(
    "change", [replace(MARKETING, start=later(2), end=later(2)), DoNotContact(start=later(2), end=NOON)]
)
async def test_nothing_ends_before_it_starts(house: House, change: Change) -> None:
    with pytest.raises(Invalid) as refused:
        await house.add(ADA.id, change)
    assert refused.value.field == "valid.end"
    assert house.store.kept == {}


async def test_an_entry_is_lifted_once_and_by_its_own_id(house: House) -> None:
    entry = await house.add(ADA.id, DoNotContact())
    consent = await house.add(ADA.id, MARKETING)
    assert await house.reason(ADA.id) is Reason.DO_NOT_CONTACT
    for foreign in (consent.id, new_uuid()):
        with pytest.raises(NotFound) as unknown:
            await house.add(ADA.id, Lifted(foreign))
        assert unknown.value.metadata == {"type": "do_not_contact", "id": foreign}
    await house.add(ADA.id, Lifted(entry.id))
    assert await house.reason(ADA.id) is Reason.ALLOWED_BY_CONSENT
    with pytest.raises(Refused) as again:
        await house.add(ADA.id, Lifted(entry.id))
    assert again.value.metadata == {"state": "lifted"}


async def test_an_entry_of_another_customer_is_not_there() -> None:
    eve = person()
    house = House(ADA, eve)
    entry = await house.add(ADA.id, DoNotContact())
    with pytest.raises(NotFound):
        await house.add(eve.id, Lifted(entry.id))


async def test_grounds_are_not_endless_but_withdrawals_are(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_RECORDS", 2)
    for _ in range(2):
        await house.add(ADA.id, MARKETING)
    for change in (MARKETING, DoNotContact()):
        with pytest.raises(Refused) as refused:
            await house.add(ADA.id, change)
        assert refused.value.metadata == {"state": "full"}
    await house.add(ADA.id, STOP)


async def test_withdrawals_take_no_room_from_grounds_and_prohibitions(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MOST_RECORDS", 2)
    for _ in range(3):
        await house.add(ADA.id, STOP)
    entry = await house.add(ADA.id, DoNotContact())
    await house.add(ADA.id, Lifted(entry.id))
    await house.add(ADA.id, MARKETING)
    with pytest.raises(Refused) as refused:
        await house.add(ADA.id, DoNotContact())
    assert refused.value.metadata == {"state": "full"}


async def test_nothing_is_recorded_of_nobody(house: House) -> None:
    for attempt in (house.add(new_uuid(), MARKETING), house.reason(new_uuid())):
        with pytest.raises(NotFound):
            await attempt
    assert house.store.kept == {}


async def test_nothing_is_recorded_of_who_was_erased() -> None:
    gone = person(erase_time=NOON)
    with pytest.raises(Refused) as refused:
        await House(gone).add(gone.id, MARKETING)
    assert refused.value.reason == "ERASED"


async def test_who_was_merged_withdraws_under_its_former_id_for_all_of_them() -> None:
    absorbed = person(merged_into=ADA.id)
    house = House(ADA, absorbed, lines=[(ADA.id, absorbed.id)])
    await house.add(ADA.id, MARKETING)
    stop = await house.add(absorbed.id, STOP)
    assert stop.customer_id == absorbed.id, "a merge that was a mistake takes nobody's word for another's"
    for asked in (ADA.id, absorbed.id):
        assert await house.reason(asked) is Reason.WITHDRAWN
    assert house.customers.held == [ADA.id] * 2
    entry = await house.add(absorbed.id, DoNotContact())
    lift = await house.add(ADA.id, Lifted(entry.id))
    assert lift.customer_id == absorbed.id, "what lifts an entry stays with it"


async def test_an_erased_person_and_one_who_left_are_told_apart() -> None:
    erased, closed = person(erase_time=NOON), person(status=Status.CLOSED)
    house = House(erased, closed)
    assert await house.reason(erased.id, "service") is Reason.CUSTOMER_ERASED
    assert await house.reason(closed.id, "service") is Reason.CUSTOMER_LEFT


async def test_an_answer_says_for_when_it_is(house: House) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=2)
    _, at = await house.usecases.may_contact(ADA.id, "service", None, None)
    assert before <= at <= datetime.now(UTC)
    assert (await house.usecases.may_contact(ADA.id, "service", None, NOON))[1] == NOON


async def test_what_merged_records_say_counts_for_the_survivor() -> None:
    absorbed = person(merged_into=ADA.id)
    line = (ADA.id, absorbed.id)
    house = House(ADA, absorbed, lines=[line])
    old = record(MARKETING, customer_id=absorbed.id)
    stop = record(STOP, 5, customer_id=absorbed.id)
    house.store.kept[old.id] = old
    for asked in line:
        assert await house.reason(asked) is Reason.ALLOWED_BY_CONSENT
    house.store.kept[stop.id] = stop
    for asked in line:
        assert await house.reason(asked) is Reason.WITHDRAWN
    records, _ = await house.usecases.page(ADA.id, Selection())
    assert records == [stop, old]
    many = await house.usecases.may_contact_many([absorbed.id, ADA.id], "marketing", None, None)
    assert [d.reason for d, _ in many] == [Reason.WITHDRAWN] * 2
    await house.add(ADA.id, MARKETING)
    assert await house.reason(absorbed.id) is Reason.ALLOWED_BY_CONSENT


async def test_a_survivor_who_left_has_left_under_all_its_ids() -> None:
    survivor = person(status=Status.CLOSED)
    absorbed = person(merged_into=survivor.id)
    house = House(survivor, absorbed, lines=[(survivor.id, absorbed.id)])
    assert await house.reason(absorbed.id, "service") is Reason.CUSTOMER_LEFT


async def test_many_are_answered_in_order_as_each_alone() -> None:
    people = [person(status=list(Status)[n % 5]) for n in range(20)]
    house = House(*people)
    for n, one in enumerate(people):
        if n % 3:
            await house.add(one.id, Withdrawn("marketing") if n % 2 else MARKETING)
    ids = [*(p.id for p in people), new_uuid(), people[3].id]
    many = await house.usecases.may_contact_many(ids, "marketing", Channel.EMAIL, later(10**9))
    assert many[20][0].reason is Reason.NO_SUCH_CUSTOMER
    for customer_id, answer in zip(ids, many, strict=True):
        if customer_id != ids[20]:
            assert answer == await house.usecases.may_contact(customer_id, "marketing", Channel.EMAIL, later(10**9))


async def test_the_hours_that_a_customer_keeps_count_as_they_stood_at_the_time() -> None:
    absorbed = person(merged_into=ADA.id)
    survivor = replace(ADA, sources=(absorbed.id,))
    house = House(survivor, absorbed, lines=[(ADA.id, absorbed.id)])
    first = full_profile(absorbed.id, contact_window=None)
    other = Day(later(5).isoweekday() % 7 + 1)
    second = replace(first, version=2, update_time=later(5), contact_window=Window("UTC", (Hours((other,), 0, 1440),)))
    await house.tell(first)
    await house.tell(second)
    for asked in (ADA.id, absorbed.id):
        for at, reason in ((4, Reason.ALLOWED_BY_CONTRACT), (6, Reason.OUTSIDE_CONTACT_WINDOW)):
            decision, time = await house.usecases.may_contact(asked, "service", Channel.CALL, later(at))
            assert decision.reason is reason
            ((again, same),) = await house.usecases.may_contact_many([asked], "service", Channel.CALL, later(at))
            assert (again, same) == (decision, time)
    assert decision.opens == (later(6) + timedelta(days=1)).replace(hour=0, minute=0)


def test_notes_are_not_shown() -> None:
    assert "secret" not in repr(record(MARKETING, source=Source("store", note="a secret")))
