"""Draws people and companies. Everything follows from the seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from bench.population.companies import FORMS, PLACES, TRADES
from bench.population.family import FAMILY, STEMS
from bench.population.given import GIVEN

MIXED: Final = {"de": 55, "tr": 8, "pl": 7, "en": 7, "fr": 4, "es": 4, "it": 4, "nl": 3, "se": 3, "ar": 4, "vn": 1}
"""Customers of a German operator by where their names come from, in percent."""
RARE_GIVEN: Final = 600
RARE_FAMILY: Final = 20_000


@dataclass(frozen=True, slots=True)
class Drawn:
    """Names to choose from, with the sums of their weights up to each."""

    names: Sequence[str]
    weights: Sequence[float]

    def one(self, rng: random.Random) -> str:
        """One of them, each as likely as its weight says."""
        return rng.choices(self.names, cum_weights=self.weights)[0]


class Population:
    """Where names are drawn from.

    Frequencies follow Zipf and Mandelbrot, (rank + 2.7) to a power: with -0.95 the most frequent family name of
    Germany has the 1 % that Müller has, and the 100 most frequent about a quarter of all people; with -1.0 for given
    names the first has some 3 %.
    """

    def __init__(self, seed: int, origins: dict[str, int] = MIXED) -> None:
        self.rng = random.Random(f"population/{seed}")
        self._origins = Drawn(list(origins), list(accumulate(origins.values())))
        made = random.Random("names")
        self._given = {c: _drawn(_given(c, made), -1.0) for c in GIVEN}
        self._family = {c: _drawn(_family(c, made), -0.95) for c in FAMILY}

    def person(self) -> tuple[str, str]:
        """Given and family name; some have two of either."""
        rng, origin = self.rng, self._origins.one(self.rng)
        given, family = self._given[origin].one(rng), self._family[origin].one(rng)
        if origin in ("de", "fr", "es", "vn") and rng.random() < 0.08:
            given = f"{given} {self._given[origin].one(rng)}"
        if rng.random() < (0.7 if origin == "es" else 0.03):
            family += (" " if origin == "es" else "-") + self._family[origin].one(rng)
        return given, family

    def given(self) -> str:
        """A given name."""
        return self._given[self._origins.one(self.rng)].one(self.rng)

    def family(self) -> str:
        """A family name."""
        return self._family[self._origins.one(self.rng)].one(self.rng)

    def company(self) -> str:
        """A trading name with its legal form: its founder's, or made of a word, a trade, a place."""
        rng, form = self.rng, self.rng.choice(FORMS)
        kind = rng.random()
        if kind < 0.35:
            name = f"{self.family()} {rng.choice(TRADES)}"
        elif kind < 0.5:
            name = f"{self.family()} & {rng.choice(('Söhne', 'Sons', 'Partner', 'Co', 'Fils', self.family()))}"
        elif kind < 0.8:
            name = f"{rng.choice(PLACES)}{rng.choice(PLACES).lower()} {rng.choice(TRADES)}"
        else:
            town = rng.choice(PLACES) + rng.choice(("burg", "tal", "stadt", "hafen"))
            name = f"{rng.choice(TRADES)} {town} {rng.choice(TRADES)}"
        return f"{name} {form}"


def _drawn(names: Sequence[str], power: float) -> Drawn:
    return Drawn(names, list(accumulate((rank + 2.7) ** power for rank in range(1, len(names) + 1))))


def _given(country: str, rng: random.Random) -> list[str]:
    """The frequent ones, then as many rare ones as sound like them."""
    known = GIVEN[country].split()
    rare: dict[str, None] = {}
    while country != "vn" and len(rare) < RARE_GIVEN:
        head, tail = rng.choice(known), rng.choice(known)
        made = head[: rng.randint(2, 4)] + tail[len(tail) // 2 :].lower()
        if "-" not in made:
            rare[made] = None
    return list(dict.fromkeys([*known, *rare]))


def _family(country: str, rng: random.Random) -> list[str]:
    known = [name.replace("-", " ") if country in ("nl", "it", "fr") else name for name in FAMILY[country].split()]
    if country not in STEMS:
        return known
    heads, tails = (part.split() for part in STEMS[country])
    rare = [head + middle + tail for head in heads for middle in ("", *"aeiorlnst") for tail in tails]
    rng.shuffle(rare)
    return list(dict.fromkeys([*known, *rare[:RARE_FAMILY]]))
