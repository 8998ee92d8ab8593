"""`AccountStore` in memory, and what its use cases ask of other nouns."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, TypeVar

from chassis.events.outbox import Happening
from chassis.query.selection import Selection
from services.customer_info.accounts.request_rules import Request
from services.customer_info.accounts.rules import Account, Kind, Status, number_taken
from services.customer_info.accounts.store import REQUEST_LISTING, account_listing
from services.customer_info.customers.rules import Customer
from services.customer_info.identifier_rules import account_key
from tests.support.fakes.listing import page
from tests.support.fakes.staging import Stage, Staged

T = TypeVar("T")
LISTING = account_listing(lambda number: account_key(number)[1])
GETTERS: dict[str, Callable[[Account], Any]] = {
    "id": lambda a: a.id,
    "number": lambda a: account_key(a.content.number)[1],
    "kind": lambda a: a.kind,
    "status": lambda a: a.status,
    "parent_id": lambda a: a.content.parent_id,
    "node_id": lambda a: a.content.node_id,
    "update_time": lambda a: a.update_time,
}
REQUEST_GETTERS: dict[str, Callable[[Request], Any]] = {
    "id": lambda r: r.id,
    "status": lambda r: r.status,
    "kind": lambda r: r.kind,
    "account_id": lambda r: r.account_id,
    "approver_role": lambda r: r.approver_role,
    "ask_time": lambda r: r.ask_time,
}


class FakeAccounts:
    """Behaves as `AccountStore` does. `rivals` are accounts put in place by somebody else before the next `put`."""

    def __init__(self, *kept: Account | Request) -> None:
        self._stage: Stage[Any] = Stage()
        self._stage.kept = {k.id: k for k in kept}
        self.rivals: list[Account] = []
        self.held: list[str] = []

    @property
    def kept(self) -> dict[str, Any]:
        return self._stage.kept

    @property
    def events(self) -> list[Happening]:
        return self._stage.events

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T:
        return await self._stage.transact(work)

    async def once(self, request_id: str, content: bytes, work: Callable[[Any], Awaitable[Request]]) -> Request:
        made: Request = await self._stage.once(request_id, content, work)
        return made

    async def get(self, account_id: str) -> Account | None:
        return await self.read(None, account_id)

    async def in_use(self, account_ids: Collection[str]) -> dict[str, str]:
        return self._in_use(None, account_ids)

    async def hold_in_use(self, transaction: Any, account_ids: Collection[str]) -> dict[str, str]:
        self.held += sorted(account_ids)
        return self._in_use(transaction, account_ids)

    async def read(self, transaction: Any, account_id: str) -> Account | None:
        found = self._stage.sees(transaction).get(account_id)
        return found if isinstance(found, Account) else None

    async def request(self, transaction: Any, request_id: str) -> Request | None:
        found = self._stage.sees(transaction).get(request_id)
        return found if isinstance(found, Request) else None

    async def holder(
        self, transaction: Any, customer_ids: Sequence[str], kind: Kind, number: str, but: str = ""
    ) -> str:
        for account in self._accounts(transaction):
            known = (account.kind, account_key(account.content.number))
            if account.customer_id in customer_ids and account.id != but and known == (kind, account_key(number)):
                return account.id
        return ""

    async def billed_to(self, transaction: Any, account_id: str) -> bool:
        there = self._accounts(transaction)
        return any(a.content.parent_id == account_id and a.status is Status.ACTIVE for a in there)

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Account], str]:
        shown = [a for a in self._accounts(None) if not customer_ids or a.customer_id in customer_ids]
        return page(shown, selection, LISTING, GETTERS)

    async def requests(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Request], str]:
        there = [r for r in self.kept.values() if isinstance(r, Request)]
        shown = [r for r in there if not customer_ids or r.customer_id in customer_ids]
        return page(shown, selection, REQUEST_LISTING, REQUEST_GETTERS)

    async def hold(self, transaction: Any, account_id: str) -> None:
        self.held.append(account_id)

    async def ask(self, transaction: Staged[Any], request: Request, *happenings: Happening) -> None:
        transaction.kept[request.id] = request
        transaction.events += happenings

    async def decide(self, transaction: Staged[Any], request: Request, *happenings: Happening) -> None:
        transaction.kept[request.id] = request
        transaction.events += happenings

    async def put(self, transaction: Staged[Any], account: Account, *happenings: Happening) -> None:
        while self.rivals:
            rival = self.rivals.pop()
            self.kept[rival.id] = transaction.kept[rival.id] = rival
        own, kind, number = account.id, account.kind, account.content.number
        if holder := await self.holder(transaction, [account.customer_id], kind, number, but=own):
            raise number_taken(holder)
        transaction.kept[account.id] = account
        transaction.events += happenings

    def _in_use(self, transaction: Any, account_ids: Collection[str]) -> dict[str, str]:
        there = [a for a in self._accounts(transaction) if a.id in account_ids]
        return {a.id: a.customer_id for a in there if a.status is Status.ACTIVE}

    def _accounts(self, transaction: Any) -> list[Account]:
        return [a for a in self._stage.sees(transaction).values() if isinstance(a, Account)]


class FakeBilled:
    """The accounts that products are billed to."""

    def __init__(self, *account_ids: str) -> None:
        self.accounts = set(account_ids)

    async def billed(self, transaction: Any, account_id: str) -> bool:
        return account_id in self.accounts


class FakeOwners:
    """The customers there are, by id."""

    def __init__(self, *customers: Customer) -> None:
        self.kept = {c.id: c for c in customers}
        self.held: list[str] = []

    async def read(self, transaction: Any, customer_id: str) -> Customer | None:
        return self.kept.get(customer_id)

    async def hold(self, transaction: Any, customer_ids: Sequence[str]) -> None:
        self.held += customer_ids
