"""The contract of the store of accounts: the fake and the real one keep the same promises."""

from dataclasses import replace
from typing import Any

import pytest

from chassis.mongo.client import Store
from chassis.query.selection import Operator, Selection
from chassis.rules import AlreadyExists, Conflict, Invalid, Refusal
from chassis.vault.vault import Vault
from services.customer_info.accounts import request_rules, rules
from services.customer_info.accounts.happenings import asked_event, changed_event, decided_event
from services.customer_info.accounts.request_rules import Request, RequestKind
from services.customer_info.accounts.rules import Account, Content, Kind, Role, Status
from services.customer_info.accounts.store import ACCOUNT_REQUESTS, ACCOUNTS, AccountStore
from services.customer_info.accounts.usecases import Accounts
from services.customer_info.history.store import History
from services.customer_info.identifier_rules import account_key
from tests.integration.services.customer_info.subjects import Subject, told_by_fake, told_by_outbox
from tests.support.fakes.accounts import FakeAccounts
from tests.unit.services.customer_info.account_builders import (
    ADMIN,
    SUPERVISOR,
    billing_account,
    cost_centre,
    request_about,
)
from tests.unit.services.customer_info.builders import later, new_uuid

both = pytest.mark.parametrize("subject", ["fake", "real"], indirect=True)


@pytest.fixture
def accounts(store: Store, vault: Vault) -> AccountStore:
    return AccountStore(store, vault, History(store))


@pytest.fixture
def subject(request: pytest.FixtureRequest, store: Store, accounts: AccountStore) -> Subject[Any]:
    if request.param == "fake":
        fake = FakeAccounts()
        return Subject(fake, told_by_fake(fake))
    return Subject(accounts, told_by_outbox(store))


async def keep(store: Accounts, *kept: Account | Request) -> None:
    async def work(transaction: Any) -> None:
        for one in kept:
            if isinstance(one, Account):
                await store.put(transaction, one)
            else:
                await store.ask(transaction, one)

    await store.transact(work)


@both
async def test_accounts_and_requests_are_kept_whole(subject: Subject[Any]) -> None:
    parent = billing_account()
    full = cost_centre(parent, content={"node_id": new_uuid(), "owner": "otto", "currency": "EUR"})
    changes: dict[str, Any] = {
        "kind": RequestKind.CHANGE,
        "wanted": full.content,
        "names": frozenset({"name", "node_id"}),
        "account_version": 4,
    }
    asked = request_about(full, **changes)
    rejected = request_rules.taken_on(
        request_about(parent), request_rules.RequestStatus.REJECTED, SUPERVISOR, "no need", later()
    )
    await keep(subject.store, parent, full, asked, rejected)
    for account in (parent, full):
        assert await subject.store.get(account.id) == account
        assert await subject.store.read(None, account.id) == account
        assert await subject.store.request(None, account.id) is None
    for request in (asked, rejected):
        assert await subject.store.request(None, request.id) == request
        assert await subject.store.get(request.id) is None


@both
async def test_a_number_has_one_holder_within_its_kind_and_customer(subject: Subject[Any]) -> None:
    first = billing_account()
    same_number = {"number": first.content.number}
    others = [billing_account(content=same_number), cost_centre(first, content=same_number)]
    await keep(subject.store, first, *others)
    whose = [new_uuid(), first.customer_id]
    number = first.content.number
    assert await subject.store.holder(None, whose, Kind.BILLING_ACCOUNT, number) == first.id
    assert await subject.store.holder(None, whose, Kind.COST_CENTRE, number) == others[1].id
    assert await subject.store.holder(None, whose[:1], Kind.BILLING_ACCOUNT, number) == ""
    assert await subject.store.holder(None, whose, Kind.BILLING_ACCOUNT, "other") == ""
    assert await subject.store.holder(None, whose, Kind.BILLING_ACCOUNT, number.lower()) == first.id
    assert await subject.store.holder(None, whose, Kind.BILLING_ACCOUNT, number, but=first.id) == ""
    second = billing_account(first.customer_id, content={"number": "B-2"})
    await keep(subject.store, second)
    for taken in (
        billing_account(first.customer_id, content=same_number),
        rules.changed(second, Content(number=number), {"number"}, later()),
    ):
        with pytest.raises(AlreadyExists) as refused:
            await keep(subject.store, taken)
        assert refused.value.reason == "IDENTIFIER_TAKEN"
        assert refused.value.metadata["id"] == first.id
    await keep(subject.store, rules.changed(first, Content(number="B-3"), {"number"}, later()))
    await keep(subject.store, rules.changed(second, Content(number=number), {"number"}, later()))


