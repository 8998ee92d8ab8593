"""What happens to trees and their nodes, one function per method that writes; `reading_usecases` has the others."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar

from chassis import etag
from chassis.events.outbox import Happening
from chassis.ids import new_id, new_ids
from chassis.query.selection import Selection
from chassis.rules import Invalid, missing
from chassis.times import now
from services.customer_info.customers.holding import Owners, held, unerased_held
from services.customer_info.customers.turns import Turns
from services.customer_info.hierarchy import rules, wire
from services.customer_info.hierarchy.rules import DEEPEST, MOST_ADDED, Change, Node, Placement, Tree

T = TypeVar("T")


class Hierarchies(Protocol):
    """What the use cases ask of a store; `HierarchyStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T: ...

    async def create_once(self, request_id: str, content: bytes, work: Callable[[Any], Awaitable[Tree]]) -> Tree: ...

    async def add_once(
        self, request_id: str, content: bytes, work: Callable[[Any], Awaitable[tuple[Tree, list[Placement]]]]
    ) -> tuple[Tree, list[Placement]]: ...

    def snapshot(self) -> AbstractAsyncContextManager[Any]: ...

    async def tree(self, transaction: Any, tree_id: str) -> Tree | None: ...

    async def tree_of(self, transaction: Any, node_id: str) -> Tree | None: ...

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Tree], str]: ...

    async def path(self, node_id: str, at: datetime, transaction: Any = None) -> tuple[Placement, ...]: ...

    async def homes(self, transaction: Any, node_ids: Sequence[str]) -> Mapping[str, str]: ...

    async def former(self, transaction: Any, node_ids: Sequence[str]) -> Mapping[str, Sequence[Placement]]: ...

    async def lasting(
        self, transaction: Any, tree_id: str, node_ids: Sequence[str], at: datetime
    ) -> Mapping[str, Sequence[Placement]]: ...

    async def below(self, transaction: Any, tree_id: str, path: Sequence[str], at: datetime) -> list[Placement]: ...

    def subtree(
        self, transaction: Any, tree_id: str, path: Sequence[str], at: datetime, deepest: int = DEEPEST
    ) -> AsyncIterator[list[Placement]]: ...

    async def hold(self, transaction: Any, tree_id: str) -> Tree | None: ...

    async def insert_tree(self, transaction: Any, tree: Tree, *happenings: Happening) -> None: ...

    async def replace_tree(self, transaction: Any, tree: Tree) -> None: ...

    async def record(self, transaction: Any, nodes: Sequence[Placement], at: datetime) -> None: ...

    async def change(
        self,
        transaction: Any,
        closed: Sequence[Placement],
        opened: Sequence[Placement],
        at: datetime,
        *happenings: Happening,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class When:
    """When a change takes effect (None: now), and the etag that must still be the tree's (empty: any)."""

    effective: datetime | None = None
    etag: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
    """What one change of nodes is: which placements it ends, which it begins, and what became of whom."""

    change: Change
    closed: Sequence[Placement]
    opened: Sequence[Placement]
    node_ids: Sequence[str]


class HierarchyUseCases:
    """Makes and renames trees; adds, changes, moves and ends nodes."""

    def __init__(self, store: Hierarchies, customers: Owners, turns: Turns | None = None) -> None:
        """`turns` are shared with others who hold the same customers; None: with nobody."""
        self._store = store
        self._customers = customers
        self._turns = turns or Turns()

    async def create(self, wish: Tree, request_id: str, content: bytes) -> Tree:
        """Makes a tree without nodes; a retry with the same `request_id` gets the same one.

        Raises:
            Invalid: its name is blank; AlreadyExists: its id or name is taken; NotFound: no such customer; Refused: the
                customer was merged or erased.
        """

        async def work(transaction: Any) -> Tree:
            await held(self._customers, transaction, wish.customer_id, "tree.customer_id")
            tree = rules.created(wish, wish.id or new_id(), now())
            await self._store.insert_tree(transaction, tree, created_event(tree))
            return tree

        return await self._turns.take(wish.customer_id, lambda: self._store.create_once(request_id, content, work))

    async def rename(self, tree_id: str, name: str, given_etag: str) -> Tree:
        """Gives a tree another name.

        Raises:
            NotFound, Conflict (etag), Invalid (a blank name), AlreadyExists (the name is taken), Refused (erased).
        """
        if not tree_id:
            raise Invalid("names no tree", field="tree.id")
        owner_id = await self._owner_id(tree_id)

        async def work(transaction: Any) -> Tree:
            before = await self._held(transaction, owner_id, tree_id, given_etag)
            after = rules.renamed(before, name, now())
            if after is not before:
                await self._store.replace_tree(transaction, after)
            return after

        return await self._turns.take(owner_id, lambda: self._store.transact(work))

    async def add(
        self, tree_id: str, wishes: Sequence[Node], when: When, request_id: str, content: bytes
    ) -> tuple[Tree, list[Placement]]:
        """Adds nodes, all or none; answers with the tree after that and with them, in order.

        Raises:
            Invalid: ids twice, blank names, a circle, too deep; AlreadyExists: a node has its place already, or is of
                another tree; NotFound: no such tree or parent; Conflict: the etag; Refused: a parent changes later, or
                the customer was erased.
        """
        owner_id = await self._owner_id(tree_id)

        async def work(transaction: Any) -> tuple[Tree, list[Placement]]:
            tree = await self._held(transaction, owner_id, tree_id, when.etag)
            at = rules.effective(when.effective, tree, now())
            named = [w if w.id else replace(w, id=fresh) for w, fresh in zip(wishes, new_ids(len(wishes)), strict=True)]
            ids = [w.id for w in named]
            above = list({w.parent_id for w in named if w.parent_id} - set(ids))
            rules.check_homes(tree, named, await self._store.homes(transaction, ids))
            former = await self._store.former(transaction, ids)
            parents = await self._store.lasting(transaction, tree.id, above, at) if above else {}
            made = rules.added(tree, named, former, parents, at)
            tree = await self._take(transaction, tree, _Step(Change.ADDED, (), made, ids), at)
            return tree, made

        return await self._turns.take(owner_id, lambda: self._store.add_once(request_id, content, work))

    async def update(self, tree_id: str, wish: Node, names: frozenset[str], when: When) -> tuple[Tree, Placement]:
        """Changes fields of the node `wish.id`; answers with the tree and the node after that.

        Raises:
            NotFound, Conflict (etag), Invalid (a blank name), Refused (it changes later, or the customer was erased).
        """
        if not wish.id:
            raise Invalid("names no node", field="node.id")
        owner_id = await self._owner_id(tree_id)

        async def work(transaction: Any) -> tuple[Tree, Placement]:
            tree = await self._held(transaction, owner_id, tree_id, when.etag)
            at = rules.effective(when.effective, tree, now())
            before = await self._standing(transaction, tree, wish.id, at, "node.id")
            after = rules.updated(before, wish, names, at)
            if after is not before:
                step = _Step(Change.UPDATED, [before], [after], [after.node_id])
                tree = await self._take(transaction, tree, step, at)
            return tree, after

        return await self._turns.take(owner_id, lambda: self._store.transact(work))

    async def move(self, tree_id: str, node_id: str, parent_id: str, when: When) -> tuple[Tree, Placement, int]:
        """Puts a node with all below it under another parent, or at the top; answers also with how many moved.

        Raises:
            NotFound, Conflict (etag), Invalid (a circle, too deep), Refused (one of them changes later, or the customer
                was erased).
        """
        owner_id = await self._owner_id(tree_id)

        async def work(transaction: Any) -> tuple[Tree, Placement, int]:
            tree = await self._held(transaction, owner_id, tree_id, when.etag)
            at = rules.effective(when.effective, tree, now())
            before = await self._below(transaction, tree, node_id, at)
            parent = await self._standing(transaction, tree, parent_id, at, "parent_id") if parent_id else None
            after = rules.moved(before, parent, at)
            if not after:
                return tree, before[0], 0
            step = _Step(Change.MOVED, before, after, [p.node_id for p in after])
            return await self._take(transaction, tree, step, at), after[0], len(after)

        return await self._turns.take(owner_id, lambda: self._store.transact(work))

    async def end(self, tree_id: str, node_id: str, when: When) -> tuple[Tree, int]:
        """Ends a node with all below it; answers with the tree after that and with how many ended.

        Raises:
            NotFound, Conflict (etag), Refused (one of them changes later, or the customer was erased).
        """
        owner_id = await self._owner_id(tree_id)

        async def work(transaction: Any) -> tuple[Tree, int]:
            tree = await self._held(transaction, owner_id, tree_id, when.etag)
            at = rules.effective(when.effective, tree, now())
            before = await self._below(transaction, tree, node_id, at)
            step = _Step(Change.ENDED, before, (), [p.node_id for p in before])
            return await self._take(transaction, tree, step, at), len(before)

        return await self._turns.take(owner_id, lambda: self._store.transact(work))

    async def _owner_id(self, tree_id: str) -> str:
        """Whose a tree is, which never changes. Who holds the same customer takes turns, in whatever tree."""
        tree = await self._store.tree(None, tree_id)
        if tree is None:
            raise missing("tree", tree_id)
        return tree.customer_id

    async def _held(self, transaction: Any, owner_id: str, tree_id: str, given_etag: str) -> Tree:
        """The tree, kept from other writers until the transaction ends; its customer, too: nobody erases it meanwhile.

        The customer first: whoever holds something of a customer's as well does it in this order.
        """
        await unerased_held(self._customers, transaction, owner_id)
        tree = await self._store.hold(transaction, tree_id)
        if tree is None:
            raise missing("tree", tree_id)
        etag.check(given_etag, tree.version)
        return tree

    async def _standing(self, transaction: Any, tree: Tree, node_id: str, at: datetime, field: str) -> Placement:
        found = await self._store.lasting(transaction, tree.id, [node_id], at)
        return rules.standing(found.get(node_id, ()), at, node_id, field)

    async def _below(self, transaction: Any, tree: Tree, node_id: str, at: datetime) -> list[Placement]:
        """A node and all below it, nothing of which changes after `at`, and which is not too much."""
        top = await self._standing(transaction, tree, node_id, at, "node_id")
        found = await self._store.below(transaction, tree.id, top.path, at)
        rules.check_settled(found, at, "node_id")
        rules.check_size(found, "node_id")
        return found

    async def _take(self, transaction: Any, tree: Tree, step: _Step, at: datetime) -> Tree:
        """Does what a step says, and tells of it; the tree after that."""
        after = rules.touched(tree, now())
        assert after.update_time is not None, "a tree that was touched has one"
        await self._store.replace_tree(transaction, after)
        nodes = rules.recorded(step.change, step.closed, step.opened, at)
        await self._store.record(transaction, nodes, after.update_time)
        events = changed_events(after, step.change, step.node_ids, at)
        await self._store.change(transaction, step.closed, step.opened, at, *events)
        return after


def created_event(tree: Tree) -> Happening:
    """Tells that a tree was made."""
    assert tree.update_time is not None, "a stored tree has one"
    return Happening(tree.id, tree.version, wire.created_event(tree), tree.update_time, tree.customer_id)


def changed_events(tree: Tree, change: Change, node_ids: Sequence[str], at: datetime) -> list[Happening]:
    """Tells what became of nodes, in as many events as it takes; they all have the tree's version."""
    assert tree.update_time is not None, "a stored tree has one"
    told = []
    for n in range(0, len(node_ids), MOST_ADDED):
        data = wire.changed_event(tree, change, node_ids[n : n + MOST_ADDED], at)
        told.append(Happening(tree.id, tree.version, data, tree.update_time, tree.customer_id))
    return told
