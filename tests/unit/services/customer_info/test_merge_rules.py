"""What becomes of two records when they are merged, and when they are parted again."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chassis.rules import Invalid, Refused
from services.customer_info.customers.rules import (
    Customer,
    ExternalId,
    Individual,
    Organization,
    Status,
    check,
    following,
)
from services.customer_info.merges import rules
from services.customer_info.merges.rules import FIELDS, LISTS, Around, Keep, groups, merged, swallowed, unmerged
from tests.unit.services.customer_info.builders import (
    NOON,
    billing_id,
    company,
    email,
    later,
    person,
    phone,
)
from tests.unit.services.customer_info.strategies import customers

people = customers.filter(lambda c: isinstance(c.party, Individual))
stored = people.map(lambda c: replace(c, version=1, update_time=NOON, merged_into="", erase_time=None, parent_id=""))


def content(customer: Customer) -> dict[str, Any]:
    return {name: getattr(customer, name) for name in FIELDS}


def consistent(*some: Customer) -> bool:
    for customer in some:
        try:
            check(customer)
        except Invalid:
            return False
    return True


def entries(customer: Customer, name: str) -> set[Any]:
    found = [LISTS[name](entry) for entry in getattr(customer, name)]
    return {(key, found[: n + 1].count(key)) for n, key in enumerate(found)}


@given(stored, stored)
def test_an_unmerge_right_after_a_merge_gives_both_back(survivor: Customer, duplicate: Customer) -> None:
    assume(survivor.id != duplicate.id and consistent(survivor, duplicate))
    after, outcomes = merged(survivor, duplicate, {}, later(1))
    gone = swallowed(duplicate, survivor.id, later(1))
    mine, theirs = unmerged(Around(survivor, after, outcomes), after, gone, [], later(2))
    assert content(mine) == content(survivor)
    assert content(theirs) == content(duplicate)
    assert theirs.merged_into == ""
    assert (mine.version, theirs.version) == (3, 3)


@given(stored, stored, stored, st.sets(st.sampled_from(FIELDS)))
def test_what_was_changed_after_a_merge_stays_changed(
    survivor: Customer, duplicate: Customer, edit: Customer, names: set[str]
) -> None:
    assume(survivor.id != duplicate.id and consistent(survivor, duplicate, edit))
    after, outcomes = merged(survivor, duplicate, {}, later(1))
    gone = swallowed(duplicate, survivor.id, later(1))
    taken_over = {o.field for o in outcomes if o.keep is Keep.DUPLICATE}
    current = following(after, later(2), **{name: getattr(edit, name) for name in names})
    mine, theirs = unmerged(Around(survivor, after, outcomes), current, gone, [], later(3))
    for name in FIELDS:
        if name in LISTS:
            was, made, now = (entries(c, name) for c in (survivor, after, current))
            assert now - made <= entries(mine, name), "what was added since stays with the survivor"
            assert entries(mine, name) - now == set(), "what was taken out since stays out"
            came = made - was
            assert entries(mine, name).isdisjoint(came & now)
            assert entries(theirs, name) == entries(duplicate, name) - (came - now), "and so with the other"
        elif getattr(current, name) != getattr(after, name) and name in taken_over:
            assert getattr(mine, name) == getattr(survivor, name)
            assert getattr(theirs, name) == getattr(current, name)
        elif getattr(current, name) != getattr(after, name):
            assert getattr(mine, name) == getattr(current, name)
            assert getattr(theirs, name) == getattr(duplicate, name)
        else:
            assert getattr(mine, name) == getattr(survivor, name)
    check(mine)
    check(theirs)


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


def test_an_entry_changed_after_the_merge_is_changed_with_its_owner() -> None:
    survivor = person(contact_media=(email("s@x.example"),))
    duplicate = person(contact_media=(email("d@x.example"), phone("+4930123456")), external_ids=(ExternalId("b", "1"),))
    after, outcomes = merged(survivor, duplicate, {}, later(1))
    edited = following(
        after,
        later(2),
        contact_media=(email("s@x.example"), email("d@x.example", preferred=True), email("new@x.example")),
    )
    gone = swallowed(duplicate, survivor.id, later(1))
    mine, theirs = unmerged(Around(survivor, after, outcomes), edited, gone, [], later(3))
    assert mine.contact_media == (email("s@x.example"), email("new@x.example"))
    assert theirs.contact_media == (email("d@x.example", preferred=True),)
    assert (mine.external_ids, theirs.external_ids) == ((), duplicate.external_ids)


def test_a_value_that_came_with_the_duplicate_and_was_corrected_since_is_corrected_there() -> None:
    bert, alma = person(party=Individual("Bert", "B")), person(party=Individual("Alma", "Canary"), language="de")
    after, outcomes = merged(bert, alma, {"party": Keep.DUPLICATE}, later(1))
    edited = following(after, later(2), party=Individual("Alma", "Canary-Smith"), language="en")
    gone = swallowed(alma, bert.id, later(1))
    mine, theirs = unmerged(Around(bert, after, outcomes), edited, gone, [], later(3))
    assert (mine.party, mine.language) == (bert.party, "")
    assert (theirs.party, theirs.language) == (Individual("Alma", "Canary-Smith"), "en")


def test_what_leaves_is_made_up_for_by_the_records_that_stay() -> None:
    shared = email("both@x.example")
    bea = person(status=Status.CLOSED)
    ann = person(language="de", contact_media=(shared, email("ann@x.example")))
    cat = person(language="fr", contact_media=(shared, email("cat@x.example")))
    one, outcomes = merged(bea, ann, {}, later(1))
    both, _ = merged(one, cat, {}, later(2))
    assert (both.language, both.sources) == ("de", (ann.id, cat.id))
    gone = swallowed(ann, bea.id, later(1))
    mine, theirs = unmerged(Around(bea, one, outcomes), both, gone, [swallowed(cat, bea.id, later(2))], later(3))
    assert (mine.language, mine.status, mine.sources) == ("fr", Status.ACTIVE, (cat.id,))
    assert {m.value for m in mine.contact_media} == {"both@x.example", "cat@x.example"}
    assert (theirs.language, theirs.contact_media) == ("de", ann.contact_media)


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
