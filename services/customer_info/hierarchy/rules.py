"""What a dated tree is, and what may become of its nodes. Pure: no I/O, no clock, no randomness.

A node's life is a chain of placements: spans of time, half open, in which its name, its kind, its reference and all
above it stay the same. A change at a time closes the placements it is about at that time and opens the next ones; it
may build only on what holds at that time and has no change recorded after it. So spans that are closed are never
written again, and reading a tree as of a time before a change takes effect goes on to answer as it did. From that time
on it answers otherwise, also where the time is past; a span that would begin and end at once is taken out. What was
known when, and who changed it, the history of each node tells.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from chassis.rules import AlreadyExists, Invalid, Refused, missing

# A structure deeper than this is a mistake in the data; it also bounds the length of a path.
DEEPEST = 32
MOST_ADDED = 1000
# A change of a subtree writes two documents for each of its nodes, some 3.5 kB of the store's cache until it is
# committed, more for each level above it, and MongoDB aborts what takes more than a tenth of its cache. Measured with
# one of 0.25 GB: 5000 nodes on 7 levels move, on 10 they never do; 3000 on 31 levels do, 3500 do not.
MOST_MOVED = 5000
# What a node weighs beside its levels, in levels; at most `MOST_MOVED` nodes on the level `USUAL` change at once.
BARE = 20
USUAL = 5
# The end of a span whose end is not known: the last time that the contract can name.
FOREVER = datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
TICK = timedelta(milliseconds=1)


class View(StrEnum):
    """Whose view of the customer a tree shows."""

    OPERATOR = "operator"
    CUSTOMER = "customer"


class Kind(StrEnum):
    """What a node stands for."""

    DEPARTMENT = "department"
    SITE = "site"
    COST_CENTRE = "cost_centre"
    ACCOUNT = "account"
    LEGAL_ENTITY = "legal_entity"
    OTHER = "other"


class Change(StrEnum):
    """What became of nodes."""

    ADDED = "added"
    UPDATED = "updated"
    MOVED = "moved"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Reference:
    """A record elsewhere that a node stands for."""

    type: str
    id: str


@dataclass(frozen=True, slots=True)
class Tree:
    """A named tree of one customer. `version` counts its changes and those of its nodes, from 1."""

    id: str
    customer_id: str
    name: str
    view: View = View.CUSTOMER
    version: int = 1
    create_time: datetime | None = None
    update_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A node as a caller wants it; without a parent it stands at the top."""

    id: str
    name: str
    kind: Kind = Kind.OTHER
    parent_id: str = ""
    reference: Reference | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """A node as it is from `start` until before `end`. `path` holds the ids from the top of the tree to the node."""

    node_id: str
    tree_id: str
    customer_id: str
    name: str
    path: tuple[str, ...]
    start: datetime
    end: datetime = FOREVER
    kind: Kind = Kind.OTHER
    reference: Reference | None = None

    @property
    def parent_id(self) -> str:
        """The node right above; empty at the top."""
        return self.path[-2] if len(self.path) > 1 else ""

    @property
    def depth(self) -> int:
        """Levels from the top, which is 1."""
        return len(self.path)

    def holds(self, at: datetime) -> bool:
        """Whether the node is so at `at`."""
        return self.start <= at < self.end


UPDATABLE = frozenset({"name", "kind", "reference"})
# Placements of nodes, by their id.
Placements = Mapping[str, Sequence[Placement]]


def created(wish: Tree, tree_id: str, at: datetime) -> Tree:
    """A new tree as `wish` describes it.

    Raises:
        Invalid: its name is blank.
    """
    _check_name(wish.name, "tree.name")
    return replace(wish, id=tree_id, version=1, create_time=at, update_time=at)


def renamed(tree: Tree, name: str, at: datetime) -> Tree:
    """`tree` under another name; itself if that is its name.

    Raises:
        Invalid: the name is blank.
    """
    if name == tree.name:
        return tree
    _check_name(name, "tree.name")
    return replace(touched(tree, at), name=name)


def touched(tree: Tree, at: datetime) -> Tree:
    """`tree` after one more change; its times grow strictly, whatever the clocks say."""
    return replace(tree, version=tree.version + 1, update_time=_after(tree, at))


