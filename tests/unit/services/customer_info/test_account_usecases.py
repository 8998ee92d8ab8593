"""What happens to accounts and requests about them, on stores in memory."""

import asyncio
from dataclasses import replace

import pytest
from holdfast.customer_info.v1 import accounts_pb2 as pb

from chassis.rules import AlreadyExists, Conflict, Forbidden, Invalid, NotFound, Refusal, Refused
from services.customer_info.accounts.request_rules import Actor, RequestKind, RequestStatus, Wish
from services.customer_info.accounts.rules import Content, Kind, Role, Status
from services.customer_info.accounts.usecases import AccountUseCases
from services.customer_info.customers.rules import Status as CustomerStatus
from tests.support.fakes.accounts import FakeAccounts, FakeBilled, FakeOwners
from tests.support.fakes.hierarchy import FakeHierarchy
from tests.support.fakes.lineage import FakeLineage
from tests.unit.services.customer_info.account_builders import (
    ADMIN,
    AGENT,
    SUPERVISOR,
    billing_account,
    change_wish,
    close_wish,
    cost_centre,
    request_about,
    set_up_wish,
)
from tests.unit.services.customer_info.account_house import OTHER, OWNER, PARENT, WANTED, approved, asked, usecases
from tests.unit.services.customer_info.builders import NOON, company, new_uuid


def told(store: FakeAccounts) -> list[tuple[str, int, str]]:
    return [(e.subject, e.sequence, e.data.DESCRIPTOR.name) for e in store.events]


async def test_nothing_is_set_up_before_somebody_else_approves() -> None:
    accounts, store = usecases()
    request = await asked(accounts, set_up_wish(OWNER.id, WANTED, reason="they grow"))
    assert store.kept == {request.id: request}
    with pytest.raises(NotFound):
        await accounts.get(OWNER.id, request.account_id)
    after, account = await approved(accounts, request)
    assert await accounts.get(OWNER.id, request.account_id) == account
    assert (account.content, account.status, account.kind) == (WANTED, Status.ACTIVE, Kind.BILLING_ACCOUNT)
    assert await accounts.get_request(OWNER.id, request.id) == after
    assert [(s.status.value, s.by, s.note) for s in after.trail] == [
        ("asked", "ann", ""),
        ("approved", "sue", "fine"),
        ("applied", "sue", ""),
    ]
    assert told(store) == [
        (request.id, 1, "AccountRequested"),
        (account.id, 1, "AccountChanged"),
        (request.id, 2, "AccountRequestDecided"),
    ]
    decided = store.events[-1].data
    assert isinstance(decided, pb.AccountRequestDecided)
    assert decided.request.status == pb.ACCOUNT_REQUEST_STATUS_APPLIED
    assert all("Second office" not in str(e.data) and "they grow" not in str(e.data) for e in store.events)


async def test_a_change_takes_the_named_fields_and_a_closure_ends_the_account() -> None:
    accounts, store = usecases(PARENT)
    request = await asked(accounts, change_wish(PARENT, name="Branch"))
    assert (request.account_version, request.names) == (1, frozenset({"name"}))
    _, account = await approved(accounts, request)
    assert account.content == replace(PARENT.content, name="Branch")
    _, closed = await approved(accounts, await asked(accounts, close_wish(account)))
    assert (closed.status, closed.version) == (Status.CLOSED, 3)
    assert store.kept[PARENT.id] == closed


async def test_a_cost_centre_takes_its_parents_currency_and_holds_it() -> None:
    accounts, store = usecases(PARENT)
    wanted = Content("Sales", "C-1", parent_id=PARENT.id, owner_role=Role.CUSTOMER)
    carl = Actor("carl", frozenset({"customer"}), OWNER.id)
    carla = replace(carl, subject="carla")
    request = await asked(accounts, set_up_wish(OWNER.id, wanted, Kind.COST_CENTRE), carl)
    with pytest.raises(Forbidden):
        await approved(accounts, request, SUPERVISOR)
    _, account = await approved(accounts, request, carla)
    assert account.content.currency == "EUR"
    assert store.held == [PARENT.id]


