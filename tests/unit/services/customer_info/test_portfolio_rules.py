"""What a product of a customer is, and what may become of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Invalid, Refused
from services.customer_info.catalogue.rules import Characteristic, Family, Identifier
from services.customer_info.catalogue.rules import Status as FamilyStatus
from services.customer_info.customers.rules import Money
from services.customer_info.customers.rules import Status as CustomerStatus
from services.customer_info.portfolio import import_rules, rules, wire
from services.customer_info.portfolio.identifier_rules import ServiceIdentifier
from services.customer_info.portfolio.import_rules import Row
from services.customer_info.portfolio.rules import (
    LONGEST_HISTORY,
    TRANSITIONS,
    Product,
    Status,
    StatusChange,
)
from services.customer_info.portfolio.term_rules import Term
from tests.unit.services.customer_info import strategies
from tests.unit.services.customer_info.builders import NOON, history, later, product

ORDERED, PROVISIONING, ACTIVE, SUSPENDED, CEASED = Status
statuses = st.sampled_from(Status)


def test_the_arrows_are_those_of_the_lifecycle() -> None:
    assert {
        ORDERED: {PROVISIONING, CEASED},
        PROVISIONING: {ACTIVE, CEASED},
        ACTIVE: {SUSPENDED, CEASED},
        SUSPENDED: {ACTIVE, CEASED},
        CEASED: set(),
    } == TRANSITIONS


@given(st.lists(statuses, max_size=12))
def test_no_arrow_leads_out_of_ceased_and_each_one_taken_is_noted(wishes: list[Status]) -> None:
    kept = product(status=ORDERED)
    for n, status in enumerate(wishes):
        before = kept
        try:
            kept = rules.moved(before, status, later(n))
        except Refused:
            assert status not in TRANSITIONS[before.status]
            continue
        if status is before.status:
            assert kept is before
            continue
        assert before.status is not CEASED
        assert kept.version == before.version + 1
        assert kept.history == (*before.history, StatusChange(status, later(n)))
    rules.check(kept)


def test_a_forbidden_transition_names_those_allowed() -> None:
    with pytest.raises(Refused) as refused:
        rules.moved(product(), ORDERED, NOON)
    assert refused.value.reason == "FORBIDDEN_TRANSITION"
    assert refused.value.metadata == {"from": "active", "to": "ordered", "allowed": "ceased, suspended"}


def test_a_state_is_never_entered_before_the_one_it_follows() -> None:
    ahead = product(history=(StatusChange(ACTIVE, later(5)),))
    assert rules.moved(ahead, SUSPENDED, NOON).history[-1].time == later(5)


@pytest.mark.parametrize("steps", [2 * LONGEST_HISTORY, 2 * LONGEST_HISTORY + 1])
def test_a_long_life_keeps_its_begin_its_first_use_and_its_latest_states(steps: int) -> None:
    kept = product(status=ORDERED, term=Term(months=1))
    kept = rules.moved(rules.moved(kept, PROVISIONING, later(1)), ACTIVE, later(2))
    bound = kept.commitment
    for n in range(steps):
        kept = rules.moved(kept, ACTIVE if kept.status is SUSPENDED else SUSPENDED, later(n + 3))
    assert LONGEST_HISTORY - 2 <= len(kept.history) <= LONGEST_HISTORY
    assert kept.history[:2] == (StatusChange(ORDERED, NOON), StatusChange(ACTIVE, later(2)))
    assert kept.history[-1] == StatusChange(kept.status, later(steps + 2))
    assert kept.commitment == bound


@pytest.mark.parametrize("steps", [2 * LONGEST_HISTORY, 2 * LONGEST_HISTORY + 1])
@pytest.mark.parametrize("first", [ORDERED, PROVISIONING, ACTIVE, SUSPENDED])
def test_a_product_of_a_long_life_can_still_be_changed(first: Status, steps: int) -> None:
    kept = product(status=first)
    for n in range(steps):
        following = {ORDERED: PROVISIONING, PROVISIONING: ACTIVE, ACTIVE: SUSPENDED, SUSPENDED: ACTIVE}
        kept = rules.moved(kept, following[kept.status], later(n + 1))
    after, changed = rules.updated(kept, replace(kept, name="Fibre 500"), {"name"}, later(steps + 1))
    assert (after.name, changed) == ("Fibre 500", frozenset({"name"}))


def test_a_new_product_begins_its_history_now() -> None:
    wish = product(status=ORDERED, history=history(ACTIVE, SUSPENDED))
    made = rules.added(wish, "an-id", NOON)
    assert (made.id, made.version, made.history) == ("an-id", 1, (StatusChange(ORDERED, NOON),))


def test_a_new_product_never_starts_ceased() -> None:
    with pytest.raises(Invalid) as refused:
        rules.added(product(status=CEASED), "an-id", NOON)
    assert refused.value.field == "product.status"


@pytest.mark.parametrize("status", CustomerStatus)
def test_only_a_customer_that_left_takes_no_new_products(status: CustomerStatus) -> None:
    if status in (CustomerStatus.CLOSED, CustomerStatus.ARCHIVED):
        with pytest.raises(Refused) as refused:
            rules.check_owner(status)
        assert refused.value.metadata == {"state": status}
    else:
        rules.check_owner(status)


def test_totals_count_each_currency_by_itself_and_nothing_that_ceased() -> None:
    priced = [("EUR", 1, ACTIVE), ("EUR", 2, SUSPENDED), ("EUR", 4, CEASED), ("BGN", 8, ORDERED)]
    products = [product(status=s, monthly_price=Money(c, m)) for c, m, s in priced]
    assert rules.totals([*products, product(monthly_price=None)]) == [Money("BGN", 8), Money("EUR", 3)]


def test_a_change_takes_over_what_it_names_and_tells_what_differs() -> None:
    kept = product(account_id="a", term=Term(12))
    wish = replace(
        kept, customer_id="", name="Fibre 500", monthly_price=None, account_id="b", one_time_price=Money("EUR", 1)
    )
    after, changed = rules.updated(kept, wish, ["name", "monthly_price", "term", "one_time_price"], later())
    assert changed == {"name", "monthly_price", "one_time_price"}
    assert (after.name, after.monthly_price, after.one_time_price) == ("Fibre 500", None, Money("EUR", 1))
    assert (after.account_id, after.customer_id, after.version) == ("a", kept.customer_id, 2)
    assert rules.updated(kept, kept, rules.UPDATABLE, later()) == (kept, frozenset())


def test_a_change_moves_no_product_to_another_customer_and_touches_none_that_ceased() -> None:
    kept = product()
    with pytest.raises(Invalid) as refused:
        rules.updated(kept, replace(product(), name="x"), ["name"], later())
    assert refused.value.field == "product.customer_id"
    ceased = product(status=CEASED)
    with pytest.raises(Refused) as late:
        rules.updated(ceased, replace(ceased, name="x"), ["name"], later())
    assert late.value.metadata == {"state": "ceased"}


def test_identifiers_are_kept_in_the_one_way_of_their_kind_however_they_come_in() -> None:
    written = (ServiceIdentifier("e164", "+49 30 23125-000"), ServiceIdentifier("mac", "00-00-5E-00-53-AF"))
    kept = (ServiceIdentifier("e164", "+493023125000"), ServiceIdentifier("mac", "00:00:5e:00:53:af"))
    assert rules.added(product(identifiers=written), "an-id", NOON).identifiers == kept
    assert import_rules.loaded(Row(product(identifiers=written)), NOON).identifiers == kept
    there = product(identifiers=kept)
    assert rules.updated(there, replace(there, identifiers=written), ["identifiers"], later()) == (there, frozenset())
    assert import_rules.imported(there, Row(replace(there, identifiers=written)), later()) == (there, frozenset())


@given(strategies.kept_products, st.integers(-5, 5))
def test_every_version_is_younger_than_the_one_before_whatever_the_clock_says(kept: Product, minutes: int) -> None:
    before = replace(kept, update_time=NOON)
    after, _ = import_rules.imported(before, Row(replace(before, name=before.name + "x")), later(minutes))
    assert after.update_time is not None
    assert after.update_time > NOON


LEASED = Family(
    "leased_line",
    "Leased line",
    "broadband",
    (Characteristic("speed_mbps", required=True),),
    (Identifier("circuit", required=True),),
)
OFF_SALE = Family("isdn", "ISDN", "voice", open=True, status=FamilyStatus.RETIRED)
FAMILIES = {f.name: f for f in (LEASED, OFF_SALE)}
SPEED, CIRCUIT = (("speed_mbps", "10"),), (ServiceIdentifier("circuit", "C-1"),)


def test_a_product_is_as_its_family_asks() -> None:
    whole = product(family="leased_line", characteristics=SPEED, identifiers=CIRCUIT)
    rules.fitted(whole, None, FAMILIES)
    for wrong, field in (
        (replace(whole, family="leased"), "product.family"),
        (replace(whole, characteristics=()), "product.characteristics"),
        (replace(whole, identifiers=()), "product.identifiers"),
        (replace(whole, family="isdn"), "product.family"),
    ):
        with pytest.raises(Invalid) as refused:
            rules.fitted(wrong, None, FAMILIES)
        assert refused.value.field == field


def test_a_product_knows_what_its_family_does_not_list() -> None:
    mobile = replace(LEASED, name="mobile", identifiers=(), open=True)
    told = (("remark", "a"), ("speed_mbps", "10"), ("user", "b"))
    made = rules.fitted(product(family="mobile", characteristics=told), None, {"mobile": mobile})
    assert (made.characteristics, made.unlisted) == (told, frozenset({"remark", "user"}))
    ordered = replace(made, family="leased_line", characteristics=SPEED, status=ORDERED)
    moved = rules.fitted(ordered, made, FAMILIES)
    assert moved.unlisted == frozenset()


def test_a_product_of_a_family_that_nobody_knows_keeps_what_was_known_of_it() -> None:
    kept = product(family="telex", characteristics=(("a", "1"), ("b", "2")), unlisted=frozenset({"a"}))
    assert rules.listed(kept, FAMILIES) == kept


def test_events_tell_what_the_family_lists_and_no_more() -> None:
    kept = product(characteristics=(("technology", "dsl"), ("user", "Zzname")), unlisted=frozenset({"user"}))
    facts = wire.facts(kept)
    assert [c.name for c in facts.characteristics] == ["technology"]
    assert [c.name for c in wire.message(kept, NOON).characteristics] == ["technology", "user"]


def test_an_identifier_stands_there_once_however_it_is_written() -> None:
    twice = (ServiceIdentifier("circuit", "cir-9"), ServiceIdentifier("circuit", "CIR-9"))
    with pytest.raises(Invalid) as refused:
        rules.added(product(identifiers=twice), "an-id", NOON)
    assert refused.value.field == "product.identifiers"


def test_what_a_family_needs_in_use_may_come_after_the_order() -> None:
    ordered = product(status=PROVISIONING, family="leased_line", characteristics=SPEED)
    rules.fitted(ordered, None, FAMILIES)
    active = rules.moved(ordered, ACTIVE, later())
    assert rules.comes_into_use(ordered, active)
    with pytest.raises(Invalid) as refused:
        rules.fitted(active, ordered, FAMILIES)
    assert refused.value.field == "product.identifiers"
    suspended = rules.moved(active, SUSPENDED, later(2))
    assert not rules.comes_into_use(active, suspended)
    assert not rules.comes_into_use(suspended, rules.moved(suspended, CEASED, later(3)))


def test_a_retired_family_keeps_its_products_and_its_past_but_takes_no_new_ones() -> None:
    kept = product(family="isdn")
    rules.fitted(replace(kept, name="x", version=2), kept, FAMILIES)
    rules.fitted(product(family="isdn", status=CEASED), None, FAMILIES)
    for before in (None, product(family="voice")):
        with pytest.raises(Invalid) as refused:
            rules.fitted(kept, before, FAMILIES)
        assert refused.value.field == "product.family"
