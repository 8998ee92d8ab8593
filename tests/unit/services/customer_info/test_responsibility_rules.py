"""What responsibilities are, and how they are given to somebody."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import AlreadyExists, Invalid, Refused
from services.customer_info.customers.rules import Status
from services.customer_info.hierarchy.rules import FOREVER
from services.customer_info.responsibilities import rules
from services.customer_info.responsibilities.rules import DEFAULTS, Contact, Responsibility, Standing, Wish
from tests.unit.services.customer_info.builders import NOON, company, email, later, new_uuid, person, phone
from tests.unit.services.customer_info.responsibility_builders import PAT, assignment, duty
from tests.unit.services.customer_info.trees import placement, tree

PLACE = placement(tree(), new_uuid())
NAMES = "abcdef"


def catalogue_of(*duties: Responsibility) -> dict[str, Responsibility]:
    return {d.name: d for d in duties}


def test_the_usual_responsibilities_can_be_defined_in_their_order() -> None:
    catalogue: dict[str, Responsibility] = {}
    for one in DEFAULTS:
        catalogue[one.name] = rules.defined(None, one, catalogue, NOON)
    assert len(catalogue) == len(DEFAULTS)


def test_dependencies_are_told_nearest_first_and_each_once() -> None:
    catalogue = catalogue_of(duty("a", "b", "c"), duty("b", "d"), duty("c", "d", "e"), duty("d"), duty("e", "f"))
    assert rules.dependencies("a", catalogue) == ("b", "c", "d", "e", "f")
    assert rules.dependencies("d", catalogue) == ()
    assert rules.dependencies("unknown", catalogue) == ()


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=3, unique=True))))
def test_whatever_is_defined_nothing_depends_on_itself(wishes: list[tuple[str, list[str]]]) -> None:
    catalogue = catalogue_of(*(duty(name) for name in NAMES))
    for name, depends_on in wishes:
        wish = duty(name, *depends_on)
        try:
            catalogue[name] = rules.defined(catalogue[name], wish, catalogue, NOON)
        except Invalid:
            assert name in rules.dependencies(name, {**catalogue, name: wish})
        assert not [n for n in NAMES if n in rules.dependencies(n, catalogue)]


def test_a_definition_counts_only_when_it_changes_something() -> None:
    before = duty("a")
    assert rules.defined(before, replace(before, version=9), {"a": before}, later()) is before
    after = rules.defined(before, replace(before, required=True), {"a": before}, NOON)
    assert (after.version, after.required) == (2, True)
    assert after.update_time is not None
    assert after.update_time > NOON
    for wish, field in ((duty("b", "a", "nobody_knows"), "[1]"), (duty("b", "b"), "[0]")):
        with pytest.raises(Invalid) as refused:
            rules.defined(None, wish, {"a": before}, NOON)
        assert refused.value.field == f"responsibility.depends_on{field}"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"end": NOON, "start": NOON}, "assignment.end"),
        ({"end": NOON, "start": None}, "assignment.end"),
        ({"start": FOREVER}, "assignment.start"),
        ({"contact": Contact(" ", "pat@example.com")}, "assignment.contact.name"),
        ({"contact": Contact("Pat", "not an address")}, "assignment.contact.email"),
        ({"contact": Contact("Pat", phone="030 123")}, "assignment.contact.phone"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(changes: dict[str, object], field: str) -> None:
    wish = replace(Wish("customer", "node", "a"), **changes)  # type: ignore[arg-type]
    with pytest.raises(Invalid) as refused:
        rules.assigned(wish, "id", PLACE, later())
    assert refused.value.field == field
    assert "not an address" not in refused.value.message


def test_an_assignment_starts_now_and_lasts_unless_told_otherwise() -> None:
    wish = Wish("customer", "node", "a", contact=Contact("Pat", "PAT@example.com", "+49 30 123456"))
    made = rules.assigned(wish, "id", PLACE, NOON)
    assert (made.start, made.end, made.tree_id) == (NOON, FOREVER, PLACE.tree_id)
    assert made.customer_id == PLACE.customer_id, "it belongs to whom its place belongs to"
    assert made.contact == Contact("Pat", "pat@example.com", "+4930123456")
    dated = rules.assigned(replace(wish, start=later(1), end=later(2)), "id", PLACE, NOON)
    assert [dated.holds(later(n)) for n in range(3)] == [False, True, False]


def test_an_end_may_be_set_anew_but_not_before_the_start() -> None:
    there = assignment(PLACE, start=later(5))
    assert rules.ended(there, None, later(9)).end == later(9)
    cancelled = rules.ended(there, None, NOON)
    assert (cancelled.end, cancelled.version) == (later(5), 2)
    assert rules.ended(cancelled, later(5), later()) is cancelled
    with pytest.raises(Invalid):
        rules.ended(there, later(4), NOON)


def test_what_is_over_stays_as_it_was_unless_an_end_is_given() -> None:
    over = rules.ended(assignment(PLACE), later(5), later(5))
    assert rules.ended(over, None, later(99)) is over
    cancelled = rules.ended(assignment(PLACE, start=later(5)), None, NOON)
    for at in (NOON, later(5), later(99)):
        assert rules.ended(cancelled, None, at) is cancelled
    assert rules.ended(over, later(9), later(99)).end == later(9)
    assert rules.ended(over, None, later(4)).end == later(4), "one that ends later can end now"


spans = st.tuples(st.integers(0, 6), st.integers(1, 4)).map(lambda s: (later(s[0]), later(s[0] + s[1])))


@given(st.lists(spans, max_size=6))
def test_at_one_node_and_time_one_holder_has_it(wanted: list[tuple[datetime, datetime]]) -> None:
    kept: list[rules.Assignment] = []
    for start, end in wanted:
        wish = assignment(PLACE, start=start, end=end)
        overlaps = any(k.start < end and start < k.end for k in kept)
        try:
            rules.check_room(wish, kept, several=False)
        except AlreadyExists:
            assert overlaps
            continue
        assert not overlaps
        kept.append(wish)
    for minute in range(12):
        assert sum(k.holds(later(minute)) for k in kept) <= 1


def test_where_several_may_have_it_the_same_one_may_not_twice() -> None:
    holder = new_uuid()
    first = assignment(PLACE, holder_id=holder)
    rules.check_room(assignment(PLACE), [first], several=True)
    rules.check_room(first, [first], several=False)
    rules.check_room(assignment(PLACE, holder_id=holder), [replace(first, end=NOON)], several=True)
    with pytest.raises(AlreadyExists) as refused:
        rules.check_room(assignment(PLACE, holder_id=holder), [first], several=True)
    assert refused.value.metadata == {"type": "assignment", "id": first.id}


def test_who_has_left_holds_nothing() -> None:
    rules.check_holder(person())
    for gone in (person(status=Status.CLOSED), person(status=Status.ARCHIVED), person(erase_time=NOON)):
        with pytest.raises(Refused):
            rules.check_holder(gone)
        assert rules.standing_of(gone, PAT) is Standing.LEFT
    with pytest.raises(Refused) as merged:
        rules.check_holder(person(merged_into="another"))
    assert (merged.value.reason, merged.value.metadata) == ("MERGED", {"survivor_id": "another"})


def test_a_holder_is_reachable_by_what_is_valid_then() -> None:
    old = email("old@example.com", end=NOON)
    soon = phone("+4930123456", start=later(5))
    ada = person(contact_media=(old, soon))
    assert rules.contact_of(ada, NOON) == Contact("Ada Example")
    assert rules.standing_of(ada, rules.contact_of(ada, NOON)) is Standing.UNREACHABLE
    before = NOON - timedelta(minutes=1)
    assert rules.contact_of(ada, before).email == "old@example.com"
    assert rules.contact_of(ada, later(5)).phone == "+4930123456"
    assert rules.standing_of(ada, rules.contact_of(ada, later(5))) is Standing.REACHABLE
    both = company(contact_media=(email("a@example.com"), email("b@example.com", preferred=True)))
    assert rules.contact_of(both, NOON) == Contact("Example Ltd", "b@example.com")
    assert rules.standing_of(None, Contact("Pat")) is Standing.UNREACHABLE
    assert rules.standing_of(None, None) is Standing.UNREACHABLE
