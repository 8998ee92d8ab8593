"""Reading features as of a moment, and the schema they follow."""

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.rules import Invalid
from services.retention.features.rules import (
    ADDONS,
    BY_NAME,
    FEATURES,
    NAMES,
    PRODUCT_KINDS,
    ClockBreached,
    InteractionLogged,
    ProductChanged,
    ProfileChanged,
    State,
    TicketOpened,
    ages,
    fold,
    months_between,
    vector,
)
from tests.unit.services.retention.builders import NOON


def product(product_id: str, kind: str, **changes: object) -> ProductChanged:
    fields: dict[str, object] = {
        "product_id": product_id,
        "version": 1,
        "at": NOON - timedelta(days=3),
        "kind": kind,
        "starts_at": NOON - timedelta(days=400),
    }
    return ProductChanged(**{**fields, **changes})  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 200), max_size=40))
@example([0, 29, 30, 89, 90])
def test_windows_count_whole_days_including_today(days_ago: list[int]) -> None:
    state = fold(InteractionLogged(at=NOON - timedelta(days=days), inbound=True) for days in days_ago)
    read = vector(state, NOON)
    assert read["contacts_30d"] == sum(days < 30 for days in days_ago)
    assert read["contacts_90d"] == sum(days < 90 for days in days_ago)
    assert read["days_since_contact"] == min(days_ago, default=None)


@given(st.lists(st.integers(0, 200), max_size=40), st.integers(0, 100))
@example([0, 9, 10, 11, 39, 40, 99, 100], 10)
def test_windows_can_be_read_as_of_an_earlier_day(days_ago: list[int], back: int) -> None:
    known = [days for days in days_ago if days >= back]
    moment = NOON - timedelta(days=back)
    everything = fold(InteractionLogged(at=NOON - timedelta(days=days), inbound=True) for days in days_ago)
    until_then = fold(InteractionLogged(at=NOON - timedelta(days=days), inbound=True) for days in known)
    assert vector(everything, moment) == vector(until_then, moment)


def test_only_contacts_the_customer_began_count_as_contacts() -> None:
    state = fold([InteractionLogged(at=NOON, inbound=False, complaint=False, sentiment=-0.5)])
    read = vector(state, NOON)
    assert (read["contacts_30d"], read["days_since_contact"], read["sentiment_90d"]) == (0, None, -0.5)


def test_sentiment_is_the_mean_of_those_that_were_measured() -> None:
    logged = [(-1.0, 1), (0.5, 2), (None, 3), (1.0, 120)]
    state = fold(
        InteractionLogged(at=NOON - timedelta(days=days), inbound=True, sentiment=value) for value, days in logged
    )
    assert vector(state, NOON)["sentiment_90d"] == -0.25


def test_tickets_and_breaches_fall_out_of_their_window() -> None:
    state = fold(
        [
            TicketOpened(ticket_id="old", at=NOON - timedelta(days=90)),
            TicketOpened(ticket_id="new", at=NOON - timedelta(days=89)),
            ClockBreached(clock_id="old", at=NOON - timedelta(days=90)),
            ClockBreached(clock_id="new", at=NOON - timedelta(days=89)),
        ]
    )
    read = vector(state, NOON)
    assert (read["open_tickets"], read["tickets_90d"], read["sla_breaches_90d"]) == (2, 1, 1)


def test_nothing_known_is_missing_and_not_absent() -> None:
    read = vector(State(), NOON)
    assert list(read) == list(NAMES)
    assert [read[name] for name in ("internet_service", "monthly_charge", "tenure_months")] == [None, None, None]
    assert read["contacts_30d"] == 0


def test_the_portfolio_becomes_services() -> None:
    state = fold(
        [
            product("1", "mobile", quantity=2, monthly_micros=19_800_000, currency_code="EUR",
                    contract_type="month_to_month"),
            product("2", "broadband_fiber", monthly_micros=10_050_000, currency_code="EUR", contract_type="two_year"),
            product("3", "online_security"),
            product("4", "tech_support", ends_at=NOON),
        ]
    )  # fmt: skip
    read = vector(state, NOON)
    assert read["monthly_charge"] == 29.85
    assert read["contract_type"] == "two_year"
    assert (read["phone_service"], read["multiple_lines"], read["internet_service"]) == ("yes", "yes", "fiber")
    assert (read["online_security"], read["tech_support"], read["streaming_tv"]) == ("yes", "no", "no")
    assert read["product_count"] == 3


