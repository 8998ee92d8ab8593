"""Every question about accounts is answered by an index, in the index's own order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from chassis.mongo.client import Store
from chassis.query.selection import Operator, Selection
from chassis.vault.vault import Vault
from services.customer_info.accounts import request_rules, rules
from services.customer_info.accounts.request_rules import RequestKind, RequestStatus, Step
from services.customer_info.accounts.rules import Content, Kind, Role, Status
from services.customer_info.accounts.store import AccountStore
from services.customer_info.history.store import History
from tests.support.explain import SLOW, Overheard, overheard, stages
from tests.unit.services.customer_info.account_builders import SUPERVISOR, billing_account, cost_centre, request_about
from tests.unit.services.customer_info.builders import later, new_uuid

ACCOUNTS = 120


class Bench:
    """A store with something in it, and what it asks of MongoDB."""

    def __init__(self, store: Store, heard: Overheard, vault: Vault) -> None:
        self.store, self.heard = store, heard
        self.accounts = AccountStore(store, vault, History(store))
        self.customers = [new_uuid() for _ in range(4)]
        self.node = new_uuid()
        self.parents = [
            billing_account(self.customers[n % 4], content={"number": f"B-{n}"}, update_time=later(n))
            for n in range(ACCOUNTS)
        ]
        self.children = [
            cost_centre(
                self.parents[n % 8],
                content={"number": f"C-{n}", "node_id": self.node},
                status=list(Status)[n % 2],
                update_time=later(n * 7 % ACCOUNTS),
            )
            for n in range(ACCOUNTS)
        ]
        self.asked = [
            request_about(
                self.parents[n % 8],
                approver_role=list(Role)[n % 3],
                kind=list(RequestKind)[n % 3],
                trail=(Step(RequestStatus.ASKED, "ann", later(n)),),
            )
            for n in range(ACCOUNTS)
        ]

    async def fill(self) -> None:
        async def work(transaction: Any) -> None:
            for account in (*self.parents, *self.children):
                await self.accounts.put(transaction, account)
            for request in self.asked:
                await self.accounts.ask(transaction, request)

        await self.accounts.transact(work)


@pytest.fixture(scope="module")
async def bench(mongo_uri: Callable[[str], str], store: Store, vault: Vault) -> AsyncIterator[Bench]:
    async with overheard(mongo_uri("customer_info")) as (watched, heard):
        made = Bench(watched, heard, vault)
        await made.fill()
        yield made


def listed(name: str, selection: Selection, *, whose: int) -> Callable[[Bench], Awaitable[Any]]:
    async def question(bench: Bench) -> None:
        read = getattr(bench.accounts, name)
        found, token = await read(bench.customers[:whose], selection)
        assert found
        assert token
        await read(bench.customers[:whose], replace(selection, page_token=token))

    return question


async def change(bench: Bench) -> None:
    async def work(transaction: Any) -> None:
        await bench.accounts.hold(transaction, bench.parents[9].id)
        await bench.accounts.hold_in_use(transaction, [a.id for a in bench.parents[:5]])
        after = rules.changed(bench.parents[9], Content(name="x"), {"name"}, later())
        await bench.accounts.put(transaction, after)
        done = request_rules.approved(bench.asked[0], SUPERVISOR, "", later(999))
        await bench.accounts.decide(transaction, done)
        await bench.accounts.forget(transaction, [new_uuid()])

    await bench.accounts.transact(work)


PAGE = Selection(page_size=3)
FILTERS = {
    "": PAGE,
    " of a status": PAGE.where("status", "ACCOUNT_STATUS_ACTIVE"),
    " of a kind": PAGE.where("kind", "ACCOUNT_KIND_COST_CENTRE"),
    " since": PAGE.where("update_time", later(5).isoformat(), operator=Operator.GREATER),
}
REQUEST_FILTERS = {
    "": PAGE,
    " of a status": PAGE.where("status", "ACCOUNT_REQUEST_STATUS_ASKED"),
    " for a role": PAGE.where("status", "ACCOUNT_REQUEST_STATUS_ASKED").where("approver_role", "ROLE_SUPERVISOR"),
    " of a kind": PAGE.where("kind", "ACCOUNT_REQUEST_KIND_CLOSE"),
    " since": PAGE.where("ask_time", later(5).isoformat(), operator=Operator.GREATER),
}
QUESTIONS: dict[str, Callable[[Bench], Awaitable[Any]]] = {
    "one account": lambda b: b.accounts.get(b.parents[0].id),
    "accounts together": lambda b: asyncio.gather(*(b.accounts.get(a.id) for a in b.parents)),
    "one account in a transaction": lambda b: b.accounts.read(None, b.parents[0].id),
    "accounts in use": lambda b: b.accounts.in_use([a.id for a in (*b.parents, *b.children)]),
    "one request": lambda b: b.accounts.request(None, b.asked[0].id),
    "who has a number": lambda b: b.accounts.holder(None, b.customers, Kind.BILLING_ACCOUNT, "B-1"),
    "who else has a number": lambda b: b.accounts.holder(None, b.customers, Kind.BILLING_ACCOUNT, "B-1", but="x"),
    "who bills to it": lambda b: b.accounts.billed_to(None, b.parents[0].id),
    "whose number": lambda b: b.accounts.holders([("account", "B-1"), ("account", "C-1")]),
    "changing": change,
    "by number": lambda b: b.accounts.page((), PAGE.where("number", "B-1", "C-1", "C-2", "C-3", "C-4")),
    "by parent": lambda b: b.accounts.page(b.customers, PAGE.where("parent_id", b.parents[0].id)),
    "by node": lambda b: b.accounts.page((), PAGE.where("node_id", b.node)),
    "requests about an account": lambda b: b.accounts.requests((), PAGE.where("account_id", b.parents[0].id)),
    **{f"accounts of {n}{k}": listed("page", s, whose=n) for n in (0, 1, 4) for k, s in FILTERS.items()},
    **{f"requests of {n}{k}": listed("requests", s, whose=n) for n in (0, 1, 4) for k, s in REQUEST_FILTERS.items()},
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