async def test_a_billing_account_that_is_billed_to_is_not_closed() -> None:
    sales = cost_centre(PARENT)
    accounts, _ = usecases(PARENT, sales)
    with pytest.raises(Refused) as refused:
        await asked(accounts, close_wish(PARENT))
    assert refused.value.metadata == {"state": "billed_to"}
    carla = Actor("carla", frozenset({"customer"}), OWNER.id)
    await approved(accounts, await asked(accounts, close_wish(sales)), carla)
    await approved(accounts, await asked(accounts, close_wish(PARENT)))


async def test_an_account_that_pays_for_products_is_not_closed() -> None:
    billed = FakeBilled()
    accounts, store = usecases(PARENT, billed=billed)
    request = await asked(accounts, close_wish(PARENT))
    billed.accounts.add(PARENT.id)
    for attempt in (asked(accounts, close_wish(PARENT)), approved(accounts, request)):
        with pytest.raises(Refused) as refused:
            await attempt
        assert refused.value.metadata == {"state": "pays_for_products"}
    assert store.kept[PARENT.id].status is Status.ACTIVE


async def test_a_retry_gets_the_first_request() -> None:
    accounts, store = usecases()
    wish = set_up_wish(OWNER.id, WANTED)
    first = await accounts.ask(wish, AGENT, "a-request", b"content")
    assert await accounts.ask(wish, AGENT, "a-request", b"content") == first
    assert list(store.kept) == [first.id]


def bad_wishes() -> list[tuple[Wish, type[Refusal], str | None]]:
    there = cost_centre(PARENT)
    elsewhere = billing_account(OTHER.id)
    return [
        (set_up_wish(new_uuid(), WANTED), NotFound, "customer_id"),
        (set_up_wish(OWNER.id, replace(WANTED, name="")), Invalid, "set_up.content.name"),
        (set_up_wish(OWNER.id, replace(WANTED, name=" ")), Invalid, "set_up.content.name"),
        (set_up_wish(OWNER.id, replace(WANTED, number="B-1000")), AlreadyExists, "set_up.content.number"),
        (set_up_wish(OWNER.id, replace(WANTED, number="b-1000")), AlreadyExists, "set_up.content.number"),
        (set_up_wish(OWNER.id, replace(WANTED, node_id=new_uuid())), NotFound, "set_up.content.node_id"),
        (
            set_up_wish(OWNER.id, replace(there.content, number="C-2", parent_id=elsewhere.id), Kind.COST_CENTRE),
            NotFound,
            "set_up.content.parent_id",
        ),
        (change_wish(elsewhere, name="x"), NotFound, "change.account_id"),
        (replace(change_wish(PARENT, name="x"), etag="v7"), Conflict, None),
        (replace(change_wish(elsewhere, name="x"), customer_id=OWNER.id), NotFound, "change.account_id"),
        (change_wish(PARENT, name=PARENT.content.name), Invalid, "change.content"),
        (change_wish(PARENT, owner_role=Role.CUSTOMER), Invalid, "change.content.owner_role"),
        (replace(close_wish(PARENT), account_id=new_uuid()), NotFound, "close.account_id"),
    ]


@pytest.mark.parametrize(("wish", "kind", "field"), bad_wishes())
async def test_what_could_not_be_applied_is_not_even_asked(wish: Wish, kind: type[Refusal], field: str | None) -> None:
    accounts, store = usecases(PARENT)
    with pytest.raises(kind) as refused:
        await asked(accounts, wish)
    assert refused.value.field == field
    assert list(store.kept) == [PARENT.id]
    assert store.events == []