def effective(given: datetime | None, tree: Tree, at: datetime) -> datetime:
    """When a change of `tree` takes effect that is made at `at`: when the caller says, else now.

    Raises:
        Invalid: the caller means for ever.
    """
    if given is None:
        return _after(tree, at)
    if given >= FOREVER:
        raise Invalid("lies at the end of all times", field="effective_time")
    return given


def read_time(as_of: datetime | None, tree: Tree, at: datetime) -> datetime:
    """When `tree` is read: when the caller says, else now, with every change that took effect at once.

    Raises:
        Invalid: the caller means for ever.
    """
    if as_of is None:
        return max(at, tree.update_time or at)
    if as_of >= FOREVER:
        raise Invalid("lies at the end of all times", field="as_of")
    return as_of


def added(tree: Tree, wishes: Sequence[Node], former: Placements, parents: Placements, at: datetime) -> list[Placement]:
    """The placements of new nodes from `at` on, in the order of `wishes`.

    `former` has every placement that the nodes ever had, in whatever tree; `parents` those of the nodes in this tree
    that they are to stand under, as far as they have not ended at `at`.

    Raises:
        Invalid: an id twice, a blank name, nodes above each other, a depth over 32.
        AlreadyExists: a node is there already, or is of another tree; NotFound: a parent is not there.
        Refused: a parent changes after `at`.
    """
    places: dict[str, int] = {}
    for n, wish in enumerate(wishes):
        _check_new(tree, wish, f"nodes[{n}]", former.get(wish.id, ()), at)
        if wish.id in places:
            raise Invalid("the same id stands there twice", field=f"nodes[{n}].id")
        places[wish.id] = n
    paths = _Paths(wishes, places, parents)
    for wish in wishes:
        paths.find(wish, at)
    return [
        Placement(w.id, tree.id, tree.customer_id, w.name, paths.found[w.id], at, kind=w.kind, reference=w.reference)
        for w in wishes
    ]


def check_homes(tree: Tree, wishes: Sequence[Node], homes: Mapping[str, str]) -> None:
    """Passes new nodes that never were of another tree; `homes` has the trees of those that were of one.

    A node that was undone has no placement left, and its history goes on to tell of it in the tree that it was of.

    Raises:
        AlreadyExists: one of them is of another tree.
    """
    for n, wish in enumerate(wishes):
        if homes.get(wish.id, tree.id) != tree.id:
            raise AlreadyExists(
                "the id is that of a node of another tree",
                field=f"nodes[{n}].id",
                metadata={"type": "node", "id": wish.id},
            )


def updated(placement: Placement, wish: Node, names: Collection[str], at: datetime) -> Placement:
    """The placement that follows when a node's fields `names` become what `wish` says; itself if they are that.

    Raises:
        Invalid: the name would be blank.
    """
    values = {name: getattr(wish, name) for name in names}
    if all(getattr(placement, name) == value for name, value in values.items()):
        return placement
    after = replace(placement, **values, start=at)
    _check_name(after.name, "node.name")
    return after


def moved(subtree: Sequence[Placement], parent: Placement | None, at: datetime) -> list[Placement]:
    """The placements that follow when the node at the head of `subtree` goes under `parent` with all below it.

    None of them if it is there already.

    Raises:
        Invalid: the parent is the node itself or below it, or something would be deeper than 32 levels; Refused: there
            are too many of them to stand as deep as they would (`check_size`).
    """
    top = subtree[0]
    if (parent.node_id if parent else "") == top.parent_id:
        return []
    if parent and top.node_id in parent.path:
        raise Invalid("the node would stand below itself", field="parent_id")
    above = parent.path if parent else ()
    deepest = max(p.depth for p in subtree) - top.depth + len(above) + 1
    if deepest > DEEPEST:
        raise Invalid(f"the tree would be {deepest} levels deep; {DEEPEST} are allowed", field="parent_id")
    after = [replace(p, path=above + p.path[top.depth - 1 :], start=at) for p in subtree]
    check_size(after, "parent_id")
    return after


