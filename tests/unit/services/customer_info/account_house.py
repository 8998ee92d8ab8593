"""The use cases of accounts around one customer and another, on stores in memory."""

from dataclasses import replace
from typing import Any

from services.customer_info.accounts.request_rules import Actor, Request, Wish
from services.customer_info.accounts.rules import Account, Content
from services.customer_info.accounts.usecases import AccountUseCases
from tests.support.fakes.accounts import FakeAccounts, FakeBilled, FakeOwners
from tests.support.fakes.hierarchy import FakeHierarchy
from tests.support.fakes.lineage import FakeLineage
from tests.unit.services.customer_info.account_builders import AGENT, SUPERVISOR, billing_account
from tests.unit.services.customer_info.builders import company

OWNER = company()
OTHER = company()
PARENT = billing_account(OWNER.id)
WANTED = Content("Second office", "B-2000", "EUR")


def usecases(
    *kept: Account | Request,
    lineage: FakeLineage | None = None,
    nodes: FakeHierarchy | None = None,
    billed: FakeBilled | None = None,
    **changes: Any,
) -> tuple[AccountUseCases, FakeAccounts]:
    store = FakeAccounts(*kept)
    owners = FakeOwners(replace(OWNER, **changes), OTHER)
    nodes, billed, lineage = nodes or FakeHierarchy(), billed or FakeBilled(), lineage or FakeLineage()
    return AccountUseCases(store, owners, nodes=nodes, products=billed, lineage=lineage), store


async def asked(accounts: AccountUseCases, wish: Wish, actor: Actor = AGENT) -> Request:
    return await accounts.ask(wish, actor, "", b"")


async def approved(
    accounts: AccountUseCases, request: Request, actor: Actor = SUPERVISOR, given_etag: str = ""
) -> tuple[Request, Account]:
    return await accounts.approve(request.customer_id, request.id, given_etag, "fine", actor)