@both
async def test_a_billing_account_is_billed_to_while_a_cost_centre_of_it_is_in_use(subject: Subject[Any]) -> None:
    parent = billing_account()
    child = cost_centre(parent)
    await keep(subject.store, parent)
    assert not await subject.store.billed_to(None, parent.id)
    await keep(subject.store, child)
    assert await subject.store.billed_to(None, parent.id)
    await keep(subject.store, rules.closed(child, None, later()))
    assert not await subject.store.billed_to(None, parent.id)


@both
async def test_accounts_in_use_are_held(subject: Subject[Any]) -> None:
    used, closed = billing_account(), billing_account(status=Status.CLOSED)
    await keep(subject.store, used, closed)
    asked_for = [used.id, closed.id, new_uuid()]
    held = await subject.store.transact(lambda transaction: subject.store.hold_in_use(transaction, asked_for))
    assert held == await subject.store.in_use(asked_for) == {used.id: used.customer_id}
    assert await subject.store.get(used.id) == used


@both
async def test_a_transaction_keeps_all_its_writes_or_none(subject: Subject[Any]) -> None:
    account = billing_account()
    asked = request_about(account)
    done = request_rules.approved(asked, ADMIN, "", later())

    async def work(transaction: Any) -> Account:
        await subject.store.put(transaction, account, changed_event(account))
        await subject.store.ask(transaction, asked, asked_event(asked))
        await subject.store.hold(transaction, account.id)
        closed = rules.closed(account, None, later())
        await subject.store.put(transaction, closed, changed_event(closed))
        await subject.store.decide(transaction, done, decided_event(done))
        assert await subject.store.read(transaction, account.id) == closed
        assert await subject.store.request(transaction, asked.id) == done
        return closed

    async def broken(transaction: Any) -> None:
        await work(transaction)
        raise Conflict("no")

    with pytest.raises(Conflict):
        await subject.store.transact(broken)
    assert await subject.store.get(account.id) is None
    assert await subject.told([account.id, asked.id]) == []
    closed = await subject.store.transact(work)
    assert await subject.store.get(account.id) == closed
    assert await subject.told([account.id]) == [(account.id, n, "AccountChanged") for n in (1, 2)]
    assert await subject.told([asked.id]) == [(asked.id, 1, "AccountRequested"), (asked.id, 2, "AccountRequestDecided")]


@both
async def test_a_retry_gets_the_first_answer(subject: Subject[Any]) -> None:
    asked, key = request_about(billing_account()), new_uuid()

    async def work(transaction: Any) -> Request:
        await subject.store.ask(transaction, asked)
        return asked

    assert await subject.store.once(key, b"content", work) == asked
    assert await subject.store.once(key, b"content", work) == asked
    with pytest.raises(Invalid) as refused:
        await subject.store.once(key, b"other content", work)
    assert refused.value.reason == "REQUEST_ID_REUSED"


