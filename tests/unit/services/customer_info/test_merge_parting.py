"""What becomes of two records that were merged when they are parted again."""

from dataclasses import replace
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from services.customer_info.customers.rules import Customer, ExternalId, Individual, Status, check, following
from services.customer_info.merges.list_rules import LISTS, Keep
from services.customer_info.merges.rules import FIELDS, merged
from tests.unit.services.customer_info.builders import NOON, email, later, person, phone
from tests.unit.services.customer_info.merging import (
    Star,
    alike,
    consistent,
    content,
    entries,
    held,
    parted,
    stored,
)


@given(stored, stored)
def test_an_unmerge_right_after_a_merge_gives_both_back(survivor: Customer, duplicate: Customer) -> None:
    assume(survivor.id != duplicate.id and consistent(survivor, duplicate))
    made = held(survivor, duplicate, {})
    mine, theirs = parted(made, made.after)
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
    taken_over = {o.field for o in outcomes if o.keep is Keep.DUPLICATE}
    current = following(after, later(2), **{name: getattr(edit, name) for name in names})
    mine, theirs = parted(held(survivor, duplicate, {}), current)
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


def test_an_entry_changed_after_the_merge_is_changed_with_its_owner() -> None:
    survivor = person(contact_media=(email("s@x.example"),))
    duplicate = person(contact_media=(email("d@x.example"), phone("+4930123456")), external_ids=(ExternalId("b", "1"),))
    made = held(survivor, duplicate, {})
    edited = following(
        made.after,
        later(2),
        contact_media=(email("s@x.example"), email("d@x.example", preferred=True), email("new@x.example")),
    )
    mine, theirs = parted(made, edited)
    assert mine.contact_media == (email("s@x.example"), email("new@x.example"))
    assert theirs.contact_media == (email("d@x.example", preferred=True),)
    assert (mine.external_ids, theirs.external_ids) == ((), duplicate.external_ids)


def test_a_value_that_came_with_the_duplicate_and_was_corrected_since_is_corrected_there() -> None:
    bert, alma = person(party=Individual("Bert", "B")), person(party=Individual("Alma", "Canary"), language="de")
    made = held(bert, alma, {"party": Keep.DUPLICATE})
    edited = following(made.after, later(2), party=Individual("Alma", "Canary-Smith"), language="en")
    mine, theirs = parted(made, edited)
    assert (mine.party, mine.language) == (bert.party, "")
    assert (theirs.party, theirs.language) == (Individual("Alma", "Canary-Smith"), "en")


def test_what_leaves_is_made_up_for_by_the_records_that_stay() -> None:
    shared = email("both@x.example")
    bea = person(status=Status.CLOSED)
    ann = person(language="de", contact_media=(shared, email("ann@x.example")))
    cat = person(language="fr", contact_media=(shared, email("cat@x.example")))
    star = Star(bea)
    star.merge(ann, {})
    star.merge(cat, {})
    assert (star.survivor.language, star.survivor.sources) == ("de", (ann.id, cat.id))
    theirs = star.part(ann.id)
    mine = star.survivor
    assert (mine.language, mine.status, mine.sources) == ("fr", Status.ACTIVE, (cat.id,))
    assert {m.value for m in mine.contact_media} == {"both@x.example", "cat@x.example"}
    assert (theirs.language, theirs.contact_media) == ("de", ann.contact_media)
    assert content(star.part(cat.id)) == content(cat)
    assert content(star.survivor) == content(bea)


def test_a_choice_stands_when_what_followed_is_undone_and_made_again() -> None:
    survivor, first, second = person(), person(language="de"), person(language="de")
    star = Star(survivor)
    star.merge(first, {"language": Keep.SURVIVOR})
    star.merge(second, {})
    star.part(second.id)
    assert star.survivor.language == ""
    star.merge(second, {"language": Keep.SURVIVOR})
    star.part(first.id)
    assert star.survivor.language == ""


def test_an_address_that_went_and_came_back_is_kept_with_both_of_its_spans() -> None:
    gone, back = (phone("+4930123456", end=NOON), phone("+4930123456", start=later(5)))
    survivor, duplicate = person(contact_media=(gone,)), person(contact_media=(back,))
    made = held(survivor, duplicate, {})
    assert made.after.contact_media == (gone, back)
    ended = replace(back, end=later(90))
    mine, theirs = parted(made, following(made.after, later(2), contact_media=(gone, ended)))
    assert (mine.contact_media, theirs.contact_media) == ((gone,), (ended,))
    for_good = person(contact_media=(phone("+4930123456"),))
    both = held(for_good, person(contact_media=(gone, back)), {})
    assert both.after.contact_media == for_good.contact_media
    assert [(o.field, o.conflict) for o in both.merge.outcomes if o.field in LISTS] == [("contact_media", True)]


def test_a_value_chosen_from_the_duplicate_is_given_back_with_what_was_changed_of_it() -> None:
    gold, silver = (person(characteristics=(("care_level", level),)) for level in ("gold", "silver"))
    made = held(gold, silver, {"characteristics": Keep.DUPLICATE})
    assert made.after.characteristics == silver.characteristics
    mine, theirs = parted(made, following(made.after, later(2), characteristics=(("care_level", "bronze"),)))
    assert (mine.characteristics, theirs.characteristics) == (gold.characteristics, (("care_level", "bronze"),))
    assert held(gold, silver, {}).merge.outcomes[0].conflict


choices = st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(Keep)).map(
    lambda chosen: {name: keep for name, keep in chosen.items() if name in LISTS or keep is not Keep.BOTH}
)
stars = st.lists(st.tuples(alike, choices), min_size=1, max_size=4, unique_by=lambda made: made[0].id)


@given(alike, stars, st.randoms(use_true_random=False))
def test_parted_in_whatever_order_each_is_as_it_was(
    survivor: Customer, others: list[tuple[Customer, dict[str, Keep]]], chance: Any
) -> None:
    assume(survivor.id not in {other.id for other, _ in others})
    star = Star(survivor)
    for other, chosen in others:
        star.merge(other, chosen)
    chance.shuffle(others)
    for other, _ in others:
        assert content(star.part(other.id)) == content(other)
    assert content(star.survivor) == content(survivor)
    assert star.survivor.sources == ()


@given(alike, stars, alike, st.sets(st.sampled_from(FIELDS)), st.randoms(use_true_random=False))
def test_what_was_changed_is_with_the_same_record_in_whatever_order_they_are_parted(
    survivor: Customer, others: list[tuple[Customer, dict[str, Keep]]], edit: Customer, names: set[str], chance: Any
) -> None:
    assume(survivor.id not in {other.id for other, _ in others})
    orders = [[other.id for other, _ in reversed(others)], [other.id for other, _ in others]]
    chance.shuffle(orders[1])
    ends = []
    for order in orders:
        star = Star(survivor)
        for n, (other, chosen) in enumerate(others):
            star.merge(other, chosen)
            if n == 0 and len(others) > 1:
                star.keep(following(star.survivor, later(3), language="xx"))
        star.keep(following(star.survivor, later(50), **{name: getattr(edit, name) for name in names}))
        left = {other: content(star.part(other)) for other in order}
        ends.append((left, content(star.survivor)))
    assert ends[0] == ends[1]
