"""A reading holds for as long as it says, and not a moment longer than that."""

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from services.retention.features.rules import (
    NAMES,
    Fact,
    ProductChanged,
    ProfileChanged,
    State,
    TicketClosed,
    TicketOpened,
    fold,
    read,
    vector,
)
from tests.unit.services.retention.builders import NOON, lively_facts

MIDNIGHT = datetime(2026, 7, 1, tzinfo=UTC)


def product(starts_at: datetime, ends_at: datetime | None = None) -> ProductChanged:
    return ProductChanged(product_id="p", version=1, at=NOON, kind="mobile", starts_at=starts_at, ends_at=ends_at,
                          monthly_micros=1_000_000, currency_code="EUR")  # fmt: skip


def test_a_reading_is_the_vector_with_its_currency() -> None:
    found = read(fold(lively_facts()), NOON)
    assert found.vector == vector(fold(lively_facts()), NOON)
    assert tuple(found.vector) == NAMES
    assert (found.currency, found.is_customer, found.until) == ("EUR", True, MIDNIGHT)


def test_of_nobody_nothing_is_known_until_midnight() -> None:
    found = read(State(), NOON)
    assert (found.currency, found.is_customer, found.until) == ("", True, MIDNIGHT)


def test_who_has_left_is_no_customer() -> None:
    assert not read(fold([ProfileChanged(version=1, at=NOON, is_customer=False)]), NOON).is_customer


def test_a_reading_ends_when_a_product_starts_or_ends_or_a_ticket_of_the_future_comes() -> None:
    hour = timedelta(hours=1)
    assert read(fold([product(NOON + hour)]), NOON).until == NOON + hour
    assert read(fold([product(NOON - hour, NOON + 2 * hour)]), NOON).until == NOON + 2 * hour
    assert read(fold([product(NOON, NOON + 20 * hour)]), NOON).until == MIDNIGHT
    ticket: list[Fact] = [TicketOpened(ticket_id="t", at=NOON - hour), TicketClosed(ticket_id="t", at=NOON + hour)]
    assert read(fold(ticket), NOON).until == NOON + hour


@given(
    st.lists(st.integers(-3000, 3000), min_size=1, max_size=6),
    st.floats(0, 1),
)
@example([0], 1.0).via("the last microsecond")
def test_the_values_are_the_same_at_any_moment_before_a_reading_ends(minutes: list[int], share: float) -> None:
    moments = [NOON + timedelta(minutes=one) for one in minutes]
    facts: list[Fact] = [*lively_facts(), product(moments[0], max(moments))]
    facts += [TicketOpened(ticket_id=f"x{n}", at=one) for n, one in enumerate(moments)]
    facts += [TicketClosed(ticket_id="x0", at=moments[-1] + timedelta(minutes=30))]
    state = fold(facts)
    found = read(state, NOON)
    later = NOON + (found.until - timedelta.resolution - NOON) * share
    assert read(state, later).values == found.values