def recorded(change: Change, closed: Sequence[Placement], opened: Sequence[Placement], at: datetime) -> list[Placement]:
    """The nodes that a change is about, as it leaves them, which is what their history tells.

    Of a subtree that moves that is the one at its head: what stands below goes along, under the parents that it had.
    """
    if change is Change.ENDED:
        return [replace(p, end=at) for p in closed]
    return list(opened[:1] if change is Change.MOVED else opened)


def standing(placements: Sequence[Placement], at: datetime, node_id: str, field: str) -> Placement:
    """The one of a node's `placements` that holds from `at` on for good; they are those that have not ended at `at`.

    Raises:
        NotFound: there is none, the node is not there; Refused: it begins, changes or ends after `at`.
    """
    if not placements:
        raise missing("node", node_id, field)
    check_settled(placements, at, field)
    return placements[0]


def check_size(subtree: Sequence[Placement], field: str) -> None:
    """Passes a subtree that can change as a whole.

    Raises:
        Refused: it has more than 5000 nodes, or fewer if they stand deep: 4166 on the tenth level, 2403 on the last.
    """
    levels = sum(p.depth for p in subtree)
    if len(subtree) > MOST_MOVED or BARE * len(subtree) + levels > MOST_MOVED * (BARE + USUAL):
        raise Refused(
            f"{len(subtree)} nodes on {levels / len(subtree):.0f} levels are too many to change at once: change the "
            "parts below the node first",
            field=field,
            metadata={"state": f"{len(subtree)} nodes"},
        )


def check_settled(placements: Sequence[Placement], at: datetime, field: str) -> None:
    """Passes when nothing is recorded of these nodes after `at`; they are placements that have not ended at `at`.

    Raises:
        Refused: something is: a change at `at` would write over it.
    """
    recorded = [p.end if p.end < FOREVER else p.start for p in placements if p.end < FOREVER or p.start > at]
    if recorded:
        latest = max(recorded).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        raise Refused(
            f"a change is recorded at {latest}: what builds on it takes effect from then on",
            field=field,
            metadata={"state": f"changes at {latest}"},
        )


def _after(tree: Tree, at: datetime) -> datetime:
    return max(at, tree.update_time + TICK) if tree.update_time else at


def _check_name(name: str, field: str) -> None:
    if not name.strip():
        raise Invalid("is blank", field=field)


def _check_new(tree: Tree, wish: Node, field: str, former: Sequence[Placement], at: datetime) -> None:
    """Passes a node that may be new in `tree` at `at`: one that was there before may come back."""
    _check_name(wish.name, f"{field}.name")
    if wish.id == tree.id:
        raise Invalid("is the tree's own id", field=f"{field}.id")
    if any(p.tree_id != tree.id or p.end > at for p in former):
        raise AlreadyExists(
            "the node has its place already: move it, or add it from its end on",
            field=f"{field}.id",
            metadata={"type": "node", "id": wish.id},
        )


class _Paths:
    """The paths of new nodes, each found after those of the new nodes above it."""

    def __init__(self, wishes: Sequence[Node], places: Mapping[str, int], parents: Placements) -> None:
        self.found: dict[str, tuple[str, ...]] = {}
        self._wishes = wishes
        self._places = places
        self._parents = parents

    def find(self, wish: Node, at: datetime) -> None:
        """Notes the path of `wish` and of every new node above it."""
        chain: list[Node] = []
        seen: set[str] = set()
        above: tuple[str, ...] = ()
        while wish.id not in self.found:
            field = f"nodes[{self._places[wish.id]}].parent_id"
            if wish.id in seen:
                raise Invalid("the node would stand below itself", field=field)
            seen.add(wish.id)
            chain.append(wish)
            if wish.parent_id not in self._places:
                if wish.parent_id:
                    above = standing(self._parents.get(wish.parent_id, ()), at, wish.parent_id, field).path
                break
            wish = self._wishes[self._places[wish.parent_id]]
        else:
            above = self.found[wish.id]
        for node in reversed(chain):
            above = self.found[node.id] = (*above, node.id)
            if len(above) > DEEPEST:
                field = f"nodes[{self._places[node.id]}].parent_id"
                raise Invalid(f"the node would be deeper than {DEEPEST} levels", field=field)
