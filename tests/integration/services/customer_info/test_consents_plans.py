"""Every question that the store of consents asks is answered by an index, in the index's own order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from chassis.mongo.client import Store
from chassis.query.selection import Operator, Order, Selection
from chassis.vault.vault import Vault
from services.customer_info.consents.rules import Record
from services.customer_info.consents.store import ConsentStore
from tests.support.explain import SLOW, Overheard, overheard, stages
from tests.unit.services.customer_info.builders import later, new_uuid
from tests.unit.services.customer_info.consent_builders import MARKETING, STOP, record, silence


class Bench:
    """The store with something in it, and what it asks of MongoDB."""

    def __init__(self, store: Store, heard: Overheard, vault: Vault) -> None:
        self.store, self.heard = store, heard
        self.consents = ConsentStore(store, vault)
        self.ids = [new_uuid() for _ in range(60)]

    async def fill(self) -> None:
        async def work(transaction: Any) -> Record:
            for n in range(600):
                change = (MARKETING, STOP, silence())[n % 3]
                await self.consents.insert(transaction, record(change, n, self.ids[n % 60]))
            return record(STOP)

        await self.consents.once("Fill", "", b"", work)

    async def forget(self) -> None:
        async def work(transaction: Any) -> Record:
            await self.consents.read(transaction, self.ids[:2])
            await self.consents.forget(transaction, [self.ids[-1], new_uuid()])
            return record(STOP)

        await self.consents.once("Erase", "", b"", work)


@pytest.fixture(scope="module")
async def bench(mongo_uri: Callable[[str], str], store: Store, vault: Vault) -> AsyncIterator[Bench]:
    async with overheard(mongo_uri("customer_info")) as (watched, heard):
        made = Bench(watched, heard, vault)
        await made.fill()
        yield made


def listed(selection: Selection, *, several: bool = False) -> Callable[[Bench], Awaitable[Any]]:
    async def question(bench: Bench) -> None:
        ids = bench.ids[: 2 if several else 1]
        page, token = await bench.consents.page(ids, selection)
        assert page
        assert token
        await bench.consents.page(ids, replace(selection, page_token=token))

    return question


PAGE = Selection(page_size=3)
QUESTIONS: dict[str, Callable[[Bench], Awaitable[Any]]] = {
    "one customer": lambda b: b.consents.known(b.ids[0]),
    "customers together": lambda b: asyncio.gather(*(b.consents.known(i) for i in b.ids[:40])),
    "many customers": lambda b: b.consents.known_of_many(b.ids[:50]),
    "export": lambda b: b.consents.of(b.ids[:2]),
    "export of one": lambda b: b.consents.of(b.ids[:1]),
    "recording and forgetting": Bench.forget,
    "list": listed(PAGE),
    "list under two ids": listed(PAGE, several=True),
    "list, oldest first": listed(replace(PAGE, order=(Order("time"),)), several=True),
    "list of a kind": listed(PAGE.where("kind", "given")),
    "list of a purpose": listed(PAGE.where("purpose", "marketing"), several=True),
    "list since": listed(PAGE.where("time", later(5).isoformat(), operator=Operator.GREATER)),
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


async def test_questions_asked_together_share_a_round_trip(bench: Bench) -> None:
    bench.heard.commands.clear()
    await QUESTIONS["customers together"](bench)
    assert len(bench.heard.commands) < 10
