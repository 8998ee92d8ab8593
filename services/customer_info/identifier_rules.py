"""Identifiers: how each is written, and the keys by which they are looked up. Pure.

A key is a tuple that begins with a kind; stores turn it into a blind token before it goes anywhere.
"""

import functools
import re

import phonenumbers
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    ValidationResult,
)

Key = tuple[str, ...]

# Of contact media and of services alike: a caller's number finds both.
EMAIL, PHONE = "email", "phone"
# An external id under its issuer, and under none.
EXTERNAL, VALUE = "x", "v"
ACCOUNT = "account"

# What HTML calls a valid email address (WHATWG HTML, 4.10.5.1.5).
_ADDRESS = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)


_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


def email(text: str) -> str:
    """An email address as it is kept: without case (RFC 5321 lets the local part have one; nobody uses it).

    Raises:
        ValueError: it is none; the sentence does not repeat it.
    """
    address = text.strip().lower()
    if not _ADDRESS.fullmatch(address):
        raise ValueError("must be an email address")
    return address


def e164(text: str) -> str:
    """A telephone number as ITU-T E.164 writes it: "+", country, number; spaces and signs in `text` do not count.

    Raises:
        ValueError: it is none, or has a length that no number of its country has; the sentence does not repeat it.
    """
    if _as_it_stands(text):
        return text
    if not text.lstrip().startswith("+"):
        raise ValueError("must be an E.164 number: + and the number with its country code")
    try:
        number = phonenumbers.parse(text)
    except NumberParseException as error:
        raise ValueError("must be an E.164 number: + and 7 to 15 digits") from error
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        raise ValueError("has a length that no number of its country has")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _as_it_stands(text: str) -> bool:
    """Whether `text` is written as E.164 wants it and has a length of its country: told without taking it apart.

    The library needs 15 µs to parse a number, which a bulk load pays for each; this needs 4. Whatever could have to be
    rewritten, such as a number with the prefix that its country dials at home, is left to the library.
    """
    if not _E164.fullmatch(text):
        return False
    for digits in (1, 2, 3):
        code, rest = int(text[1 : 1 + digits]), text[1 + digits :]
        if code in COUNTRY_CODE_TO_REGION_CODE:
            at_home = _home_prefix(code)
            if rest.startswith("0") or (at_home is not None and at_home.match(rest)):
                return False
            number = PhoneNumber(country_code=code, national_number=int(rest))
            return phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    return False


@functools.cache
def _home_prefix(code: int) -> "re.Pattern[str] | None":
    """What numbers of a country begin with when they are dialled in it."""
    region = phonenumbers.region_code_for_country_code(code)
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    prefix = metadata.national_prefix_for_parsing if metadata else None
    return re.compile(prefix) if prefix else None


def external_key(issuer: str, value: str) -> Key:
    """The look-up key of an external id; without its issuer, that of the value alone."""
    return (EXTERNAL, issuer, value) if issuer else (VALUE, value)


def any_keys(text: str) -> list[Key]:
    """The look-up keys of all that `text` may be: an address, a number, an external id, an account."""
    plain = text.strip()
    keys: list[Key] = [(VALUE, plain), (ACCOUNT, plain)]
    for kind, read in ((EMAIL, email), (PHONE, e164)):
        try:
            keys.append((kind, read(plain)))
        except ValueError:
            continue
    return keys