@both
async def test_accounts_are_listed_by_what_the_contract_offers(subject: Subject[Any]) -> None:
    customer, node = new_uuid(), new_uuid()
    first = billing_account(customer, update_time=later(1))
    second = billing_account(customer, update_time=later(2), content={"number": "B-2"}, status=Status.CLOSED)
    sales = [
        cost_centre(first, update_time=later(3 + n), content={"number": f"C-{n}", "node_id": node}) for n in range(3)
    ]
    kept = [first, second, *sales]
    foreign = billing_account()
    await keep(subject.store, *kept, foreign)

    async def found(selection: Selection, *customer_ids: str) -> list[int]:
        seen: list[int] = []
        selection = replace(selection, page_size=2)
        while True:
            page, token = await subject.store.page(customer_ids or (customer,), selection)
            seen += [kept.index(a) for a in page]
            if not token:
                return seen
            selection = replace(selection, page_token=token)

    everything = Selection()
    assert await found(everything) == [4, 3, 2, 1, 0]
    assert await found(everything, customer, new_uuid()) == [4, 3, 2, 1, 0]
    assert await found(everything.where("kind", "ACCOUNT_KIND_BILLING_ACCOUNT")) == [1, 0]
    assert await found(everything.where("status", "ACCOUNT_STATUS_CLOSED")) == [1]
    assert await found(everything.where("parent_id", first.id)) == [4, 3, 2]
    assert await found(everything.where("node_id", node)) == [4, 3, 2]
    assert await found(everything.where("number", "B-2", "C-1")) == [3, 1]
    assert await found(everything.where("number", " b-2 ")) == [1]
    late = everything.where("update_time", later(3).isoformat(), operator=Operator.GREATER)
    assert await found(late) == [4, 3]
    anybody, _ = await subject.store.page((), everything.where("number", foreign.content.number))
    assert foreign in anybody
    for unknown in (
        Selection().where("name", "x"),
        Selection().where("number", "B-2", operator=Operator.NOT_EQUAL),
    ):
        with pytest.raises(Refusal) as refused:
            await subject.store.page((customer,), unknown)
        assert refused.value.reason == "INVALID_QUERY"


@both
async def test_requests_are_listed_by_what_the_contract_offers(subject: Subject[Any]) -> None:
    account = billing_account()
    mine = [request_about(account, trail=(replace(request_about(account).trail[0], time=later(n)),)) for n in range(3)]
    mine[1] = replace(mine[1], approver_role=Role.CUSTOMER, account_id=new_uuid(), kind=RequestKind.SET_UP)
    mine[2] = request_rules.taken_on(mine[2], request_rules.RequestStatus.WITHDRAWN, ADMIN, "", later(9))
    await keep(subject.store, *mine, request_about(billing_account()))

    async def found(selection: Selection) -> list[int]:
        page, _ = await subject.store.requests((account.customer_id,), selection)
        return [mine.index(r) for r in page]

    everything = Selection()
    assert await found(everything) == [2, 1, 0]
    assert await found(everything.where("status", "ACCOUNT_REQUEST_STATUS_ASKED")) == [1, 0]
    assert await found(everything.where("kind", "ACCOUNT_REQUEST_KIND_CLOSE")) == [2, 0]
    assert await found(everything.where("account_id", account.id)) == [2, 0]
    waiting = everything.where("approver_role", "ROLE_CUSTOMER").where("status", "ACCOUNT_REQUEST_STATUS_ASKED")
    assert await found(waiting) == [1]
    anybody, _ = await subject.store.requests((), Selection(page_size=1000))
    assert len(anybody) > len(mine)


async def test_nothing_that_people_wrote_reaches_the_store_in_the_clear(
    accounts: AccountStore, store: Store, vault: Vault
) -> None:
    account = billing_account(content={"name": "Ada's books", "number": "ADA-1815", "owner": "ada@example.com"})
    asked = request_about(account, wanted=account.content, reason="Ada asked for it")
    ada = replace(SUPERVISOR, subject="ada@example.com")
    noted = request_rules.taken_on(asked, request_rules.RequestStatus.REJECTED, ada, "Ada rang", later())
    await keep(accounts, account, noted)
    after = rules.changed(account, Content(name="Ada's other books"), {"name"}, later())
    await keep(accounts, after)
    found = [
        await store.collection(ACCOUNTS.name).find_one({"_id": account.id}),
        await store.collection(ACCOUNT_REQUESTS.name).find_one({"_id": noted.id}),
        *[d async for d in store.collection("history").find({"subject": account.id})],
    ]
    assert len(found) == 3
    assert not [d for d in found if "ada" in str(d).lower()]
    await vault.destroy([account.customer_id])
    gone = await accounts.get(account.id)
    assert gone is not None
    assert gone.content == replace(account.content, name="", number="", owner="")
    silent = await accounts.request(None, noted.id)
    assert silent is not None
    assert (silent.reason, silent.approver, silent.status) == ("", "", noted.status)
    assert [(s.by, s.note) for s in silent.trail] == [("", "")] * 2
    with pytest.raises(Refusal) as refused:
        await keep(accounts, rules.closed(after, None, later()))
    assert refused.value.reason == "ERASED"


