"""What of a customer is compared, in comparable form. Pure."""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from services.customer_info.customers.rules import Customer, Individual, MediumKind, Organization
from services.customer_info.names.forms_rules import GENERATIONS
from services.customer_info.names.rules import folded, parsed

_POSTCODE: Final = re.compile(r"(?<!\w)(\d{4,6}|[a-z]{1,2}\d[a-z\d]? \d[a-z]{2})(?!\w)")
_HOUSE: Final = re.compile(r"(?<!\w)(\d{1,4})[a-z]?(?!\w)")
_STREETS: Final = re.compile(
    r"(strasse|straat|street|str|st|rd|road|avenue|ave|weg|platz|pl|rue|calle|ulica|ul|via)(?!\w)"
)
_NO_DIGITS: Final = re.compile(r"\D+")
_ONE_MAILBOX: Final = frozenset({"gmail.com", "googlemail.com"})
PHONE_DIGITS: Final = 9
"""The last digits of a number tell it apart; country code and trunk prefix are written in too many ways."""


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address: its words without kinds of street, its postcode and house number; empty where there is none."""

    words: frozenset[str]
    postcode: str
    house: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A customer as it is compared. A person has `given` and `family`, an organisation `name`."""

    person: bool
    given: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    generation: int = 0
    name: tuple[str, ...] = ()
    form: str = ""
    registration: str = ""
    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    addresses: tuple[Address, ...] = ()
    socials: frozenset[str] = frozenset()
    external_ids: frozenset[tuple[str, str]] = frozenset()


def profile(customer: Customer) -> Profile:
    """What of `customer` is compared; former contact media count, as people move."""
    values: defaultdict[MediumKind, list[str]] = defaultdict(list)
    for medium in customer.contact_media:
        values[medium.kind].append(medium.value)
    party = customer.party
    named = _company(party) if isinstance(party, Organization) else _person(party)
    return named(
        emails=frozenset(map(mailbox, values[MediumKind.EMAIL])),
        phones=frozenset(p for p in map(digits, values[MediumKind.PHONE]) if p),
        addresses=tuple(sorted(map(address, set(values[MediumKind.POST])), key=lambda a: sorted(a.words))),
        socials=frozenset(s.strip().casefold() for s in values[MediumKind.SOCIAL]),
        external_ids=frozenset((x.issuer, x.value) for x in customer.external_ids),
    )


def _company(party: Organization) -> Callable[..., Profile]:
    words = parsed(party.trading_name)
    registration = folded(party.registration_number).replace(" ", "")
    return partial(Profile, person=False, name=words.core, form="".join(words.forms), registration=registration)


def _person(party: Individual) -> Callable[..., Profile]:
    given, family = parsed(party.given_name).core, parsed(party.family_name).core
    generation = 0
    for names in (family, given):
        if len(names) > 1 and names[-1] in GENERATIONS:
            generation = generation or GENERATIONS[names[-1]]
    return partial(
        Profile,
        person=True,
        given=tuple(n for n in given if n not in GENERATIONS) or given,
        family=tuple(n for n in family if n not in GENERATIONS) or family,
        generation=generation,
    )


def mailbox(email: str) -> str:
    """The mailbox behind an address: no case, no `+tag`, and for Gmail no dots."""
    local, _, domain = email.strip().lower().rpartition("@")
    local = local.split("+")[0]
    return f"{local.replace('.', '') if domain in _ONE_MAILBOX else local}@{domain}"


def digits(phone: str) -> str:
    """The digits that tell a number apart; empty for fewer than six."""
    plain = _NO_DIGITS.sub("", phone)
    return plain[-PHONE_DIGITS:] if len(plain) >= 6 else ""


def address(text: str) -> Address:
    """A postal address; what is neither postcode nor house number are its words."""
    plain = folded(text)
    found = _POSTCODE.findall(plain)
    postcode = found[-1].replace(" ", "") if found else ""
    rest = _POSTCODE.sub(" ", plain)
    house = _HOUSE.search(rest)
    words = frozenset(_STREETS.sub(" ", re.sub(r"\d+[a-z]?(?!\w)", " ", rest)).split())
    return Address(words, postcode, house[1] if house else "")
