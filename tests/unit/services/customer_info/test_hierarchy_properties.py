"""Trees under any sequence of changes, held against a model that keeps a whole copy of the tree for each time."""

import itertools
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.rules import Refusal, Refused
from services.customer_info.hierarchy import rules
from services.customer_info.hierarchy.rules import FOREVER, Placement
from services.customer_info.hierarchy.usecases import HierarchyUseCases, When
from tests.support.fakes.customers import FakeCustomers
from tests.support.fakes.hierarchy import FakeHierarchy
from tests.unit.services.customer_info.builders import company, later
from tests.unit.services.customer_info.trees import node, tree

T = TypeVar("T")
# What a tree is at one time: parent and name of each node.
State = dict[str, tuple[str, str]]
TREE = tree()
# Few and shallow, so that circles, second parents and depths are met often.
IDS = [f"n{n}" for n in range(6)]
DEEPEST = 4


@pytest.fixture(scope="module", autouse=True)
def shallow() -> Iterator[None]:
    with mock.patch.object(rules, "DEEPEST", DEEPEST):
        yield


@dataclass(frozen=True)
class Step:
    """One change that somebody tries, so many minutes after the latest one, or before it."""

    kind: str
    node_id: str
    parent_id: str
    name: str
    minutes: int


@dataclass(frozen=True)
class Whim:
    """A change before it is known what there is; `wild` ones mind that as little as a careless caller does."""

    kind: str
    node: int
    parent: int
    name: str
    minutes: int
    wild: bool

    def meant(self, state: State) -> Step:
        """The change that it comes to where the tree is in `state`."""
        missing = [i for i in IDS if i not in state]
        nodes = (missing if self.kind == "add" else list(state)) or IDS
        parents = ["", *state]
        if self.wild:
            nodes, parents = IDS, ["", *IDS]
        return Step(
            self.kind, nodes[self.node % len(nodes)], parents[self.parent % len(parents)], self.name, self.minutes
        )


whims = st.builds(
    Whim,
    st.sampled_from(["add", "add", "move", "move", "move", "rename", "end"]),
    st.integers(0, 9),
    st.integers(0, 9),
    st.sampled_from("xyz"),
    st.sampled_from([1, 1, 1, 0, 3, -1, -2, -6]),
    st.sampled_from([False, False, False, True]),
)
# Most trees begin with something in them.
lives = st.builds(
    lambda first, rest: [*first, *rest],
    st.lists(st.builds(replace, whims, kind=st.just("add"), minutes=st.just(1)), max_size=6),
    st.lists(whims, min_size=1, max_size=30),
)


@dataclass
class Model:
    """The tree at each minute at which something changed."""

    states: dict[int, State] = field(default_factory=dict)
    latest: int = 0

    def at(self, minute: int) -> State:
        known = [m for m in self.states if m <= minute]
        return self.states[max(known)] if known else {}

    def tried(self, step: Step, minute: int) -> dict[int, State] | None:
        """The states after the change, if it makes sense at its time and at each one after it."""
        after: dict[int, State] = {}
        for when in sorted({minute, *(m for m in self.states if m > minute)}):
            state = changed(self.at(when), step)
            if state is None:
                return None
            after[when] = state
        return after


def changed(state: State, step: Step) -> State | None:
    """`state` after a change; None if the change makes no sense in it."""
    if (step.node_id in state) is (step.kind == "add"):
        return None
    if step.kind in ("add", "move") and step.parent_id and step.parent_id not in state:
        return None
    if step.kind == "end":
        return {i: v for i, v in state.items() if step.node_id not in path(state, i)}
    if step.kind == "rename":
        return {**state, step.node_id: (state[step.node_id][0], step.name)}
    if step.parent_id and step.node_id in path(state, step.parent_id):
        return None
    name = step.name if step.kind == "add" else state[step.node_id][1]
    after = {**state, step.node_id: (step.parent_id, name)}
    return after if max(len(path(after, i)) for i in after) <= DEEPEST else None


def path(state: State, node_id: str) -> list[str]:
    """The ids from the top to a node; longer than the tree has nodes where they go round in a circle."""
    found: list[str] = []
    while node_id in state and len(found) <= len(state):
        found.insert(0, node_id)
        node_id = state[node_id][0]
    return found


