"""Identifiers: one way to write each, and the keys they are found by."""

# ruff: noqa: RUF001 - letters of several alphabets are the point

import random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumberFormat, ValidationResult

from services.customer_info.identifier_rules import (
    ACCOUNT,
    EMAIL,
    ID,
    PHONE,
    VALUE,
    account_key,
    any_keys,
    e164,
    email,
)


def by_the_library(text: str) -> str | None:
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def test_a_number_is_what_the_library_says_it_is() -> None:
    chance = random.Random(164)
    codes = sorted(COUNTRY_CODE_TO_REGION_CODE)
    for _ in range(4000):
        digits = "".join(chance.choices("0123456789", k=chance.randint(3, 14)))
        text = f"+{chance.choice(codes)}{digits}"
        try:
            found: str | None = e164(text)
        except ValueError:
            found = None
        assert found == by_the_library(text), text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+49 (0)30 1234567", "+49301234567"),
        ("+49 30/123-45 67", "+49301234567"),
        (" +44 20 7946 0958", "+442079460958"),
        ("+39 06 698 12345", "+390669812345"),
        ("+1 (202) 555-0123", "+12025550123"),
        ("0049 30 1234567", "+49301234567"),
        ("tel:+49-30-1234567", "+49301234567"),
        ("TEL:00493012345678", "+493012345678"),
    ],
)
def test_a_number_may_be_written_as_people_do(text: str, number: str) -> None:
    assert e164(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "030 1234567",
        "+49",
        "+999123456789",
        "+4930",
        "call me",
        "",
        "+49 30 1234567 call me",
        "+49 30 1234567 ext. 5",
        "+49 30 1234567x99",
        "tel:+49301234567;ext=7",
        "00",
        "+49 30 123456\uff17",
    ],
)
def test_what_is_no_number_with_its_country_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(must|has)") as refused:
        e164(text)
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("text", ["a@b", "Ada.Example@Example.COM ", "o'brien+x@mail.example"])
def test_an_address_has_no_case(text: str) -> None:
    assert email(text) == text.strip().lower()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Jörg@Müller.DE", "jörg@müller.de"),
        ("jo\u0308rg@xn--mller-kva.de", "jörg@müller.de"),
        ("用户@例子.广告", "用户@例子.广告"),
        ("a@xn--strae-oqa.de", "a@straße.de"),
        ("A@STRAẞE.de", "a@straße.de"),
        ("ΝΊΚΟΣ.ΠΑΠΆΣ@ΒΌΛΟΣ.GR", "νίκος.παπάς@βόλος.gr"),
        ("νίκος.παπάς@xn--nxasmm1c.gr", "νίκος.παπάς@βόλος.gr"),
    ],
)
def test_an_address_may_be_of_any_script(text: str, address: str) -> None:
    assert email(text) == address


@pytest.mark.parametrize("domain", ["xn--a.de", "xn--999999999.de", "xn--mgba3gch31f060k.com"])
def test_a_domain_that_stands_for_nothing_readable_stays_as_it_is(domain: str) -> None:
    assert email(f"a@{domain}") == f"a@{domain}"


@given(st.text("aäßσςΣΌό.@xn-", min_size=1, max_size=20))
def test_what_is_kept_of_an_address_is_kept_of_it_again(text: str) -> None:
    try:
        kept = email(text)
    except ValueError:
        return
    assert email(kept) == kept
    if "ß" not in kept:
        assert email(kept.upper()) == kept


@pytest.mark.parametrize("text", ["a b@c.example", "jörg\u2003x@b.example", "a@b\u200bc.example"])
def test_no_blank_is_part_of_an_address(text: str) -> None:
    with pytest.raises(ValueError, match="email"):
        email(text)


@pytest.mark.parametrize("text", ["a", "a@", "@b", "a b@c.example", "a@b..c", "a@-b"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="email"):
        email(text)


def test_a_text_may_be_several_things() -> None:
    assert set(any_keys(" +49 30 1234567 ")) == {
        (VALUE, "+49 30 1234567"),
        (ACCOUNT, "+49 30 1234567"),
        (PHONE, "+49301234567"),
    }
    assert (EMAIL, "a@b.example") in any_keys("A@b.example")
    own = "0b0e7f0a-5e0c-4a43-9d38-5e9d9cbf7a01"
    assert (ID, own) in any_keys(f" {own.upper()}")


def test_a_number_of_an_account_is_one_however_it_is_written() -> None:
    key = account_key("CC-2C  25dc")
    for written in ("cc-2c 25dc", " CC-2C 25DC ", "Cc-2c\t25Dc"):
        assert account_key(written) == key
        assert key in any_keys(written)
    assert account_key("cc-2c25dc") != key
