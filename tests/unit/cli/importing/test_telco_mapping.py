"""From rows to messages: nothing invented, nothing lost, and the same on every day."""

from datetime import UTC, date, datetime

import pytest
from holdfast.customer_info.v1.customers_pb2 import Customer, PaymentMethod
from hypothesis import given
from hypothesis import strategies as st

from chassis import validation
from cli.importing import telco_mapping as mapping
from cli.importing.telco_rows import TelcoRow, parse
from services.retention.features.rules import months_between
from tests.unit.cli.importing.telco_text import DSL, FIBER, HEADER, NEW, VOICE_ONLY, changed

TODAY = date(2026, 3, 31)
LINES = (DSL, FIBER, VOICE_ONLY, NEW)


def row(line: str) -> TelcoRow:
    found = parse(2, dict(zip(HEADER.split(","), line.split(","), strict=True)))
    assert isinstance(found, TelcoRow)
    return found


def since(customer: Customer) -> date:
    return datetime.fromtimestamp(customer.since.seconds, UTC).date()


@pytest.mark.parametrize("line", LINES)
def test_what_comes_out_keeps_the_contract(line: str) -> None:
    customer = mapping.customer(row(line), None, TODAY)
    for message in (
        customer,
        *mapping.products(row(line), customer.since),
        mapping.outcome(row(line), customer.since, TODAY),
    ):
        validation.check(message)


@pytest.mark.parametrize("line", LINES)
def test_prices_add_up_to_the_monthly_charge(line: str) -> None:
    customer = mapping.customer(row(line), None, TODAY)
    prices = [product.monthly_price.micros for product in mapping.products(row(line), customer.since)]
    assert sum(prices) == customer.billed.monthly.micros
    assert min(prices) >= 0


def test_a_charge_below_the_list_goes_to_the_main_product() -> None:
    products = mapping.products(
        row(changed(FIBER, "MonthlyCharges", "1")), mapping.customer(row(FIBER), None, TODAY).since
    )
    assert {p.family: p.monthly_price.micros for p in products if p.monthly_price.micros} == {"internet": 1_000_000}


def test_the_customer_is_known_by_the_id_of_the_file() -> None:
    customer = mapping.customer(row(DSL), None, TODAY)
    assert [(one.issuer, one.value) for one in customer.external_ids] == [("telco", "7590-VHVEG")]
    assert customer.id == mapping.customer_id("7590-VHVEG") == mapping.customer(row(DSL), None, date(2030, 1, 1)).id
    assert customer.individual.family_name == "Telco 7590-VHVEG"


def test_features_find_what_they_need() -> None:
    customer = mapping.customer(row(FIBER), None, TODAY)
    assert {one.name: one.value for one in customer.characteristics} == {
        "senior": "yes",
        "partner": "no",
        "dependents": "no",
    }
    assert customer.billing.payment_method == PaymentMethod.PAYMENT_METHOD_ELECTRONIC_CHECK
    products = {product.family: product for product in mapping.products(row(FIBER), customer.since)}
    assert products["internet"].characteristics[0].value == "fiber"
    assert products["voice"].characteristics[0].value == "yes"
    assert set(products) == {"voice", "internet", "device_protection", "streaming_tv", "streaming_movies"}


@given(day=st.dates(date(2020, 1, 1), date(2040, 1, 1)), tenure=st.integers(0, 100))
def test_scored_right_after_the_load_the_tenure_is_that_of_the_file(day: date, tenure: int) -> None:
    customer = mapping.customer(row(changed(VOICE_ONLY, "tenure", str(tenure))), None, day)
    assert months_between(since(customer), day) == tenure


@given(day=st.dates(date(2020, 1, 1), date(2040, 1, 1)), later=st.integers(0, 1_000), tenure=st.integers(0, 100))
def test_the_same_row_on_another_day_is_the_same_in_all_parts(day: date, later: int, tenure: int) -> None:
    one = row(changed(VOICE_ONLY, "tenure", str(tenure)))
    then = date.fromordinal(day.toordinal() + later)
    first = mapping.customer(one, None, day)
    second = mapping.customer(one, first, then)
    assert second == first
    assert mapping.products(one, second.since) == mapping.products(one, first.since)
    assert mapping.outcome(one, second.since, then) == mapping.outcome(one, first.since, day)


def test_what_the_file_does_not_tell_stays_as_it_is_known() -> None:
    known = mapping.customer(row(DSL), None, TODAY)
    known.language = "fr"
    known.individual.family_name = "Somebody"
    known.characteristics.add(name="vip", value="yes")
    again = mapping.customer(row(changed(DSL, "Partner", "No")), known, date(2027, 1, 1))
    assert (again.language, again.individual.family_name, again.since) == ("fr", "Somebody", known.since)
    assert {one.name: one.value for one in again.characteristics} == {
        "senior": "no", "partner": "no", "dependents": "no", "vip": "yes",
    }  # fmt: skip
