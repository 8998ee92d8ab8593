"""Identifiers: how each is written, and the keys by which they are looked up. Pure.

A key is a tuple that begins with a kind; stores turn it into a blind token before it goes anywhere.
"""

import functools
import re
import unicodedata
import uuid

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
# The customer's own id.
ID = "id"

# What HTML calls a valid email address (WHATWG HTML, 4.10.5.1.5), in any script (RFC 6531).
_WIDE = "\u00a1-\U0010ffff"
_LABEL = rf"[a-z0-9{_WIDE}](?:[a-z0-9{_WIDE}-]{{0,61}}[a-z0-9{_WIDE}])?"
_ADDRESS = re.compile(rf"[a-z0-9.!#$%&'*+/=?^_`{{|}}~{_WIDE}-]+@{_LABEL}(?:\.{_LABEL})*")
_SIGMAS = str.maketrans("σς", "ΣΣ")

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
# As people write it. The library would take letters for the digits of their keys, and leave extensions out.
_WRITTEN = re.compile(r"\+[0-9 ()./-]*", re.ASCII)
_HANDLE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*:\S+")


def email(text: str) -> str:
    """An email address as it is kept: without case (RFC 5321 lets the local part have one; nobody uses it).

    A domain that is written for machines ("xn--mller-kva.de") is kept as people write it ("müller.de").

    Raises:
        ValueError: it is none; the sentence does not repeat it.
    """
    address = text.strip().lower()
    if not address.isascii() or "@xn--" in address or ".xn--" in address:
        address = _readable(address)
    if not _ADDRESS.fullmatch(address) or not address.isprintable():
        raise ValueError("must be an email address")
    return address


def _readable(address: str) -> str:
    local, at, domain = address.rpartition("@")
    read = unicodedata.normalize("NFC", f"{local}{at}{'.'.join(map(_label, domain.split('.')))}")
    # Two small sigmas have one capital: which of them it stands for, the end of a word says, and a dot is one here.
    return ".".join(part.translate(_SIGMAS).lower() for part in read.split("."))


def _label(label: str) -> str:
    """A label of a domain as people write it (RFC 5891, 5.4); one that stands for nothing readable as it is."""
    if not label.startswith("xn--"):
        return label
    try:
        read = label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label
    return read if read.isprintable() and not read.isascii() else label


def social(text: str) -> str:
    """Who somebody is in a social network, as "network:handle".

    Raises:
        ValueError: it is not written so.
    """
    handle = text.strip()
    if not _HANDLE.fullmatch(handle):
        raise ValueError('must be "network:handle"')
    return handle


def lines(text: str) -> str:
    """A postal address in lines.

    Raises:
        ValueError: there is nothing in it.
    """
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def e164(text: str) -> str:
    """A telephone number as ITU-T E.164 writes it: "+", country, number; spaces and signs in `text` do not count.

    It may begin with the 00 of an international call in place of the "+", or be a URI (RFC 3966, "tel:+49…"), as
    telephone systems deliver it. An extension is refused: it would be left out of what is kept.

    Raises:
        ValueError: it is none, or has a length that no number of its country has; the sentence does not repeat it.
    """
    if _as_it_stands(text):
        return text
    number = _international(text)
    if not number.startswith("+"):
        raise ValueError("must be an E.164 number: + and the number with its country code")
    if not _WRITTEN.fullmatch(number):
        raise ValueError("must be an E.164 number: + and digits, without words and extensions")
    try:
        parsed = phonenumbers.parse(number)
    except NumberParseException as error:
        raise ValueError("must be an E.164 number: + and 7 to 15 digits") from error
    if phonenumbers.is_possible_number_with_reason(parsed) != ValidationResult.IS_POSSIBLE:
        raise ValueError("has a length that no number of its country has")
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)


def _international(text: str) -> str:
    number = text.strip()
    if number[:4].lower() == "tel:":
        number = number[4:]
    return f"+{number[2:]}" if number.startswith("00") else number


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


def account_key(number: str) -> Key:
    """The look-up key of an account's number: neither case nor the length of its spaces counts."""
    return ACCOUNT, " ".join(number.split()).casefold()


def any_keys(text: str) -> list[Key]:
    """The look-up keys of all that `text` may be: an address, a number, an external id, an account, the own id."""
    plain = text.strip()
    keys: list[Key] = [(VALUE, plain), account_key(plain)]
    for kind, read in ((EMAIL, email), (PHONE, e164), (ID, _own_id)):
        try:
            keys.append((kind, read(plain)))
        except ValueError:
            continue
    return keys


def _own_id(text: str) -> str:
    return str(uuid.UUID(text))
