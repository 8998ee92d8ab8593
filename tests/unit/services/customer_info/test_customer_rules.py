"""What a customer is, and what may become of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Invalid, Refused
from services.customer_info.customers import rules
from services.customer_info.customers.rules import TRANSITIONS, UPDATABLE, Customer, Row, Status
from tests.unit.services.customer_info import strategies
from tests.unit.services.customer_info.builders import (
    NOON,
    billing_id,
    company,
    email,
    later,
    new_uuid,
    person,
    phone,
)

statuses = st.sampled_from(Status)


def test_a_new_customer_begins_at_version_one_with_its_times() -> None:
    made = rules.created(person(since=None, version=7), "an-id", NOON)
    assert (made.id, made.version, made.since, made.create_time, made.update_time) == ("an-id", 1, NOON, NOON, NOON)


@pytest.mark.parametrize("status", sorted(set(Status) - rules.FIRST))
def test_a_new_customer_starts_as_prospect_or_active_only(status: Status) -> None:
    with pytest.raises(Invalid) as refused:
        rules.created(person(status=status), new_uuid(), NOON)
    assert refused.value.field == "customer.status"


@pytest.mark.parametrize("status", Status)
def test_an_imported_customer_may_be_anywhere_in_its_life(status: Status) -> None:
    assert rules.loaded(person(status=status), new_uuid(), NOON).status is status


def test_an_email_address_is_kept_without_its_case() -> None:
    made = rules.created(person(contact_media=(email(" Ada@Example.COM "),)), new_uuid(), NOON)
    assert made.contact_media[0].value == "ada@example.com"


@pytest.mark.parametrize(
    ("customer", "field"),
    [
        (person(external_ids=(billing_id("1"), billing_id("1"))), "customer.external_ids"),
        (
            person(contact_media=(email("a@b.example", preferred=True), email("c@d.example", preferred=True))),
            "customer.contact_media",
        ),
        (
            person(contact_media=(phone("+4930123456"), phone("+4930123457", start=later(), end=NOON))),
            "customer.contact_media[1].valid",
        ),
        (person(id="same", parent_id="same"), "customer.parent_id"),
    ],
)
def test_what_contradicts_itself_is_refused_by_field(customer: Customer, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.check(customer)
    assert refused.value.field == field


def test_a_preferred_email_and_a_preferred_phone_go_together() -> None:
    rules.check(person(contact_media=(email("a@b.example", preferred=True), phone("+4930123456", preferred=True))))


@given(strategies.customers, strategies.customers, st.sets(st.sampled_from(sorted(UPDATABLE))))
def test_an_update_bumps_the_version_exactly_if_something_changed(
    customer: Customer, wish: Customer, names: set[str]
) -> None:
    wish = replace(wish, party=replace(customer.party), parent_id="")
    after, changed = rules.updated(customer, wish, names, NOON)
    differing = {n for n in names if getattr(wish, n) != getattr(customer, n)}
    assert changed == differing
    assert after.version == customer.version + bool(differing)
    assert (after is customer) is not bool(differing)
    assert all(getattr(after, n) == getattr(wish, n) for n in names)
    assert all(getattr(after, n) == getattr(customer, n) for n in UPDATABLE - names)


def test_a_person_never_becomes_an_organization() -> None:
    with pytest.raises(Invalid) as refused:
        rules.updated(person(), company(), {"party"}, NOON)
    assert refused.value.field == "customer.organization"
    with pytest.raises(Invalid) as refused:
        rules.updated(company(), person(), {"party"}, NOON)
    assert refused.value.field == "customer.individual"


@given(st.lists(statuses, max_size=12))
def test_no_way_leads_out_of_the_archive(wishes: list[Status]) -> None:
    customer = person()
    for status in wishes:
        before = customer
        try:
            customer = rules.moved(customer, status, later())
        except Refused:
            assert status not in TRANSITIONS[before.status]
            continue
        assert before.status is not Status.ARCHIVED or customer is before
        assert customer.version == before.version + (customer.status is not before.status)


def test_a_forbidden_transition_names_those_allowed() -> None:
    with pytest.raises(Refused) as refused:
        rules.moved(person(), Status.ARCHIVED, NOON)
    assert refused.value.reason == "FORBIDDEN_TRANSITION"
    assert refused.value.metadata == {"from": "active", "to": "archived", "allowed": "closed, suspended"}


def test_an_import_changes_fields_and_status_in_one_version() -> None:
    before = person()
    after, names = rules.imported(before, Row(replace(before, language="de", status=Status.CLOSED)), later())
    assert names == {"language", "status"}
    assert (after.status, after.language, after.version, after.update_time) == (Status.CLOSED, "de", 2, later())


def test_a_row_that_says_no_status_leaves_a_suspended_customer_suspended() -> None:
    before = person(status=Status.SUSPENDED)
    row = Row(replace(before, status=Status.ACTIVE), says_status=False)
    assert rules.imported(before, row, later()) == (before, frozenset())


def test_an_import_never_moves_the_day_a_customer_came() -> None:
    before = person()
    assert rules.imported(before, Row(replace(before, since=later())), later()) == (before, frozenset())
    after, _ = rules.imported(replace(before, since=None), Row(replace(before, since=later())), later())
    assert after.since == later()


def test_a_parent_is_an_organization() -> None:
    with pytest.raises(Invalid, match="organization"):
        rules.check_parents(person(), [person()])
    rules.check_parents(person(), [company(), company()])


def test_a_customer_is_never_above_itself() -> None:
    customer = company()
    with pytest.raises(Invalid, match="above itself"):
        rules.check_parents(customer, [company(), customer])


def test_a_structure_has_an_end() -> None:
    rules.check_parents(person(), [company() for _ in range(rules.DEEPEST - 1)])
    with pytest.raises(Invalid, match="deeper"):
        rules.check_parents(person(), [company() for _ in range(rules.DEEPEST)])
