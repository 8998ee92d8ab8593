"""How long a customer is bound."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.customer_info.portfolio.rules import Status
from services.customer_info.portfolio.term_rules import END_OF_TIME, Term, bound, commitment, months_after
from tests.unit.services.customer_info.builders import NOON, history, later, product
from tests.unit.services.customer_info.strategies import moments

YEAR_LATER = NOON.replace(year=2027)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-03-01", 24, "2028-03-01"),
        ("2026-03-01", 0, "2026-03-01"),
    ],
)
def test_months_are_those_of_the_calendar(start: str, months: int, end: str) -> None:
    assert months_after(day(start), months) == day(end)


def test_no_commitment_ends_after_what_can_be_told() -> None:
    assert months_after(day("9999-06-01"), 12) == END_OF_TIME


@given(moments, st.integers(0, 120), st.integers(0, 120))
def test_a_longer_term_never_ends_earlier(start: datetime, some: int, more: int) -> None:
    assert start <= months_after(start, some) <= months_after(start, some + more)


@pytest.mark.parametrize(
    ("term", "first_used", "span"),
    [
        (None, NOON, (None, None)),
        (Term(), NOON, (NOON, None)),
        (Term(12), None, (None, None)),
        (Term(12), NOON, (NOON, YEAR_LATER)),
        (Term(12, later()), NOON, (later(), YEAR_LATER + timedelta(minutes=1))),
        (Term(12, NOON, later(5)), None, (NOON, later(5))),
        (Term(0, None, later(5)), NOON, (NOON, later(5))),
    ],
)
def test_a_commitment_ends_as_its_contract_says_else_its_months_after_it_began(
    term: Term | None, first_used: datetime | None, span: tuple[datetime | None, datetime | None]
) -> None:
    assert commitment(term, first_used) == span


def test_a_customer_is_bound_from_the_begin_until_before_the_end() -> None:
    span = (NOON, later(10))
    assert [bound(span, later(n)) for n in (-1, 0, 9, 10)] == [False, True, True, False]
    assert bound((None, later()), NOON)
    assert not bound((NOON, None), later())


def test_a_product_binds_from_its_first_use_and_not_after_it_ceased() -> None:
    past = history(Status.ORDERED, Status.PROVISIONING, Status.ACTIVE, Status.SUSPENDED, Status.ACTIVE)
    kept = product(term=Term(12), history=past)
    assert kept.commitment == (past[2].time, months_after(past[2].time, 12))
    assert kept.in_commitment(NOON)
    assert not kept.in_commitment(YEAR_LATER)
    ordered = product(status=Status.ORDERED, term=Term(12))
    assert ordered.commitment == (None, None)
    assert not ordered.in_commitment(NOON)
    ceased = product(status=Status.CEASED, term=Term(12, NOON), history=history(Status.ACTIVE, Status.CEASED))
    assert ceased.commitment == (NOON, YEAR_LATER)
    assert not ceased.in_commitment(later())
