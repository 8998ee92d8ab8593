"""Identifiers: how each is written, and the keys by which they are looked up. Pure.

A key is a tuple that begins with a kind; stores turn it into a blind token before it goes anywhere.
"""

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

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
    if not text.lstrip().startswith("+"):
        raise ValueError("must be an E.164 number: + and the number with its country code")
    try:
        number = phonenumbers.parse(text)
    except NumberParseException as error:
        raise ValueError("must be an E.164 number: + and 7 to 15 digits") from error
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        raise ValueError("has a length that no number of its country has")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


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
