"""What happens in verification, on stores in memory."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from holdfast.customer_info.v1 import verification_pb2 as pb

from chassis.query.selection import Selection
from chassis.rules import Forbidden, Invalid, NotFound, Refused
from services.customer_info.customers.rules import MediumKind
from services.customer_info.verification.lock_rules import Whose
from services.customer_info.verification.rules import (
    MOST_FACTORS,
    Answer,
    Challenge,
    FactorKind,
    Level,
    Outcome,
)
from tests.unit.services.customer_info.builders import NOON, new_uuid, person
from tests.unit.services.customer_info.verification_house import (
    ADDRESS,
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


async def test_a_caller_who_names_itself_has_claimed(house: House) -> None:
    result = await house.verify()
    assert (result.passed, result.standing.level, result.left) == (True, Level.CLAIMED, 5)
    assert house.outcomes() == [Outcome.CLAIMED]
    assert house.store.events == []


async def test_who_gives_no_answer_is_told_how_many_failures_are_left_and_takes_none(house: House) -> None:
    for left in (4, 3, 2, 1):
        assert (await house.verify(WRONG)).left == left
        assert [(await house.verify()).left for _ in range(2)] == [left] * 2
        assert (await house.verify(actor=SYSTEM)).left == left
    others = person()
    house.owners[others.id] = others
    assert (await house.verify(customer_id=others.id)).left == 1, "those of the agent"
    assert (await house.verify(customer_id=others.id, actor=SYSTEM)).left == 5
    house.clock += timedelta(minutes=31)
    assert (await house.verify(customer_id=others.id)).left == 3, "time forgives an agent"
    assert (await house.verify()).left == 1, "and no customer"


async def test_once_a_lock_out_is_over_each_failure_leads_to_the_next(house: House) -> None:
    for _ in range(5):
        await house.verify(WRONG, actor=SYSTEM)
    house.clock += timedelta(minutes=1)
    assert (await house.verify(actor=SYSTEM)).left == 1
    assert (await house.verify(WRONG, actor=SYSTEM)).left == 0


async def test_the_right_answer_verifies_for_its_contact_only(house: House) -> None:
    await house.set(RIGHT)
    result = await house.verify(RIGHT)
    assert (result.passed, result.standing.level) == (True, Level.VERIFIED)
    assert result.standing.expire_time == house.clock + timedelta(minutes=15)
    assert (await house.usecases.standing(house.customer.id, "call-1")).level is Level.VERIFIED
    assert (await house.usecases.standing(house.customer.id, "call-2")).level is Level.NONE
    assert (await house.usecases.standing(new_uuid(), "call-1")).level is Level.NONE


async def test_a_verification_expires(house: House) -> None:
    await house.set(RIGHT)
    await house.verify(RIGHT)
    house.clock += timedelta(minutes=15)
    assert (await house.usecases.standing(house.customer.id, "call-1")).level is Level.NONE


async def test_it_is_told_without_anything_personal(house: House) -> None:
    await house.set(RIGHT)
    await house.verify(RIGHT)
    (event,) = house.store.events
    assert isinstance(event.data, pb.CustomerVerified)
    assert (event.data.customer_id, event.data.level) == (house.customer.id, pb.ASSURANCE_LEVEL_VERIFIED)
    assert "2718" not in str(event.data)


async def test_one_wrong_answer_spoils_the_others_and_nothing_tells_which(house: House) -> None:
    await house.set(RIGHT, Answer(PET, "Rex"))
    result = await house.verify(RIGHT, Answer(PET, "Tom"))
    assert (result.passed, result.standing.level, result.left) == (False, Level.NONE, 4)
    assert (await house.verify(RIGHT, Answer(PET, " REX "))).passed


async def test_a_failure_takes_nothing_from_what_was_passed_before(house: House) -> None:
    await house.set(RIGHT)
    await house.verify(RIGHT)
    assert (await house.verify(Answer(PET, "Rex"))).standing.level is Level.VERIFIED


async def test_a_factor_that_is_not_there_is_a_wrong_answer(house: House) -> None:
    result = await house.verify(RIGHT)
    assert (result.passed, result.left) == (False, 4)


async def test_a_secret_and_a_code_given_one_after_the_other_are_strong(house: House) -> None:
    await house.set(RIGHT)
    await house.verify(RIGHT)
    result = await house.verify(Answer(CODE, await house.code()))
    assert result.standing.level is Level.STRONG
    assert result.standing.kinds == (FactorKind.ONE_TIME_CODE, FactorKind.PIN)


async def test_a_code_is_good_once_and_for_its_contact(house: House) -> None:
    code = Answer(CODE, await house.code())
    assert not (await house.verify(code, contact="call-2")).passed
    assert (await house.verify(code)).passed
    assert not (await house.verify(code)).passed


async def test_of_many_who_give_one_code_at_once_one_passes(house: House) -> None:
    code = Answer(CODE, await house.code())
    results = await asyncio.gather(*(house.verify(code) for _ in range(3)))
    assert [r.passed for r in results].count(True) == 1


async def test_a_code_expires(house: House) -> None:
    code = Answer(CODE, await house.code())
    house.clock += timedelta(minutes=10)
    assert not (await house.verify(code)).passed


async def test_a_new_code_replaces_the_one_before(house: House) -> None:
    old, new = await house.code(), await house.code()
    if old != new:
        assert not (await house.verify(Answer(CODE, old))).passed
    assert (await house.verify(Answer(CODE, new))).passed


async def test_a_code_has_three_tries_even_for_who_knows_the_pin(house: House) -> None:
    await house.set(RIGHT)
    code = await house.code()
    wrong = Answer(CODE, f"{(int(code) + 1) % 10**6:06}")
    for _ in range(3):
        assert not (await house.verify(wrong, actor=SYSTEM)).passed
        # Forgets the failures of the customer, but not the tries of the code.
        assert (await house.verify(RIGHT, actor=SYSTEM)).passed
    assert not (await house.verify(Answer(CODE, code), actor=SYSTEM)).passed


async def test_a_code_goes_to_a_medium_of_the_customer_only(house: House) -> None:
    elsewhere = [
        (MediumKind.EMAIL, "eve@example.com"),
        (MediumKind.PHONE, ADDRESS),
        (MediumKind.PHONE, "+4930123456"),
        (MediumKind.POST, ADDRESS),
    ]
    for kind, value in elsewhere:
        with pytest.raises(Invalid) as refused:
            await house.usecases.issue_code(SYSTEM, house.customer.id, "call-1", kind, value)
        assert refused.value.field == "medium_value"
    issued = await house.usecases.issue_code(SYSTEM, house.customer.id, "c", MediumKind.EMAIL, " ADA@example.com")
    assert len(issued.code) == 6
    assert [a.id for a in house.store.attempts] == [issued.delivery_id]


async def test_five_failures_lock_out_right_answers_included(house: House) -> None:
    await house.set(RIGHT)
    left = [(await house.verify(WRONG, actor=SYSTEM)).left for _ in range(4)]
    last = await house.verify(WRONG, actor=SYSTEM)
    assert left == [4, 3, 2, 1]
    assert (last.left, last.locked_until) == (0, house.clock + timedelta(minutes=1))
    for actor in (SYSTEM, AGENT):
        with pytest.raises(Refused) as refused:
            await house.verify(RIGHT, actor=actor)
        assert refused.value.reason == "LOCKED_OUT"
        assert refused.value.metadata["whose"] == "customer"
    with pytest.raises(Refused):
        await house.verify(actor=SYSTEM)
    with pytest.raises(Refused):
        await house.code()
    house.clock += timedelta(minutes=1)
    assert (await house.verify(RIGHT, actor=SYSTEM)).passed
    assert (await house.verify(WRONG, actor=SYSTEM)).left == 4


async def test_a_lock_out_is_told_once_when_it_begins(house: House) -> None:
    for _ in range(5):
        await house.verify(WRONG, actor=SYSTEM)
    with pytest.raises(Refused):
        await house.verify(WRONG, actor=SYSTEM)
    (event,) = house.store.events
    assert isinstance(event.data, pb.VerificationLocked)
    assert event.data.whose == pb.LOCK_SUBJECT_CUSTOMER
    assert event.data.attempt_id == house.store.attempts[4].id


async def test_a_refusal_counts_against_nobody(house: House) -> None:
    for _ in range(5):
        await house.verify(WRONG, actor=SYSTEM)
    for _ in range(9):
        with pytest.raises(Refused) as refused:
            await house.verify(RIGHT)
        assert refused.value.metadata["whose"] == "customer"
    assert house.store.locks[Whose.AGENT, AGENT.subject].failures == 0
    assert house.store.locks[Whose.CUSTOMER, house.customer.id].failures == 5


async def test_facts_that_others_know_do_not_make_room_for_more_tries(house: House) -> None:
    await house.set(RIGHT, Answer(BIRTH, "1985-03-09"))
    for _ in range(4):
        await house.verify(WRONG, actor=SYSTEM)
        assert (await house.verify(Answer(BIRTH, "1985-03-09"), actor=SYSTEM)).passed
    assert (await house.verify(WRONG, actor=SYSTEM)).locked_until is not None


async def test_an_agent_who_fails_over_many_customers_is_locked_out(house: House) -> None:
    people = [person() for _ in range(6)]
    house.owners.update({p.id: p for p in people})
    for one in people[:5]:
        result = await house.usecases.verify(AGENT, one.id, "call", [WRONG])
    assert result.locked_until == house.clock + timedelta(minutes=1)
    (event,) = house.store.events
    assert isinstance(event.data, pb.VerificationLocked)
    assert event.data.whose == pb.LOCK_SUBJECT_AGENT
    assert AGENT.subject not in str(event.data)
    with pytest.raises(Refused) as refused:
        await house.usecases.verify(AGENT, people[5].id, "call", [WRONG])
    assert refused.value.metadata["whose"] == "agent"
    assert (Whose.CUSTOMER, people[5].id) not in house.store.locks
    other = replace(AGENT, subject="agent-2")
    assert (await house.usecases.verify(other, people[5].id, "call", [WRONG])).left == 4


async def test_an_agents_own_successes_do_not_make_room_for_more_failures(house: House) -> None:
    await house.set(RIGHT)
    people = [person() for _ in range(5)]
    house.owners.update({p.id: p for p in people})
    for one in people:
        await house.usecases.verify(AGENT, one.id, "call", [WRONG])
        if one is not people[-1]:
            assert (await house.verify(RIGHT)).passed
    with pytest.raises(Refused) as refused:
        await house.verify(RIGHT)
    assert refused.value.metadata["whose"] == "agent"


async def test_a_system_that_hears_everybody_is_not_locked_out_by_some(house: House) -> None:
    people = [person() for _ in range(20)]
    house.owners.update({p.id: p for p in people})
    results = [await house.usecases.verify(SYSTEM, p.id, "call", [WRONG]) for p in people]
    assert {r.left for r in results} == {4}


async def test_many_wrong_answers_at_once_get_five_tries(house: House) -> None:
    compared: list[Sequence[str]] = []
    real = house.hashes.matches

    async def counted(kept: str | None, *parts: str) -> bool:
        compared.append(parts)
        return await real(kept, *parts)

    house.hashes.matches = counted  # type: ignore[method-assign]
    results = await asyncio.gather(*(house.verify(WRONG, actor=SYSTEM) for _ in range(64)), return_exceptions=True)
    assert len(compared) == 5
    assert sum(isinstance(r, Refused) for r in results) == 59
    assert house.outcomes().count(Outcome.FAILED) == 5


async def test_every_try_is_in_the_audit_trail_with_everything_but_the_answer(house: House) -> None:
    await house.set(RIGHT)
    await house.verify(WRONG, Answer(PET, "Rex"))
    await house.verify(RIGHT)
    attempts, _ = await house.usecases.page(Selection().where("customer_id", house.customer.id))
    assert sorted(a.outcome for a in attempts) == [Outcome.FACTOR_SET, Outcome.FAILED, Outcome.PASSED]
    failed = next(a for a in attempts if a.outcome is Outcome.FAILED)
    assert failed.kinds == (FactorKind.PIN, FactorKind.SECRET_ANSWER)
    assert (failed.by, failed.channel, failed.contact_id) == ("agent-1", "call", "call-1")
    assert not any(secret in repr(attempts) for secret in ("2718", "3141", "Rex"))


async def test_a_code_that_is_refused_is_in_the_audit_trail_as_well(house: House) -> None:
    await house.set(RIGHT)
    await house.verify(RIGHT)
    await house.code()
    made = house.store.attempts[-1]
    assert (made.outcome, made.level) == (Outcome.CODE_ISSUED, Level.VERIFIED)
    for _ in range(5):
        await house.verify(WRONG, actor=SYSTEM)
    with pytest.raises(Refused):
        await house.code()
    refused = house.store.attempts[-1]
    assert (refused.outcome, refused.kinds) == (Outcome.LOCKED_OUT, (FactorKind.ONE_TIME_CODE,))
    assert (refused.customer_id, refused.contact_id) == (house.customer.id, "call-1")
    assert (refused.by, refused.channel, refused.level) == ("ivr", "call", Level.VERIFIED)


async def test_an_agent_sets_a_factor_of_a_verified_customer_only(house: House) -> None:
    await house.set(RIGHT)
    pet = Answer(PET, "Rex")
    for contact in ("", "call-1"):
        with pytest.raises(Refused) as refused:
            await house.usecases.set_factor(AGENT, house.customer.id, pet, contact)
        assert refused.value.metadata == {"state": "none"}
    await house.verify(RIGHT)
    factor = await house.usecases.set_factor(AGENT, house.customer.id, pet, "call-1")
    assert (factor.by, factor.channel, factor.challenge) == ("agent-1", "call", PET)
    assert house.store.attempts[-1].level is Level.VERIFIED


async def test_factors_are_listed_in_order_and_removed_once(house: House) -> None:
    await house.set(Answer(PET, "Rex"), RIGHT, Answer(PIN, "5772"))
    assert [f.challenge for f in await house.usecases.factors(house.customer.id)] == [PIN, PET]
    await house.usecases.remove_factor(SUPERVISOR, house.customer.id, PIN)
    assert [f.challenge for f in await house.usecases.factors(house.customer.id)] == [PET]
    with pytest.raises(NotFound):
        await house.usecases.remove_factor(SUPERVISOR, house.customer.id, PIN)
    assert house.outcomes()[-1] is Outcome.FACTOR_REMOVED


async def test_factors_are_not_endless(house: House) -> None:
    for n in range(MOST_FACTORS):
        await house.set(Answer(Challenge(FactorKind.KNOWLEDGE, f"q{n}"), "x"))
    await house.set(Answer(Challenge(FactorKind.KNOWLEDGE, "q0"), "y"))
    with pytest.raises(Refused):
        await house.set(RIGHT)


async def test_nobody_is_verified_who_is_not_there(house: House) -> None:
    gone = new_uuid()
    for attempt in (
        house.usecases.verify(AGENT, gone, "call", [RIGHT]),
        house.usecases.set_factor(SUPERVISOR, gone, RIGHT, ""),
        house.usecases.issue_code(SYSTEM, gone, "call", MediumKind.EMAIL, ADDRESS),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert house.store.attempts == []


async def test_who_was_erased_is_not_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(monkeypatch, person(erase_time=NOON))
    for attempt in (house.verify(RIGHT), house.set(RIGHT), house.code()):
        with pytest.raises(Refused) as refused:
            await attempt
        assert refused.value.reason == "ERASED"


async def test_a_supervisor_lifts_a_lock_but_not_their_own(house: House) -> None:
    await house.set(RIGHT)
    for _ in range(5):
        await house.verify(WRONG, actor=SYSTEM)
    await house.usecases.lift(SUPERVISOR, Whose.CUSTOMER, house.customer.id)
    assert (await house.verify(RIGHT)).passed
    await house.usecases.lift(SUPERVISOR, Whose.AGENT, "agent-1")
    lifted = [a for a in house.store.attempts if a.outcome is Outcome.LOCK_LIFTED]
    assert [(a.customer_id, a.agent) for a in lifted] == [(house.customer.id, ""), ("", "agent-1")]
    with pytest.raises(Forbidden):
        await house.usecases.lift(SUPERVISOR, Whose.AGENT, SUPERVISOR.subject)


async def test_a_code_is_drawn_from_all_there_are(monkeypatch: pytest.MonkeyPatch, house: House) -> None:
    monkeypatch.setattr("secrets.randbelow", lambda most: most - 10**6 + 42)
    assert await house.code() == "000042"
