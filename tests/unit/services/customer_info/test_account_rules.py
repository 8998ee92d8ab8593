"""What accounts are, and how requests about them come to their ends."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Forbidden, Invalid, NotFound, Refusal, Refused
from services.customer_info.accounts import request_rules, rules
from services.customer_info.accounts.request_rules import TRANSITIONS, Actor, RequestKind, RequestStatus, Step
from services.customer_info.accounts.rules import OWNERS, Billed, Content, Kind, Role, Status
from services.customer_info.customers.rules import Status as CustomerStatus
from tests.unit.services.customer_info.account_builders import (
    ADMIN,
    AGENT,
    SUPERVISOR,
    billing_account,
    close_wish,
    cost_centre,
    request_about,
    set_up_wish,
)
from tests.unit.services.customer_info.builders import NOON, later, new_uuid

PARENT = billing_account()


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        (Kind.BILLING_ACCOUNT, {"name": ""}, "name"),
        (Kind.BILLING_ACCOUNT, {"name": "  "}, "name"),
        (Kind.BILLING_ACCOUNT, {"number": ""}, "number"),
        (Kind.BILLING_ACCOUNT, {"currency": ""}, "currency_code"),
        (Kind.BILLING_ACCOUNT, {"parent_id": PARENT.id}, "parent_id"),
        (Kind.BILLING_ACCOUNT, {"owner_role": Role.CUSTOMER}, "owner_role"),
        (Kind.COST_CENTRE, {}, "parent_id"),
    ],
)
def test_content_that_makes_no_sense_is_refused_by_field(kind: Kind, changes: dict[str, str], field: str) -> None:
    content = replace(PARENT.content, **changes)  # type: ignore[arg-type]
    with pytest.raises(Invalid) as refused:
        rules.check(kind, content, "set_up.content")
    assert refused.value.field == f"set_up.content.{field}"


@pytest.mark.parametrize("kind", Kind)
def test_only_roles_that_decide_about_a_kind_can_own_it(kind: Kind) -> None:
    there = PARENT if kind is Kind.BILLING_ACCOUNT else cost_centre(PARENT)
    passed = set()
    for role in Role:
        try:
            rules.check(kind, replace(there.content, owner_role=role), "")
        except Invalid:
            continue
        passed.add(role)
    assert passed == OWNERS[kind]


def test_a_cost_centre_is_kept_in_the_currency_of_its_billing_account() -> None:
    content = Content("Sales", "C-1", parent_id=PARENT.id)
    whose = (PARENT.customer_id,)
    assert rules.under(content, PARENT, whose, "c").currency == "EUR"
    assert rules.under(replace(content, currency="EUR"), PARENT, whose, "c").currency == "EUR"
    refusals: list[tuple[type[Refusal], str, Content, rules.Account | None, tuple[str, ...]]] = [
        (Invalid, "c.currency_code", replace(content, currency="USD"), PARENT, whose),
        (Invalid, "c.parent_id", content, cost_centre(PARENT), whose),
        (Refused, "c.parent_id", content, replace(PARENT, status=Status.CLOSED), whose),
        (NotFound, "c.parent_id", content, None, whose),
        (NotFound, "c.parent_id", content, PARENT, (new_uuid(),)),
    ]
    for kind, field, wanted, parent, ids in refusals:
        with pytest.raises(kind) as refused:
            rules.under(wanted, parent, ids, "c")
        assert refused.value.field == field


def test_a_cost_centre_bills_to_an_account_of_its_own_record() -> None:
    rules.check_record(PARENT.customer_id, PARENT, "c")
    with pytest.raises(Refused) as refused:
        rules.check_record(new_uuid(), PARENT, "c")
    assert refused.value.field == "c.parent_id"


def test_a_change_takes_the_named_fields_alone_and_counts() -> None:
    wanted = Content(name="Branch", number="other", owner="otto")
    after = rules.changed(PARENT, wanted, {"name", "owner"}, later())
    assert after.content == replace(PARENT.content, name="Branch", owner="otto")
    assert (after.version, after.update_time, after.create_time) == (2, later(), NOON)


def test_what_is_closed_neither_changes_nor_closes_again() -> None:
    gone = rules.closed(PARENT, None, later())
    assert (gone.status, gone.version) == (Status.CLOSED, 2)
    with pytest.raises(Refused) as changed:
        rules.changed(gone, Content("x"), {"name"}, later())
    with pytest.raises(Refused) as closed:
        rules.closed(gone, None, later())
    assert changed.value.metadata == closed.value.metadata == {"state": "closed"}


def test_what_is_billed_to_does_not_close() -> None:
    with pytest.raises(Refused) as refused:
        rules.closed(PARENT, Billed.COST_CENTRES, later())
    assert refused.value.metadata == {"state": "billed_to"}
    with pytest.raises(Refused) as paying:
        rules.closed(PARENT, Billed.PRODUCTS, later())
    assert paying.value.metadata == {"state": "pays_for_products"}


def test_a_customer_that_left_gets_no_accounts() -> None:
    for status in CustomerStatus:
        if status in (CustomerStatus.CLOSED, CustomerStatus.ARCHIVED):
            with pytest.raises(Refused):
                rules.check_customer(status)
        else:
            rules.check_customer(status)


def test_changes_follow_each_other_also_when_a_clock_is_behind() -> None:
    behind = NOON.replace(hour=3)
    times = [PARENT.update_time]
    account = PARENT
    for at in (behind, NOON, behind, later()):
        account = rules.changed(account, replace(account.content, name=f"{at}"), {"name"}, at)
        times.append(account.update_time)
    assert times == sorted(set(times))


def test_about_a_set_up_decides_the_role_that_would_own_it_and_about_all_else_the_one_that_does() -> None:
    content = replace(PARENT.content, owner_role=Role.ADMIN, owner="otto")
    fresh = request_rules.set_up_asked(
        set_up_wish(PARENT.customer_id, content), "r", AGENT, NOON, account_id="a", parent=None
    )
    assert (fresh.account_id, fresh.account_version) == ("a", 0)
    assert (fresh.approver_role, fresh.approver) == (Role.ADMIN, "otto")
    there = replace(PARENT, version=7)
    about = request_rules.asked(close_wish(there), "r", there, AGENT, NOON)
    assert (about.account_id, about.account_version, about.approver_role) == (there.id, 7, Role.SUPERVISOR)
    assert about.trail == (Step(RequestStatus.ASKED, "ann", NOON),)
    assert (about.asked_by, about.ask_time, about.status) == ("ann", NOON, RequestStatus.ASKED)


def test_a_cost_centre_is_asked_for_under_whom_its_billing_account_belongs_to() -> None:
    wish = set_up_wish(new_uuid(), Content("Sales", "C-1", parent_id=PARENT.id), Kind.COST_CENTRE)
    assert (
        request_rules.set_up_asked(wish, "r", AGENT, NOON, account_id="a", parent=PARENT).customer_id
        == PARENT.customer_id
    )
    assert (
        request_rules.set_up_asked(wish, "r", AGENT, NOON, account_id="a", parent=None).customer_id == wish.customer_id
    )


def test_what_is_wanted_is_tidied_when_it_is_asked_for() -> None:
    wish = set_up_wish(PARENT.customer_id, Content(" Head  office ", "CC  2  x", "EUR"))
    wanted = request_rules.set_up_asked(wish, "r", AGENT, NOON, account_id="a", parent=None).wanted
    assert wanted == Content("Head  office", "CC 2 x", "EUR")
    change = replace(wish, kind=RequestKind.CHANGE, account_id=PARENT.id, names=frozenset({"name"}))
    assert request_rules.asked(change, "r", PARENT, AGENT, NOON).wanted == wanted


def test_a_request_lapses_by_nobodys_hand() -> None:
    over = request_rules.lapsed(request_about(PARENT), later())
    assert (over.status, over.trail[-1].by, over.version) == (RequestStatus.WITHDRAWN, "", 2)
    with pytest.raises(Refused):
        request_rules.lapsed(over, later())


CUSTOMERS_OWN = request_about(cost_centre(PARENT))
OWN_PERSON = Actor("carl", frozenset({"customer"}), PARENT.customer_id)
OWNED = request_about(billing_account(content={"owner": "otto"}))


@pytest.mark.parametrize(
    ("request_", "actor", "passes"),
    [
        (request_about(PARENT), SUPERVISOR, True),
        (request_about(PARENT), AGENT, False),
        (request_about(PARENT), replace(SUPERVISOR, subject="ann"), False),
        (request_about(PARENT), replace(ADMIN, subject="ann"), False),
        (request_about(PARENT), ADMIN, True),
        (request_about(PARENT), OWN_PERSON, False),
        (CUSTOMERS_OWN, OWN_PERSON, True),
        (CUSTOMERS_OWN, replace(OWN_PERSON, subject="ann"), False),
        (CUSTOMERS_OWN, replace(OWN_PERSON, customer_id=new_uuid()), False),
        (CUSTOMERS_OWN, SUPERVISOR, False),
        (CUSTOMERS_OWN, ADMIN, True),
        (OWNED, SUPERVISOR, False),
        (OWNED, replace(SUPERVISOR, subject="otto"), True),
        (OWNED, Actor("otto", frozenset({"agent"})), False),
    ],
)
def test_who_asked_does_not_decide_and_only_the_owner_does(
    request_: request_rules.Request, actor: Actor, *, passes: bool
) -> None:
    if passes:
        request_rules.check_approver(request_, actor, (PARENT.customer_id,))
        return
    with pytest.raises(Forbidden) as refused:
        request_rules.check_approver(request_, actor, (PARENT.customer_id,))
    assert refused.value.reason == "NOT_APPROVER"
    assert refused.value.metadata == {"role": request_.approver_role}


def test_who_asked_may_withdraw_and_an_administrator() -> None:
    asked = request_about(PARENT)
    request_rules.check_asker(asked, AGENT)
    request_rules.check_asker(asked, ADMIN)
    with pytest.raises(Forbidden) as refused:
        request_rules.check_asker(asked, SUPERVISOR)
    assert refused.value.metadata == {"role": "admin"}


def test_an_account_that_changed_since_is_not_what_was_asked_about() -> None:
    asked = request_about(PARENT)
    request_rules.check_unchanged(asked, PARENT)
    with pytest.raises(Refused) as refused:
        request_rules.check_unchanged(asked, replace(PARENT, version=2))
    assert refused.value.metadata == {"state": "changed"}


@given(st.lists(st.sampled_from(RequestStatus), max_size=4))
def test_a_request_takes_the_steps_its_lifecycle_has_and_its_trail_tells_each(wanted: list[RequestStatus]) -> None:
    request = request_about(PARENT)
    for status in wanted:
        allowed = status in TRANSITIONS[request.status]
        try:
            after = request_rules.taken_on(request, status, SUPERVISOR, "why", NOON)
        except Refused:
            assert not allowed
            continue
        assert allowed
        assert after.trail[:-1] == request.trail
        assert (after.status, after.version) == (status, request.version + 1)
        assert after.update_time > request.update_time
        request = after


def test_a_step_that_a_request_does_not_take_is_refused_with_those_it_takes() -> None:
    with pytest.raises(Refused) as refused:
        request_rules.taken_on(request_about(PARENT), RequestStatus.APPLIED, SUPERVISOR, "", NOON)
    assert refused.value.reason == "FORBIDDEN_TRANSITION"
    assert refused.value.metadata == {"from": "asked", "to": "applied", "allowed": "approved, rejected, withdrawn"}


def test_an_approval_tells_who_approved_and_what_came_of_it() -> None:
    asked = request_about(PARENT)
    applied = request_rules.approved(asked, SUPERVISOR, "fine", later())
    assert [(s.status.value, s.by, s.note) for s in applied.trail[1:]] == [
        ("approved", "sue", "fine"),
        ("applied", "sue", ""),
    ]
    failed = request_rules.approved(asked, SUPERVISOR, "fine", later(), failure="the account is closed")
    assert [(s.status.value, s.note) for s in failed.trail[1:]] == [
        ("approved", "fine"),
        ("failed", "the account is closed"),
    ]
    assert (applied.version, failed.version) == (2, 2)
    assert asked.kind is RequestKind.CLOSE
