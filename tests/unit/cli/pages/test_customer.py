"""The 360 page: the essentials at 100 columns, and honest about what it does not know."""

import pytest
from holdfast.customer_info.v1.customers_pb2 import Organization
from holdfast.gateway.v1.experience_pb2 import GetCustomer360Response, SectionStatus

from cli.pages import customer
from tests.unit.cli.pages.paper import flat, printed
from tests.unit.cli.pages.sample import CUSTOMER_ID, NOW, absent, missing, stale, story

SECTIONS = ("customer", "portfolio", "interactions", "tickets", "sla", "score")


def page(given: GetCustomer360Response, width: int = 100) -> str:
    return printed(customer.page(given, NOW), width)


def status_of(given: GetCustomer360Response, section: str) -> SectionStatus:
    found = getattr(given, section).status
    assert isinstance(found, SectionStatus)
    return found


@pytest.mark.parametrize(
    "essential",
    [
        "Amara Brightwater", "active", CUSTOMER_ID, "demo-billing C-7-000042", "2025-01-26 (1 y 35 d)",
        "amara.brightwater.42@example.com*", "89.85 EUR a month", "bank transfer", "senior: no",
        "81.3 %", "critical", "412.50 EUR", "silver", "churn-0123456789ab", "+12.1 points", "month-to-month contract",
        "to 41.2 %", "contract type: month to month → two year",
        "Home Fibre 500", "24 months, until 2027-01-26", "CIR-00671544", "49.95 EUR", "provisioning", "79.94 EUR",
        "c0ffee00", "7 h ago", "in progress", "high", "Internet much slower than sold",
        "Standard Care", "kept 91.7 %", "11 met", "1 missed", "resolution", "2026-03-02 13:48, in 1 h 48 min",
        "78 % of 8 h", "99.95 %", "1 outage, 21 min",
        "2026-03-01 16:00", "service quality complaint", "-0.7", "Third call about the same fault", "fresh · 5 ms",
    ],
)  # fmt: skip
def test_at_a_hundred_columns_it_shows(essential: str) -> None:
    assert essential in flat(page(story()))


def test_all_fresh_it_warns_of_nothing() -> None:
    text = page(story())
    assert "STALE" not in text
    assert "MISSING" not in text
    assert "Incomplete" not in text


@pytest.mark.parametrize("section", SECTIONS)
def test_a_stale_section_keeps_what_was_known_and_says_since_when(section: str) -> None:
    given = story()
    status_of(given, section).CopyFrom(stale())
    text = page(given)
    assert text.count("STALE · as of 2026-03-02 11:53, 7 min ago") == 1
    assert "Not current: its service does not answer." in text
    assert "Incomplete: " in text
    assert "Amara Brightwater" in text


@pytest.mark.parametrize("section", SECTIONS)
def test_a_missing_section_shows_the_reason_in_place_of_empty_tables(section: str) -> None:
    given = story()
    part = getattr(given, section)
    part.Clear()
    part.status.CopyFrom(missing())
    text = page(given)
    assert text.count("MISSING") == 1
    assert "its service did not answer in time" in text


def test_a_section_that_was_never_filled_is_missing_and_not_empty() -> None:
    text = page(GetCustomer360Response(customer_id=CUSTOMER_ID))
    assert text.count("MISSING") == 6


def test_without_a_model_it_says_how_to_get_one() -> None:
    given = story()
    given.score.Clear()
    given.score.status.CopyFrom(absent())
    text = page(given)
    assert "no model is in use yet: run `holdfast model train`" in text
    assert "Incomplete" not in text


def test_an_organisation_goes_by_its_trading_name() -> None:
    given = story()
    given.customer.customer.organization.CopyFrom(Organization(trading_name="Nordwind Logistics AG"))
    assert "Nordwind Logistics AG" in page(given)
    assert "organisation" in page(given)


def test_text_of_others_steers_neither_the_terminal_nor_the_layout() -> None:
    given = story()
    given.customer.customer.individual.family_name = "\x1b[31mRed\x07 [bold]not markup[/]\nSecond"
    given.interactions.interactions[0].note = "[/] \x1b]0;title\x07 [link=x]y[/link]"
    text = page(given)
    assert "\x1b" not in text
    assert "[bold]not markup[/] Second" in flat(text)


def test_a_customer_without_anything_is_shown_as_such() -> None:
    given = story()
    for section in SECTIONS[1:5]:
        status = SectionStatus()
        status.CopyFrom(status_of(given, section))
        getattr(given, section).Clear()
        status_of(given, section).CopyFrom(status)
    text = page(given)
    assert "No product." in text
    assert text.count("None.") == 2
    assert "No clock runs." in text


@pytest.mark.parametrize("width", [80, 100, 130])
def test_it_fits_the_width(width: int) -> None:
    assert "Amara" in page(story(), width)
