"""The contract of the store of verification: the fake and the real one keep the same promises."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.ids import new_id
from chassis.mongo.client import Store
from chassis.query.selection import Operator, Order, Selection
from chassis.rules import Conflict, Refusal, Refused
from services.customer_info.verification import lock_rules, wire
from services.customer_info.verification.counting import Counting
from services.customer_info.verification.lock_rules import Lock, Whose
from services.customer_info.verification.rules import (
    Actor,
    Attempt,
    Challenge,
    Code,
    Factor,
    FactorKind,
    Level,
    Outcome,
    Passed,
    Standing,
    Verification,
)
from services.customer_info.verification.store import VerificationStore
from tests.integration.services.customer_info.subjects import Subject, told_by_fake, told_by_outbox
from tests.support.fakes.verification import FakeVerifications
from tests.unit.services.customer_info.builders import NOON, later, new_uuid

pytestmark = pytest.mark.parametrize("subject", ["fake", "real"], indirect=True)
PIN, PET = Challenge(FactorKind.PIN), Challenge(FactorKind.SECRET_ANSWER, "first_pet")
# What has expired, the real store forgets by itself.
SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)


@pytest.fixture
def subject(request: pytest.FixtureRequest, store: Store) -> Subject[Any]:
    if request.param == "fake":
        fake = FakeVerifications()
        return Subject(fake, told_by_fake(fake))
    return Subject(VerificationStore(store), told_by_outbox(store))


def attempt(**changes: Any) -> Attempt:
    return replace(Attempt(new_id(), Outcome.PASSED, NOON, new_uuid(), "call-1", by="agent-1"), **changes)


async def noted(store: Any, *attempts: Attempt) -> None:
    for one in attempts:
        await store.transact(lambda transaction, one=one: store.note(transaction, one))


async def put(store: Any, *factors: Factor) -> None:
    async def work(transaction: Any) -> None:
        for factor in factors:
            await store.put_factor(transaction, factor)

    await store.transact(work)


async def test_factors_are_kept_whole_one_to_a_challenge(subject: Subject[Any]) -> None:
    one, other, third = new_uuid(), new_uuid(), new_uuid()
    pin = Factor(one, PIN, "a hash", NOON, "agent-1", "call")
    pet = Factor(other, PET, "another", later())
    await put(subject.store, Factor(one, PIN, "old", NOON), pin, pet, Factor(third, PIN, "x", NOON))
    found = await subject.store.factors(None, (one, other))
    assert sorted(found, key=lambda f: f.challenge) == [pin, pet]
    assert await subject.store.factors(None, (new_uuid(),)) == []


async def test_a_factor_is_dropped_under_all_ids_of_a_customer(subject: Subject[Any]) -> None:
    ids = (new_uuid(), new_uuid())
    await put(subject.store, *(Factor(i, c, "x", NOON) for i in ids for c in (PIN, PET)))

    async def drop() -> bool:
        return bool(await subject.store.transact(lambda t: subject.store.drop_factor(t, ids, PIN)))

    assert [await drop(), await drop()] == [True, False]
    assert {f.challenge for f in await subject.store.factors(None, ids)} == {PET}


async def test_a_code_is_tried_three_times_by_however_many_at_once(subject: Subject[Any]) -> None:
    code = Code(new_uuid(), "call-1", new_uuid(), SOON)
    await subject.store.transact(lambda t: subject.store.put_code(t, code))
    tries = [subject.store.try_code(code.customer_id, "call-1", SOON - timedelta(seconds=1)) for _ in range(16)]
    found = await asyncio.gather(*tries)
    assert [h for h in found if h is not None] == [code.hash] * 3


async def test_a_code_is_for_its_contact_and_its_time(subject: Subject[Any]) -> None:
    code = Code(new_uuid(), "call-1", new_uuid(), SOON)
    await subject.store.transact(lambda t: subject.store.put_code(t, code))
    assert await subject.store.try_code(code.customer_id, "call-2", NOON) is None
    assert await subject.store.try_code(new_uuid(), "call-1", NOON) is None
    assert await subject.store.try_code(code.customer_id, "call-1", SOON) is None
    newer = replace(code, hash=new_uuid())
    await subject.store.transact(lambda t: subject.store.put_code(t, newer))
    assert await subject.store.try_code(code.customer_id, "call-1", NOON) == newer.hash


async def test_a_code_is_spent_once(subject: Subject[Any]) -> None:
    code = Code(new_uuid(), "call-1", new_uuid(), SOON)
    await subject.store.transact(lambda t: subject.store.put_code(t, code))

    async def spend(kept: str) -> bool:
        return bool(
            await subject.store.transact(lambda t: subject.store.spend_code(t, code.customer_id, "call-1", kept))
        )

    assert not await spend("another")
    spent = await asyncio.gather(*(spend(code.hash) for _ in range(8)))
    assert spent.count(True) == 1
    assert await subject.store.try_code(code.customer_id, "call-1", NOON) is None


async def test_a_lock_is_swapped_by_whoever_knows_what_is_there(subject: Subject[Any]) -> None:
    known = Lock(Whose.CUSTOMER, new_uuid())
    assert await subject.store.lock(known.whose, known.id) == known
    first = replace(known, failures=1, since=NOON, until=later(), version=1)
    swapped = await asyncio.gather(*(subject.store.swap(known, first) for _ in range(8)))
    assert swapped.count(True) == 1
    assert await subject.store.lock(known.whose, known.id) == first
    second = replace(known, version=2)
    assert await subject.store.swap(first, second)
    assert not await subject.store.swap(first, second)
    assert await subject.store.lock(known.whose, known.id) == second
    assert await subject.store.lock(Whose.AGENT, known.id) == Lock(Whose.AGENT, known.id)


async def test_locks_of_several_are_read_in_the_order_in_which_they_are_named(subject: Subject[Any]) -> None:
    one, none, other = (Lock(Whose.CUSTOMER, new_uuid()) for _ in range(3))
    locked = replace(one, failures=5, since=NOON, until=later(), version=1)
    failed = replace(other, failures=1, since=NOON, version=1)
    for before, after in ((other, failed), (one, locked)):
        assert await subject.store.swap(before, after)
    for kept in ([locked, none, failed], [failed, none, locked]):
        assert await subject.store.locks_of(Whose.CUSTOMER, [lock.id for lock in kept]) == kept
    assert await subject.store.locks_of(Whose.AGENT, [one.id]) == [Lock(Whose.AGENT, one.id)]


async def test_of_sixty_four_tries_at_once_five_are_counted(subject: Subject[Any]) -> None:
    customer_id, agents = new_uuid(), [Actor(new_uuid()) for _ in range(64)]
    counting = [Counting(subject.store) for _ in range(4)]
    tries = await asyncio.gather(
        *(counting[n % 4].count(agent, (customer_id,), counts=True) for n, agent in enumerate(agents)),
        return_exceptions=True,
    )
    refused = [t for t in tries if isinstance(t, Refusal)]
    assert len(refused) == 59
    assert {r.reason for r in refused} == {"LOCKED_OUT"}
    assert (await subject.store.lock(Whose.CUSTOMER, customer_id)).failures == 5
    failures = [(await subject.store.lock(Whose.AGENT, a.subject)).failures for a in agents]
    assert sorted(failures) == [0] * 59 + [1] * 5


async def test_of_sixty_four_tries_at_once_of_who_was_merged_those_are_counted_that_are_left_under_each_id(
    subject: Subject[Any],
) -> None:
    counting = [Counting(subject.store) for _ in range(4)]
    for failed in ((0, 3), (3, 0)):
        ids = (new_uuid(), new_uuid())
        for customer_id, times in zip(ids, failed, strict=True):
            for _ in range(times):
                await counting[0].count(Actor(new_uuid()), (customer_id,), counts=True)
        tries = await asyncio.gather(
            *(counting[n % 4].count(Actor(new_uuid()), ids, counts=True) for n in range(64)), return_exceptions=True
        )
        assert sum(isinstance(t, Refused) for t in tries) == 62
        locks = await subject.store.locks_of(Whose.CUSTOMER, ids)
        assert [lock.failures for lock in locks] == [n + 2 for n in failed]
        assert [lock.until is not None for lock in locks] == [n == 3 for n in failed]


async def test_an_agent_who_tries_many_customers_at_once_gets_five(subject: Subject[Any]) -> None:
    agent, counting = Actor(new_uuid()), Counting(subject.store)
    tries = await asyncio.gather(
        *(counting.count(agent, (new_uuid(),), counts=True) for _ in range(64)), return_exceptions=True
    )
    assert sum(isinstance(t, Refused) for t in tries) == 59
    assert (await subject.store.lock(Whose.AGENT, agent.subject)).failures == 5


async def test_tries_that_were_right_leave_no_failures_behind(subject: Subject[Any]) -> None:
    customer_id, counting = new_uuid(), Counting(subject.store)

    async def right() -> None:
        tries = await counting.count(Actor(new_uuid()), (customer_id,), counts=True)
        await counting.give_back(tries, forgets=False)

    await asyncio.gather(*(right() for _ in range(4)))
    assert (await subject.store.lock(Whose.CUSTOMER, customer_id)).failures == 0
    tries = await counting.count(Actor(new_uuid()), (customer_id,), counts=True)
    await counting.count(Actor(new_uuid()), (customer_id,), counts=True)
    await counting.give_back(tries, forgets=True)
    assert (await subject.store.lock(Whose.CUSTOMER, customer_id)).failures == 0


async def test_tries_of_who_was_merged_are_given_back_and_forgotten_under_every_id(subject: Subject[Any]) -> None:
    ids, counting = (new_uuid(), new_uuid()), Counting(subject.store)

    async def failures() -> list[int]:
        return [lock.failures for lock in await subject.store.locks_of(Whose.CUSTOMER, ids)]

    await counting.count(Actor(new_uuid()), ids[1:], counts=True)
    tries = [await counting.count(Actor(new_uuid()), ids, counts=True) for _ in range(3)]
    await counting.give_back(tries[0], forgets=False)
    assert await failures() == [2, 3]
    await counting.give_back(tries[1], forgets=True)
    assert await failures() == [0, 0]
    await counting.count(Actor(new_uuid()), ids, counts=True)
    await counting.forget(Whose.CUSTOMER, ids)
    assert await failures() == [0, 0]


async def test_levels_are_kept_for_their_contact(subject: Subject[Any]) -> None:
    one, other = new_uuid(), new_uuid()
    kept = Verification(one, "call-1", SOON, (Passed(PIN, SOON), Passed(PET, SOON - timedelta(minutes=1))))
    merged = Verification(other, "call-1", SOON)
    elsewhere = Verification(one, "call-2", SOON)

    async def work(transaction: Any) -> None:
        for verification in (replace(kept, passed=()), kept, merged, elsewhere):
            await subject.store.keep(transaction, verification)
        assert await subject.store.verifications(transaction, (one,), "call-1") == [kept]

    await subject.store.transact(work)
    found = await subject.store.verifications(None, (one, other), "call-1")
    assert sorted(found, key=lambda v: v.customer_id != one) == [kept, merged]
    assert await subject.store.verifications(None, (one,), "call-3") == []


async def test_an_entry_is_kept_whole_with_what_it_tells_or_not_at_all(subject: Subject[Any]) -> None:
    entry = attempt(
        outcome=Outcome.FAILED,
        kinds=(FactorKind.PIN, FactorKind.KNOWLEDGE),
        level=Level.VERIFIED,
        channel="call",
        agent="agent-2",
    )
    events = [
        wire.verified_event(entry, Standing(Level.VERIFIED, NOON)),
        wire.locked_event(entry, lock_rules.tried(Lock(Whose.AGENT, "agent-1"), NOON)),
    ]

    async def broken(transaction: Any) -> None:
        await subject.store.note(transaction, entry, *events)
        raise Conflict("no")

    names = [entry.id, f"{entry.id}:agent"]
    with pytest.raises(Conflict):
        await subject.store.transact(broken)
    assert await subject.store.page(Selection().where("customer_id", entry.customer_id)) == ([], "")
    assert await subject.told(names) == []
    await subject.store.transact(lambda t: subject.store.note(t, entry, *events))
    assert await subject.store.page(Selection().where("customer_id", entry.customer_id)) == ([entry], "")
    assert await subject.told(names) == [(names[0], 1, "CustomerVerified"), (names[1], 1, "VerificationLocked")]


async def test_the_audit_trail_is_filtered_ordered_and_paged(subject: Subject[Any]) -> None:
    customer_id = new_uuid()
    kept = [
        attempt(customer_id=customer_id, time=later(n), outcome=o, contact_id=f"call-{n % 2}", by=f"agent-{n % 3}")
        for n, o in enumerate(Outcome)
    ]
    await noted(subject.store, *kept, attempt())
    everything = Selection(page_size=3).where("customer_id", customer_id)

    async def found(selection: Selection) -> list[int]:
        seen: list[int] = []
        while True:
            page, token = await subject.store.page(selection)
            seen += [kept.index(a) for a in page]
            if not token:
                return seen
            selection = replace(selection, page_token=token)

    assert await found(everything) == [7, 6, 5, 4, 3, 2, 1, 0]
    assert await found(replace(everything, order=(Order("time"),))) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert await found(everything.where("outcome", "VERIFICATION_OUTCOME_FAILED")) == [2]
    assert await found(everything.where("contact_id", "call-1").where("by", "agent-1")) == [7, 1]
    late = everything.where("time", later(5).isoformat(), operator=Operator.GREATER)
    assert await found(late) == [7, 6]
    for unknown in (Selection().where("level", "3"), Selection(order=(Order("by"),))):
        with pytest.raises(Refusal) as refused:
            await subject.store.page(unknown)
        assert refused.value.reason == "INVALID_QUERY"


async def test_of_a_person_who_is_forgotten_only_the_audit_trail_stays(subject: Subject[Any]) -> None:
    gone, other = new_uuid(), new_uuid()
    for customer_id in (gone, other):
        await put(subject.store, Factor(customer_id, PIN, "x", NOON))
        await subject.store.swap(
            Lock(Whose.CUSTOMER, customer_id), Lock(Whose.CUSTOMER, customer_id, 3, NOON, version=1)
        )
        await noted(subject.store, attempt(customer_id=customer_id))

        async def work(transaction: Any, customer_id: str = customer_id) -> None:
            await subject.store.put_code(transaction, Code(customer_id, "call-1", new_uuid(), SOON))
            await subject.store.keep(transaction, Verification(customer_id, "call-1", SOON))

        await subject.store.transact(work)
    await subject.store.transact(lambda t: subject.store.forget(t, (gone,)))

    async def left(customer_id: str) -> list[int]:
        return [
            len(await subject.store.factors(None, (customer_id,))),
            len(await subject.store.verifications(None, (customer_id,), "call-1")),
            int(await subject.store.try_code(customer_id, "call-1", NOON) is not None),
            (await subject.store.lock(Whose.CUSTOMER, customer_id)).failures,
            len((await subject.store.page(Selection().where("customer_id", customer_id)))[0]),
        ]

    assert [await left(gone), await left(other)] == [[0, 0, 0, 0, 1], [1, 1, 1, 3, 1]]
