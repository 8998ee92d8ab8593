"""Whether two records are one customer, and which to compare at all. Pure.

Blocking first: records that share one of few keys (`blocking_keys`, hashed before they go anywhere) are worth
comparing. Then `compared` adds up evidence field by field and says what each was worth.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final, TypeVar

from services.customer_info.customers.rules import Customer
from services.customer_info.duplicates import weights_rules as weights
from services.customer_info.duplicates.levels_rules import (
    address_level,
    email_level,
    family_level,
    given_level,
    name_level,
    phones_level,
    registration_level,
)
from services.customer_info.duplicates.profile_rules import Profile, profile
from services.customer_info.duplicates.weights_rules import Level
from services.customer_info.names.rules import sound

SAME: Final = 0.9
"""From here on two records are one customer; of pairs so scored, 98 in 100 are (`bench/duplicates`)."""
POSSIBLE: Final = 0.3
"""From here on somebody should look."""
MOST_KEYS: Final = 34
"""One for a registration number, one for the names, and one for each of the 32 contact media that the contract lets a
customer have: whoever has three telephones may share the third. Each is a single seek."""
STEM: Final = 4

_TWO: Final = {
    ("given_name", "differs"),
    ("generation", "differs"),
    ("generation", "unsaid"),
    ("trading_name", "differs"),
    ("registration_number", "differs"),
}
_TWO_TOGETHER: Final = (
    {("given_name", "initial"), ("family_name", "differs")},
    # A parent and a child of one name: the line at home, and a mobile telephone and a mailbox of their own.
    {("phone", "shared"), ("email", "differs")},
)
_EITHER: Final = {("given_name", "similar"), ("trading_name", "part")}

T = TypeVar("T")


class Verdict(StrEnum):
    """What a score means."""

    SAME = "same"
    POSSIBLE = "possible"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one field says.

    `similarity` is 0 to 1; `weight` is in bits, above 0 for one customer, below for two; `code` names the level of
    agreement (`same`, `slip`, `swapped`, `differs` …). No value of either record.
    """

    field: str
    similarity: float
    weight: float
    code: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The probability that two records are one customer, and how it came about.

    Its odds are 2 to the power of `PRIOR` and all weights together.
    """

    score: float
    parts: tuple[Evidence, ...]

    @property
    def verdict(self) -> Verdict:
        """The score in a word."""
        if self.score >= SAME:
            return Verdict.SAME
        return Verdict.POSSIBLE if self.score >= POSSIBLE else Verdict.DIFFERENT


def compared(a: Customer | Profile, b: Customer | Profile) -> Comparison:
    """Compares two customers; the order does not matter. Who compares one with many makes its `profile` once."""
    one, other = (x if isinstance(x, Profile) else profile(x) for x in (a, b))
    if one.person is not other.person:
        return Comparison(0.0, (Evidence("party", 0.0, -100.0, "differs"),))
    parts = list(_named(one, other) if one.person else _company(one, other))
    parts += _contact(one, other)
    parts += _household(parts)
    bits = weights.PRIOR + sum(p.weight for p in parts)
    return Comparison(1.0 / (1.0 + 2.0**-bits), tuple(parts))


def blocking_keys(customer: Customer | Profile) -> frozenset[str]:
    """What records must share one of to be worth comparing; `MOST_KEYS` at most.

    A registration number; every mailbox and telephone; every house, by postcode and number, for those who changed their
    name; the beginnings of both names, whichever way round.
    """
    return frozenset().union(*blocking_steps(customer))


def blocking_steps(customer: Customer | Profile) -> tuple[frozenset[str], ...]:
    """`blocking_keys` in the order to ask for them: first those that few share, then that of the names.

    Among a million customers hundreds have names that begin alike. Whoever reads a limited number of candidates asks
    for each step by itself, so that they do not crowd out who shares a telephone.
    """
    one = customer if isinstance(customer, Profile) else profile(customer)
    keys = {f"r:{one.registration}"} if one.registration else set()
    keys.update(f"e:{e}" for e in one.emails)
    keys.update(f"t:{p}" for p in one.phones)
    keys.update(f"a:{a.postcode}:{a.house}" for a in one.addresses if a.postcode and a.house)
    return tuple(step for step in (frozenset(keys), _name_key(one)) if step)


def _name_key(one: Profile) -> frozenset[str]:
    words = (*one.given[:1], *one.family[-1:]) if one.person else one.name[:2]
    stems = sorted(sound(word)[:STEM] for word in words)
    return frozenset({f"n:{'|'.join(stems)}"} if stems else ())


def _evidence(field: str, level: Level | None) -> Iterator[Evidence]:
    if level:
        yield Evidence(field, level.similarity, level.weight, level.code)


def _named(a: Profile, b: Profile) -> Iterator[Evidence]:
    names = given_level(a.given, b.given), family_level(a.family, b.family)
    swapped = weights.ORDER["swapped"]
    # Either record may be the one that has them the wrong way round.
    crossed = max(_crossed(a, b), _crossed(b, a), key=lambda levels: (_sum(*levels), [x.code for x in levels if x]))
    # Both have to agree: one name that is the other's family name is what relatives share when one of them was swapped.
    if _sum(*crossed, swapped) > _sum(*names) and "differs" not in {x.code for x in crossed if x}:
        names = crossed
        yield from _evidence("name_order", swapped)
    yield from _evidence("given_name", names[0])
    yield from _evidence("family_name", names[1])
    if a.generation != b.generation:
        yield from _evidence("generation", weights.GENERATION["differs" if a.generation and b.generation else "unsaid"])


def _crossed(a: Profile, b: Profile) -> tuple[Level | None, Level | None]:
    return given_level(a.given, b.family), family_level(a.family, b.given)


def _sum(*levels: Level | None) -> float:
    return sum(x.weight for x in levels if x)


def _company(a: Profile, b: Profile) -> Iterator[Evidence]:
    yield from _evidence("registration_number", registration_level(a.registration, b.registration))
    yield from _evidence("trading_name", name_level(a.name, b.name))
    if a.form and b.form and a.form != b.form:
        yield from _evidence("legal_form", weights.FORM["differs"])


def _contact(a: Profile, b: Profile) -> Iterator[Evidence]:
    yield from _evidence("email", _best(a.emails, b.emails, email_level))
    yield from _evidence("phone", phones_level(a.phones, b.phones))
    yield from _evidence("post", _best(a.addresses, b.addresses, address_level))
    yield from _evidence("social", _shared(a.socials, b.socials, weights.SOCIAL))
    issuers = {x for x, _ in a.external_ids} & {x for x, _ in b.external_ids}
    ours, theirs = (frozenset(x for x in p.external_ids if x[0] in issuers) for p in (a, b))
    yield from _evidence("external_id", _shared(ours, theirs, weights.EXTERNAL_ID))


def _best(ours: Iterable[T], theirs: Iterable[T], level: Callable[[T, T], Level]) -> Level | None:
    """The strongest agreement of any of ours with any of theirs; nothing where either has none."""
    return max((level(x, y) for x, y in product(ours, theirs)), key=lambda found: found.weight, default=None)


def _shared(ours: frozenset[T], theirs: frozenset[T], levels: Mapping[str, Level]) -> Level | None:
    if not (ours and theirs):
        return None
    return levels["same" if ours & theirs else "differs"]


def _household(parts: Iterable[Evidence]) -> Iterator[Evidence]:
    """What has to be taken back of what people share who live together, when their names say that they are two."""
    found = {(p.field, p.code) for p in parts}
    if found & _TWO or any(pair <= found for pair in _TWO_TOGETHER):
        most = weights.HOUSEHOLD
    elif found & _EITHER:
        most = weights.SIMILAR_HOUSEHOLD
    else:
        return
    shared = sum(p.weight for p in parts if p.field in weights.HOUSEHOLD_FIELDS and p.weight > 0)
    if shared > most:
        yield Evidence("household", 1.0, most - shared, "shared")
