"""Enterprises as trees: the company, its divisions, their departments."""

import random
from dataclasses import dataclass

from cli.demo import names
from cli.demo.chance import one_of


@dataclass(frozen=True, slots=True)
class Node:
    """One organisation of a tree; `parent` is the place of the one above it, -1 at the top."""

    name: str
    level: int
    parent: int


@dataclass(frozen=True, slots=True)
class Enterprise:
    """A company with all that belongs to it, parents before children."""

    tier: str
    tenure: int
    nodes: tuple[Node, ...]


def enterprise(rng: random.Random, index: int) -> Enterprise:
    """The company with that number."""
    name = names.company(index)
    nodes = [Node(f"{name} {rng.choice(('AG', 'GmbH', 'Ltd', 'SE', 'SARL'))}", 0, -1)]
    for division in rng.sample(names.DIVISION, rng.randint(1, 3)):
        nodes.append(Node(f"{name} {division}", 1, 0))
        above = len(nodes) - 1
        departments = rng.sample(names.DEPARTMENT, rng.randint(0, 2))
        nodes += [Node(f"{name} {division}, {department}", 2, above) for department in departments]
    tier = one_of(rng, (("gold", 40), ("silver", 40), ("standard", 20)))
    return Enterprise(tier, rng.randint(14, 72), tuple(nodes))
