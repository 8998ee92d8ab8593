"""Accounts and requests in MongoDB: the only file of this noun that knows it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Collection as Several
from typing import Any, TypeVar

from chassis.coalesce import Coalescer
from chassis.events.outbox import Happening, Outbox
from chassis.mongo.client import Document, Store, Transaction, by_id
from chassis.mongo.requests import Requests
from chassis.mongo.schema import Collection, Index
from chassis.query import fields
from chassis.query.fields import Field
from chassis.query.listing import Listing
from chassis.query.selection import Operator, Order, Selection
from chassis.rules import AlreadyExists
from chassis.times import now
from chassis.vault.vault import Vault
from services.customer_info.accounts import documents, request_rules
from services.customer_info.accounts.happenings import decided_event
from services.customer_info.accounts.request_rules import Request, RequestKind, RequestStatus
from services.customer_info.accounts.rules import Account, Kind, Role, Status, number_taken
from services.customer_info.customers.looking_up import Holding
from services.customer_info.history.store import History
from services.customer_info.identifier_rules import Key, account_key
from services.customer_info.store import TRAIL, refused_key

T = TypeVar("T")

KIND = "account"
REQUEST_KIND = "account_request"
# What only indexes need stays in the store.
SHOWN = {"lookup": 0, "identifier_keys": 0, "holds": 0}
WHOSE = {"customer_id": 1}
LATEST = [("update_time", -1), ("_id", -1)]
# Accounts that a number may lead to, of all customers together, before it is known to be no answer.
MOST_SHARING = 100
NEWEST = [("ask_time", -1), ("_id", -1)]
ACCOUNTS = Collection(
    "accounts",
    required={
        "customer_id": "string",
        "kind": "string",
        "currency": "string",
        "owner_role": "string",
        "status": "string",
        "version": ["int", "long"],
        "create_time": "date",
        "update_time": "date",
        **TRAIL,
    },
    optional={
        "sealed": "binData",
        "lookup": "array",
        "identifier_keys": "array",
        "parent_id": "string",
        "node_id": "string",
    },
    indexes=[
        Index(
            [("identifier_keys", 1)],
            serves="a number belongs to one account of its kind, within a customer",
            unique=True,
            partial={"identifier_keys": {"$exists": True}},
        ),
        Index([("lookup", 1), *LATEST], serves="look-ups by number, and ListAccounts of a number"),
        Index([("customer_id", 1), *LATEST], serves="ListAccounts of a customer"),
        Index(
            [("parent_id", 1), *LATEST],
            serves="ListAccounts of a billing account, and whether one is billed to",
            partial={"parent_id": {"$exists": True}},
        ),
        Index([("node_id", 1), *LATEST], serves="ListAccounts of a node", partial={"node_id": {"$exists": True}}),
        Index([("status", 1), *LATEST], serves="ListAccounts in use, or closed"),
        Index(LATEST, serves="ListAccounts by last change"),
    ],
)
ACCOUNT_REQUESTS = Collection(
    "account_requests",
    required={
        "customer_id": "string",
        "account_id": "string",
        "kind": "string",
        "account_kind": "string",
        "account_version": ["int", "long"],
        "approver_role": "string",
        "status": "string",
        "steps": "array",
        "ask_time": "date",
        "version": ["int", "long"],
        "update_time": "date",
        **TRAIL,
    },
    optional={"sealed": "binData", "wanted": "object"},
    indexes=[
        Index([("customer_id", 1), *NEWEST], serves="ListRequests of a customer"),
        Index([("customer_id", 1), *LATEST], serves="ListChanges of a customer's requests"),
        Index([("account_id", 1), *NEWEST], serves="ListRequests about an account"),
        Index([("status", 1), *NEWEST], serves="ListRequests that wait for anybody's decision"),
        Index([("approver_role", 1), ("status", 1), *NEWEST], serves="ListRequests that wait for a role's decision"),
        Index(NEWEST, serves="ListRequests, newest first"),
    ],
)
REQUEST_LISTING = Listing(
    "account_requests",
    {
        "status": fields.choice("status", {f"ACCOUNT_REQUEST_STATUS_{s.name}": s.value for s in RequestStatus}),
        "kind": fields.choice("kind", {f"ACCOUNT_REQUEST_KIND_{k.name}": k.value for k in RequestKind}),
        "account_id": fields.text("account_id"),
        "approver_role": fields.choice("approver_role", {f"ROLE_{r.name}": r.value for r in Role}),
        "ask_time": fields.time("ask_time"),
    },
    [Order("ask_time", descending=True)],
)


def account_listing(token: Callable[[str], Any]) -> Listing:
    """What ListAccounts offers; `token` says what stands for a number in the store."""
    return Listing(
        "accounts",
        {
            "number": Field("lookup", token, frozenset({Operator.EQUAL})),
            "kind": fields.choice("kind", {f"ACCOUNT_KIND_{k.name}": k.value for k in Kind}),
            "status": fields.choice("status", {f"ACCOUNT_STATUS_{s.name}": s.value for s in Status}),
            "parent_id": fields.text("parent_id"),
            "node_id": fields.text("node_id"),
            "update_time": fields.time("update_time"),
        },
        [Order("update_time", descending=True)],
    )


class AccountStore:
    """Accounts of one operator's customers, and the requests about them."""

    def __init__(self, store: Store, vault: Vault, history: History) -> None:
        self._store = store
        self._vault = vault
        self._history = history
        self._accounts = store.collection(ACCOUNTS.name)
        self._asked = store.collection(ACCOUNT_REQUESTS.name)
        self._requests = Requests(store)
        self._outbox = Outbox(store)
        self._listing = account_listing(lambda number: vault.token(*account_key(number)))
        self._reads: Coalescer[str, Document | None] = Coalescer(self._read)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` in a transaction."""
        return await self._store.transact(work)

    async def once(self, request_id: str, content: bytes, work: Callable[[Transaction], Awaitable[Request]]) -> Request:
        """Runs `work` in a transaction, once per `request_id`; a retry gets the first answer."""

        async def kept(transaction: Transaction) -> Document:
            return await self._request_document(await work(transaction))

        fingerprint = self._vault.fingerprint(content)
        answer = await self._requests.once("RequestAccount", request_id, fingerprint, kept)
        return documents.request(answer, await self._vault.key(answer["customer_id"]))

    async def get(self, account_id: str) -> Account | None:
        """One account; reads that come together share a round trip."""
        found = await self._reads.submit(account_id)
        return None if found is None else await self._opened(found)

    async def read(self, transaction: Transaction, account_id: str) -> Account | None:
        """One account, as the transaction sees it."""
        found = await self._accounts.find_one({"_id": account_id}, SHOWN, session=transaction)
        return None if found is None else await self._opened(found)

    async def request(self, transaction: Transaction, request_id: str) -> Request | None:
        """One request, as the transaction sees it."""
        found = await self._asked.find_one({"_id": request_id}, session=transaction)
        return None if found is None else documents.request(found, await self._vault.key(found["customer_id"]))

    async def holder(
        self, transaction: Transaction, customer_ids: Sequence[str], kind: Kind, number: str, but: str = ""
    ) -> str:
        """The id of the account of these customers, other than `but`, that has a number; empty: none has it."""
        keys = [documents.number_key(self._vault, customer_id, kind, number) for customer_id in customer_ids]
        others = {"identifier_keys": {"$in": keys}, "_id": {"$ne": but}}
        found = await self._accounts.find_one(others, {"_id": 1}, session=transaction)
        return "" if found is None else str(found["_id"])

    async def billed_to(self, transaction: Transaction, account_id: str) -> bool:
        """Whether cost centres that are in use bill to an account."""
        condition = {"parent_id": account_id, "status": Status.ACTIVE.value}
        return await self._accounts.find_one(condition, {"_id": 1}, session=transaction) is not None

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Account], str]:
        """A page of the accounts of some customers (none named: of all), and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        page = await self._listing.page(self._accounts, selection, _of(customer_ids))
        keys = await self._vault.keys({d["customer_id"] for d in page.documents})
        return [documents.account(d, keys.get(d["customer_id"])) for d in page.documents], page.next_page_token

    async def requests(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Request], str]:
        """A page of requests about accounts of some customers (none named: of all), and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        page = await REQUEST_LISTING.page(self._asked, selection, _of(customer_ids))
        keys = await self._vault.keys({d["customer_id"] for d in page.documents})
        return [documents.request(d, keys.get(d["customer_id"])) for d in page.documents], page.next_page_token

    async def hold(self, transaction: Transaction, account_id: str) -> None:
        """Keeps an account as it is until the transaction ends: who changes it meanwhile waits, and looks again."""
        await self._accounts.update_one({"_id": account_id}, {"$inc": {"holds": 1}}, session=transaction)

    async def hold_in_use(self, transaction: Transaction, account_ids: Several[str]) -> dict[str, str]:
        """Whose those of the accounts are that are there and not closed, by id; kept so until the transaction ends."""
        wanted = {"_id": {"$in": list(account_ids)}, "status": Status.ACTIVE.value}
        await self._accounts.update_many(wanted, {"$inc": {"holds": 1}}, session=transaction)
        return await self.in_use(account_ids, transaction)

    async def ask(self, transaction: Transaction, request: Request, *happenings: Happening) -> None:
        """Adds a request and what it has to tell.

        Raises:
            Refused: the customer was erased.
        """
        await self._asked.insert_one(await self._request_document(request), session=transaction)
        await self._outbox.add(transaction, *happenings)

    async def decide(self, transaction: Transaction, request: Request, *happenings: Happening) -> None:
        """Puts a request that took its steps in place of what it was, which is kept, and what it has to tell.

        Raises:
            Refused: the customer was erased.
        """
        document = await self._request_document(request)
        before = await self._asked.find_one_and_replace({"_id": request.id}, document, session=transaction)
        await self._history.keep(transaction, REQUEST_KIND, [before])
        await self._outbox.add(transaction, *happenings)

    async def put(self, transaction: Transaction, account: Account, *happenings: Happening) -> None:
        """Adds an account or, from its second version on, puts it in place of the one before, which is kept.

        Raises:
            AlreadyExists: another account has its number (IDENTIFIER_TAKEN).
            Refused: the customer was erased.
        """
        key = (await self._vault.make([account.customer_id]))[account.customer_id]
        document = documents.account_document(account, key, self._vault)
        try:
            if account.version == 1:
                await self._accounts.insert_one(document, session=transaction)
            else:
                before = await self._accounts.find_one_and_replace({"_id": account.id}, document, session=transaction)
                await self._history.keep(transaction, KIND, [before])
        except Exception as error:
            if refused_key(error) is not None:
                raise await self._taken(account) from error
            raise
        await self._outbox.add(transaction, *happenings)

    async def forget(self, transaction: Transaction, customer_ids: Sequence[str]) -> None:
        """Takes all that people wrote or were out of these customers' accounts and requests, and what finds them.

        Requests that wait are over: nobody can decide about them any more. What they were is kept as it is forgotten:
        their history was before them.
        """
        whose = {"customer_id": {"$in": list(customer_ids)}}
        gone = {"$unset": {"sealed": "", "lookup": "", "identifier_keys": ""}}
        await self._accounts.update_many(whose, gone, session=transaction)
        waiting = {**whose, "status": RequestStatus.ASKED.value}
        befores = [d async for d in self._asked.find(waiting, {"sealed": 0}, session=transaction)]
        for before in befores:
            over = request_rules.lapsed(documents.request(before, None), now())
            document = documents.request_document(over, None)
            await self._asked.replace_one({"_id": over.id}, document, session=transaction)
            await self._outbox.add(transaction, decided_event(over))
        await self._history.keep(transaction, REQUEST_KIND, befores)
        await self._asked.update_many(whose, {"$unset": {"sealed": ""}}, session=transaction)

    async def in_use(self, account_ids: Several[str], transaction: Transaction = None) -> dict[str, str]:
        """Whose those of the accounts are that are there and not closed, by id."""
        wanted = {"_id": {"$in": list(account_ids)}, "status": Status.ACTIVE.value}
        return {d["_id"]: d["customer_id"] async for d in self._accounts.find(wanted, WHOSE, session=transaction)}

    async def holders(self, keys: Sequence[Key]) -> list[Holding]:
        """Accounts in use that any of the look-up keys belongs to: one a customer."""
        tokens = [self._vault.token(*key) for key in keys]
        wanted = {"lookup": {"$in": tokens}, "status": Status.ACTIVE.value}
        found: dict[str, Holding] = {}
        async for d in self._accounts.find(wanted, {"customer_id": 1}).limit(MOST_SHARING):
            found.setdefault(d["customer_id"], Holding(KIND, d["_id"], d["customer_id"]))
        return list(found.values())

    async def _read(self, ids: Sequence[str]) -> list[Document | None]:
        return await by_id(self._accounts, ids, SHOWN)

    async def _opened(self, document: Mapping[str, Any]) -> Account:
        return documents.account(document, await self._vault.key(document["customer_id"]))

    async def _request_document(self, request: Request) -> Document:
        keys = await self._vault.make([request.customer_id])
        return documents.request_document(request, keys[request.customer_id])

    async def _taken(self, account: Account) -> AlreadyExists:
        """What a caller is told of a number that somebody else took in the same instant."""
        holder = await self.holder(None, [account.customer_id], account.kind, account.content.number)
        return number_taken(holder)


def _of(customer_ids: Sequence[str]) -> Document:
    return {"customer_id": {"$in": list(customer_ids)}} if customer_ids else {}
