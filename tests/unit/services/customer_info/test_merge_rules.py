"""What becomes of two records when they are merged, and when they are parted again."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chassis.rules import Invalid, Refused
from services.customer_info.customers.rules import (
    Customer,
    Individual,
    Organization,
    Status,
    check,
)
from services.customer_info.merges import rules
from services.customer_info.merges.list_rules import LISTS, Keep
from services.customer_info.merges.rules import FIELDS, groups, merged
from tests.unit.services.customer_info.builders import (
    NOON,
    billing_id,
    company,
    email,
    later,
    person,
    phone,
)
from tests.unit.services.customer_info.merging import consistent, entries, stored


@given(stored, stored)
def test_lists_hold_the_entries_of_both_once_with_one_preferred_medium_of_a_kind(
    survivor: Customer, duplicate: Customer
) -> None:
    assume(survivor.id != duplicate.id and consistent(survivor, duplicate))
    after, outcomes = merged(survivor, duplicate, {}, later(1))
    for name in LISTS:
        assert entries(after, name) == entries(survivor, name) | entries(duplicate, name)
        assert len(entries(after, name)) == len(getattr(after, name))
    assert {o.field for o in outcomes} == {n for n in FIELDS if getattr(survivor, n) != getattr(duplicate, n)}
    check(after)


def test_a_field_follows_its_rule_unless_somebody_chose() -> None:
    older = person(language="", since=NOON, status=Status.CLOSED, contact_media=(email("a@x.example", preferred=True),))
    newer = person(
        language="de",
        since=later(9),
        update_time=later(9),
        party=Individual("Ada", "Married"),
        contact_media=(email("b@x.example", preferred=True), phone("+4930123456", preferred=True)),
    )
    after, outcomes = merged(older, newer, {}, later(10))
    assert (after.language, after.since, after.status) == ("de", NOON, Status.ACTIVE)
    assert after.party == older.party
    assert [m.preferred for m in after.contact_media] == [True, False, True]
    assert {o.field: (o.keep, o.conflict) for o in outcomes} == {
        "contact_media": (Keep.BOTH, False),
        "language": (Keep.DUPLICATE, False),
        "party": (Keep.SURVIVOR, True),
        "since": (Keep.SURVIVOR, True),
        "status": (Keep.DUPLICATE, True),
    }
    chosen, _ = merged(older, newer, {"party": Keep.LATEST, "contact_media": Keep.SURVIVOR}, later(10))
    assert chosen.party == newer.party
    assert chosen.contact_media == older.contact_media


@pytest.mark.parametrize(
    ("choices", "field"),
    [({"shoe_size": Keep.SURVIVOR}, "choices"), ({"language": Keep.BOTH}, "choices")],
)
def test_a_choice_that_makes_no_sense_is_refused(choices: dict[str, Keep], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        merged(person(), person(), choices, NOON)
    assert refused.value.field == field


def test_a_person_and_a_company_are_not_one_customer() -> None:
    with pytest.raises(Refused):
        merged(person(), company(party=Organization("Example")), {}, NOON)


def test_a_list_that_would_be_too_long_is_refused_unless_one_is_chosen() -> None:
    many = [person(external_ids=tuple(billing_id(f"{c}{n}") for n in range(20))) for c in "ab"]
    with pytest.raises(Invalid):
        merged(many[0], many[1], {}, NOON)
    chosen, _ = merged(many[0], many[1], {"external_ids": Keep.DUPLICATE}, NOON)
    assert chosen.external_ids == many[1].external_ids


def test_a_company_and_its_parent_can_be_one_and_are_below_who_was_above_both() -> None:
    top, parent = company(), company()
    parent, kid = replace(parent, parent_id=top.id), company(parent_id=parent.id)
    for survivor, duplicate in ((parent, kid), (kid, parent)):
        after, _ = merged(survivor, duplicate, {}, later(1))
        assert after.parent_id == top.id


@given(st.integers(1, 12), st.randoms(use_true_random=False))
def test_parting_divides_the_ids_and_loses_none(count: int, chance: Any) -> None:
    members = [f"c{n}" for n in range(count + 1)]
    into = {members[n]: members[chance.randrange(n)] for n in range(1, len(members))}
    parted = chance.choice(members[1:])
    staying, leaving = groups(members, into, parted)
    assert sorted([*staying, *leaving]) == sorted(members)
    assert (staying[0], leaving[0]) == (members[0], parted)
    assert all(into[m] in leaving for m in leaving[1:])
    assert all(into.get(m, members[0]) in staying for m in staying)


def test_one_customer_has_a_bounded_number_of_records() -> None:
    rules.check_group(["x"] * rules.MOST_MEMBERS)
    with pytest.raises(Refused):
        rules.check_group(["x"] * (rules.MOST_MEMBERS + 1))
