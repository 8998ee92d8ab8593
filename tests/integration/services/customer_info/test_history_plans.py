"""Every question about the past, and about profiles, is answered by an index, in the index's own order."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from chassis.mongo.client import Document, Store
from chassis.vault.vault import Vault
from services.customer_info.accounts.store import AccountStore
from services.customer_info.catalogue.store import CatalogueStore
from services.customer_info.consents.rules import Withdrawn
from services.customer_info.consents.store import ConsentStore
from services.customer_info.customers.store import CustomerStore
from services.customer_info.history.kinds import KEPT
from services.customer_info.history.rules import Place, version_key
from services.customer_info.history.store import History, Records
from services.customer_info.portfolio.store import ProductStore
from services.customer_info.profiles.fact_rules import Sum
from services.customer_info.profiles.store import ProfileStore
from services.customer_info.profiles.view_rules import Told
from tests.support.explain import SLOW, Overheard, overheard, stages
from tests.unit.services.customer_info.account_builders import billing_account, request_about
from tests.unit.services.customer_info.builders import NOON, later, new_uuid, person, product
from tests.unit.services.customer_info.consent_builders import record
from tests.unit.services.customer_info.profile_builders import full_profile

PEOPLE = 60
VERSIONS = 4


class Bench:
    """A store with something in it, and what it asks of MongoDB."""

    def __init__(self, store: Store, heard: Overheard, vault: Vault) -> None:
        self.store, self.heard = store, heard
        self.history = History(store)
        self.records = Records(store, KEPT)
        self.customers = CustomerStore(store, vault, self.history)
        self.products = ProductStore(store, vault, self.history)
        self.accounts = AccountStore(store, vault, self.history)
        self.consents = ConsentStore(store, vault)
        self.profiles = ProfileStore(store, vault, self.history)
        self.people = [person() for _ in range(PEOPLE)]

    @property
    def ids(self) -> list[str]:
        return [c.id for c in self.people[:3]]

    async def fill(self) -> None:
        await self.customers.load(self.people, [], [])
        owned = [product(c.id, update_time=later(n)) for n, c in enumerate(self.people) for _ in range(3)]
        await self.products.load(owned, [], [])
        for version in range(2, VERSIONS + 1):
            stamp = later(1000 * version)
            await self.customers.load([], [replace(c, version=version, update_time=stamp) for c in self.people], [])
            await self.products.load([], [replace(p, version=version, update_time=stamp) for p in owned], [])

        async def work(transaction: Any) -> None:
            for c in self.people:
                account = billing_account(c.id, content={"number": new_uuid()})
                await self.accounts.put(transaction, account)
                await self.accounts.ask(transaction, request_about(account))
                withdrawn = Withdrawn("marketing", ())
                await self.consents.insert(transaction, record(withdrawn, customer_id=c.id, id=new_uuid()))
                await self.profiles.put(transaction, full_profile(c.id))
                await self.profiles.tell(transaction, {(c.id, "contacts"): Told({"n": Sum()}, NOON)})

        await self.store.transact(work)


@pytest.fixture(scope="module")
async def bench(mongo_uri: Callable[[str], str], store: Store, vault: Vault) -> AsyncIterator[Bench]:
    async with overheard(mongo_uri("customer_info")) as (watched, heard):
        made = Bench(watched, heard, vault)
        await made.fill()
        yield made


def past(kinds: list[str], whose: int = 3) -> Callable[[Bench], Awaitable[Any]]:
    async def question(bench: Bench) -> None:
        page = await bench.history.page(bench.ids[:whose], kinds, None, 4)
        assert len(page) == 4
        assert await bench.history.page(bench.ids[:whose], kinds, page[-1].place, 4)

    return question


def present(kind: str, whose: int = 3) -> Callable[[Bench], Awaitable[Any]]:
    async def question(bench: Bench) -> None:
        page = await bench.records.page(kind, bench.ids[:whose], None, 1)
        place: Place = page[-1].place
        await bench.records.page(kind, bench.ids[:whose], place, 1)
        assert await bench.records.one(kind, page[0].record_id) == page[0]

    return question


async def change_profile(bench: Bench) -> None:
    async def work(transaction: Any) -> None:
        (kept,) = (await bench.profiles.of(transaction, [bench.people[5].id])).values()
        await bench.profiles.put(transaction, replace(kept, version=kept.version + 1))
        facts = {(bench.people[6].id, "contacts"): Told({"n": Sum()}, NOON)}
        await bench.profiles.tell(transaction, facts)

    await bench.profiles.transact(work)


async def forget(bench: Bench) -> None:
    async def work(transaction: Any) -> None:
        ids = [bench.people[-1].id, bench.people[-2].id]
        await bench.profiles.forget(transaction, ids)
        await bench.history.forget(transaction, ids)

    await bench.profiles.transact(work)


QUESTIONS: dict[str, Callable[[Bench], Awaitable[Any]]] = {
    "a record as of a time": lambda b: b.history.as_of("customer", b.people[0].id, later(1)),
    "a customer as of a time": lambda b: b.customers.as_of(b.people[0].id, later(1)),
    "many customers as of a time": lambda b: b.customers.many_as_of([c.id for c in b.people], later(1)),
    "how many customers stand": lambda b: b.customers.standings([c.id for c in b.people]),
    "former versions by number": lambda b: b.history.versions(
        [version_key("customer", c.id, n) for c in b.people[:9] for n in (1, 2)]
    ),
    "former versions of one": past(["customer", "product"], 1),
    "former versions of several": past(["customer", "product", "account"]),
    "former versions of a kind": past(["product"]),
    **{f"records of kind {kind} of {n}": present(kind, n) for kind in ("customer", "product") for n in (1, 3)},
    "accounts": present("account"),
    "requests about accounts": present("account_request"),
    "consents": present("consent"),
    "versions of a family": lambda b: CatalogueStore(b.store, b.history).versions("voice", 9, 5),
    "profiles as records": present("profile"),
    "trees": lambda b: b.records.page("tree", b.ids, None, 5),
    "assignments": lambda b: b.records.page("assignment", b.ids, (NOON, f"{new_uuid()}:0000000001"), 5),
    "a profile": lambda b: b.profiles.of(None, b.ids[:1]),
    "profiles of a merged customer": lambda b: b.profiles.of(None, b.ids),
    "profiles as of a time": lambda b: b.profiles.as_of(b.ids, later(-1)),
    "facts": lambda b: b.profiles.told(None, [(i, s) for i in b.ids for s in ("contacts", "risk")]),
    "who was heard from": lambda b: b.profiles.heard(["interaction", "sla"]),
    "changing": change_profile,
    "forgetting": forget,
}


def single(command: Document) -> list[Document]:
    """The writes of a batch one by one: MongoDB explains no more than one."""
    batch = next((name for name in ("updates", "deletes") if name in command), None)
    return [command] if batch is None else [{**command, batch: [one]} for one in command[batch]]


@pytest.mark.parametrize("name", QUESTIONS)
async def test_no_question_reads_everything_or_sorts_in_memory(bench: Bench, name: str) -> None:
    bench.heard.commands.clear()
    await QUESTIONS[name](bench)
    commands = [one for command in bench.heard.commands for one in single(command)]
    assert commands, "the question reached MongoDB"
    for command in commands:
        found = await stages(bench.store, command)
        assert found, "the plan was found"
        assert not found & SLOW, f"{name}: {command} takes {found}"


async def test_a_page_far_down_does_not_read_all_before_it(bench: Bench) -> None:
    page = await bench.history.page(bench.ids, ["product"], (later(1), "0"), 4)
    assert page
    bench.heard.commands.clear()
    await bench.history.page(bench.ids, ["product"], (later(1), "0"), 4)
    (command,) = bench.heard.commands
    answer = await bench.store.database.command("explain", command, verbosity="executionStats")
    assert answer["executionStats"]["totalKeysExamined"] < VERSIONS * len(bench.ids) * 3
