"""Every question about products and families is answered by an index, in the index's own order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from chassis.mongo.client import Store
from chassis.query.selection import Operator, Selection
from chassis.vault.vault import Vault
from services.customer_info.catalogue.defaults import default_families
from services.customer_info.catalogue.store import CatalogueStore
from services.customer_info.history.store import History
from services.customer_info.portfolio.identifier_rules import ServiceIdentifier, key
from services.customer_info.portfolio.rules import Product, Status
from services.customer_info.portfolio.store import ProductStore
from services.customer_info.portfolio.term_rules import Term
from services.customer_info.portfolio.view_rules import HORIZONS
from tests.support.explain import SLOW, Overheard, overheard, stages
from tests.unit.services.customer_info.builders import NOON, later, new_uuid, product

PRODUCTS = 1200


class Bench:
    """Both stores with something in them, and what they ask of MongoDB."""

    def __init__(self, store: Store, heard: Overheard, vault: Vault) -> None:
        self.store, self.heard = store, heard
        self.products = ProductStore(store, vault, History(store))
        self.families = CatalogueStore(store, History(store))
        self.customers, self.nodes = [new_uuid() for _ in range(60)], [new_uuid() for _ in range(12)]
        self.accounts = [new_uuid() for _ in range(20)]
        self.owned = [self._product(n) for n in range(PRODUCTS)]

    def _product(self, n: int) -> Product:
        return product(
            self.customers[n % 60],
            list(Status)[n % 5],
            family=("voice", "mobile", "broadband")[n % 3],
            name=f"{n % 17}",
            update_time=later(n * 11 % PRODUCTS),
            term=Term(24, NOON),
            identifiers=(ServiceIdentifier("circuit", f"CIR-{n}"), ServiceIdentifier("pbx_slot", f"{n % 7}")),
            node_ids=(self.nodes[n % 12],) if n % 2 else (),
            account_id=self.accounts[n % 20] if n % 3 else "",
        )

    async def fill(self) -> None:
        await self.products.load(self.owned, [], [])
        await self.families.add_missing(default_families_now())

    async def asked(self, question: Callable[["Bench"], Awaitable[Any]]) -> list[dict[str, Any]]:
        """The commands that `question` sends."""
        self.heard.commands.clear()
        await question(self)
        return list(self.heard.commands)


def default_families_now() -> list[Any]:
    return [replace(family, update_time=NOON) for family in default_families()]


@pytest.fixture(scope="module")
async def bench(mongo_uri: Callable[[str], str], store: Store, vault: Vault) -> AsyncIterator[Bench]:
    async with overheard(mongo_uri("customer_info")) as (watched, heard):
        made = Bench(watched, heard, vault)
        await made.fill()
        yield made


def listed(selection: Selection) -> Callable[[Bench], Awaitable[Any]]:
    async def question(bench: Bench) -> None:
        page, token = await bench.products.page(selection)
        assert page
        assert token
        await bench.products.page(replace(selection, page_token=token))

    return question


def leafed(whose: int) -> Callable[[Bench], Awaitable[Any]]:
    async def question(bench: Bench) -> None:
        ids = tuple(bench.customers[:whose])
        for include_ceased in (False, True):
            page = Selection(page_size=1)
            _, token = await bench.products.portfolio(ids, page, include_ceased=include_ceased)
            assert token
            await bench.products.portfolio(ids, replace(page, page_token=token), include_ceased=include_ceased)

    return question


async def write(bench: Bench) -> None:
    async def work(transaction: Any) -> Product:
        await bench.products.replace(transaction, replace(bench.owned[0], version=2))
        await bench.products.forget(transaction, [bench.customers[59]])
        return bench.owned[0]

    await bench.products.transact(work)
    await bench.products.load([], [replace(bench.owned[60], version=2)], [])


async def define(bench: Bench) -> None:
    family = default_families_now()[0]

    async def work(transaction: Any) -> None:
        await bench.families.replace(transaction, replace(family, version=2))

    await bench.families.transact(work)


def indexes(plan: Any) -> Iterator[str]:
    """The indexes that a plan uses, apart from those that were thought of."""
    if isinstance(plan, dict):
        if "indexName" in plan:
            yield plan["indexName"]
        for name, part in plan.items():
            if name != "rejectedPlans":
                yield from indexes(part)
    elif isinstance(plan, list):
        for part in plan:
            yield from indexes(part)


PAGE = Selection(page_size=5)
QUESTIONS: dict[str, Callable[[Bench], Awaitable[Any]]] = {
    "one portfolio": lambda b: b.products.current((b.customers[0],)),
    "one portfolio with what ceased": lambda b: b.products.all((b.customers[0],)),
    "the portfolio of several records": lambda b: b.products.current(tuple(b.customers[:3])),
    "portfolios together": lambda b: asyncio.gather(*(b.products.current((c,)) for c in b.customers[:40])),
    "a portfolio page by page": leafed(1),
    "the portfolio of several records page by page": leafed(3),
    "what stands where": lambda b: b.products.placed(b.customers[:3]),
    "what stands at some nodes": lambda b: b.products.at_nodes(b.customers[:3], b.nodes[:9]),
    "what there is of each family": lambda b: b.products.family_rows(b.customers[:3], NOON, HORIZONS),
    "whose identifier": lambda b: b.products.holders([key(ServiceIdentifier("circuit", f"CIR-{n}")) for n in range(3)]),
    "products at a node": lambda b: listed(PAGE.where("node_id", b.nodes[1]))(b),
    "products at some nodes": lambda b: listed(PAGE.where("node_id", *b.nodes[1:6]))(b),
    "products of an account": lambda b: listed(PAGE.where("account_id", b.accounts[1]))(b),
    "whether an account pays": lambda b: b.products.billed(None, b.accounts[1]),
    "products of some accounts": lambda b: listed(PAGE.where("account_id", *b.accounts[1:6]))(b),
    "products of other accounts": lambda b: listed(
        PAGE.where("account_id", *b.accounts[1:6], operator=Operator.NOT_EQUAL)
    )(b),
    "changing products": write,
    "families": lambda b: b.families.page(PAGE),
    "families of a line": lambda b: b.families.page(PAGE.where("line", "voice", "mobile")),
    "families on sale": lambda b: b.families.page(PAGE.where("status", "FAMILY_STATUS_ACTIVE")),
    "the whole catalogue": lambda b: b.families.everything(),
    "one family": lambda b: b.families.read(None, "voice"),
    "families that are missing": lambda b: b.families.add_missing(default_families_now()),
    "changing a family": define,
}


@pytest.mark.parametrize("name", QUESTIONS)
async def test_no_question_reads_everything_or_sorts_in_memory(bench: Bench, name: str) -> None:
    commands = await bench.asked(QUESTIONS[name])
    assert commands, "the question reached MongoDB"
    for command in commands:
        found = await stages(bench.store, command)
        assert found, "the plan was found"
        assert not found & SLOW, (command, found)


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("whose identifier", "lookup_1"),
        ("a portfolio page by page", "customer_id_1_family_1_name_1__id_1"),
        ("the portfolio of several records page by page", "customer_id_1_family_1_name_1__id_1"),
        ("what stands where", "customer_id_1_family_1_name_1__id_1"),
        ("what there is of each family", "customer_id_1_family_1_name_1__id_1"),
        ("products at a node", "node_ids_1_update_time_-1__id_-1"),
        ("products of an account", "account_id_1_update_time_-1__id_-1"),
    ],
)
async def test_a_question_is_answered_by_the_index_that_is_there_for_it(bench: Bench, name: str, index: str) -> None:
    for command in await bench.asked(QUESTIONS[name]):
        plan = await bench.store.database.command("explain", command, verbosity="queryPlanner")
        assert set(indexes(plan)) == {index}