class Trial:
    """The use cases beside the model."""

    def __init__(self) -> None:
        self.store = FakeHierarchy(TREE)
        self.usecases = HierarchyUseCases(self.store, FakeCustomers(company(id=TREE.customer_id)))
        self.model = Model()

    def live(self, whims: Sequence[Whim]) -> None:
        """Tries one change after the other."""
        for whim in whims:
            self.take(whim.meant(self.model.at(max(0, self.model.latest + whim.minutes))))

    def take(self, step: Step) -> bool:
        """Tries a change in both; whether it was made."""
        minute = max(0, self.model.latest + step.minutes)
        expected = self.model.tried(step, minute)
        before = self.store.placements
        refusal = self.refusal(step, later(minute))
        if refusal is not None:
            assert self.store.placements == before
            # Only what is recorded at a later time makes the house stricter than the model.
            assert expected is None or (isinstance(refusal, Refused) and minute < self.model.latest)
            return False
        assert expected is not None, "what makes no sense was refused"
        self.model.states.update(expected)
        self.model.latest = max(self.model.latest, minute)
        return True

    def refusal(self, step: Step, at: datetime) -> Refusal | None:
        wish = node(step.node_id, step.parent_id, name=step.name)
        attempts: dict[str, Any] = {
            "add": lambda: self.usecases.add(TREE.id, [wish], When(at), "", b""),
            "move": lambda: self.usecases.move(TREE.id, step.node_id, step.parent_id, When(at)),
            "rename": lambda: self.usecases.update(TREE.id, wish, frozenset({"name"}), When(at)),
            "end": lambda: self.usecases.end(TREE.id, step.node_id, When(at)),
        }
        try:
            done(attempts[step.kind]())
        except Refusal as refusal:
            return refusal
        return None

    def read(self, minute: int) -> State:
        """The tree as of a minute, as the store tells it."""
        nodes: list[Placement] = done(self.store.nodes(TREE.id, later(minute)))
        return {p.node_id: (p.parent_id, p.name) for p in nodes}


def done(work: Coroutine[Any, Any, T]) -> T:
    """The outcome of work that never waits, as none of it does in memory."""
    try:
        work.send(None)
    except StopIteration as stop:
        outcome: T = stop.value
        return outcome
    raise AssertionError("it waits")


@settings(max_examples=300)
@given(lives)
def test_the_tree_is_at_each_time_what_its_changes_made_of_it(life: list[Whim]) -> None:
    trial = Trial()
    trial.live(life)
    for minute in range(-1, trial.model.latest + 2):
        assert trial.read(minute) == trial.model.at(minute)


@settings(max_examples=200)
@given(lives)
def test_what_was_read_as_of_a_time_is_read_again_after_every_later_change(life: list[Whim]) -> None:
    trial = Trial()
    for whim in life:
        minute = max(0, trial.model.latest + whim.minutes)
        before = {m: trial.read(m) for m in range(minute)}
        trial.live([whim])
        assert {m: trial.read(m) for m in range(minute)} == before


@settings(max_examples=300)
@given(lives)
def test_at_any_time_paths_agree_and_every_node_has_one_place_without_circles(life: list[Whim]) -> None:
    trial = Trial()
    trial.live(life)
    kept = trial.store.placements
    for node_id in IDS:
        spans = sorted((p for p in kept if p.node_id == node_id), key=lambda p: p.start)
        assert all(p.start < p.end for p in spans)
        assert all(before.end <= after.start for before, after in itertools.pairwise(spans)), "one place at a time"
    for at in {p.start for p in kept} | {p.end for p in kept if p.end < FOREVER}:
        there = {p.node_id: p for p in kept if p.holds(at)}
        for p in there.values():
            assert len(set(p.path)) == len(p.path) <= DEEPEST
            assert p.path[-1] == p.node_id
            assert not p.parent_id or there[p.parent_id].path == p.path[:-1]


@settings(max_examples=200)
@given(lives, st.lists(st.builds(replace, whims, kind=st.just("add")), max_size=6))
def test_a_batch_is_added_in_any_order_as_one_by_one(life: list[Whim], batch: list[Whim]) -> None:
    trial, twin = Trial(), Trial()
    trial.live(life)
    twin.live(life)
    at = trial.model.latest
    state = trial.model.at(at)
    # Parents are anybody of the batch or of the tree, and now and then nobody.
    steps = {s.node_id: s for s in (replace(w, wild=True).meant(state) for w in batch) if s.node_id not in state}
    waiting = list(steps.values())
    # One by one, whoever's parent is there: those that are left over make no sense in any order.
    while taken := [s for s in waiting if twin.take(replace(s, minutes=0))]:
        waiting = [s for s in waiting if s not in taken]
    wishes = [node(s.node_id, s.parent_id, name=s.name) for s in steps.values()]
    try:
        done(trial.usecases.add(TREE.id, wishes, When(later(at)), "", b""))
    except Refusal:
        assert waiting
        return
    assert not waiting
    assert trial.read(at) == twin.read(at)