def test_addons_without_internet_are_no_service() -> None:
    read = vector(fold([product("1", "voice")]), NOON)
    assert read["internet_service"] == "none"
    assert {read[addon] for addon in ADDONS} == {"no_service"}
    assert read["multiple_lines"] == "no"


def test_another_internet_technology_is_unknown_rather_than_none() -> None:
    read = vector(fold([product("1", "broadband_other")]), NOON)
    assert read["internet_service"] is None
    assert read["online_backup"] == "no"


def test_a_portfolio_that_ended_has_no_contract_and_no_charge() -> None:
    read = vector(fold([product("1", "voice", ends_at=NOON - timedelta(days=1))]), NOON)
    assert (read["contract_type"], read["monthly_charge"], read["product_count"]) == ("none", 0, 0)


def test_a_charge_in_two_currencies_is_missing() -> None:
    state = fold(
        [
            product("1", "voice", monthly_micros=1, currency_code="EUR"),
            product("2", "mobile", monthly_micros=1, currency_code="USD"),
        ]
    )
    assert vector(state, NOON)["monthly_charge"] is None


def test_a_charge_without_any_price_is_missing() -> None:
    assert vector(fold([product("1", "voice")]), NOON)["monthly_charge"] is None


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        (date(2026, 1, 15), date(2026, 2, 14), 0),
        (date(2026, 1, 15), date(2026, 2, 15), 1),
        (date(2026, 1, 31), date(2026, 2, 28), 1),
        (date(2024, 2, 29), date(2025, 2, 28), 12),
        (date(2026, 3, 1), date(2026, 2, 1), 0),
    ],
)
def test_tenure_counts_whole_months(start: date, end: date, months: int) -> None:
    assert months_between(start, end) == months


def test_the_profile_becomes_features() -> None:
    profile = ProfileChanged(
        version=1,
        at=NOON,
        customer_since=date(2023, 6, 30),
        payment_method="credit_card",
        paperless_billing=True,
        senior=False,
        total_charge_micros=1_889_500_000,
    )
    read = vector(fold([profile]), NOON)
    assert (read["tenure_months"], read["total_charge"]) == (36, 1889.5)
    assert (read["payment_method"], read["paperless_billing"]) == ("credit_card", "yes")
    assert (read["senior"], read["partner"]) == ("no", None)


def test_without_a_first_day_tenure_begins_with_the_first_product() -> None:
    state = fold([product("1", "voice", starts_at=NOON - timedelta(days=61))])
    assert vector(state, NOON)["tenure_months"] == 2


def test_the_age_of_a_feature_is_that_of_the_newest_fact_of_its_source() -> None:
    state = fold([product("1", "voice"), InteractionLogged(at=NOON - timedelta(hours=1), inbound=True)])
    read = ages(state, NOON)
    assert read["contacts_30d"] == 3600
    assert read["phone_service"] == 3 * 86400
    assert read["senior"] is None
    assert list(read) == list(NAMES)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(Invalid):
        vector(State(), NOON.replace(tzinfo=None))


def test_gender_is_not_a_feature() -> None:
    assert "gender" not in BY_NAME


def test_every_feature_is_described_and_can_be_put_into_words() -> None:
    assert len(BY_NAME) == len(FEATURES)
    for feature in FEATURES:
        assert feature.description.endswith(".")
        values = feature.categories or (1.0, 2.0)
        assert len({feature.phrase(value) for value in values}) == len(values)
        assert feature.phrase(None) == f"{feature.label} unknown"
        assert all(value in feature.categories for value in feature.actions if feature.kind == "categorical")


def test_every_addon_is_a_kind_of_product() -> None:
    assert set(ADDONS) <= PRODUCT_KINDS


def test_a_single_thing_is_said_in_the_singular() -> None:
    assert BY_NAME["tenure_months"].phrase(1.0) == "customer for 1 month"
    assert BY_NAME["open_tickets"].phrase(3.0) == "3 open tickets"
