"""What each kind of agreement between two records says about their being one customer.

Record linkage after Fellegi and Sunter (A Theory for Record Linkage, JASA 64, 1969): a level of agreement in a field
has a probability `m` among pairs that are one customer and `u` among pairs that are not; the base-2 logarithms of m/u
are added to those of the prior odds. `m` follows the corruption that `bench/duplicates` makes (`--levels` prints what
it counts), `u` that of random pairs; where a field of two strangers agrees for a reason (a building, a switchboard, an
address made from a name), `u` is set to that of such strangers.
"""

from dataclasses import dataclass
from math import log2
from typing import Final


@dataclass(frozen=True, slots=True)
class Level:
    """A level of agreement: `similarity` stands in explanations, `m` and `u` are probabilities."""

    code: str
    similarity: float
    m: float
    u: float

    @property
    def weight(self) -> float:
        """Evidence in bits: above 0 for one customer, below for two."""
        return log2(self.m / self.u)


PRIOR: Final = -20.0
"""Bits: of a million customers, one other is the same person."""

GIVEN: Final = {
    "same": Level("same", 1.0, 0.75, 0.008),
    "alike": Level("alike", 0.95, 0.05, 0.002),
    "nickname": Level("nickname", 0.9, 0.05, 0.003),
    "slip": Level("slip", 0.85, 0.08, 0.004),
    "part": Level("part", 0.85, 0.04, 0.003),
    # Paul and Paula, Jan and Jon, Christian and Christina: as often two people as a slip.
    "similar": Level("similar", 0.7, 0.02, 0.01),
    "initial": Level("initial", 0.5, 0.03, 0.006),
    "differs": Level("differs", 0.0, 0.01, 0.94),
}
FAMILY: Final = {
    "same": Level("same", 1.0, 0.78, 0.002),
    "alike": Level("alike", 0.95, 0.04, 0.0008),
    "slip": Level("slip", 0.85, 0.08, 0.0015),
    "part": Level("part", 0.85, 0.04, 0.001),
    "initial": Level("initial", 0.5, 0.01, 0.02),
    "differs": Level("differs", 0.0, 0.075, 0.97),
}
ORDER: Final = {"swapped": Level("swapped", 1.0, 0.05, 0.3)}
"""Given name and family name in each other's place."""
GENERATION: Final = {
    "differs": Level("differs", 0.0, 0.002, 0.5),
    # Who calls himself junior lives with a senior.
    "unsaid": Level("unsaid", 0.5, 0.02, 0.1),
}
"""A senior and a junior."""
NAME: Final = {
    "same": Level("same", 1.0, 0.7, 0.00001),
    "slip": Level("slip", 0.9, 0.2, 0.00005),
    # A company and its branch, its holding, its shop.
    "part": Level("part", 0.7, 0.06, 0.002),
    "differs": Level("differs", 0.0, 0.03, 0.99),
}
"""The words of an organisation's name."""
FORM: Final = {"differs": Level("differs", 0.0, 0.04, 0.7)}
"""Two legal forms are two companies; that one record leaves it out says nothing."""
REGISTRATION: Final = {
    # Not every register counts alone: each German court has an HRB 1234 of its own.
    "same": Level("same", 1.0, 0.9, 1e-8),
    "slip": Level("slip", 0.9, 0.05, 0.01),
    "differs": Level("differs", 0.0, 0.0001, 1.0),
}
EMAIL: Final = {
    # Strangers share no mailbox; of a million customers, some in a household do.
    "same": Level("same", 1.0, 0.65, 2e-7),
    "slip": Level("slip", 0.9, 0.06, 0.0002),
    "mailbox": Level("mailbox", 0.6, 0.05, 0.003),
    "differs": Level("differs", 0.0, 0.28, 1.0),
}
PHONE: Final = {
    "same": Level("same", 1.0, 0.65, 5e-7),
    # One number in common, and either has another: those who live together.
    "shared": Level("shared", 0.7, 0.03, 0.000002),
    "slip": Level("slip", 0.8, 0.05, 0.0003),
    "differs": Level("differs", 0.0, 0.32, 1.0),
}
POST: Final = {
    # Some thirty customers of a million live in one house.
    "same": Level("same", 1.0, 0.6, 0.00003),
    "near": Level("near", 0.8, 0.08, 0.0005),
    "postcode": Level("postcode", 0.3, 0.05, 0.01),
    "differs": Level("differs", 0.0, 0.3, 0.99),
}
SOCIAL: Final = {"same": Level("same", 1.0, 0.7, 1e-6), "differs": Level("differs", 0.0, 0.3, 1.0)}
EXTERNAL_ID: Final = {
    "same": Level("same", 1.0, 0.5, 1e-10),
    # Whoever gave both has the same person twice: that is how duplicates come about.
    "differs": Level("differs", 0.0, 0.8, 1.0),
}

HOUSEHOLD_FIELDS: Final = frozenset({"family_name", "email", "phone", "post", "social"})
HOUSEHOLD: Final = 15.0
"""Bits that all of these are worth at most together, when the given names say that they are two people (or the names of
companies that they are two): within a household they are one observation, not five."""
SIMILAR_HOUSEHOLD: Final = 20.0
"""The same, when the names leave it open: it is enough for a look, not for a verdict."""
