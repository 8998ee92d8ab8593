"""What services are known by in the network: how each kind is written, checked and looked up. Pure.

Sources: numbers ITU-T E.164, SIM cards ITU-T E.118, subscribers ITU-T E.212, devices 3GPP TS 23.003 (6.2 and annex B,
whose check digit is that of ISO/IEC 7812-1, the Luhn formula).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from chassis.rules import AlreadyExists, Invalid
from services.customer_info import identifier_rules as known
from services.customer_info.identifier_rules import Key

# Kinds of telephone numbers: a mobile one and any other. Either is found as a caller's number is.
NUMBERS = frozenset({"msisdn", "e164"})
# What only one product has that has not ceased. A fixed number may serve several: a line, and the fax on it.
EXCLUSIVE = frozenset({"msisdn", "imsi", "imei", "iccid", "circuit"})
# As people write them between groups of digits.
SEPARATORS = str.maketrans("", "", " -./")
_SIP = re.compile(r"(sips?):([^\s@<>]+)@([a-z0-9.\-\[\]:]+)", re.IGNORECASE | re.ASCII)
_MAC = re.compile(r"[0-9a-f]{12}")
_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class ServiceIdentifier:
    """What a service is known by in the network."""

    kind: str
    value: str


def normalised(identifier: ServiceIdentifier, path: str) -> ServiceIdentifier:
    """`identifier` as it is kept: the one way of all in which its kind may be written.

    Raises:
        Invalid: it is none of its kind; names `path`, and does not repeat the value.
    """
    write = WRITTEN.get(identifier.kind, _text)
    try:
        value = write(identifier.value)
    except ValueError as error:
        raise Invalid(str(error), field=f"{path}.value") from error
    return identifier if value == identifier.value else ServiceIdentifier(identifier.kind, value)


def key(identifier: ServiceIdentifier) -> Key:
    """The look-up key of an identifier; a number shares its kind with the numbers of people, as an address does.

    What has no form of its own, such as the name of a circuit, is the same in small letters and in capitals.
    """
    if identifier.kind in NUMBERS:
        return (known.PHONE, identifier.value)
    if WRITTEN.get(identifier.kind, _text) is _text:
        return (identifier.kind, identifier.value.upper())
    return (identifier.kind, identifier.value)


def any_service(text: str) -> list[Key]:
    """The look-up keys of every identifier, beyond a telephone number, that `text` may be."""
    keys = []
    for kind in sorted(set(WRITTEN) - NUMBERS):
        try:
            keys.append(key(ServiceIdentifier(kind, WRITTEN[kind](text.strip()))))
        except ValueError:
            continue
    return keys


def taken(kind: str, holder_id: str) -> AlreadyExists:
    """The refusal of an identifier that another product has, which has not ceased."""
    return AlreadyExists(
        "an identifier belongs to another product that has not ceased",
        reason="IDENTIFIER_TAKEN",
        field="product.identifiers",
        metadata={"kind": kind, "type": "product", "id": holder_id},
    )


def luhn_digit(digits: str) -> str:
    """The check digit that the Luhn formula gives to `digits` (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def imei(text: str) -> str:
    """The identity of a device: 14 digits and their check digit, which is added where it is left out.

    Raises:
        ValueError: it is none.
    """
    digits = text.translate(SEPARATORS)
    if not _DIGITS.fullmatch(digits) or len(digits) not in (14, 15):
        raise ValueError("must be an IMEI: 14 digits and a check digit")
    whole = digits[:14] + luhn_digit(digits[:14])
    if len(digits) == 15 and digits != whole:
        raise ValueError("must be an IMEI: the check digit is wrong")
    return whole


def iccid(text: str) -> str:
    """The number of a SIM card: 19 or 20 digits that begin with 89 (telecommunications), the last one a check digit.

    Raises:
        ValueError: it is none.
    """
    digits = text.translate(SEPARATORS)
    if not _DIGITS.fullmatch(digits) or len(digits) not in (19, 20) or not digits.startswith("89"):
        raise ValueError("must be an ICCID: 19 or 20 digits that begin with 89")
    if digits[-1] != luhn_digit(digits[:-1]):
        raise ValueError("must be an ICCID: the check digit is wrong")
    return digits


def imsi(text: str) -> str:
    """The identity of a mobile subscription: 14 or 15 digits, those of the country and the network first.

    Raises:
        ValueError: it is none.
    """
    digits = text.translate(SEPARATORS)
    if not _DIGITS.fullmatch(digits) or len(digits) not in (14, 15):
        raise ValueError("must be an IMSI: 14 or 15 digits")
    return digits


def ip(text: str) -> str:
    """An address or a network, of version 4 or 6, in its shortest form (RFC 5952).

    Raises:
        ValueError: it is none.
    """
    plain = text.strip()
    try:
        return str(ip_network(plain) if "/" in plain else ip_address(plain))
    except ValueError as error:
        raise ValueError("must be an IP address, or a network such as 192.0.2.0/29") from error


def mac(text: str) -> str:
    """A hardware address: 12 hexadecimal digits in pairs.

    Raises:
        ValueError: it is none.
    """
    digits = re.sub(r"[\s:.\-]", "", text.lower())
    if not _MAC.fullmatch(digits):
        raise ValueError("must be a MAC address: 12 hexadecimal digits")
    return ":".join(digits[n : n + 2] for n in range(0, 12, 2))


def sip(text: str) -> str:
    """A SIP address (RFC 3261, 19.1): the scheme and the host have no case, the user has.

    Raises:
        ValueError: it is none.
    """
    found = _SIP.fullmatch(text.strip())
    if found is None:
        raise ValueError("must be a SIP address, such as sip:user@host")
    scheme, user, host = found.groups()
    return f"{scheme.lower()}:{user}@{host.lower()}"


def _text(text: str) -> str:
    plain = text.strip()
    if not plain or not plain.isprintable():
        raise ValueError("must be a text that can be printed")
    return plain


WRITTEN: Mapping[str, Callable[[str], str]] = {
    "msisdn": known.e164,
    "e164": known.e164,
    "imsi": imsi,
    "imei": imei,
    "iccid": iccid,
    "circuit": _text,
    "ip": ip,
    "mac": mac,
    "sip": sip,
    "email": known.email,
}
