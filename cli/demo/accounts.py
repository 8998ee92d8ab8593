"""Who the customers are and what they have: what is settled before anything happens to them."""

import random
from dataclasses import dataclass
from typing import Final

from holdfast.customer_info.v1.customers_pb2 import PaymentMethod

from cli.demo import catalogue
from cli.demo.catalogue import Offer
from cli.demo.chance import one_of

CHECK: Final = PaymentMethod.PAYMENT_METHOD_ELECTRONIC_CHECK
PAYMENTS: Final[tuple[tuple[PaymentMethod.ValueType, float], ...]] = (
    (CHECK, 32),
    (PaymentMethod.PAYMENT_METHOD_MAILED_CHECK, 18),
    (PaymentMethod.PAYMENT_METHOD_BANK_TRANSFER, 28),
    (PaymentMethod.PAYMENT_METHOD_CREDIT_CARD, 22),
)
LONGEST_TENURE: Final = 72


@dataclass(frozen=True, slots=True)
class Account:
    """A customer before its story.

    Attributes:
        tenure: whole months as a customer, when its outcome is observed.
        term: months of commitment of its contracts.
        friction: how much goes wrong for it, against the average of 1.
        tier: the agreement of a business, "gold", "silver" or "standard"; empty for a person.
    """

    tenure: int
    term: int
    payment: PaymentMethod.ValueType
    paperless: bool
    offers: tuple[Offer, ...]
    friction: float
    senior: bool = False
    partner: bool = False
    dependents: bool = False
    tier: str = ""

    @property
    def cents(self) -> int:
        """What it pays a month."""
        return sum(offer.cents for offer in self.offers)

    def has(self, family: str, characteristic: tuple[str, str] | None = None) -> bool:
        """Whether it has something of that family, with that characteristic."""
        return any(
            offer.family == family and (characteristic is None or characteristic in offer.characteristics)
            for offer in self.offers
        )


def person(rng: random.Random) -> Account:
    """A consumer."""
    tenure = _tenure(rng)
    partner = rng.random() < 0.48
    return Account(
        tenure=tenure,
        term=_term(rng, tenure),
        payment=one_of(rng, PAYMENTS),
        paperless=rng.random() < 0.6,
        offers=_home(rng, tenure),
        friction=rng.gammavariate(2.0, 0.5),
        senior=rng.random() < 0.16,
        partner=partner,
        dependents=rng.random() < (0.5 if partner else 0.1),
    )


def business(rng: random.Random, tier: str, tenure: int, level: int) -> Account:
    """One node of an enterprise; `level` 0 is the enterprise itself."""
    return Account(
        tenure=max(1, tenure - rng.randint(0, 6) * level),
        term=one_of(rng, ((12, 3), (24, 6))) if tier != "standard" else one_of(rng, ((0, 2), (12, 5), (24, 3))),
        payment=PaymentMethod.PAYMENT_METHOD_BANK_TRANSFER,
        paperless=rng.random() < 0.8,
        offers=_office(rng, level),
        friction=rng.gammavariate(2.0, 0.5),
        tier=tier,
    )


def _tenure(rng: random.Random) -> int:
    # Two humps, as operators see them: many who came lately, and a core that has always been there.
    if rng.random() < 0.35:
        return 1 + min(LONGEST_TENURE - 1, int(rng.expovariate(1 / 7)))
    return 1 + int(rng.betavariate(1.6, 1.2) * (LONGEST_TENURE - 1))


def _term(rng: random.Random, tenure: int) -> int:
    settled = tenure / LONGEST_TENURE
    return one_of(rng, ((0, 0.85 - 0.6 * settled), (12, 0.1 + 0.15 * settled), (24, 0.05 + 0.45 * settled)))


def _home(rng: random.Random, tenure: int) -> tuple[Offer, ...]:
    technology = one_of(rng, (("none", 20), ("dsl", 36), ("fiber", 44)))
    offers: list[Offer] = []
    if technology == "none" or rng.random() < 0.85:
        offers.append(catalogue.VOICE_TWO_LINES if rng.random() < 0.4 else catalogue.VOICE)
    if technology != "none":
        offers.append(catalogue.FIBER if technology == "fiber" else catalogue.DSL)
        share = 0.22 + 0.35 * tenure / LONGEST_TENURE
        offers += [offer for offer in catalogue.ADDONS.values() if rng.random() < share]
    if rng.random() < 0.45:
        offers.append(rng.choice(catalogue.MOBILE))
        if rng.random() < 0.3:
            offers.append(catalogue.PHONE)
    return tuple(offers)


def _office(rng: random.Random, level: int) -> tuple[Offer, ...]:
    lines = rng.randint(4, 40) if level == 0 else rng.randint(2, 15)
    offers = [
        catalogue.BUSINESS_FIBER if rng.random() < 0.7 else catalogue.BUSINESS_DSL,
        catalogue.BUSINESS_VOICE.times(lines),
    ]
    if rng.random() < 0.75:
        offers.append(catalogue.BUSINESS_MOBILE.times(rng.randint(2, 30)))
    extras = rng.sample(catalogue.BUSINESS_EXTRAS, rng.randint(0, 4 if level == 0 else 2))
    return (*offers, *extras)
