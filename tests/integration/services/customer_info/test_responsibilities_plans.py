"""Every question about responsibilities is answered by an index, in the index's own order."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from chassis.mongo.client import Store
from chassis.query.selection import Operator, Selection
from chassis.vault.vault import Vault
from services.customer_info.history.store import History
from services.customer_info.privacy.kinds import HELD
from services.customer_info.privacy.store import Holdings
from services.customer_info.responsibilities import rules
from services.customer_info.responsibilities.store import ResponsibilityStore
from tests.support.explain import SLOW, Overheard, overheard, stages
from tests.unit.services.customer_info.builders import later, new_uuid
from tests.unit.services.customer_info.responsibility_builders import assignment, duty
from tests.unit.services.customer_info.trees import placement, tree

ASSIGNMENTS = 240


class Bench:
    """A store with something in it, and what it asks of MongoDB."""

    def __init__(self, store: Store, heard: Overheard, vault: Vault) -> None:
        self.store, self.heard = store, heard
        self.duties = ResponsibilityStore(store, vault, History(store))
        self.trees = [tree() for _ in range(4)]
        self.customers = [t.customer_id for t in self.trees]
        self.places = [placement(self.trees[n % 4], new_uuid()) for n in range(24)]
        self.holder = new_uuid()
        self.definitions = [duty(f"d{n}", required=n % 2 == 0) for n in range(12)]
        held = {"holder_id": self.holder}
        self.assigned = [
            assignment(
                self.places[n % 24],
                f"d{n % 12}",
                start=later(n),
                update_time=later(n * 7 % 240),
                **(held if n % 3 else {}),
            )
            for n in range(ASSIGNMENTS)
        ]

    async def fill(self) -> None:
        async def work(transaction: Any) -> None:
            for one in self.definitions:
                await self.duties.define(transaction, one)
            for assigned in self.assigned:
                await self.duties.put(transaction, assigned)

        await self.duties.transact(work)


@pytest.fixture(scope="module")
async def bench(mongo_uri: Callable[[str], str], store: Store, vault: Vault) -> AsyncIterator[Bench]:
    async with overheard(mongo_uri("customer_info")) as (watched, heard):
        made = Bench(watched, heard, vault)
        await made.fill()
        yield made


def listed(selection: Selection, *, whose: int) -> Callable[[Bench], Awaitable[Any]]:
    async def question(bench: Bench) -> None:
        found, token = await bench.duties.page(bench.customers[:whose], selection)
        assert found
        assert token
        await bench.duties.page(bench.customers[:whose], replace(selection, page_token=token))

    return question


async def definitions(bench: Bench) -> None:
    page, token = await bench.duties.listed(Selection(page_size=2))
    assert page
    await bench.duties.listed(Selection(page_size=2, page_token=token))
    await bench.duties.listed(Selection(page_size=2).where("required", "true"))
    await bench.duties.catalogue(None)
    await bench.duties.catalogue_as_of(later(-1))
    await bench.duties.versions("d0", 9, 5)
    await bench.duties.add_missing(bench.definitions)


async def held(bench: Bench) -> None:
    whose, _ = HELD["held_assignment"]
    pages = [page async for page in Holdings(bench.store).pages(whose, [bench.holder, new_uuid()])]
    assert {assignment["holder_id"] for page in pages for assignment in page} == {bench.holder}


async def change(bench: Bench) -> None:
    async def work(transaction: Any) -> None:
        await bench.duties.hold_definitions(transaction, ["d1", "d2"])
        await bench.duties.define(transaction, replace(bench.definitions[0], version=2, update_time=later()))
        await bench.duties.hold_place(transaction, bench.places[0].node_id, "d0")
        await bench.duties.at_place(transaction, bench.places[0].node_id, "d0")
        await bench.duties.put(transaction, rules.ended(bench.assigned[0], later(999), later(999)))
        await bench.duties.forget(transaction, bench.customers[3:])

    await bench.duties.transact(work)


PAGE = Selection(page_size=3)
FILTERS: dict[str, Selection] = {
    "": PAGE,
    " of a responsibility": PAGE.where("responsibility", "d1", "d2", "d0", "d3"),
    " then": PAGE.where("start", later(200).isoformat(), operator=Operator.LESS_OR_EQUAL).where(
        "end", later(200).isoformat(), operator=Operator.GREATER
    ),
    " changed since": PAGE.where("update_time", later(5).isoformat(), operator=Operator.GREATER),
}
QUESTIONS: dict[str, Callable[[Bench], Awaitable[Any]]] = {
    "definitions": definitions,
    "one assignment": lambda b: b.duties.read(None, b.assigned[0].id),
    "who is": lambda b: b.duties.holding([p.node_id for p in b.places[:5]], ["d0", "d1"], later(99)),
    "all of an enterprise": lambda b: b.duties.begun(b.customers[:1], "", later(99)),
    "all of one tree": lambda b: b.duties.begun(b.customers[:2], b.trees[0].id, later(99)),
    "at a node": lambda b: b.duties.page((), PAGE.where("node_id", b.places[0].node_id)),
    "at a node of an enterprise": lambda b: b.duties.page(b.customers[:1], PAGE.where("node_id", b.places[0].node_id)),
    "of a holder": lambda b: b.duties.page((), PAGE.where("holder_id", b.holder)),
    "of a tree": lambda b: b.duties.page(b.customers[:1], PAGE.where("tree_id", b.trees[0].id)),
    "what somebody answers for": held,
    "changing": change,
    **{f"assignments of {n}{k}": listed(s, whose=n) for n in (0, 1, 4) for k, s in FILTERS.items()},
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
        assert not found & SLOW, f"{name}: {command} takes {found}"