async def test_a_number_is_taken_within_its_kind_and_its_customer_only() -> None:
    accounts, _ = usecases(PARENT, billing_account(OTHER.id, content={"number": WANTED.number}))
    await approved(accounts, await asked(accounts, set_up_wish(OWNER.id, WANTED)))
    same = Content("Sales", WANTED.number, parent_id=PARENT.id)
    await approved(accounts, await asked(accounts, set_up_wish(OWNER.id, same, Kind.COST_CENTRE)))
    with pytest.raises(AlreadyExists) as refused:
        await asked(accounts, set_up_wish(OWNER.id, WANTED))
    assert refused.value.reason == "IDENTIFIER_TAKEN"
    assert set(refused.value.metadata) == {"kind", "type", "id"}


async def test_who_left_has_accounts_closed_and_nothing_else() -> None:
    accounts, _ = usecases(PARENT, status=CustomerStatus.CLOSED)
    for wish in (set_up_wish(OWNER.id, WANTED), change_wish(PARENT, name="x")):
        with pytest.raises(Refused) as refused:
            await asked(accounts, wish)
        assert refused.value.metadata == {"state": "closed"}
    await approved(accounts, await asked(accounts, close_wish(PARENT)))


async def test_a_customer_that_was_merged_or_erased_takes_no_requests() -> None:
    for changes, reason in (({"merged_into": OTHER.id}, "MERGED"), ({"erase_time": NOON}, "ERASED")):
        accounts, _ = usecases(PARENT, **changes)
        with pytest.raises(Refused) as refused:
            await asked(accounts, close_wish(PARENT))
        assert refused.value.reason == reason


async def test_the_accounts_of_what_was_merged_into_a_customer_are_its_own() -> None:
    before = billing_account(new_uuid(), content={"number": "B-7"})
    lineage = FakeLineage((OWNER.id, before.customer_id))
    accounts, store = usecases(before, lineage=lineage)
    assert await accounts.get(OWNER.id, before.id) == before
    with pytest.raises(AlreadyExists):
        await asked(accounts, set_up_wish(OWNER.id, replace(WANTED, number="B-7")))
    request = await asked(accounts, replace(change_wish(before, name="Branch"), customer_id=OWNER.id))
    assert request.customer_id == before.customer_id, "records stay under the id that they were written under"
    await accounts.approve(OWNER.id, request.id, "", "", SUPERVISOR)
    assert store.kept[before.id].content.name == "Branch"


async def test_a_cost_centre_set_up_while_two_are_one_is_with_the_right_record_when_they_are_parted() -> None:
    theirs = billing_account(OTHER.id)
    accounts, _ = usecases(theirs, lineage=FakeLineage((OWNER.id, OTHER.id)))
    wanted = Content("Sales", "C-1", parent_id=theirs.id)
    request = await asked(accounts, set_up_wish(OWNER.id, wanted, Kind.COST_CENTRE))
    _, account = await accounts.approve(OWNER.id, request.id, "", "", SUPERVISOR)
    assert (request.customer_id, account.customer_id) == (OTHER.id, OTHER.id)


async def test_a_cost_centre_moves_among_the_billing_accounts_of_its_own_record_while_two_are_one() -> None:
    mine, theirs = billing_account(OWNER.id), billing_account(OTHER.id)
    home, sales = billing_account(OTHER.id, content={"number": "B-2"}), cost_centre(theirs)
    accounts, store = usecases(mine, theirs, home, sales, lineage=FakeLineage((OWNER.id, OTHER.id)))
    with pytest.raises(Refused) as refused:
        await asked(accounts, replace(change_wish(sales, parent_id=mine.id), customer_id=OWNER.id))
    assert (refused.value.field, refused.value.metadata) == (
        "change.content.parent_id",
        {"state": "of_another_record", "customer_id": OTHER.id},
    )
    request = await asked(accounts, replace(change_wish(sales, parent_id=home.id), customer_id=OWNER.id))
    await accounts.approve(OWNER.id, request.id, "", "", Actor("carla", frozenset({"customer"}), OWNER.id))
    assert store.kept[sales.id].content.parent_id == home.id


