"""Every question that the store of trees asks is answered by an index, in the index's own order."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from chassis.mongo.client import Store
from chassis.query.selection import Operator, Order, Selection
from chassis.vault.vault import Vault
from services.customer_info.hierarchy.rules import DEEPEST, Placement, View, touched
from services.customer_info.hierarchy.store import HierarchyStore
from services.customer_info.history.store import History
from tests.support.explain import SLOW, Overheard, overheard, stages
from tests.unit.services.customer_info.builders import NOON, later, new_uuid
from tests.unit.services.customer_info.trees import placement, tree

WIDTH = 30
OWNERS = 8


class Bench:
    """The store with two trees in it, and what it asks of MongoDB."""

    def __init__(self, store: Store, vault: Vault, heard: Overheard) -> None:
        self.store, self.heard = store, heard
        self.trees = HierarchyStore(store, vault, History(store))
        owners = [new_uuid() for _ in range(OWNERS)]
        self.kept = [
            tree(owners[n % OWNERS], name=f"{n}", view=list(View)[n // OWNERS % 2], create_time=later(n))
            for n in range(OWNERS * 10)
        ]
        self.top, self.middle, self.low = new_uuid(), new_uuid(), new_uuid()
        whole = self.kept[0]
        self.nodes = [placement(whole, self.top), placement(whole, self.top, self.middle)]
        self.nodes += [placement(whole, self.top, self.middle, new_uuid()) for _ in range(WIDTH)]
        self.nodes += [placement(self.kept[OWNERS], new_uuid()) for _ in range(WIDTH)]

    async def fill(self) -> None:
        async def work(transaction: Any) -> None:
            for one in self.kept:
                await self.trees.insert_tree(transaction, one)
            await self.trees.change(transaction, (), self.nodes, NOON)

        await self.trees.transact(work)
        # Some history: each leaf was renamed several times.
        for n in range(1, 6):
            await self.renamed(n)

    async def renamed(self, minutes: int) -> None:
        leaves = self.nodes[2:]
        after = [replace(p, name=f"{minutes}", start=later(minutes)) for p in leaves]
        await self.trees.transact(lambda tx: self.trees.change(tx, leaves, after, later(minutes)))
        self.nodes[2:] = after

    async def asked(self, question: Callable[["Bench"], Awaitable[Any]]) -> list[dict[str, Any]]:
        """The commands that `question` sends."""
        self.heard.commands.clear()
        await question(self)
        return list(self.heard.commands)


@pytest.fixture(scope="module")
async def bench(mongo_uri: Callable[[str], str], store: Store, vault: Vault) -> AsyncIterator[Bench]:
    async with overheard(mongo_uri("customer_info")) as (watched, heard):
        made = Bench(watched, vault, heard)
        await made.fill()
        yield made


def part(
    path: Callable[[Bench], Sequence[str]], minutes: int, deepest: int = DEEPEST
) -> Callable[[Bench], Awaitable[Any]]:
    async def question(bench: Bench) -> list[Placement]:
        async with bench.trees.snapshot() as seen:
            batches = bench.trees.subtree(seen, bench.kept[0].id, path(bench), later(minutes), deepest)
            return [p async for batch in batches for p in batch]

    return question


def listed(selection: Selection) -> Callable[[Bench], Awaitable[Any]]:
    async def question(bench: Bench) -> None:
        owners = {t.customer_id for t in bench.kept[: OWNERS - 1]}
        page, token = await bench.trees.page(sorted(owners), selection)
        assert page
        assert token
        await bench.trees.page(sorted(owners), replace(selection, page_token=token))

    return question


async def write(bench: Bench) -> None:
    one, node = bench.kept[5], placement(bench.kept[5], new_uuid())

    async def work(transaction: Any) -> None:
        await bench.trees.hold(transaction, one.id)
        await bench.trees.replace_tree(transaction, touched(one, later()))
        await bench.trees.change(transaction, (), [node], NOON)
        await bench.trees.record(transaction, [node], later())
        await bench.trees.record(transaction, [replace(node, start=later())], later(2))
        await bench.trees.change(transaction, [node], [replace(node, start=later())], later())
        await bench.trees.change(transaction, [replace(node, start=later())], (), later())

    await bench.trees.transact(work)


async def forget(bench: Bench) -> None:
    await bench.trees.transact(lambda tx: bench.trees.forget(tx, [bench.kept[7].customer_id]))


QUESTIONS: dict[str, Callable[[Bench], Awaitable[Any]]] = {
    "a tree": lambda b: b.trees.tree(None, b.kept[0].id),
    "the tree of a node": lambda b: b.trees.tree_of(None, b.middle),
    "trees of customers": listed(Selection(page_size=3)),
    "trees of customers, the newest first": listed(
        Selection(page_size=3, order=(Order("create_time", descending=True),))
    ),
    "trees of customers that were made since": listed(
        Selection(page_size=3).where("create_time", NOON.isoformat(), operator=Operator.GREATER_OR_EQUAL)
    ),
    "trees of customers with a view": listed(Selection(page_size=2).where("view", "TREE_VIEW_OPERATOR")),
    "a whole tree": lambda b: b.trees.nodes(b.kept[0].id, later(9)),
    "a subtree": part(lambda b: b.nodes[1].path, 9),
    "a subtree of old": part(lambda b: b.nodes[1].path, 2),
    "the upper levels of a tree": part(lambda b: (), 9, deepest=2),
    "a path": lambda b: b.trees.path(b.nodes[9].node_id, later(9)),
    "a path of old": lambda b: b.trees.path(b.nodes[9].node_id, later(2)),
    "what nodes ever were": lambda b: b.trees.former(None, [p.node_id for p in b.nodes[:20]]),
    "which trees nodes are of": lambda b: b.trees.homes(None, [p.node_id for p in b.nodes[:20]]),
    "what nodes are and will be": lambda b: b.trees.lasting(None, b.kept[0].id, [b.middle, b.top], NOON),
    "what is below a node": lambda b: b.trees.below(None, b.kept[0].id, b.nodes[1].path, later(9)),
    "changing nodes": write,
    "forgetting a customer": forget,
}


@pytest.mark.parametrize("name", QUESTIONS)
async def test_no_question_reads_everything_or_sorts_in_memory(bench: Bench, name: str) -> None:
    commands = await bench.asked(QUESTIONS[name])
    assert commands, "the question reached MongoDB"
    for command in commands:
        found = await stages(bench.store, command)
        assert found, "the plan was found"
        assert not found & SLOW, (command, found)


async def test_a_subtree_is_one_query_that_reads_little_but_what_it_answers(bench: Bench) -> None:
    (command,) = [
        c for c in await bench.asked(part(lambda b: b.nodes[1].path, 9)) if c.get("find") == "hierarchy_placements"
    ]
    told = await bench.store.database.command("explain", command, verbosity="executionStats")
    figures = told["executionStats"]
    assert figures["nReturned"] == figures["totalDocsExamined"] == WIDTH + 1
    # Of each node one key more, to pass over all that it was before, and of each level one, to learn that it ends.
    assert figures["totalKeysExamined"] <= 2 * figures["nReturned"] + 6
