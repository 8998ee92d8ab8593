"""What services are known by in the network: how each kind is written, checked and looked up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Invalid
from services.customer_info import identifier_rules as known
from services.customer_info.portfolio.identifier_rules import (
    EXCLUSIVE,
    WRITTEN,
    ServiceIdentifier,
    any_service,
    iccid,
    imei,
    key,
    luhn_digit,
    normalised,
)
from tests.unit.services.customer_info import strategies

digits = st.text("0123456789", min_size=1, max_size=30)


def luhn_sum(number: str) -> int:
    """The sum that ISO/IEC 7812-1 wants to end in zero, written down from the standard's own words."""
    total = 0
    for place, digit in enumerate(reversed(number), 1):
        total += int(digit) if place % 2 else sum(int(d) for d in str(2 * int(digit)))
    return total


@pytest.mark.parametrize(
    ("number", "digit"),
    [("7992739871", "3"), ("49015420323751", "8"), ("35209900176148", "1"), ("899110120000320451", "4"), ("0", "0")],
)
def test_check_digits_are_those_of_known_numbers(number: str, digit: str) -> None:
    assert luhn_digit(number) == digit
    assert luhn_sum(number + digit) % 10 == 0


@given(digits)
def test_a_number_with_its_check_digit_satisfies_the_formula(number: str) -> None:
    assert luhn_sum(number + luhn_digit(number)) % 10 == 0


@given(digits, st.data())
def test_any_one_wrong_digit_is_found(number: str, data: st.DataObject) -> None:
    whole = number + luhn_digit(number)
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != whole[place]]))
    broken = whole[:place] + other + whole[place + 1 :]
    assert luhn_digit(broken[:-1]) != broken[-1]


@given(digits, st.data())
def test_two_neighbours_that_changed_places_are_found_unless_they_are_nought_and_nine(
    number: str, data: st.DataObject
) -> None:
    whole = number + luhn_digit(number)
    place = data.draw(st.integers(0, len(whole) - 2))
    one, two = whole[place], whole[place + 1]
    swapped = whole[:place] + two + one + whole[place + 2 :]
    found = luhn_digit(swapped[:-1]) != swapped[-1]
    assert found is (one != two and {one, two} != {"0", "9"})


@given(st.text("0123456789", min_size=14, max_size=14))
def test_an_imei_may_come_without_its_check_digit_and_is_kept_with_it(number: str) -> None:
    whole = imei(number)
    assert (len(whole), whole[:14]) == (15, number)
    assert imei(whole) == imei(f"{whole[:2]}-{whole[2:8]}-{whole[8:14]}-{whole[14]}") == whole


@given(st.text("0123456789", min_size=16, max_size=17))
def test_a_sim_card_has_its_check_digit(number: str) -> None:
    body = f"89{number}"
    assert iccid(body + luhn_digit(body)) == body + luhn_digit(body)
    with pytest.raises(ValueError, match="check digit"):
        iccid(body + str((int(luhn_digit(body)) + 1) % 10))


@given(strategies.identifiers)
def test_what_is_kept_is_kept_as_it_is(identifier: ServiceIdentifier) -> None:
    assert normalised(identifier, "here") == identifier


@pytest.mark.parametrize(
    ("kind", "written", "kept"),
    [
        ("msisdn", "+49 (151) 234-56 789", "+4915123456789"),
        ("e164", "+39 06 698 12345", "+390669812345"),
        ("imsi", "262 01 1234567890", "262011234567890"),
        ("imsi", "26201123456789", "26201123456789"),
        ("imei", "49-015420-323751-8", "490154203237518"),
        ("iccid", "8991 1012 0000 3204 514", "8991101200003204514"),
        ("circuit", " CIR-1/a ", "CIR-1/a"),
        ("ip", "192.0.2.7", "192.0.2.7"),
        ("ip", "2001:DB8:0:0::1", "2001:db8::1"),
        ("ip", "192.0.2.0/29", "192.0.2.0/29"),
        ("mac", "00-00-5E-00-53-AF", "00:00:5e:00:53:af"),
        ("mac", "0000.5e00.53af", "00:00:5e:00:53:af"),
        ("sip", "SIP:Ada@PBX.example.com:5061", "sip:Ada@pbx.example.com:5061"),
        ("email", " Fax@Example.com ", "fax@example.com"),
        ("pbx_slot", " 4/12 ", "4/12"),
    ],
)
def test_every_kind_is_kept_in_one_way(kind: str, written: str, kept: str) -> None:
    assert normalised(ServiceIdentifier(kind, written), "here") == ServiceIdentifier(kind, kept)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("msisdn", "4915123456789"),
        ("msisdn", "+120255501"),
        ("e164", "+999123456789"),
        ("imsi", "2620112345678"),
        ("imsi", "2620112345678901"),
        ("imsi", "26201123456789x"),
        ("imei", "490154203237519"),
        ("imei", "4901542032375"),
        ("imei", "4901542032375181"),
        ("imei", "٤90154203237518"),
        ("iccid", "7991101200003204514"),
        ("iccid", "893001202312345678"),
        ("ip", "192.0.2.256"),
        ("ip", "192.0.2.1/29"),
        ("mac", "00:00:5e:00:53"),
        ("mac", "00:00:5e:00:53:ag"),
        ("sip", "ada@pbx.example.com"),
        ("sip", "sip:ada"),
        ("email", "nobody"),
        ("circuit", "  "),
        ("circuit", "C\x001"),
    ],
)
def test_what_is_none_of_its_kind_is_refused_by_field_and_not_repeated(kind: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        normalised(ServiceIdentifier(kind, value), "product.identifiers[3]")
    assert refused.value.field == "product.identifiers[3].value"
    assert value.strip() not in refused.value.message or not value.strip()


def test_a_number_is_found_as_a_callers_is_and_an_address_as_a_persons_is() -> None:
    number, address = "+4915123456789", "fax@example.com"
    for kind in ("msisdn", "e164"):
        assert key(ServiceIdentifier(kind, number)) == (known.PHONE, number)
    assert key(ServiceIdentifier("email", address)) == (known.EMAIL, address)
    assert (known.PHONE, number) in known.any_keys(number)


@pytest.mark.parametrize("kind", sorted(EXCLUSIVE - {"msisdn"}))
def test_what_the_network_knows_is_found_by_its_own_kind(kind: str) -> None:
    assert key(ServiceIdentifier(kind, "1")) == (kind, "1")


def test_what_has_no_form_of_its_own_is_the_same_in_small_letters_and_in_capitals() -> None:
    for kind in ("circuit", "pbx_slot"):
        small, capitals = (normalised(ServiceIdentifier(kind, text), "here") for text in ("cir-9", "CIR-9"))
        assert small != capitals
        assert key(small) == key(capitals)
    assert ("circuit", "CIR-9") in any_service("Cir-9")
    user, other = (ServiceIdentifier("sip", f"sip:{name}@pbx.example.com") for name in ("Ada", "ada"))
    assert key(user) != key(other)


def test_a_text_may_be_an_identifier_of_several_kinds_however_it_is_written() -> None:
    assert {("imei", "490154203237518"), ("circuit", "49-015420-323751-8")} <= set(any_service("49-015420-323751-8"))
    assert ("imsi", "262011234567890") in any_service("26201 1234567890")
    assert [k for k in any_service("nobody@nowhere") if k[0] != "circuit"] == [(known.EMAIL, "nobody@nowhere")]


def test_all_that_only_one_can_have_is_checked() -> None:
    assert set(WRITTEN) >= EXCLUSIVE
