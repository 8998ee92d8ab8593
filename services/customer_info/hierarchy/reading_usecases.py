"""How trees are read: as of a time, by whoever may know of their customer."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chassis.query.selection import Selection
from chassis.rules import NotFound, missing
from chassis.times import now
from services.customer_info.hierarchy import rules
from services.customer_info.hierarchy.figure_rules import Figures, Sums, roll_up
from services.customer_info.hierarchy.rules import DEEPEST, Placement, Tree
from services.customer_info.hierarchy.usecases import Hierarchies


class Lineage(Protocol):
    """Whose records belong to a customer."""

    async def of(self, customer_id: str) -> Sequence[str]: ...


class Placed(Protocol):
    """What of the customers' products stands in which node, as of now."""

    async def by_node(self, customer_ids: Sequence[str]) -> Mapping[str, Figures]: ...


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a tree as of a time (None: now): a node with all below it or, where none is named, the whole tree.

    `levels` counts those below the node, or those of the tree; 0: all.
    """

    customer_id: str
    tree_id: str = ""
    node_id: str = ""
    as_of: datetime | None = None
    levels: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """A tree and the time it is read at; some of its nodes, parents before their children."""

    tree: Tree
    at: datetime
    nodes: Sequence[Placement] = ()


class HierarchyReading:
    """Reads trees, parts of them, paths and sums. A tree of somebody else's is not found."""

    def __init__(self, store: Hierarchies, lineage: Lineage, placed: Placed) -> None:
        self._store = store
        self._lineage = lineage
        self._placed = placed

    async def tree(self, customer_id: str, tree_id: str) -> Tree:
        """One tree.

        Raises:
            NotFound: there is none, or it is another customer's.
        """
        return await self._tree(None, Part(customer_id, tree_id))

    async def page(self, customer_id: str, selection: Selection) -> tuple[list[Tree], str]:
        """A page of a customer's trees, the oldest first, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.page(await self._lineage.of(customer_id), selection)

    async def subtree(self, part: Part) -> AsyncIterator[Seen]:
        """A part of a tree in batches, all of one moment; the first comes also where there is no node.

        Raises:
            NotFound: there is no such tree or node at that time, or it is another customer's.
        """
        async with self._store.snapshot() as moment:
            tree = await self._tree(moment, part)
            at = rules.read_time(part.as_of, tree, now())
            path = (await self._node(moment, tree, part.node_id, at))[-1].path if part.node_id else ()
            deepest = min(DEEPEST, len(path) + part.levels) if part.levels else DEEPEST
            empty = True
            async for batch in self._store.subtree(moment, tree.id, path, at, deepest):
                empty = False
                yield Seen(tree, at, batch)
            if empty:
                yield Seen(tree, at)

    async def path(self, part: Part) -> Seen:
        """A node and those above it, from the top down.

        Raises:
            NotFound: there is no such node at that time, or it is another customer's.
        """
        async with self._store.snapshot() as moment:
            tree = await self._tree(moment, part)
            at = rules.read_time(part.as_of, tree, now())
            return Seen(tree, at, await self._node(moment, tree, part.node_id, at))

    async def roll_up(self, part: Part) -> list[Sums]:
        """The sums of a part of a tree, then those of each node down to `levels`; 0: of none.

        Raises:
            NotFound: there is no such tree or node at that time, or it is another customer's.
            Invalid: that would tell of more than 10,000 nodes.
        """
        whole = Part(part.customer_id, part.tree_id, part.node_id, part.as_of)
        nodes = [node async for seen in self.subtree(whole) for node in seen.nodes]
        placed = await self._placed.by_node(await self._lineage.of(part.customer_id)) if nodes else {}
        return roll_up(nodes, part.node_id, placed, part.levels)

    async def _tree(self, moment: Any, part: Part) -> Tree:
        if part.tree_id:
            tree = await self._store.tree(moment, part.tree_id)
        else:
            tree = await self._store.tree_of(moment, part.node_id)
        if tree is None or tree.customer_id not in await self._lineage.of(part.customer_id):
            raise missing("tree", part.tree_id) if part.tree_id else no_node(part.node_id)
        return tree

    async def _node(self, moment: Any, tree: Tree, node_id: str, at: datetime) -> Sequence[Placement]:
        found = await self._store.path(node_id, at, moment)
        if not found or found[-1].tree_id != tree.id:
            raise no_node(node_id)
        return found


def no_node(node_id: str) -> NotFound:
    """The refusal of a node that is not there at that time, or that the caller may not know of."""
    return NotFound("there is no such node at that time", field="node_id", metadata={"type": "node", "id": node_id})