async def test_a_cost_centre_that_was_left_below_another_customers_account_is_renamed_and_taken_home() -> None:
    mine, theirs = billing_account(OWNER.id), billing_account(OTHER.id)
    stray = replace(cost_centre(mine, content={"currency": "EUR"}), customer_id=OTHER.id)
    accounts, store = usecases(mine, theirs, stray)
    carla = Actor("carla", frozenset({"customer"}), OTHER.id)
    await approved(accounts, await asked(accounts, change_wish(stray, name="Sales EMEA")), carla)
    await approved(accounts, await asked(accounts, change_wish(stray, parent_id=theirs.id)), carla)
    assert (store.kept[stray.id].content.name, store.kept[stray.id].content.parent_id) == ("Sales EMEA", theirs.id)
    await approved(accounts, await asked(accounts, close_wish(mine)))


async def test_a_request_is_approved_under_the_id_that_was_merged_too() -> None:
    survivor, there = company(), billing_account(OWNER.id)
    request = request_about(there)
    store = FakeAccounts(there, request)
    owners = FakeOwners(replace(OWNER, merged_into=survivor.id), survivor)
    lineage = FakeLineage((survivor.id, OWNER.id))
    accounts = AccountUseCases(store, owners, nodes=FakeHierarchy(), products=FakeBilled(), lineage=lineage)
    after, account = await approved(accounts, request)
    assert (after.status, account.status) == (RequestStatus.APPLIED, Status.CLOSED)


async def test_a_request_does_not_fail_because_its_customer_is_merged_in_the_same_instant() -> None:
    request = request_about(PARENT)
    accounts, store = usecases(PARENT, request, merged_into=OTHER.id)
    with pytest.raises(Refused) as refused:
        await approved(accounts, request)
    assert (refused.value.reason, store.kept[request.id]) == ("MERGED", request)


async def test_two_accounts_of_one_number_that_a_merge_brought_together_can_be_changed() -> None:
    mine, theirs = PARENT, billing_account(OTHER.id)
    accounts, _ = usecases(mine, theirs, lineage=FakeLineage((OWNER.id, OTHER.id)))
    for account in (mine, theirs):
        wish = replace(change_wish(account, name="Branch"), customer_id=OWNER.id)
        request = await asked(accounts, wish)
        _, after = await accounts.approve(OWNER.id, request.id, "", "", SUPERVISOR)
        assert after.content.name == "Branch"
    for number in ("b-1000", "B-1000"):
        with pytest.raises((AlreadyExists, Invalid)):
            await asked(accounts, replace(change_wish(mine, number=number), customer_id=OWNER.id))


async def test_a_number_may_be_written_in_another_way() -> None:
    accounts, _ = usecases(PARENT)
    _, after = await approved(accounts, await asked(accounts, change_wish(PARENT, number="b-1000")))
    assert after.content.number == "b-1000"


async def test_a_request_about_an_account_that_changed_since_fails_for_good() -> None:
    accounts, store = usecases(PARENT)
    first = await asked(accounts, change_wish(PARENT, name="Branch"))
    second = await asked(accounts, change_wish(PARENT, name="Seat"))
    await approved(accounts, first)
    for reason in ("FAILED_PRECONDITION", "FORBIDDEN_TRANSITION"):
        with pytest.raises(Refused) as refused:
            await approved(accounts, second)
        assert refused.value.reason == reason
    failed = await accounts.get_request(OWNER.id, second.id)
    assert [s.status for s in failed.trail] == [RequestStatus.ASKED, RequestStatus.APPROVED, RequestStatus.FAILED]
    assert "changed after this was asked" in failed.trail[-1].note
    assert store.kept[PARENT.id].content.name == "Branch"
    assert told(store)[-1] == (second.id, 2, "AccountRequestDecided")


async def test_a_number_taken_in_the_same_instant_makes_the_request_fail() -> None:
    accounts, store = usecases()
    request = await asked(accounts, set_up_wish(OWNER.id, WANTED))
    store.rivals = [billing_account(OWNER.id, content={"number": WANTED.number})]
    with pytest.raises(AlreadyExists):
        await approved(accounts, request)
    assert store.kept[request.id].status is RequestStatus.FAILED


