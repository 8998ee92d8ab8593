"""The contract of the store of consents: the fake and the real one keep the same promises."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from chassis.ids import new_id
from chassis.mongo.client import Store
from chassis.query.selection import Operator, Order, Selection
from chassis.rules import Conflict, Refusal
from chassis.vault.vault import Vault
from services.customer_info.consents import wire
from services.customer_info.consents.rules import (
    Basis,
    Channel,
    DoNotContact,
    Extent,
    Given,
    Lifted,
    Record,
    Source,
    Why,
    Withdrawn,
)
from services.customer_info.consents.store import CONSENTS, ConsentStore
from tests.integration.services.customer_info.subjects import Subject, told_by_fake, told_by_outbox
from tests.support.fakes.consents import FakeConsents
from tests.unit.services.customer_info.builders import NOON, later, new_uuid
from tests.unit.services.customer_info.consent_builders import MARKETING, STOP

SECRET = "called from her sister's flat"
BOTH = pytest.mark.parametrize("subject", ["fake", "real"], indirect=True)


@pytest.fixture
def subject(request: pytest.FixtureRequest, store: Store, vault: Vault) -> Subject[Any]:
    if request.param == "fake":
        fake = FakeConsents()
        return Subject(fake, told_by_fake(fake))
    return Subject(ConsentStore(store, vault), told_by_outbox(store))


def made(change: Any, customer_id: str = "", minute: int = 0, note: str = "") -> Record:
    """A record with an id that sorts by time."""
    source = Source("store", ("document", "form-7"), note)
    return Record(new_id(), customer_id or new_uuid(), change, later(minute), source, "agent-1")


async def keep(store: Any, *records: Record) -> None:
    for one in records:

        async def work(transaction: Any, one: Record = one) -> Record:
            await store.insert(transaction, one, wire.changed_event(one, one.change))
            return one

        assert await store.once("Record", "", b"", work) == one


def everything(customer_id: str) -> list[Record]:
    """A record of each kind, oldest first."""
    channels = (Channel.EMAIL, Channel.VISIT)
    given = Given("raffle_2026", Basis.LEGITIMATE_INTERESTS, channels, NOON, later(10))
    entry = DoNotContact(Extent.ALL_BUT_REQUIRED, channels, ("marketing",), NOON, later(5), Why.BEREAVEMENT)
    changes = [given, MARKETING, Withdrawn("marketing", channels), entry, DoNotContact(), Lifted(new_uuid())]
    return [made(c, customer_id, n, SECRET if n % 2 else "") for n, c in enumerate(changes)]


def bare(record: Record) -> Record:
    return replace(record, source=replace(record.source, note=""))


@BOTH
async def test_records_are_kept_whole_and_those_who_decide_see_no_notes(subject: Subject[Any]) -> None:
    owner, other = new_uuid(), new_uuid()
    records, foreign = everything(owner), made(MARKETING, other, 2)
    await keep(subject.store, *records, foreign)
    assert await subject.store.of([owner]) == records
    assert sorted(await subject.store.known(owner), key=lambda r: r.time) == [bare(r) for r in records]
    assert await subject.store.read(None, (owner,)) == [bare(r) for r in records[::-1]]
    both = await subject.store.read(None, (owner, other))
    assert len(both) == 7
    assert [r.time for r in both] == sorted((r.time for r in both), reverse=True)
    assert await subject.store.known(new_uuid()) == []
    assert await subject.store.of([new_uuid()]) == []


@BOTH
async def test_records_asked_for_together_are_each_their_own(subject: Subject[Any]) -> None:
    owners = [new_uuid() for _ in range(30)]
    kept = {owner: [made(MARKETING, owner, m) for m in range(n % 3)] for n, owner in enumerate(owners)}
    await keep(subject.store, *(r for records in kept.values() for r in records))
    wanted = [*owners, new_uuid(), *owners]
    found = await asyncio.gather(*(subject.store.known(owner) for owner in wanted))
    expected = [kept.get(owner, []) for owner in wanted]
    assert [sorted(f, key=lambda r: r.time) for f in found] == expected
    many = await subject.store.known_of_many(wanted)
    assert {i: sorted(f, key=lambda r: r.time) for i, f in many.items()} == dict(zip(wanted, expected, strict=True))


@BOTH
async def test_a_request_is_done_once_and_remembers_its_answer(subject: Subject[Any]) -> None:
    owner, request_id = new_uuid(), new_uuid()

    async def work(transaction: Any) -> Record:
        one = made(STOP, owner, note=SECRET)
        await subject.store.insert(transaction, one, wire.changed_event(one, one.change))
        return one

    first = await subject.store.once("Withdraw", request_id, b"content", work)
    assert await subject.store.once("Withdraw", request_id, b"content", work) == first
    with pytest.raises(Refusal) as refused:
        await subject.store.once("Withdraw", request_id, b"other", work)
    assert refused.value.reason == "REQUEST_ID_REUSED"
    assert await subject.store.once("Record", request_id, b"other", work) != first
    assert len(await subject.store.of([owner])) == 2


@BOTH
async def test_a_record_is_kept_with_what_it_tells_or_not_at_all(subject: Subject[Any]) -> None:
    one = made(MARKETING)

    async def broken(transaction: Any) -> Record:
        await subject.store.insert(transaction, one, wire.changed_event(one, one.change))
        assert await subject.store.read(transaction, (one.customer_id,)) == [one]
        raise Conflict("no")

    with pytest.raises(Conflict):
        await subject.store.once("Record", "", b"", broken)
    assert await subject.store.of([one.customer_id]) == []
    assert await subject.told([one.id]) == []
    await keep(subject.store, one)
    assert await subject.told([one.id]) == [(one.id, 1, "ConsentChanged")]


@BOTH
async def test_lists_are_of_one_customer_filtered_ordered_and_paged(subject: Subject[Any]) -> None:
    one, other = new_uuid(), new_uuid()
    kept = everything(one)
    more = [made(STOP, other, 20), made(MARKETING, other, 21)]
    await keep(subject.store, *kept, *more, made(MARKETING))

    async def found(selection: Selection, *ids: str) -> list[int]:
        seen: list[int] = []
        while True:
            page, token = await subject.store.page(ids or (one,), selection)
            seen += [[*kept, *more].index(r) for r in page]
            if not token:
                return seen
            selection = replace(selection, page_token=token)

    pages = Selection(page_size=2)
    assert await found(pages) == [5, 4, 3, 2, 1, 0]
    assert await found(pages, one, other) == [7, 6, 5, 4, 3, 2, 1, 0]
    assert await found(replace(pages, order=(Order("time"),))) == [0, 1, 2, 3, 4, 5]
    assert await found(pages.where("kind", "do_not_contact", "lifted")) == [5, 4, 3]
    assert await found(pages.where("purpose", "marketing"), one, other) == [7, 6, 2, 1]
    assert await found(pages.where("time", later(3).isoformat(), operator=Operator.GREATER)) == [5, 4]
    for unknown in (Selection().where("basis", "consent"), Selection(order=(Order("kind"),))):
        with pytest.raises(Refusal) as refused:
            await subject.store.page((one,), unknown)
        assert refused.value.reason == "INVALID_QUERY"


@BOTH
async def test_of_a_person_who_is_forgotten_nothing_stays(subject: Subject[Any]) -> None:
    gone, merged, other = new_uuid(), new_uuid(), new_uuid()
    await keep(subject.store, *everything(gone), made(STOP, merged), made(STOP, other))

    async def work(transaction: Any) -> Record:
        await subject.store.forget(transaction, [gone, merged])
        return made(STOP)

    await subject.store.once("Erase", "", b"", work)
    assert [len(await subject.store.of([i])) for i in (gone, merged, other)] == [0, 0, 1]


async def test_notes_are_sealed_and_unreadable_once_the_key_is_gone(store: Store, vault: Vault) -> None:
    consents = ConsentStore(store, vault)
    one = made(STOP, note=SECRET)
    await keep(consents, one)
    kept = await store.collection(CONSENTS.name).find_one({"_id": one.id})
    assert SECRET not in str(kept)
    assert SECRET.encode() not in kept["sealed"]
    assert await consents.of([one.customer_id]) == [one]
    await vault.destroy([one.customer_id])
    assert await consents.of([one.customer_id]) == [bare(one)]
    with pytest.raises(Refusal) as refused:
        await keep(consents, made(STOP, one.customer_id, note=SECRET))
    assert refused.value.reason == "ERASED"


async def test_what_retries_are_answered_with_is_sealed_as_well(store: Store, vault: Vault) -> None:
    consents, request_id, one = ConsentStore(store, vault), new_uuid(), made(STOP, note=SECRET)

    async def work(transaction: Any) -> Record:
        await consents.insert(transaction, one)
        return one

    await consents.once("Withdraw", request_id, b"content", work)
    answers = [d async for d in store.collection("requests").find({"_id": {"$regex": request_id}})]
    assert len(answers) == 1
    assert SECRET not in str(answers)
