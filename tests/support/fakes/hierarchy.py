"""`HierarchyStore` in memory."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from chassis.events.outbox import Happening
from chassis.query.selection import Selection
from chassis.rules import AlreadyExists
from services.customer_info.hierarchy.documents import place
from services.customer_info.hierarchy.rules import DEEPEST, FOREVER, Placement, Tree
from services.customer_info.hierarchy.store import BATCH, LISTING, NODE
from tests.support.fakes.listing import page
from tests.support.fakes.staging import Stage, Staged

T = TypeVar("T")
GETTERS: dict[str, Callable[[Tree], Any]] = {
    "id": lambda t: t.id,
    "view": lambda t: t.view,
    "create_time": lambda t: t.create_time,
}


class FakeHierarchy:
    """Behaves as `HierarchyStore` does."""

    def __init__(self, *kept: Tree | Placement) -> None:
        self._stage: Stage[Any] = Stage()
        self._stage.kept = {_key(k): k for k in kept}

    @property
    def trees(self) -> dict[str, Tree]:
        return {k: t for k, t in self._stage.kept.items() if isinstance(t, Tree)}

    @property
    def placements(self) -> list[Placement]:
        return list(_placements(self._stage.kept))

    def recorded(self, node_id: str) -> tuple[tuple[datetime, Placement], ...]:
        """Each version of a node that was put on record, and when."""
        found: tuple[tuple[datetime, Placement], ...] = self._stage.kept.get(f"{NODE}:{node_id}", ())
        return found

    @property
    def events(self) -> list[Happening]:
        return self._stage.events

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T:
        return await self._stage.transact(work)

    async def create_once(self, request_id: str, content: bytes, work: Callable[[Any], Awaitable[Tree]]) -> Tree:
        made: Tree = await self._stage.once(request_id, content, work)
        return made

    async def add_once(
        self, request_id: str, content: bytes, work: Callable[[Any], Awaitable[tuple[Tree, list[Placement]]]]
    ) -> tuple[Tree, list[Placement]]:
        made: tuple[Tree, list[Placement]] = await self._stage.once(request_id, content, work)
        return made

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Any]:
        yield Staged(self._stage, dict(self._stage.kept))

    async def tree(self, transaction: Any, tree_id: str) -> Tree | None:
        found = self._stage.sees(transaction).get(tree_id)
        return found if isinstance(found, Tree) else None

    async def tree_of(self, transaction: Any, node_id: str) -> Tree | None:
        found = [p.tree_id for p in self._all(transaction) if p.node_id == node_id]
        return await self.tree(transaction, found[0]) if found else None

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Tree], str]:
        theirs = [t for t in self.trees.values() if t.customer_id in customer_ids]
        return page(theirs, selection, LISTING, GETTERS)

    async def path(self, node_id: str, at: datetime, transaction: Any = None) -> tuple[Placement, ...]:
        there = {p.node_id: p for p in self._all(transaction) if p.holds(at)}
        return tuple(there[i] for i in there[node_id].path) if node_id in there else ()

    async def nodes(self, tree_id: str, at: datetime) -> list[Placement]:
        return [p async for batch in self.subtree(None, tree_id, (), at) for p in batch]

    async def homes(self, transaction: Any, node_ids: Sequence[str]) -> dict[str, str]:
        kept = self._stage.sees(transaction)
        return {i: kept[f"{NODE}:{i}"][-1][1].tree_id for i in node_ids if f"{NODE}:{i}" in kept}

    async def former(self, transaction: Any, node_ids: Sequence[str]) -> dict[str, list[Placement]]:
        return _by_node(p for p in self._all(transaction) if p.node_id in node_ids)

    async def lasting(
        self, transaction: Any, tree_id: str, node_ids: Sequence[str], at: datetime
    ) -> dict[str, list[Placement]]:
        theirs = (p for p in self._all(transaction) if p.node_id in node_ids and p.tree_id == tree_id)
        return _by_node(p for p in theirs if p.end > at)

    async def below(self, transaction: Any, tree_id: str, path: Sequence[str], at: datetime) -> list[Placement]:
        return [p for p in self._part(transaction, tree_id, path) if p.end > at]

    async def subtree(
        self, transaction: Any, tree_id: str, path: Sequence[str], at: datetime, deepest: int = DEEPEST
    ) -> AsyncIterator[list[Placement]]:
        found = [p for p in self._part(transaction, tree_id, path) if p.holds(at) and p.depth <= deepest]
        for n in range(0, len(found), BATCH):
            yield found[n : n + BATCH]

    async def hold(self, transaction: Any, tree_id: str) -> Tree | None:
        return await self.tree(transaction, tree_id)

    async def insert_tree(self, transaction: Staged[Any], tree: Tree, *happenings: Happening) -> None:
        if tree.id in transaction.kept:
            raise AlreadyExists("its id is taken", field="tree.id", metadata={"type": "tree", "id": tree.id})
        await self.replace_tree(transaction, tree)
        transaction.events += happenings

    async def replace_tree(self, transaction: Staged[Any], tree: Tree) -> None:
        for other in transaction.kept.values():
            same = isinstance(other, Tree) and (other.customer_id, other.name) == (tree.customer_id, tree.name)
            if same and other.id != tree.id:
                known = {"type": "tree", "id": other.id}
                raise AlreadyExists("its name is taken", field="tree.name", metadata=known)
        transaction.kept[tree.id] = tree

    async def record(self, transaction: Staged[Any], nodes: Sequence[Placement], at: datetime) -> None:
        homes = await self.homes(transaction, [node.node_id for node in nodes])
        for node in nodes:
            if homes.get(node.node_id, node.tree_id) != node.tree_id:
                raise _taken(node)
            key = f"{NODE}:{node.node_id}"
            transaction.kept[key] = (*transaction.kept.get(key, ()), (at, node))

    async def change(
        self,
        transaction: Staged[Any],
        closed: Sequence[Placement],
        opened: Sequence[Placement],
        at: datetime,
        *happenings: Happening,
    ) -> None:
        for placement in closed:
            before = transaction.kept.pop(place(placement))
            if before.start < at:
                transaction.kept[place(before)] = replace(before, end=at)
        for placement in opened:
            lasting = {p.node_id for p in _placements(transaction.kept) if p.end == FOREVER}
            if placement.node_id in lasting or place(placement) in transaction.kept:
                raise _taken(placement)
            transaction.kept[place(placement)] = placement
        transaction.events += happenings

    async def forget(self, transaction: Staged[Any], customer_ids: Sequence[str]) -> None:
        for key, kept in transaction.kept.items():
            if isinstance(kept, Tree) and kept.customer_id in customer_ids:
                transaction.kept[key] = replace(kept, name="")
            elif isinstance(kept, Placement) and kept.customer_id in customer_ids:
                transaction.kept[key] = replace(kept, name="", reference=None)

    def _part(self, transaction: Any, tree_id: str, path: Sequence[str]) -> list[Placement]:
        theirs = (p for p in self._all(transaction) if p.tree_id == tree_id and p.path[: len(path)] == tuple(path))
        return sorted(theirs, key=lambda p: (p.depth, p.path, p.end))

    def _all(self, transaction: Any) -> Iterable[Placement]:
        return _placements(self._stage.sees(transaction))


@dataclass(frozen=True)
class FakeFigures:
    """What is placed in one node."""

    count: int
    totals: Mapping[str, int] = field(default_factory=dict)


class FakePlaced:
    """What is placed in which node, whoever asks; `asked` keeps for whom."""

    def __init__(self, figures: Mapping[str, FakeFigures] | None = None) -> None:
        self._figures = figures or {}
        self.asked: list[tuple[str, ...]] = []

    async def by_node(self, customer_ids: Sequence[str]) -> Mapping[str, FakeFigures]:
        self.asked.append(tuple(customer_ids))
        return self._figures


def _taken(node: Placement) -> AlreadyExists:
    known = {"type": "node", "id": node.node_id}
    return AlreadyExists("the node has its place already", field="nodes", metadata=known)


def _key(kept: Tree | Placement) -> str:
    return kept.id if isinstance(kept, Tree) else place(kept)


def _placements(kept: Mapping[str, Any]) -> Iterable[Placement]:
    return (p for p in kept.values() if isinstance(p, Placement))


def _by_node(placements: Iterable[Placement]) -> dict[str, list[Placement]]:
    found: dict[str, list[Placement]] = {}
    for placement in placements:
        found.setdefault(placement.node_id, []).append(placement)
    return found
