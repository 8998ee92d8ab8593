"""The fold of facts into a customer's state."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Invalid
from services.retention.features.rules import (
    ClockBreached,
    Fact,
    InteractionLogged,
    OutcomeRecorded,
    ProductChanged,
    ProfileChanged,
    State,
    TicketClosed,
    TicketOpened,
    apply,
    fold,
    from_document,
    merge,
    prune,
    to_document,
    vector,
)
from tests.unit.services.retention.builders import NOON

moments = st.integers(0, 200 * 24 * 60).map(lambda minutes: NOON - timedelta(minutes=minutes))
ids = st.sampled_from(["a", "b.c", "$d"])


@st.composite
def profiles(draw: st.DrawFn) -> ProfileChanged:
    # One version has one content, as in the service that numbers them.
    version = draw(st.integers(1, 5))
    return ProfileChanged(
        version=version,
        at=NOON - timedelta(days=100 - version),
        customer_since=date(2020, 1, version),
        senior=version % 2 == 0,
        payment_method="credit_card" if version > 2 else None,
        total_charge_micros=version * 1_000_000,
    )


@st.composite
def products(draw: st.DrawFn) -> ProductChanged:
    version, product_id = draw(st.integers(1, 5)), draw(ids)
    return ProductChanged(
        product_id=product_id,
        version=version,
        at=NOON - timedelta(days=50 - version),
        kind="mobile" if product_id == "a" else "broadband_fiber",
        starts_at=NOON - timedelta(days=300),
        ends_at=NOON - timedelta(days=10) if version == 5 else None,
        monthly_micros=version * 10_000_000,
        currency_code="EUR",
        contract_type="one_year",
    )


facts: st.SearchStrategy[Fact] = st.one_of(
    profiles(),
    products(),
    st.builds(
        InteractionLogged,
        at=moments,
        inbound=st.booleans(),
        complaint=st.booleans(),
        sentiment=st.none() | st.floats(-1, 1),
    ),
    st.builds(TicketOpened, ticket_id=ids, at=moments),
    st.builds(TicketClosed, ticket_id=ids, at=moments),
    st.builds(ClockBreached, clock_id=ids, at=moments),
    st.builds(OutcomeRecorded, at=moments, churned=st.booleans()),
)
histories = st.lists(facts, max_size=25)


@given(histories.flatmap(lambda history: st.tuples(st.just(history), st.permutations(history))))
def test_facts_in_any_order_give_the_same_state(pair: tuple[list[Fact], list[Fact]]) -> None:
    in_order, shuffled = pair
    assert fold(in_order) == fold(shuffled)


@given(histories)
def test_a_repeated_fact_changes_nothing_unless_it_is_an_interaction(history: list[Fact]) -> None:
    once = fold(history)
    assert fold([fact for fact in history if not isinstance(fact, InteractionLogged)], once) == once


@given(histories)
def test_a_state_survives_its_document(history: list[Fact]) -> None:
    state = fold(history)
    assert from_document(to_document(state)) == state


@given(histories)
def test_a_document_holds_only_what_any_document_store_can_hold(history: list[Fact]) -> None:
    def check(value: object) -> None:
        assert value is None or type(value) in (dict, list, str, int, float, bool, datetime)
        if isinstance(value, dict):
            for key, entry in value.items():
                assert "." not in key
                assert not key.startswith("$")
                check(entry)
        if isinstance(value, list):
            for entry in value:
                check(entry)
        if isinstance(value, datetime):
            assert value.microsecond % 1000 == 0

    check(to_document(fold(history)))


def test_times_that_a_store_hands_out_without_a_zone_are_read_as_utc() -> None:
    state = fold([TicketOpened(ticket_id="t", at=NOON)])
    document = to_document(state)
    document["tickets"] = [{**entry, "first_opened": NOON.replace(tzinfo=None)} for entry in document["tickets"]]
    assert from_document(document) == state


@given(histories, histories)
def test_two_merged_customers_are_as_one_who_lived_both_histories(one: list[Fact], other: list[Fact]) -> None:
    # Only the survivor has a profile: which of two profiles wins is decided elsewhere.
    other = [fact for fact in other if not isinstance(fact, ProfileChanged)]
    assert merge(fold(one), fold(other)) == fold([*one, *other])


def test_an_older_version_never_replaces_a_newer_one() -> None:
    newer = ProfileChanged(version=2, at=NOON, senior=True)
    older = ProfileChanged(version=1, at=NOON - timedelta(days=1), senior=False)
    assert fold([newer, older]).profile == newer


def test_a_ticket_closed_before_its_opening_arrives_is_not_open() -> None:
    state = fold([TicketClosed(ticket_id="t", at=NOON), TicketOpened(ticket_id="t", at=NOON - timedelta(days=1))])
    assert vector(state, NOON)["open_tickets"] == 0
    assert vector(state, NOON)["tickets_90d"] == 1


def test_a_reopened_ticket_is_open_and_counts_once() -> None:
    history: list[Fact] = [
        TicketOpened(ticket_id="t", at=NOON - timedelta(days=5)),
        TicketClosed(ticket_id="t", at=NOON - timedelta(days=3)),
        TicketOpened(ticket_id="t", at=NOON - timedelta(days=1)),
    ]
    state = fold(history)
    assert vector(state, NOON)["open_tickets"] == 1
    assert vector(state, NOON - timedelta(days=2))["open_tickets"] == 0
    assert vector(state, NOON)["tickets_90d"] == 1


def test_a_ticket_closed_in_the_moment_of_its_opening_is_closed() -> None:
    state = fold([TicketOpened(ticket_id="t", at=NOON), TicketClosed(ticket_id="t", at=NOON)])
    assert vector(state, NOON)["open_tickets"] == 0


def test_the_latest_outcome_counts() -> None:
    left = OutcomeRecorded(at=NOON, churned=True)
    stayed = OutcomeRecorded(at=NOON - timedelta(days=30), churned=False)
    assert fold([left, stayed]).outcome == left


@given(histories)
def test_pruning_changes_no_reading_of_today(history: list[Fact]) -> None:
    state = fold(history)
    assert vector(prune(state, NOON, keep_days=91), NOON) == vector(state, NOON)


def test_pruning_forgets_what_no_window_can_see_any_more() -> None:
    long_ago = NOON - timedelta(days=500)
    state = fold(
        [
            InteractionLogged(at=long_ago, inbound=True),
            TicketOpened(ticket_id="closed", at=long_ago),
            TicketClosed(ticket_id="closed", at=long_ago),
            TicketOpened(ticket_id="open", at=long_ago),
            ClockBreached(clock_id="c", at=long_ago),
        ]
    )
    pruned = prune(state, NOON)
    assert (pruned.days, set(pruned.tickets), pruned.breaches) == ({}, {"open"}, {})
    assert vector(pruned, NOON)["days_since_contact"] == 500


def test_apply_leaves_the_state_it_was_given_as_it_was() -> None:
    before = State()
    apply(before, InteractionLogged(at=NOON, inbound=True))
    assert before == State()


def test_times_are_kept_in_utc_and_whole_milliseconds() -> None:
    local = datetime(2026, 6, 30, 14, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=2)))
    assert TicketOpened(ticket_id="t", at=local).at == datetime(2026, 6, 30, 12, 0, 0, 123_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: TicketOpened(ticket_id="t", at=NOON.replace(tzinfo=None)), "at"),
        (lambda: InteractionLogged(at=NOON, inbound=True, sentiment=1.5), "sentiment"),
        (lambda: InteractionLogged(at=NOON, inbound=True, sentiment=float("nan")), "sentiment"),
        (lambda: ProfileChanged(version=1, at=NOON, payment_method="gold"), "payment_method"),
        (lambda: ProfileChanged(version=1, at=NOON, total_charge_micros=-1), "total_charge_micros"),
        (lambda: ProductChanged(product_id="p", version=1, at=NOON, kind="boat", starts_at=NOON), "kind"),
        (lambda: _product(contract_type="lifelong"), "contract_type"),
        (lambda: _product(quantity=0), "quantity"),
        (lambda: _product(monthly_micros=-1, currency_code="EUR"), "monthly_micros"),
        (lambda: _product(monthly_micros=1), "monthly_micros"),
    ],
)
def test_a_fact_outside_its_domain_is_refused_with_its_field(build: object, field: str) -> None:
    assert callable(build)
    with pytest.raises(Invalid) as refusal:
        build()
    assert refusal.value.field == field


def _product(**changes: object) -> ProductChanged:
    fields: dict[str, object] = {"product_id": "p", "version": 1, "at": NOON, "kind": "mobile", "starts_at": NOON}
    return ProductChanged(**{**fields, **changes})  # type: ignore[arg-type]