async def test_a_parent_that_closed_since_makes_the_set_up_fail() -> None:
    accounts, store = usecases(PARENT)
    wanted = Content("Sales", "C-1", parent_id=PARENT.id)
    request = await asked(accounts, set_up_wish(OWNER.id, wanted, Kind.COST_CENTRE))
    await approved(accounts, await asked(accounts, close_wish(PARENT)))
    with pytest.raises(Refused):
        await approved(accounts, request)
    assert store.kept[request.id].trail[-1].note == "the billing account is closed"


async def test_who_asked_does_not_approve_or_reject_it_nor_does_an_administrator() -> None:
    accounts, store = usecases(PARENT)
    request = await asked(accounts, close_wish(PARENT), SUPERVISOR)
    with pytest.raises(Forbidden) as refused:
        await approved(accounts, request, SUPERVISOR)
    assert (refused.value.reason, refused.value.metadata) == ("NOT_APPROVER", {"role": "supervisor"})
    with pytest.raises(Forbidden):
        await accounts.reject(OWNER.id, request.id, "", "no", SUPERVISOR)
    assert store.kept[request.id].status is RequestStatus.ASKED
    own = await asked(accounts, close_wish(PARENT), ADMIN)
    with pytest.raises(Forbidden):
        await approved(accounts, own, ADMIN)
    await approved(accounts, own, SUPERVISOR)


async def test_a_rejected_or_withdrawn_request_is_over() -> None:
    accounts, store = usecases(PARENT)
    rejected = await asked(accounts, close_wish(PARENT))
    after = await accounts.reject(OWNER.id, rejected.id, "v1", "they stay", SUPERVISOR)
    assert [(s.status.value, s.note) for s in after.trail] == [("asked", ""), ("rejected", "they stay")]
    withdrawn = await asked(accounts, close_wish(PARENT))
    with pytest.raises(Forbidden):
        await accounts.withdraw(OWNER.id, withdrawn.id, "", "", SUPERVISOR)
    await accounts.withdraw(OWNER.id, withdrawn.id, "v1", "a mistake", AGENT)
    for request in (rejected, withdrawn):
        with pytest.raises(Refused) as refused:
            await approved(accounts, request)
        assert refused.value.metadata["allowed"] == "none"
    assert store.kept[PARENT.id] == PARENT


async def test_decisions_need_the_current_etag_and_the_right_customer() -> None:
    request = request_about(PARENT)
    accounts, store = usecases(PARENT, request)
    for decide in (accounts.approve, accounts.reject):
        with pytest.raises(Conflict) as stale:
            await decide(OWNER.id, request.id, "v2", "", SUPERVISOR)
        assert stale.value.metadata == {"etag": "v1"}
        with pytest.raises(NotFound):
            await decide(OTHER.id, request.id, "", "", SUPERVISOR)
    with pytest.raises(NotFound):
        await accounts.withdraw(OTHER.id, request.id, "", "", AGENT)
    with pytest.raises(NotFound):
        await accounts.get_request(OTHER.id, request.id)
    assert await accounts.get_request("", request.id) == request
    with pytest.raises(NotFound):
        await accounts.get(OTHER.id, PARENT.id)
    assert await accounts.get("", PARENT.id) == PARENT
    assert store.events == []


async def test_of_many_approvals_at_once_one_applies() -> None:
    accounts, store = usecases()
    request = await asked(accounts, set_up_wish(OWNER.id, WANTED))
    answers = await asyncio.gather(*(approved(accounts, request) for _ in range(16)), return_exceptions=True)
    assert sum(not isinstance(a, BaseException) for a in answers) == 1
    assert {a.reason for a in answers if isinstance(a, Refusal)} == {"FORBIDDEN_TRANSITION"}
    assert told(store).count((request.account_id, 1, "AccountChanged")) == 1
    assert request.kind is RequestKind.SET_UP
