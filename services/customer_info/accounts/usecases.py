"""What happens to accounts and to requests about them, one function per method."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from chassis import etag
from chassis.events.outbox import Happening
from chassis.ids import new_id
from chassis.query.selection import Selection
from chassis.rules import AlreadyExists, Invalid, NotFound, Refusal, Refused, missing
from chassis.times import now
from services.customer_info.accounts import request_rules, rules
from services.customer_info.accounts.happenings import asked_event, changed_event, decided_event
from services.customer_info.accounts.request_rules import Actor, Request, RequestKind, RequestStatus, Wish
from services.customer_info.accounts.rules import Account, Content, Kind
from services.customer_info.customers.holding import Owners, held
from services.customer_info.customers.rules import Customer
from services.customer_info.customers.turns import Turns
from services.customer_info.hierarchy.rules import Placement, Tree, read_time

T = TypeVar("T")


class Accounts(Protocol):
    """What the use cases ask of a store; `AccountStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T: ...

    async def once(self, request_id: str, content: bytes, work: Callable[[Any], Awaitable[Request]]) -> Request: ...

    async def get(self, account_id: str) -> Account | None: ...

    async def read(self, transaction: Any, account_id: str) -> Account | None: ...

    async def request(self, transaction: Any, request_id: str) -> Request | None: ...

    async def holder(
        self, transaction: Any, customer_ids: Sequence[str], kind: Kind, number: str, but: str = ""
    ) -> str: ...

    async def billed_to(self, transaction: Any, account_id: str) -> bool: ...

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Account], str]: ...

    async def requests(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Request], str]: ...

    async def hold(self, transaction: Any, account_id: str) -> None: ...

    async def ask(self, transaction: Any, request: Request, *happenings: Happening) -> None: ...

    async def decide(self, transaction: Any, request: Request, *happenings: Happening) -> None: ...

    async def put(self, transaction: Any, account: Account, *happenings: Happening) -> None: ...


class Nodes(Protocol):
    """What the use cases ask of the store of hierarchies."""

    async def tree_of(self, transaction: Any, node_id: str) -> Tree | None:
        """The tree in which a node stands or ever stood."""

    async def path(self, node_id: str, at: datetime, transaction: Any = None) -> Sequence[Placement]: ...


class Products(Protocol):
    """What the use cases ask of the store of products."""

    async def billed(self, transaction: Any, account_id: str) -> bool:
        """Whether products that have not ceased are billed to an account."""


class Lineage(Protocol):
    """Whose records belong to a customer."""

    async def of(self, customer_id: str) -> Sequence[str]: ...

    async def read(self, transaction: Any, customer_id: str) -> Sequence[str]: ...


class _Impossible(Exception):
    """What was asked for can no longer be done; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class AccountUseCases:
    """Takes, decides and applies requests about accounts; reads both."""

    def __init__(
        self,
        store: Accounts,
        customers: Owners,
        *,
        nodes: Nodes,
        products: Products,
        lineage: Lineage,
        turns: Turns | None = None,
    ) -> None:
        """`turns` are shared with others who hold the same customers; None: with nobody."""
        self._turns = turns or Turns()
        self._store = store
        self._customers = customers
        self._nodes = nodes
        self._products = products
        self._lineage = lineage

    async def ask(self, wish: Wish, actor: Actor, request_id: str, content: bytes) -> Request:
        """Takes a request that could be applied as things stand; a retry with the same `request_id` gets the same one.

        Raises:
            Invalid: what it asks for makes no sense; NotFound: no such customer, account, parent or node;
                AlreadyExists: the number is taken; Conflict (etag of the account); Refused: the customer has left, was
                merged or erased, or the account, or its parent, is closed, or still billed to.
        """

        async def work(transaction: Any) -> Request:
            # Whoever erases, merges or parts the customer meanwhile, under any of its ids, writes to this record, too:
            # they come before this, or after it.
            owner = await held(self._customers, transaction, wish.customer_id, "customer_id")
            request_rules.check_stays(owner, wish.kind)
            ids = await self._lineage.read(transaction, wish.customer_id)
            if wish.kind is RequestKind.SET_UP:
                parent_id = wish.wanted.parent_id if wish.wanted else ""
                parent = await self._store.read(transaction, parent_id) if parent_id else None
                request = request_rules.set_up_asked(wish, new_id(), actor, now(), account_id=new_id(), parent=parent)
            else:
                about = await self._account(transaction, ids, wish.account_id, f"{wish.kind}.account_id")
                etag.check(wish.etag, about.version)
                request = request_rules.asked(wish, new_id(), about, actor, now())
            await self._outcome(transaction, ids, request)
            await self._store.ask(transaction, request, asked_event(request))
            return request

        return await self._turns.take(wish.customer_id, lambda: self._store.once(request_id, content, work))

    async def approve(
        self, customer_id: str, request_id: str, given_etag: str, note: str, actor: Actor
    ) -> tuple[Request, Account]:
        """Approves a request and applies it. One that can no longer be applied ends as failed, and is refused.

        Raises:
            NotFound, Conflict (etag), Forbidden (somebody else decides), Refused (it is over), and what `ask` raises.
        """

        async def work(transaction: Any) -> tuple[Request, Account]:
            # Who is merged or erased in this instant is no fault of the request's, which does not fail for it.
            owner, ids, before = await self._held(transaction, customer_id, request_id)
            _check_decidable(before, given_etag, actor, ids)
            after = request_rules.approved(before, actor, note, now())
            try:
                request_rules.check_stays(owner, before.kind)
                account = await self._outcome(transaction, ids, before)
                if _is_about(before, "parent_id"):
                    await self._hold_parent(transaction, account)
                await self._store.put(transaction, account, changed_event(account))
            except (AlreadyExists, Invalid, NotFound, Refused) as refusal:
                raise _Impossible(refusal) from refusal
            await self._store.decide(transaction, after, decided_event(after))
            return after, account

        try:
            return await self._turns.take(customer_id, lambda: self._store.transact(work))
        except _Impossible as impossible:
            await self._fail(customer_id, request_id, note, actor, impossible.refusal)
            raise impossible.refusal from impossible

    async def reject(self, customer_id: str, request_id: str, given_etag: str, note: str, actor: Actor) -> Request:
        """Turns a request down.

        Raises:
            NotFound, Conflict (etag), Forbidden (somebody else decides), Refused (it is over, or the customer was
                erased).
        """

        async def work(transaction: Any) -> Request:
            _, ids, before = await self._held(transaction, customer_id, request_id)
            _check_decidable(before, given_etag, actor, ids)
            return await self._ended(transaction, before, RequestStatus.REJECTED, note, actor)

        return await self._turns.take(customer_id, lambda: self._store.transact(work))

    async def withdraw(self, customer_id: str, request_id: str, given_etag: str, note: str, actor: Actor) -> Request:
        """Takes a request back.

        Raises:
            NotFound, Conflict (etag), Forbidden (somebody else asked), Refused (it is over, or the customer was
                erased).
        """

        async def work(transaction: Any) -> Request:
            _, _, before = await self._held(transaction, customer_id, request_id)
            etag.check(given_etag, before.version)
            request_rules.check_asker(before, actor)
            return await self._ended(transaction, before, RequestStatus.WITHDRAWN, note, actor)

        return await self._turns.take(customer_id, lambda: self._store.transact(work))

    async def get(self, customer_id: str, account_id: str) -> Account:
        """One account; of this customer, if one is named.

        Raises:
            NotFound: there is none.
        """
        account = await self._store.get(account_id)
        if account is None or (customer_id and account.customer_id not in await self._lineage.of(customer_id)):
            raise missing("account", account_id)
        return account

    async def get_request(self, customer_id: str, request_id: str) -> Request:
        """One request; about an account of this customer, if one is named.

        Raises:
            NotFound: there is none.
        """
        ids = await self._lineage.of(customer_id) if customer_id else ()
        return await self._request(None, ids, request_id)

    async def page(self, customer_id: str, selection: Selection) -> tuple[list[Account], str]:
        """A page of accounts, of one customer or of all, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.page(await self._whose(customer_id), selection)

    async def requests(self, customer_id: str, selection: Selection) -> tuple[list[Request], str]:
        """A page of requests, about accounts of one customer or of all, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.requests(await self._whose(customer_id), selection)

    async def _whose(self, customer_id: str) -> Sequence[str]:
        return await self._lineage.of(customer_id) if customer_id else ()

    async def _outcome(self, transaction: Any, ids: Sequence[str], request: Request) -> Account:
        """The account as it would be if `request` were applied now; refuses one that cannot be."""
        at = now()
        if request.kind is RequestKind.SET_UP:
            wanted = request.wanted or Content()
            wanted = await self._placed(transaction, ids, request, wanted)
            return rules.set_up(request.account_id, request.customer_id, request.account_kind, wanted, at)
        account = await self._account(transaction, ids, request.account_id, None)
        request_rules.check_unchanged(request, account)
        if request.kind is RequestKind.CLOSE:
            return rules.closed(account, await self._billed(transaction, account.id), at)
        wanted = request.wanted or Content()
        after = rules.changed(account, wanted, request.names, at)
        if after.content == account.content:
            raise Invalid("changes nothing", field="change.content")
        await self._placed(transaction, ids, request, after.content)
        return after

    async def _placed(self, transaction: Any, ids: Sequence[str], request: Request, content: Content) -> Content:
        """The content wanted, with what follows from its parent; refuses what clashes with what else there is."""
        path = f"{request.kind}.content"
        rules.check(request.account_kind, content, path)
        # What a change is not about stays as it is, whatever became of its surroundings.
        if content.parent_id and _is_about(request, "parent_id"):
            parent = await self._store.read(transaction, content.parent_id)
            content = rules.under(content, parent, ids, path)
            rules.check_record(request.customer_id, parent, path)
        if content.node_id and _is_about(request, "node_id"):
            await self._check_node(transaction, ids, content.node_id, path)
        # Of records that were merged two accounts may have one number: they keep it, until one takes another.
        if _is_about(request, "number"):
            kind, own = request.account_kind, request.account_id
            holder = await self._store.holder(transaction, ids, kind, content.number, but=own)
            if holder:
                raise rules.number_taken(holder, f"{path}.number")
        return content

    async def _check_node(self, transaction: Any, ids: Sequence[str], node_id: str, path: str) -> None:
        tree = await self._nodes.tree_of(transaction, node_id)
        there: Sequence[Placement] = ()
        if tree is not None and tree.customer_id in ids:
            there = await self._nodes.path(node_id, read_time(None, tree, now()), transaction)
        if not there:
            known = {"type": "node", "id": node_id}
            raise NotFound("the customer has no such node now", field=f"{path}.node_id", metadata=known)

    async def _billed(self, transaction: Any, account_id: str) -> rules.Billed | None:
        """What is still billed to an account."""
        if await self._store.billed_to(transaction, account_id):
            return rules.Billed.COST_CENTRES
        return rules.Billed.PRODUCTS if await self._products.billed(transaction, account_id) else None

    async def _hold_parent(self, transaction: Any, account: Account) -> None:
        # Whoever closes the billing account meanwhile must see this cost centre, or this one see the end of it.
        if account.content.parent_id:
            await self._store.hold(transaction, account.content.parent_id)

    async def _held(
        self, transaction: Any, customer_id: str, request_id: str
    ) -> tuple[Customer, Sequence[str], Request]:
        """A request, and all ids of whom it is about, who stays as it is until the transaction ends.

        Who was merged into another one answers as that one.
        """
        ids = await self._lineage.read(transaction, customer_id)
        request = await self._request(transaction, ids, request_id)
        return await held(self._customers, transaction, ids[0]), ids, request

    async def _ended(
        self, transaction: Any, before: Request, status: RequestStatus, note: str, actor: Actor
    ) -> Request:
        after = request_rules.taken_on(before, status, actor, note, now())
        await self._store.decide(transaction, after, decided_event(after))
        return after

    async def _fail(self, customer_id: str, request_id: str, note: str, actor: Actor, refusal: Refusal) -> None:
        """Ends a request that cannot be applied any more, unless somebody else ended it meanwhile."""

        async def work(transaction: Any) -> None:
            _, _, before = await self._held(transaction, customer_id, request_id)
            if before.status is RequestStatus.ASKED:
                after = request_rules.approved(before, actor, note, now(), failure=refusal.message)
                await self._store.decide(transaction, after, decided_event(after))

        await self._store.transact(work)

    async def _account(self, transaction: Any, ids: Sequence[str], account_id: str, field: str | None) -> Account:
        account = await self._store.read(transaction, account_id)
        if account is None or account.customer_id not in ids:
            raise missing("account", account_id, field)
        return account

    async def _request(self, transaction: Any, ids: Sequence[str], request_id: str) -> Request:
        request = await self._store.request(transaction, request_id)
        if request is None or (ids and request.customer_id not in ids):
            raise missing("account_request", request_id)
        return request


def _is_about(request: Request, field: str) -> bool:
    """Whether the account would have what is wanted in a field of its content; of a new one, it is all of them."""
    return request.kind is RequestKind.SET_UP or field in request.names


def _check_decidable(request: Request, given_etag: str, actor: Actor, ids: Sequence[str]) -> None:
    request_rules.check_approver(request, actor, ids)
    etag.check(given_etag, request.version)
