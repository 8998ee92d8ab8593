"""What happens in verification when the caller, the customer or the store goes away meanwhile, or was merged."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pymongo
import pytest
from holdfast.customer_info.v1 import verification_pb2 as pb
from pymongo import _csot

from chassis.call import CURRENT, Call, current, remaining
from chassis.events.outbox import Happening
from chassis.policy import Method
from chassis.query.selection import Selection
from chassis.rules import Refused, Unavailable
from services.customer_info.verification.lock_rules import Whose
from services.customer_info.verification.rules import Answer, Attempt, FactorKind, Level, Outcome
from tests.support.polling import until
from tests.unit.services.customer_info.builders import NOON, person
from tests.unit.services.customer_info.verification_house import (
    AGENT,
    BIRTH,
    CODE,
    PET,
    PIN,
    RIGHT,
    SUPERVISOR,
    SYSTEM,
    WRONG,
    House,
)


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    return House(monkeypatch)


async def test_a_try_is_decided_without_the_deadline_of_its_caller(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.set(RIGHT)
    seen: list[tuple[float | None, float | None, str]] = []
    real = house.store.note

    async def noted(transaction: Any, attempt: Attempt, *happenings: Happening) -> None:
        call = current()
        seen.append((remaining(), _csot.get_timeout(), call.request_id if call else ""))
        await real(transaction, attempt, *happenings)

    monkeypatch.setattr(house.store, "note", noted)
    call = Call(cast("Method", None), cast("Any", None), {}, request_id="r-1", deadline=time.monotonic() + 60)
    token = CURRENT.set(call)
    try:
        with pymongo.timeout(60):
            assert (await house.verify(RIGHT)).passed
    finally:
        CURRENT.reset(token)
    assert seen == [(None, None, "r-1")]


async def test_a_try_that_cannot_be_decided_counts_against_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.set(RIGHT)

    async def broken(*_: object) -> None:
        raise Unavailable("the store is away")

    with monkeypatch.context() as away:
        away.setattr(house.store, "note", broken)
        for answer in (RIGHT, WRONG) * 4:
            with pytest.raises(Unavailable):
                await house.verify(answer)
    assert {lock.failures for lock in house.store.locks.values()} == {0}
    assert (await house.verify(RIGHT)).passed


async def test_nothing_is_kept_of_who_is_erased_while_an_answer_is_hashed(house: House) -> None:
    await house.set(RIGHT)
    code = Answer(CODE, await house.code())
    before = len(house.store.attempts)

    def erase() -> None:
        house.owners[house.customer.id] = replace(house.customer, erase_time=NOON)

    for attempt in (
        lambda: house.verify(RIGHT),
        lambda: house.verify(code),
        lambda: house.verify(WRONG),
        lambda: house.set(Answer(PET, "Rex")),
        house.code,
    ):
        house.owners[house.customer.id] = house.customer
        house.hashes.meanwhile = erase
        with pytest.raises(Refused) as refused:
            await attempt()
        assert refused.value.reason == "ERASED"
    assert len(house.store.attempts) == before
    assert [f.challenge for f in await house.usecases.factors(house.customer.id)] == [PIN]
    assert (await house.usecases.standing(house.customer.id, "call-1")).level is Level.NONE
    assert house.store.locks[Whose.CUSTOMER, house.customer.id].failures == 0


async def test_every_write_holds_the_customer_it_is_about(house: House) -> None:
    await house.set(RIGHT)
    await house.code()
    await house.verify(RIGHT)
    assert house.customers.held == [house.customer.id] * 3


async def test_factors_and_levels_of_merged_records_are_the_survivors(house: House) -> None:
    absorbed = person()
    house.owners[absorbed.id] = absorbed
    await house.set(RIGHT, Answer(PET, "Rex"), customer_id=absorbed.id)
    await house.usecases.verify(AGENT, absorbed.id, "call-1", [Answer(PET, "Rex")])
    house.clock += timedelta(seconds=1)
    await house.set(Answer(PIN, "5772"))
    await house.merge(absorbed)
    assert (await house.usecases.standing(house.customer.id, "call-1")).level is Level.VERIFIED
    factors = await house.usecases.factors(house.customer.id)
    assert [(f.challenge, f.customer_id) for f in factors] == [(PIN, house.customer.id), (PET, absorbed.id)]
    assert (await house.verify(Answer(PET, "Rex"), contact="call-2")).passed
    assert not (await house.verify(RIGHT, contact="call-2")).passed
    assert (await house.verify(Answer(PIN, "5772"), contact="call-2")).passed


async def test_who_was_merged_is_challenged_under_its_former_id_as_well(house: House) -> None:
    absorbed = person()
    await house.set(RIGHT)
    await house.merge(absorbed)
    house.clock += timedelta(seconds=1)
    await house.set(Answer(PIN, "5772"), customer_id=absorbed.id)
    assert [f.customer_id for f in await house.usecases.factors(house.customer.id)] == [absorbed.id]
    assert not (await house.verify(RIGHT)).passed
    assert (await house.verify(Answer(PIN, "5772"))).passed
    code = Answer(CODE, await house.code(customer_id=absorbed.id))
    assert (await house.verify(code, customer_id=absorbed.id, contact="call-1")).standing.level is Level.STRONG
    assert (await house.usecases.standing(house.customer.id, "call-1")).level is Level.STRONG
    assert set(house.customers.held) == {house.customer.id}
    await house.lineage.put(None, [(house.customer.id,), (absorbed.id,)])
    house.owners[absorbed.id] = absorbed
    assert (await house.verify(RIGHT)).passed, "parted again, each has the number that it has set itself"


async def test_failures_under_all_ids_of_a_customer_are_one_customers(house: House) -> None:
    absorbed = person()
    await house.merge(absorbed)
    for n in range(5):
        await house.verify(WRONG, actor=SYSTEM, customer_id=absorbed.id if n % 2 else "")
    for customer_id in ("", absorbed.id):
        with pytest.raises(Refused) as refused:
            await house.verify(WRONG, actor=SYSTEM, customer_id=customer_id)
        assert refused.value.metadata["whose"] == "customer"
    await house.usecases.lift(SUPERVISOR, Whose.CUSTOMER, absorbed.id)
    assert (await house.verify(WRONG, actor=SYSTEM)).left == 4


async def test_a_merge_gives_no_fresh_tries_to_who_was_locked_out(house: House) -> None:
    absorbed = person()
    house.owners[absorbed.id] = absorbed
    await house.set(RIGHT)
    for _ in range(5):
        last = await house.verify(WRONG, actor=SYSTEM, customer_id=absorbed.id)
    await house.merge(absorbed)
    for refused in (
        house.verify(WRONG),
        house.verify(RIGHT, customer_id=absorbed.id),
        house.verify(actor=SYSTEM),
        house.code(),
        house.code(customer_id=absorbed.id),
    ):
        with pytest.raises(Refused) as locked:
            await refused
        assert locked.value.reason == "LOCKED_OUT"
    assert house.store.locks[Whose.AGENT, AGENT.subject].failures == 0
    assert last.locked_until is not None
    house.clock = last.locked_until
    assert (await house.verify(actor=SYSTEM)).left == 1
    again = await house.verify(WRONG, actor=SYSTEM)
    assert (again.left, again.locked_until) == (0, house.clock + timedelta(minutes=5))


async def test_after_a_merge_the_most_failures_count_until_a_success_or_a_supervisor_ends_them_all(
    house: House,
) -> None:
    absorbed = person()
    house.owners[absorbed.id] = absorbed
    await house.set(RIGHT)
    for ending in (
        lambda: house.verify(RIGHT, actor=SYSTEM),
        lambda: house.usecases.lift(SUPERVISOR, Whose.CUSTOMER, absorbed.id),
    ):
        await house.part(absorbed)
        await house.verify(WRONG, actor=SYSTEM)
        for _ in range(3):
            await house.verify(WRONG, actor=SYSTEM, customer_id=absorbed.id)
        await house.merge(absorbed)
        assert (await house.verify(actor=SYSTEM)).left == 2
        assert (await house.verify(WRONG, actor=SYSTEM)).left == 1
        await ending()
        assert (await house.verify(actor=SYSTEM)).left == 5
        await house.part(absorbed)
        for customer_id in (house.customer.id, absorbed.id):
            assert (await house.verify(actor=SYSTEM, customer_id=customer_id)).left == 5


async def test_a_lock_out_under_several_ids_is_told_once_with_the_end_of_the_last(house: House) -> None:
    absorbed = person()
    house.owners[absorbed.id] = absorbed
    for customer_id, failures in ((house.customer.id, 4), (absorbed.id, 5)):
        for _ in range(failures):
            await house.verify(WRONG, actor=SYSTEM, customer_id=customer_id)
    house.clock += timedelta(minutes=1)
    await house.merge(absorbed)
    before = len(house.store.events)
    result = await house.verify(WRONG, actor=SYSTEM)
    assert result.locked_until == house.clock + timedelta(minutes=5)
    (event,) = house.store.events[before:]
    assert isinstance(event.data, pb.VerificationLocked)
    assert event.data.until.ToDatetime(UTC) == result.locked_until
    with pytest.raises(Refused) as refused:
        await house.verify(WRONG, actor=SYSTEM)
    assert datetime.fromisoformat(refused.value.metadata["until"]) == result.locked_until


async def test_neither_of_two_who_are_parted_gets_fresh_tries(house: House) -> None:
    absorbed = person()
    house.owners[absorbed.id] = absorbed
    await house.set(RIGHT, customer_id=absorbed.id)
    await house.verify(WRONG, actor=SYSTEM)
    await house.merge(absorbed)
    for customer_id in (house.customer.id, absorbed.id):
        await house.verify(WRONG, actor=SYSTEM, customer_id=customer_id)
    await house.part(absorbed)
    assert (await house.verify(actor=SYSTEM)).left == 2, "those counted while they were one, and its own"
    assert (await house.verify(actor=SYSTEM, customer_id=absorbed.id)).left == 3
    await house.verify(WRONG, actor=SYSTEM)
    assert (await house.verify(actor=SYSTEM, customer_id=absorbed.id)).left == 3, "each counts for itself again"


async def test_of_two_who_are_parted_each_keeps_the_level_that_its_own_factors_gave(house: House) -> None:
    absorbed = person()
    house.owners[absorbed.id] = absorbed
    await house.set(RIGHT, customer_id=absorbed.id)
    await house.set(Answer(BIRTH, "1985-03-09"))
    await house.merge(absorbed)
    both = await house.verify(RIGHT, Answer(BIRTH, "1985-03-09"))
    assert both.standing.kinds == (FactorKind.DATE_OF_BIRTH, FactorKind.PIN)
    code = Answer(CODE, await house.code(customer_id=absorbed.id, contact="call-2"))
    assert (await house.verify(code, customer_id=absorbed.id, contact="call-2")).passed

    async def levels(contact: str) -> list[tuple[Level, tuple[FactorKind, ...]]]:
        reached = [await house.usecases.standing(i, contact) for i in (house.customer.id, absorbed.id)]
        return [(r.level, r.kinds) for r in reached]

    assert await levels("call-1") == [(Level.VERIFIED, both.standing.kinds)] * 2
    await house.part(absorbed)
    assert await levels("call-1") == [
        (Level.CLAIMED, (FactorKind.DATE_OF_BIRTH,)),
        (Level.VERIFIED, (FactorKind.PIN,)),
    ]
    assert await levels("call-2") == [(Level.VERIFIED, (FactorKind.ONE_TIME_CODE,)), (Level.CLAIMED, ())]
    with pytest.raises(Refused):
        await house.usecases.set_factor(AGENT, house.customer.id, Answer(PET, "Rex"), "call-1")


async def test_what_was_passed_before_under_one_id_is_not_kept_again_under_another(house: House) -> None:
    absorbed = person()
    house.owners[absorbed.id] = absorbed
    await house.set(RIGHT, customer_id=absorbed.id)
    await house.verify(RIGHT, customer_id=absorbed.id)
    await house.merge(absorbed)
    await house.set(Answer(PET, "Rex"))
    assert (await house.verify(Answer(PET, "Rex"))).standing.kinds == (FactorKind.PIN, FactorKind.SECRET_ANSWER)
    await house.part(absorbed)
    assert (await house.usecases.standing(house.customer.id, "call-1")).kinds == (FactorKind.SECRET_ANSWER,)
    assert (await house.usecases.standing(absorbed.id, "call-1")).kinds == (FactorKind.PIN,)


async def test_nobody_passes_with_the_factor_of_who_is_parted_from_it_while_the_answer_is_compared(
    house: House,
) -> None:
    absorbed = person()
    house.owners[absorbed.id] = absorbed
    await house.set(RIGHT, customer_id=absorbed.id)
    await house.merge(absorbed)

    def part() -> None:
        house.owners[absorbed.id] = absorbed
        house.lineage.kept.clear()

    house.hashes.meanwhile = part
    result = await house.verify(RIGHT)
    assert (result.passed, result.standing.level, result.left) == (False, Level.NONE, 4)
    assert house.outcomes()[-1] is Outcome.FAILED
    assert (await house.usecases.standing(absorbed.id, "call-1")).level is Level.NONE
    assert (await house.verify(RIGHT, customer_id=absorbed.id)).passed


async def test_the_audit_trail_of_a_customer_is_that_of_all_its_ids(house: House) -> None:
    absorbed = person()
    house.owners[absorbed.id] = absorbed
    await house.verify(customer_id=absorbed.id)
    await house.verify()
    await house.merge(absorbed)
    for asked in (house.customer.id, absorbed.id):
        attempts, _ = await house.usecases.page(Selection().where("customer_id", asked))
        assert {a.customer_id for a in attempts} == {house.customer.id, absorbed.id}


async def test_a_caller_who_goes_away_leaves_no_try_undecided(house: House) -> None:
    await house.set(RIGHT)
    comparing, gate = asyncio.Event(), asyncio.Event()

    async def slow(kept: str | None, *parts: str) -> bool:
        comparing.set()
        await gate.wait()
        return False

    house.hashes.matches = slow  # type: ignore[method-assign]
    going = asyncio.create_task(house.verify(WRONG))
    await comparing.wait()
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    gate.set()
    await until(lambda: Outcome.FAILED in house.outcomes())
    assert house.store.locks[Whose.CUSTOMER, house.customer.id].failures == 1
