"""Every question that the store of verification asks is answered by an index, in the index's own order."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from chassis.ids import new_id
from chassis.mongo.client import Store
from chassis.query.selection import Operator, Order, Selection
from services.customer_info.verification.lock_rules import Lock, Whose
from services.customer_info.verification.rules import (
    Attempt,
    Challenge,
    Code,
    Factor,
    FactorKind,
    Outcome,
    Verification,
)
from services.customer_info.verification.store import VerificationStore
from tests.support.explain import SLOW, Overheard, overheard, stages
from tests.unit.services.customer_info.builders import later, new_uuid

PIN = Challenge(FactorKind.PIN)
SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)


class Bench:
    """The store with something in it, and what it asks of MongoDB."""

    def __init__(self, store: Store, heard: Overheard) -> None:
        self.store, self.heard = store, heard
        self.verifications = VerificationStore(store)
        self.ids = [new_uuid() for _ in range(40)]

    async def fill(self) -> None:
        for n, customer_id in enumerate(self.ids):
            await self.verifications.transact(partial(self._put, n, customer_id))

    async def _put(self, n: int, customer_id: str, transaction: Any) -> None:
        await self.verifications.put_factor(transaction, Factor(customer_id, PIN, "x", later(n)))
        await self.verifications.put_code(transaction, Code(customer_id, "call-1", f"{n}", SOON))
        await self.verifications.keep(transaction, Verification(customer_id, "call-1", SOON))
        for m, outcome in enumerate(Outcome):
            entry = Attempt(new_id(), outcome, later(n * 7 % 50), customer_id, f"call-{m}", by=f"agent-{n % 5}")
            await self.verifications.note(transaction, entry)


@pytest.fixture(scope="module")
async def bench(mongo_uri: Callable[[str], str], store: Store) -> AsyncIterator[Bench]:
    async with overheard(mongo_uri("customer_info")) as (watched, heard):
        made = Bench(watched, heard)
        await made.fill()
        yield made


def listed(selection: Selection) -> Callable[[Bench], Awaitable[Any]]:
    async def question(bench: Bench) -> None:
        page, token = await bench.verifications.page(selection)
        assert page
        assert token
        await bench.verifications.page(replace(selection, page_token=token))

    return question


def in_transaction(
    work: Callable[[VerificationStore, Any, str], Awaitable[Any]],
) -> Callable[[Bench], Awaitable[Any]]:
    async def question(bench: Bench) -> None:
        await bench.verifications.transact(lambda t: work(bench.verifications, t, bench.ids[-1]))

    return question


async def swap(bench: Bench) -> None:
    first = Lock(Whose.CUSTOMER, bench.ids[0], 1, version=1)
    await bench.verifications.swap(Lock(Whose.CUSTOMER, bench.ids[0]), first)
    assert await bench.verifications.swap(first, replace(first, version=2))


PAGE = Selection(page_size=5)
QUESTIONS: dict[str, Callable[[Bench], Awaitable[Any]]] = {
    "factors": lambda b: b.verifications.factors(None, b.ids[:2]),
    "level": lambda b: b.verifications.verifications(None, b.ids[:2], "call-1"),
    "failures": lambda b: b.verifications.lock(Whose.AGENT, "agent-1"),
    "failures of several": lambda b: b.verifications.locks_of(Whose.CUSTOMER, b.ids[:3]),
    "counting failures": swap,
    "trying a code": lambda b: b.verifications.try_code(b.ids[0], "call-1", later()),
    "setting a factor": in_transaction(lambda s, t, i: s.put_factor(t, Factor(i, PIN, "y", later()))),
    "dropping a factor": in_transaction(lambda s, t, i: s.drop_factor(t, (i,), PIN)),
    "making a code": in_transaction(lambda s, t, i: s.put_code(t, Code(i, "call-1", "y", SOON))),
    "spending a code": in_transaction(lambda s, t, i: s.spend_code(t, i, "call-1", "y")),
    "keeping a level": in_transaction(lambda s, t, i: s.keep(t, Verification(i, "call-1", SOON))),
    "forgetting a person": in_transaction(lambda s, t, i: s.forget(t, (i, new_uuid()))),
    "audit trail": listed(PAGE),
    "audit trail, oldest first": listed(replace(PAGE, order=(Order("time"),))),
    "audit trail of an agent": listed(PAGE.where("by", "agent-1")),
    "audit trail of a contact": listed(PAGE.where("contact_id", "call-1")),
    "audit trail of an outcome": listed(PAGE.where("outcome", "VERIFICATION_OUTCOME_FAILED")),
    "audit trail since": listed(PAGE.where("time", later(5).isoformat(), operator=Operator.GREATER)),
    "audit trail of an agent and an outcome": listed(
        PAGE.where("by", "agent-1").where("outcome", "VERIFICATION_OUTCOME_FAILED")
    ),
}


@pytest.mark.parametrize("name", QUESTIONS)
async def test_no_question_reads_everything_or_sorts_in_memory(bench: Bench, name: str) -> None:
    bench.heard.commands.clear()
    await QUESTIONS[name](bench)
    commands = list(bench.heard.commands)
    assert commands, "the question reached MongoDB"
    for command in commands:
        found = await stages(bench.store, command)
        assert found, "the plan was found"
        assert not found & SLOW, f"{name}: {found}"


async def test_the_audit_trail_of_a_customer_and_of_who_was_merged_into_it_is_read_in_order(bench: Bench) -> None:
    for ids in (bench.ids[3:4], bench.ids[2:5]):
        bench.heard.commands.clear()
        page, _ = await bench.verifications.page(PAGE.where("customer_id", *ids))
        assert len(page) == 5
        (command,) = bench.heard.commands
        assert not await stages(bench.store, command) & SLOW
