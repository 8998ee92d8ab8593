"""How MongoDB would run what search, duplicates, merges and privacy ask: by an index, and never sorted in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from chassis.lineage import Lineage
from chassis.mongo.client import Store
from chassis.times import now
from chassis.vault.vault import Vault
from services.customer_info.build import COLLECTIONS
from services.customer_info.customers.rules import Individual
from services.customer_info.customers.store import CustomerStore
from services.customer_info.duplicates.store import DuplicateStore
from services.customer_info.history.store import History
from services.customer_info.merges.rules import Merge
from services.customer_info.merges.store import MergeStore
from services.customer_info.privacy.kinds import HELD
from services.customer_info.privacy.rules import Erasure
from services.customer_info.privacy.store import ErasureStore, Holdings
from services.customer_info.search.rules import plan
from services.customer_info.search.store import SearchStore
from tests.support.explain import SLOW, Overheard, overheard_from_empty, stages
from tests.unit.services.customer_info.builders import email, new_uuid, person

MANY = 300


class Bench:
    """The stores with something in them, and what they ask of MongoDB."""

    def __init__(self, store: Store, heard: Overheard, vault: Vault) -> None:
        self.store, self.heard = store, heard
        self.customers = CustomerStore(store, vault, History(store))
        self.search, self.duplicates = SearchStore(store, vault), DuplicateStore(store, vault)
        self.merges, self.erasures = MergeStore(store), ErasureStore(store)
        self.lineage, self.holdings = Lineage(store), Holdings(store)
        self.people = [
            person(party=Individual(f"Given{n % 17}", f"Family{n % 31}"), contact_media=(email(f"{n}@x.example"),))
            for n in range(MANY)
        ]
        self.ids = [c.id for c in self.people]

    async def fill(self) -> None:
        await self.customers.load(self.people, [], [])
        await self.store.transact(self._fill)

    async def _fill(self, transaction: Any) -> None:
        for n in range(0, MANY - 1, 3):
            pair = self.ids[n : n + 2]
            await self.lineage.put(transaction, [pair])
            await self.merges.insert(transaction, Merge(new_uuid(), pair[0], pair[1], 1, 2, now(), "tester"))
            erasure = Erasure((self.ids[n + 2],), "asked", "tester", now() - timedelta(minutes=n))
            await self.erasures.keep(transaction, erasure)


@pytest.fixture(scope="module")
async def bench(mongo_uri: Callable[[str], str], vault: Vault) -> AsyncIterator[Bench]:
    async with overheard_from_empty(mongo_uri("customer_info_plans"), COLLECTIONS) as (store, heard):
        made = Bench(store, heard, vault)
        await made.fill()
        yield made


async def every_step(bench: Bench) -> None:
    for step in (*plan("given3 family7").steps, *plan("family").steps):
        if terms := step.terms:
            await bench.search.holding(terms, 200, within=step.within, include_archived=False)


async def unmerge(bench: Bench) -> None:
    async def work(transaction: Any) -> None:
        (merge,) = await bench.merges.holding(transaction, bench.ids[0])
        await bench.customers.merged_into(transaction, bench.ids[:2])
        await bench.merges.replace(transaction, merge)

    await bench.store.transact(work)


async def lineages(bench: Bench) -> None:
    assert await bench.lineage.of(bench.ids[1]) == tuple(bench.ids[:2])
    await bench.lineage.of_many(bench.ids[:50])
    await bench.store.transact(lambda t: bench.lineage.put(t, [[i] for i in bench.ids[-2:]]))


async def erasing(bench: Bench) -> None:
    async def work(transaction: Any) -> None:
        erasure = await bench.erasures.find(transaction, bench.ids[1:3])
        assert erasure is not None
        assert await bench.erasures.read(transaction, bench.ids[2]) == erasure
        assert await bench.erasures.latest(transaction, bench.ids[2], 1) == 1
        await bench.erasures.keep(transaction, erasure)
        await bench.erasures.finish(transaction, erasure, now())

    await bench.store.transact(work)
    assert await bench.erasures.unfinished(now())


QUESTIONS: dict[str, Callable[[Bench], Awaitable[Any]]] = {
    "a search, all steps": every_step,
    "who shares a key": lambda b: b.duplicates.sharing(["n:a|b", "e:7@x.example"], 500),
    "the next in a scan": lambda b: b.duplicates.following(b.ids[3], 100),
    "who is known to be two": lambda b: b.duplicates.distinct(b.ids[0], b.ids[1:20]),
    "merges of a customer": lambda b: b.merges.of(b.ids[:5]),
    "an unmerge": unmerge,
    "lineages": lineages,
    "an erasure": erasing,
}


@pytest.mark.parametrize("name", QUESTIONS)
async def test_no_question_reads_everything_or_sorts_in_memory(bench: Bench, name: str) -> None:
    bench.heard.commands.clear()
    await QUESTIONS[name](bench)
    commands = list(bench.heard.commands)
    assert commands, "the question reached MongoDB"
    for command in commands:
        assert not await stages(bench.store, command) & SLOW, command


@pytest.mark.parametrize("kind", sorted(HELD))
async def test_an_export_reads_each_kind_by_an_index(bench: Bench, kind: str) -> None:
    bench.heard.commands.clear()
    async for _ in bench.holdings.pages(HELD[kind][0], bench.ids[:3]):
        pass
    for command in list(bench.heard.commands):
        assert not await stages(bench.store, command) & SLOW, command