async def test_what_an_account_was_is_kept(accounts: AccountStore, store: Store) -> None:
    account = billing_account()
    after = rules.changed(account, Content(name="Branch"), {"name"}, later())
    await keep(accounts, account)
    await keep(accounts, after)
    entry = await store.collection("history").find_one({"subject": account.id})
    assert (entry["kind"], entry["version"], entry["customer_id"]) == ("account", 1, account.customer_id)


async def test_what_a_request_was_before_its_decision_is_kept_and_says_nothing_once_it_is_forgotten(
    accounts: AccountStore, store: Store
) -> None:
    account = billing_account()
    decided, waiting = request_about(account), request_about(account)
    done = request_rules.approved(decided, SUPERVISOR, "", later())

    async def work(transaction: Any) -> None:
        await accounts.decide(transaction, done)

    async def forget(transaction: Any) -> None:
        await accounts.forget(transaction, [account.customer_id])

    async def former(request: Request) -> list[tuple[int, str, bool]]:
        kept = store.collection("history").find({"subject": request.id, "kind": "account_request"})
        told = [(d, d["document"]) async for d in kept]
        return [(d["version"], was["status"], "sealed" in was) for d, was in told]

    await keep(accounts, account, decided, waiting)
    await store.transact(work)
    assert await former(decided) == [(1, "asked", True)]
    assert await former(waiting) == []
    await History(store).forget(None, [account.customer_id])
    await store.transact(forget)
    await store.transact(forget)
    assert await former(decided) == [(1, "asked", False)]
    assert await former(waiting) == [(1, "asked", False)], "the history is forgotten before the accounts are"


async def test_an_account_in_use_is_found_by_its_number_however_it_is_written(accounts: AccountStore) -> None:
    number = f"CC {new_uuid()}"
    first = billing_account(content={"number": number})
    ended = billing_account(content={"number": number}, status=Status.CLOSED)
    await keep(accounts, first, cost_centre(first, content={"number": number}), ended)
    for written in (number, number.upper(), f" cc  {number[3:]} "):
        (found,) = await accounts.holders([account_key(written), account_key(new_uuid())])
        assert found.customer_id == first.customer_id


async def test_what_is_forgotten_is_neither_read_nor_found_again(accounts: AccountStore, store: Store) -> None:
    number = new_uuid()
    first, other = billing_account(content={"number": number}), billing_account(content={"number": number})
    asked = request_about(first)
    rejected = request_rules.taken_on(
        request_about(first), request_rules.RequestStatus.REJECTED, SUPERVISOR, "no", later()
    )
    await keep(accounts, first, other, asked, rejected)

    async def work(transaction: Any) -> None:
        await accounts.forget(transaction, [first.customer_id])

    await store.transact(work)
    await store.transact(work)
    assert await accounts.get(first.id) == replace(first, content=replace(first.content, name="", number=""))
    silent = await accounts.request(None, asked.id)
    assert silent is not None
    assert (silent.reason, silent.status) == ("", request_rules.RequestStatus.WITHDRAWN)
    assert await told_by_outbox(store)([asked.id, rejected.id]) == [(asked.id, 2, "AccountRequestDecided")]
    waiting = Selection().where("status", "ACCOUNT_REQUEST_STATUS_ASKED")
    assert (await accounts.requests([first.customer_id], waiting))[0] == []
    page, _ = await accounts.page((), Selection().where("number", number))
    assert page == [other]
    assert await accounts.holder(None, [first.customer_id], Kind.BILLING_ACCOUNT, number) == ""
