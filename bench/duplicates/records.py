"""Records of people, households and companies before anything goes wrong. Everything follows from the seed."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from bench.population.companies import PLACES
from bench.population.people import Population
from services.customer_info.customers.rules import (
    ContactMedium,
    Customer,
    ExternalId,
    Individual,
    MediumKind,
    Organization,
)
from services.customer_info.names.rules import folded

PROVIDERS: Final = (
    "gmail.com",
    "gmx.de",
    "web.de",
    "t-online.de",
    "outlook.com",
    "yahoo.com",
    "icloud.com",
    "posteo.de",
)
STREETS: Final = (
    "Hauptstraße", "Bahnhofstraße", "Schulstraße", "Gartenstraße", "Bergstraße", "Dorfstraße", "Birkenweg", "Feldweg",
    "Kirchstraße", "Waldstraße", "Ringstraße", "Am Markt", "Goethestraße", "Schillerstraße", "Mozartstraße", "Rosenweg",
    "Amselweg", "Mühlenweg", "Industriestraße", "Parkstraße", "Friedrichstraße", "Lindenstraße", "Wilhelmstraße",
    "Poststraße",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """A record as somebody typed it. A person has `given` and `family`, a company `name`."""

    given: str = ""
    family: str = ""
    name: str = ""
    registration: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    posts: tuple[str, ...] = ()
    issued: str = ""

    def customer(self, customer_id: str) -> Customer:
        """As the rules read it."""
        kinds = ((MediumKind.EMAIL, self.emails), (MediumKind.PHONE, self.phones), (MediumKind.POST, self.posts))
        media = tuple(ContactMedium(kind, value) for kind, values in kinds for value in values)
        ids = (ExternalId("billing", self.issued),) if self.issued else ()
        party = Organization(self.name, self.registration) if self.name else Individual(self.given, self.family)
        return Customer(customer_id, party, contact_media=media, external_ids=ids)


@dataclass
class Town:
    """Where records come from, one family or group of companies after the other."""

    seed: int
    population: Population = field(init=False)
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.population = Population(self.seed)
        self.rng = random.Random(f"town/{self.seed}")

    def neighbours(self) -> list[Record]:
        """A person, a household, or a group of companies: each record another customer."""
        draw = self.rng.random()
        if draw < 0.08:
            return self._group()
        return self._household() if draw < 0.3 else [self._person()]

    def _person(self, **known: str) -> Record:
        given, family = self.population.person()
        given, family = known.get("given", given), known.get("family", family)
        rng = self.rng
        return Record(
            given,
            family,
            emails=(self.email(given, family),) if rng.random() < 0.8 else (),
            phones=(self.mobile(),) if rng.random() < 0.95 else (),
            posts=(known.get("post") or self.address(),) if rng.random() < 0.95 else (),
            issued=f"B{rng.randrange(10**8):08}" if rng.random() < 0.5 else "",
        )

    def _household(self) -> list[Record]:
        """Two to four people: one address, mostly one name, some with one telephone or mailbox among them."""
        rng = self.rng
        first = self._person()
        post, line = self.address(), self.landline() if rng.random() < 0.5 else ""
        shared = self.email("familie", first.family) if rng.random() < 0.15 else ""
        members = []
        for n in range(rng.choice((2, 2, 3, 4))):
            family = first.family if n == 0 or rng.random() < 0.85 else self.population.family()
            one = self._person(family=family, post=post)
            if n == 1 and family == first.family and rng.random() < 0.01:
                one = replace(one, given=first.given, family=f"{family} jun." if rng.random() < 0.5 else family)
            mobile = one.phones if rng.random() < 0.7 else ()
            one = replace(one, phones=mobile + ((line,) if line else ()), emails=(shared,) if shared else one.emails)
            members.append(replace(one, given=first.given) if n == 0 else one)
        return members

    def _group(self) -> list[Record]:
        """A company, some with a sister company at the same address and telephone."""
        rng, population = self.rng, self.population
        name, post, phone = population.company(), self.address(), self.landline()
        domain = folded(name).split()[0] + rng.choice((".de", ".com", "-group.com"))
        first = Record(
            name=name,
            registration=f"HRB {rng.randrange(1000, 250000)}" if rng.random() < 0.6 else "",
            emails=(f"{rng.choice(('info', 'kontakt', 'office', 'buchhaltung'))}@{domain}",)
            if rng.random() < 0.8
            else (),
            phones=(phone,) if rng.random() < 0.9 else (),
            posts=(post,) if rng.random() < 0.9 else (),
        )
        if rng.random() < 0.8:
            return [first]
        word = rng.choice([w for w in ("Holding", "Verwaltung", "Beteiligungen", "Service", "Nord") if w not in name])
        other = f"{name.split()[0]} {word} GmbH"
        number = f"HRB {rng.randrange(1000, 250000)}" if rng.random() < 0.6 else ""
        return [first, replace(first, name=other, registration=number)]

    def email(self, given: str, family: str) -> str:
        """A mailbox as people make them of their names."""
        rng = self.rng
        one, two = folded(given).split()[0], folded(family).replace(" ", "")
        local = rng.choice((f"{one}.{two}", f"{one[0]}.{two}", f"{two}.{one}", f"{one}{two}", f"{one}_{two}", two))
        number = str(rng.choice((rng.randrange(1, 99), rng.randrange(1950, 2008)))) if rng.random() < 0.6 else ""
        return f"{local}{number}@{rng.choice(PROVIDERS)}"

    def mobile(self) -> str:
        """A mobile number."""
        prefix = self.rng.choice((151, 152, 157, 160, 163, 170, 171, 172, 175, 176, 179))
        return f"+49{prefix}{self.rng.randrange(10**7, 10**8)}"

    def landline(self) -> str:
        """A number of the fixed network."""
        area = self.rng.choice((30, 40, 69, 89, 221, 341, 351, 511, 711, 911))
        return f"+49{area}{self.rng.randrange(10**6, 10**7)}"

    def address(self) -> str:
        """A street, a house number, a postcode and a town."""
        rng = self.rng
        street = rng.choice(STREETS) if rng.random() < 0.6 else f"{self.population.family().split('-')[0]}straße"
        town = rng.choice(PLACES) + rng.choice(("burg", "stadt", "hausen", "heim", "dorf", "ingen"))
        letter = rng.choice("abc") if rng.random() < 0.1 else ""
        return (
            f"{street} {min(rng.randint(1, 40), rng.randint(1, 160))}{letter}, {rng.randrange(1067, 99998):05} {town}"
        )


Corruption = Callable[[Record, Town], Record]
