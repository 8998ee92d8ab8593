"""Sums over a tree: what stands in each node and below it. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from chassis.rules import Invalid
from services.customer_info.hierarchy.rules import Kind, Placement

# As many nodes as one answer tells of.
MOST_TOLD = 10_000


class Figures(Protocol):
    """What is placed in one node: how many products, and what they cost a month in millionths, by currency."""

    @property
    def count(self) -> int: ...

    @property
    def totals(self) -> Mapping[str, int]: ...


@dataclass(slots=True)
class Sums:
    """What stands in a node and below it; without a node, in the tree as a whole.

    `descendants` counts the nodes below by kind, `totals` adds up what the products cost a month, in millionths.
    """

    node: Placement | None = None
    descendants: Counter[Kind] = field(default_factory=Counter)
    products: int = 0
    totals: Counter[str] = field(default_factory=Counter)

    def place(self, figures: Figures) -> None:
        """Adds what is placed in the node itself."""
        self.products += figures.count
        self.totals.update(figures.totals)

    def add(self, below: "Sums") -> None:
        """Adds all of a node right below."""
        self.descendants.update(below.descendants)
        if below.node:
            self.descendants[below.node.kind] += 1
        self.products += below.products
        self.totals.update(below.totals)


def roll_up(subtree: Sequence[Placement], top_id: str, placed: Mapping[str, Figures], levels: int) -> list[Sums]:
    """The sums of `subtree`, then those of its nodes down to `levels`, in its order: parents before their children.

    The first one is of the node `top_id`, the head of `subtree`; with no `top_id`, of the whole tree.

    Raises:
        Invalid: that would tell of more than 10,000 nodes.
    """
    sums = {p.node_id: Sums(p) for p in subtree}
    total = sums[top_id] if top_id else Sums()
    # From the bottom up: each node is complete before it is added to the one above.
    for placement in reversed(subtree):
        own = sums[placement.node_id]
        if placement.node_id in placed:
            own.place(placed[placement.node_id])
        if own is not total:
            sums.get(placement.parent_id, total).add(own)
    depth = total.node.depth if total.node else 0
    told = [s for p, s in zip(subtree, sums.values(), strict=True) if s is not total and p.depth - depth <= levels]
    if len(told) > MOST_TOLD:
        raise too_many(len(told), f"{MOST_TOLD}")
    return [total, *told]


def too_many(nodes: int, allowed: str) -> Invalid:
    """The refusal to tell of so many nodes at once, or of what they take."""
    return Invalid(
        f"would tell of {nodes} nodes; {allowed} are allowed: ask for fewer levels, or for a node further down",
        field="levels",
    )
