"""What a family of products is, and what it asks of its products."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Invalid
from services.customer_info.catalogue import rules
from services.customer_info.catalogue.defaults import default_families
from services.customer_info.catalogue.rules import Characteristic, Family, Identifier, Kind, Status
from tests.unit.services.customer_info.builders import NOON, later

SPEED = Characteristic("speed_mbps", Kind.NUMBER, unit="Mbit/s", required=True, minimum=0.1, maximum=400_000)
PROTECTION = Characteristic("protection", Kind.CHOICE, ("none", "diverse"))
STATIC = Characteristic("static_ip", Kind.BOOLEAN)
LEASED = Family(
    "leased_line",
    "Leased line",
    "broadband",
    (SPEED, PROTECTION, STATIC, Characteristic("remark")),
    (Identifier("circuit", required=True, most=2), Identifier("ip")),
)
WHOLE = (("speed_mbps", "100"), ("protection", "none"), ("static_ip", "Yes"), ("remark", ""))


def check(
    family: Family = LEASED, told: Any = WHOLE, kinds: Any = ("circuit", "ip", "ip"), *, in_use: bool = True
) -> None:
    rules.check_product(family, told, kinds, in_use=in_use)


def test_a_new_family_is_active_and_the_first_of_its_versions() -> None:
    made = rules.defined(None, replace(LEASED, version=7, status=Status.RETIRED), NOON)
    assert made == replace(LEASED, update_time=NOON)


def test_a_family_defined_just_so_stays_as_it_is_and_another_content_is_its_next_version() -> None:
    kept = rules.defined(None, LEASED, NOON)
    assert rules.defined(kept, replace(LEASED, version=3), later()) is kept
    changed = rules.defined(kept, replace(LEASED, open=True), later())
    assert (changed.open, changed.version, changed.update_time) == (True, 2, later())


def test_a_retired_family_comes_back_when_it_is_defined_again() -> None:
    off = rules.retired(rules.defined(None, LEASED, NOON), later())
    assert (off.status, off.version) == (Status.RETIRED, 2)
    assert rules.retired(off, later(2)) is off
    assert rules.defined(off, LEASED, later(3)) == replace(LEASED, version=3, update_time=later(3))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"characteristics": (SPEED, SPEED)}, "family.characteristics"),
        ({"identifiers": (Identifier("ip"), Identifier("ip"))}, "family.identifiers"),
        ({"characteristics": (SPEED, Characteristic("imei"))}, "family.characteristics[1].name"),
        (
            {"characteristics": (Characteristic("pbx_slot"),), "identifiers": (Identifier("pbx_slot"),)},
            "family.characteristics[0].name",
        ),
        ({"characteristics": (replace(PROTECTION, choices=()),)}, "family.characteristics[0].choices"),
        ({"characteristics": (SPEED, replace(STATIC, choices=("a",)))}, "family.characteristics[1].choices"),
        ({"characteristics": (replace(STATIC, minimum=0),)}, "family.characteristics[0].minimum"),
        ({"characteristics": (replace(STATIC, maximum=0),)}, "family.characteristics[0].maximum"),
        ({"characteristics": (replace(SPEED, maximum=0),)}, "family.characteristics[0].maximum"),
    ],
)
def test_a_family_that_contradicts_itself_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.defined(None, replace(LEASED, **changes), NOON)
    assert refused.value.field == field


def test_a_product_that_tells_what_its_family_asks_passes() -> None:
    check()
    check(told=WHOLE[:1], kinds=("circuit",))
    check(told=WHOLE[:1], kinds=(), in_use=False)


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ((), "product.characteristics"),
        ((("speed_mbps", "1"), ("speed_mbps", "1")), "product.characteristics[1].name"),
        ((("speed_mbps", "1"), ("colour", "red")), "product.characteristics[1].name"),
        ((("speed_mbps", "fast"),), "product.characteristics[0].value"),
        ((("speed_mbps", "1_000"),), "product.characteristics[0].value"),
        ((("speed_mbps", "NaN"),), "product.characteristics[0].value"),
        ((("speed_mbps", "٣"),), "product.characteristics[0].value"),
        ((("speed_mbps", "0.09"),), "product.characteristics[0].value"),
        ((("speed_mbps", "400000.01"),), "product.characteristics[0].value"),
        ((("protection", "some"), ("speed_mbps", "1")), "product.characteristics[0].value"),
        ((("static_ip", "perhaps"), ("speed_mbps", "1")), "product.characteristics[0].value"),
    ],
)
def test_characteristics_are_checked_by_kind_range_and_need(told: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(told=told)
    assert refused.value.field == field


def test_bounds_belong_to_the_range_and_a_tenth_is_a_tenth() -> None:
    for value in ("0.1", "+0.10", "400000", "400000.0"):
        check(told=(("speed_mbps", value),))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**7), max_value=10**7))
def test_a_number_passes_exactly_within_its_bounds(value: Any) -> None:
    told = (("speed_mbps", f"{value:f}"),)
    if Decimal("0.1") <= value <= 400_000:
        check(told=told)
    else:
        with pytest.raises(Invalid):
            check(told=told)


@pytest.mark.parametrize(
    ("kinds", "field"),
    [
        (("circuit", "imei"), "product.identifiers[1].kind"),
        (("circuit",) * 3, "product.identifiers"),
        (("ip",), "product.identifiers"),
    ],
)
def test_identifiers_are_checked_by_kind_number_and_need(kinds: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(kinds=kinds)
    assert refused.value.field == field


def test_an_open_family_lets_pass_what_it_does_not_know_and_checks_what_it_does() -> None:
    family = replace(LEASED, open=True)
    check(family, (*WHOLE, ("colour", "red")), ("circuit", "imei"))
    for told, kinds in ((WHOLE[1:], ("circuit",)), (WHOLE, ("circuit",) * 3)):
        with pytest.raises(Invalid):
            check(family, told, kinds)


def test_an_unknown_family_is_refused_with_those_on_sale() -> None:
    families = {f.name: f for f in (LEASED, Family("fax", "Fax", "voice", status=Status.RETIRED))}
    assert rules.family_of(families, "fax").line == "voice"
    with pytest.raises(Invalid) as refused:
        rules.family_of(families, "telex")
    assert refused.value.field == "product.family"
    assert refused.value.metadata == {"allowed": "leased_line"}
    rules.check_on_sale(families["leased_line"])
    with pytest.raises(Invalid) as off:
        rules.check_on_sale(families["fax"])
    assert off.value.field == "product.family"


def test_the_catalogue_begins_with_all_lines_and_makes_sense() -> None:
    families = default_families()
    for family in families:
        rules.check(family)
    assert len({f.name for f in families}) == len(families)
    assert {f.line for f in families} >= {
        "voice",
        "mobile",
        "broadband",
        "conferencing",
        "fax_to_email",
        "messaging",
        "presence",
        "calendar",
        "fixed_mobile_convergence",
        "devices",
    }


@pytest.mark.parametrize("name", ["imei", "IMEI", " Email ", "pbx_slot"])
def test_no_characteristic_is_an_identifier_by_another_way(name: str) -> None:
    family = replace(LEASED, characteristics=(), identifiers=(Identifier("pbx_slot"),), open=True)
    with pytest.raises(Invalid) as refused:
        check(family, (("remark", "x"), (name, "490154203237518")), ())
    assert refused.value.field == "product.characteristics[1].name"
    assert "490154203237518" not in refused.value.message
