"""What a row of a bulk load makes of a product."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Invalid, Refused
from services.customer_info.customers.rules import Money
from services.customer_info.portfolio import import_rules, rules
from services.customer_info.portfolio.identifier_rules import ServiceIdentifier
from services.customer_info.portfolio.import_rules import AHEAD, Row
from services.customer_info.portfolio.rules import (
    HIGHEST_PRICE,
    REACHABLE,
    Product,
    Status,
    StatusChange,
)
from services.customer_info.portfolio.term_rules import Term
from tests.unit.services.customer_info import strategies
from tests.unit.services.customer_info.builders import NOON, history, later, product

ORDERED, PROVISIONING, ACTIVE, SUSPENDED, CEASED = Status
statuses = st.sampled_from(Status)


@pytest.mark.parametrize("status", Status)
def test_an_imported_product_may_be_anywhere_in_its_life(status: Status) -> None:
    made = import_rules.loaded(Row(product(status=status, history=())), later())
    assert (made.status, made.history) == (status, (StatusChange(status, later()),))


def test_a_row_tells_of_the_past_and_of_no_day_that_has_begun_nowhere() -> None:
    today = (*history(ORDERED, PROVISIONING), StatusChange(ACTIVE, NOON + AHEAD))
    ahead = (*today[:-1], StatusChange(ACTIVE, NOON + AHEAD + timedelta(milliseconds=1)))
    kept = import_rules.loaded(Row(product(history=today)), NOON)
    assert kept.history == today
    for attempt in (
        lambda: import_rules.loaded(Row(product(history=ahead)), NOON),
        lambda: import_rules.imported(kept, Row(replace(kept, history=ahead)), NOON),
    ):
        with pytest.raises(Invalid) as refused:
            attempt()
        assert refused.value.field == "product.history[2].time"
    untold = Row(replace(kept, name="Fibre 500", history=ahead), told=frozenset({"name"}))
    assert import_rules.imported(kept, untold, NOON)[0].history == today


def test_an_imported_product_brings_its_past() -> None:
    past = history(ORDERED, PROVISIONING, ACTIVE, CEASED)
    assert import_rules.loaded(Row(product(status=CEASED, history=past)), NOON).history == past
    assert import_rules.loaded(Row(product(history=past), says_status=False), NOON).status is CEASED


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"history": history(ORDERED, CEASED)}, "product.status"),
        ({"history": history(CEASED, ACTIVE)}, "product.history[1].status"),
        ({"history": history(ACTIVE, ACTIVE)}, "product.history[1].status"),
        ({"history": tuple(reversed(history(ACTIVE, PROVISIONING)))}, "product.history[1].time"),
        ({"monthly_price": Money("EUR", -1)}, "product.monthly_price.micros"),
        ({"monthly_price": Money("EUR", HIGHEST_PRICE + 1)}, "product.monthly_price.micros"),
        ({"term": Term(12, later(), NOON)}, "product.term.commitment"),
        ({"one_time_price": Money("EUR", -1)}, "product.one_time_price.micros"),
        ({"identifiers": (ServiceIdentifier("circuit", "1"),) * 2}, "product.identifiers"),
        ({"identifiers": tuple(ServiceIdentifier("circuit", c) for c in ("1", " 1 "))}, "product.identifiers"),
        ({"identifiers": (ServiceIdentifier("imei", "1"),)}, "product.identifiers[0].value"),
        ({"customer_id": ""}, "product.customer_id"),
        ({"family": ""}, "product.family"),
        ({"name": ""}, "product.name"),
    ],
)
def test_what_contradicts_itself_is_refused_by_field(changes: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        import_rules.loaded(Row(replace(product(), **changes)), NOON)  # type: ignore[arg-type]
    assert refused.value.field == field


@given(strategies.kept_products, strategies.products, statuses, st.booleans())
def test_an_import_bumps_the_version_exactly_if_something_changed(
    kept: Product, other: Product, status: Status, says: bool
) -> None:
    wish = replace(other, id=kept.id, customer_id=kept.customer_id, status=status, history=())
    try:
        after, names = import_rules.imported(kept, Row(wish, says_status=says), later())
    except Refused:
        assert says
        assert status not in REACHABLE[kept.status]
        return
    differing = {n for n in rules.UPDATABLE if getattr(wish, n) != getattr(kept, n)}
    if says and status is not kept.status:
        differing |= {"status", "history"}
    assert names == differing
    assert after.version == kept.version + bool(differing)
    assert kept.status is not CEASED or after.status is CEASED
    assert after.history[-1].status is after.status


def test_importing_a_row_again_changes_nothing() -> None:
    row = Row(product(status=CEASED, history=history(ORDERED, PROVISIONING, ACTIVE, CEASED)))
    made = import_rules.loaded(row, NOON)
    assert import_rules.imported(made, row, later()) == (made, frozenset())


def test_an_import_mends_the_past_and_keeps_what_happened_since() -> None:
    past = history(ORDERED, PROVISIONING, ACTIVE)
    kept = rules.moved(product(history=past), SUSPENDED, NOON)
    mended = tuple(replace(c, time=c.time - timedelta(days=1)) for c in past)
    after, names = import_rules.imported(kept, Row(replace(kept, history=mended), says_status=False), later())
    assert names == {"history"}
    assert after.history == (*mended, StatusChange(SUSPENDED, NOON))
    assert after.status is SUSPENDED


def test_an_import_adds_the_past_of_a_product_known_by_its_state_only() -> None:
    kept = product(history=(StatusChange(ACTIVE, NOON),))
    past = history(ORDERED, PROVISIONING, ACTIVE)
    after, names = import_rules.imported(kept, Row(replace(kept, history=past)), later())
    assert after.history == past
    assert names == {"history"}


def test_an_import_with_an_older_history_keeps_what_came_later() -> None:
    kept = product(status=CEASED, history=(StatusChange(SUSPENDED, NOON), StatusChange(CEASED, later())))
    past = history(ORDERED, PROVISIONING, ACTIVE)
    after, _ = import_rules.imported(kept, Row(replace(kept, history=past), says_status=False), later(9))
    assert after.history == (*past, *kept.history)


def test_an_import_may_tell_of_several_steps_at_once_but_revives_nothing() -> None:
    ordered = product(status=ORDERED)
    after, _ = import_rules.imported(ordered, Row(replace(ordered, status=SUSPENDED, history=())), later())
    assert after.history == (StatusChange(ORDERED, NOON), StatusChange(SUSPENDED, later()))
    ceased = product(status=CEASED)
    revived = (StatusChange(PROVISIONING, later(1)), StatusChange(ACTIVE, later(2)))
    for wish in (replace(ceased, status=ACTIVE, history=()), replace(ceased, status=ACTIVE, history=revived)):
        with pytest.raises(Refused) as refused:
            import_rules.imported(ceased, Row(wish), later(3))
        assert refused.value.reason == "FORBIDDEN_TRANSITION"
        assert refused.value.metadata["allowed"] == "none"


def test_a_product_stays_with_its_customer() -> None:
    kept = product()
    with pytest.raises(Invalid) as refused:
        import_rules.imported(kept, Row(replace(product(), id=kept.id)), later())
    assert refused.value.field == "product.customer_id"
