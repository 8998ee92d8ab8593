"""How responsibilities are inherited down a tree and overridden below, and what is not looked after. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.customer_info.hierarchy.rules import Placement
from services.customer_info.responsibilities.rules import Assignment, Catalogue, Standing, dependencies


class GapKind(StrEnum):
    """Why a responsibility is not looked after."""

    NO_HOLDER = "no_holder"
    UNREACHABLE = "unreachable"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Held:
    """Who has a responsibility at a node: the assignments that hold, at it or at the nearest node above.

    Where none does, those that ended last, at the nearest node that ever had one; then it is not `present`.
    """

    assignments: tuple[Assignment, ...]
    present: bool = True

    @property
    def node_id(self) -> str:
        """The node whose assignments they are."""
        return self.assignments[0].node_id


# Who has what at one node, by the name of the responsibility; nobody ever had what is not in it.
Situation = Mapping[str, Held]
NOTHING: Situation = {}


@dataclass(frozen=True, slots=True)
class Gap:
    """A responsibility that is not looked after from a node down, or, where `node_id` is empty, in a whole tree.

    `path` names the nodes from the top to it, `node_ids` has their ids; `needed_by` names the assigned
    responsibilities that depend on it, where it is not `required` anyway. Neither: it was given to somebody who cannot
    be reached, or left. `nodes` counts where it is so.
    """

    tree_id: str
    node_ids: tuple[str, ...]
    path: tuple[str, ...]
    responsibility: str
    kind: GapKind
    required: bool
    needed_by: tuple[str, ...]
    assignment_ids: tuple[str, ...]
    nodes: int

    @property
    def node_id(self) -> str:
        """The topmost node where it begins; empty: the whole tree."""
        return self.node_ids[-1] if self.node_ids else ""


def at_node(above: Situation, own: Iterable[Assignment], at: datetime) -> Situation:
    """Who has what at a node whose own assignments are `own`, where `above` is who has what at its parent."""
    mine: dict[str, list[Assignment]] = {}
    for assignment in own:
        # One that ended when it began never was.
        if assignment.start <= at and assignment.start < assignment.end:
            mine.setdefault(assignment.responsibility, []).append(assignment)
    if not mine:
        return above
    found = dict(above)
    for name, assignments in mine.items():
        holding = [a for a in assignments if a.holds(at)]
        if holding:
            found[name] = Held(tuple(sorted(holding, key=_order)))
        elif name not in above or not above[name].present:
            last = max(a.end for a in assignments)
            found[name] = Held(tuple(sorted((a for a in assignments if a.end == last), key=_order)), present=False)
    return found


def on_path(path: Sequence[Placement], assignments: Iterable[Assignment], at: datetime) -> Situation:
    """Who has what at the last node of `path`, which starts at the top; `assignments` are those of its nodes."""
    by_node = of_nodes(assignments)
    situation = NOTHING
    for place in path:
        situation = at_node(situation, by_node.get(place.node_id, ()), at)
    return situation


def of_nodes(assignments: Iterable[Assignment]) -> dict[str, list[Assignment]]:
    """Assignments by their nodes."""
    found: dict[str, list[Assignment]] = {}
    for assignment in assignments:
        found.setdefault(assignment.node_id, []).append(assignment)
    return found


def gaps(
    places: Sequence[Placement],
    assignments: Iterable[Assignment],
    standings: Mapping[str, Standing],
    catalogue: Catalogue,
    at: datetime,
) -> list[Gap]:
    """What is not looked after in a tree whose nodes are `places`, parents before their children.

    `standings` tells of the holder of each assignment that holds at `at`, by the assignment's id. A gap is told at the
    topmost node where it begins; one that begins at every top of the tree is told once, of the tree.
    """
    by_node = of_nodes(assignments)
    survey = _Survey(standings, catalogue)
    seen: dict[str, _Seen] = {}
    for place in places:
        above = seen.get(place.parent_id)
        own = by_node.get(place.node_id, ())
        situation = at_node(above.situation if above else NOTHING, own, at)
        # Where a node has nothing of its own, all is as it is above it.
        if above is None or situation is not above.situation:
            above = _Seen(situation, survey.openings(place, situation, above))
        seen[place.node_id] = above
        for opening in above.openings.values():
            opening.nodes += 1
    names = {p.node_id: p.name for p in places}
    tops = sum(not p.parent_id for p in places)
    return _told(survey.found, tops, names)


@dataclass
class _Opening:
    """A gap as it is found: the node where it begins, and at how many nodes it is so."""

    place: Placement
    responsibility: str
    kind: GapKind
    required: bool
    needed_by: tuple[str, ...]
    assignment_ids: tuple[str, ...]
    nodes: int = 0


@dataclass(frozen=True)
class _Seen:
    """What was found at a node: who has what, and what is open, by the name of the responsibility."""

    situation: Situation
    openings: Mapping[str, _Opening]


@dataclass
class _Survey:
    """The search for gaps in one tree; `found` has them in the order in which they begin."""

    standings: Mapping[str, Standing]
    catalogue: Catalogue
    found: list[_Opening] = field(default_factory=list)
    # Of each responsibility, all that it depends on.
    closures: dict[str, tuple[str, ...]] = field(init=False)
    # What is needed where the same are assigned is the same, and at most nodes the same few are.
    needs: dict[frozenset[str], Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.closures = {name: dependencies(name, self.catalogue) for name in self.catalogue}

    def openings(self, place: Placement, situation: Situation, above: _Seen | None) -> dict[str, _Opening]:
        """What is open at a node: where it is as it is above, that; else what begins here."""
        there: dict[str, _Opening] = {}
        present = frozenset(name for name, held in situation.items() if held.present)
        for name, needed_by in self._needed(present).items():
            kind = self._kind(situation.get(name))
            if kind is None:
                continue
            ids = tuple(a.id for a in situation[name].assignments) if name in situation else ()
            known = above.openings.get(name) if above else None
            if known is None or (known.kind, known.assignment_ids) != (kind, ids):
                known = _Opening(place, name, kind, self.catalogue[name].required, needed_by, ids)
                self.found.append(known)
            there[name] = known
        return there

    def _needed(self, present: frozenset[str]) -> Mapping[str, tuple[str, ...]]:
        """What has to be looked after where these are assigned, themselves too, and which others ask for it, if any."""
        known = self.needs.get(present)
        if known is None:
            asked: dict[str, list[str]] = {name: [] for name, r in self.catalogue.items() if r.required}
            required = frozenset(asked)
            asked |= {name: [] for name in sorted(present)}
            for name in sorted(present):
                for dependency in self.closures[name]:
                    asked.setdefault(dependency, []).append(name)
            known = {name: () if name in required else tuple(by) for name, by in asked.items()}
            self.needs[present] = known
        return known

    def _kind(self, held: Held | None) -> GapKind | None:
        """Why a responsibility is not looked after where `held` have it; None: it is."""
        if held is None:
            return GapKind.NO_HOLDER
        if not held.present:
            return GapKind.LEFT
        standings = {self.standings[a.id] for a in held.assignments}
        if Standing.REACHABLE in standings:
            return None
        return GapKind.UNREACHABLE if Standing.UNREACHABLE in standings else GapKind.LEFT


def _told(found: Sequence[_Opening], tops: int, names: Mapping[str, str]) -> list[Gap]:
    """The gaps as a report tells them: what begins at every one of several tops is told once, of the tree."""
    whole: dict[str, list[_Opening]] = {}
    for opening in found:
        if opening.kind is GapKind.NO_HOLDER and not opening.place.parent_id and opening.required:
            whole.setdefault(opening.responsibility, []).append(opening)
    everywhere = [openings for openings in whole.values() if tops > 1 and len(openings) == tops]
    merged = {id(opening) for openings in everywhere for opening in openings}
    of_tree = [_gap(openings[0], (), (), sum(opening.nodes for opening in openings)) for openings in everywhere]
    return of_tree + [
        _gap(o, o.place.path, tuple(names[n] for n in o.place.path), o.nodes) for o in found if id(o) not in merged
    ]


def _gap(opening: _Opening, node_ids: tuple[str, ...], path: tuple[str, ...], nodes: int) -> Gap:
    return Gap(
        tree_id=opening.place.tree_id,
        node_ids=node_ids,
        path=path,
        responsibility=opening.responsibility,
        kind=opening.kind,
        required=opening.required,
        needed_by=opening.needed_by,
        assignment_ids=opening.assignment_ids,
        nodes=nodes,
    )


def _order(assignment: Assignment) -> tuple[datetime, str]:
    return assignment.start, assignment.id
