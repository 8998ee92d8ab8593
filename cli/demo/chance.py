"""Drawing from the distributions that a year of an operator is made of."""

import math
import random
import uuid
from collections.abc import Sequence
from typing import Final, TypeVar

DAY: Final = 86_400
HOUR: Final = 3_600
MONTH: Final = 2_629_800
"""Seconds of a mean month: a twelfth of 365.25 days."""

T = TypeVar("T")


def stream(seed: str, *path: object) -> random.Random:
    """A generator of its own for each part of the operator, so that a change of one leaves the others as they are."""
    return random.Random(f"{seed}/{'/'.join(map(str, path))}")


def uuid_of(rng: random.Random) -> str:
    """A UUID of version 4, drawn."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def poisson(rng: random.Random, mean: float) -> int:
    """A count of independent events with that mean (Knuth 1969; means here are small)."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def one_of(rng: random.Random, weighted: Sequence[tuple[T, float]]) -> T:
    """One of the values, each as likely as its weight says."""
    return rng.choices([value for value, _ in weighted], [weight for _, weight in weighted])[0]


def sigmoid(log_odds: float) -> float:
    """The probability of a log-odds."""
    return 1.0 / (1.0 + math.exp(-log_odds))
