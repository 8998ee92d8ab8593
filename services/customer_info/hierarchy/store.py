"""Trees and placements in MongoDB: the only file of this noun that knows it.

Paths are materialised: a placement holds the ids of all above its node, so that one index answers with a subtree as of
a time, parents first.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from pymongo import ReplaceOne

from chassis.events.outbox import Happening, Outbox
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.parts import update_in_parts
from chassis.mongo.requests import Requests
from chassis.mongo.schema import Collection, Index
from chassis.query import fields
from chassis.query.listing import Listing
from chassis.query.selection import Order, Selection
from chassis.rules import AlreadyExists, Refusal
from chassis.vault.vault import Vault
from services.customer_info.hierarchy.documents import (
    from_document,
    node_to_document,
    path_of,
    place,
    to_document,
    tree_of_document,
    tree_to_document,
    within,
)
from services.customer_info.hierarchy.rules import DEEPEST, Placement, Tree, View
from services.customer_info.history.store import History
from services.customer_info.store import TRAIL, refused_key, trail

T = TypeVar("T")

KIND = "tree"
NODE = "node"
TREES = Collection(
    "hierarchy_trees",
    required={
        "customer_id": "string",
        "view": "string",
        "version": ["int", "long"],
        "create_time": "date",
        "update_time": "date",
        **TRAIL,
    },
    optional={"sealed": "binData", "name_token": "binData"},
    indexes=[
        Index([("customer_id", 1), ("create_time", 1), ("_id", 1)], serves="ListTrees, oldest first"),
        Index(
            [("customer_id", 1), ("name_token", 1)],
            serves="a customer's trees have different names",
            unique=True,
            partial={"name_token": {"$exists": True}},
        ),
    ],
)
PLACEMENTS = Collection(
    "hierarchy_placements",
    required={
        "node_id": "string",
        "tree_id": "string",
        "customer_id": "string",
        "kind": "string",
        "path": "string",
        "depth": ["int", "long"],
        "from": "date",
        "to": "date",
        **TRAIL,
    },
    optional={"sealed": "binData"},
    indexes=[
        Index(
            [("tree_id", 1), ("depth", 1), ("path", 1), ("to", 1), ("from", 1)],
            serves="a tree, or a node with all below it, as of a time",
        ),
        # Where no end is known all have the same one: a node has one place, in one tree, that lasts.
        Index([("node_id", 1), ("to", 1)], serves="nodes as they are at a time", unique=True),
    ],
)
# Each node as its last change left it, for its history: where it stands as of a time, its placements tell.
NODES = Collection(
    "hierarchy_nodes",
    required={
        "tree_id": "string",
        "customer_id": "string",
        "kind": "string",
        "parent_id": "string",
        "from": "date",
        "to": "date",
        "version": ["int", "long"],
        "update_time": "date",
        **TRAIL,
    },
    optional={"sealed": "binData"},
    indexes=[
        Index([("customer_id", 1), ("update_time", -1), ("_id", -1)], serves="ListChanges of a customer's nodes"),
    ],
)
HIERARCHY_COLLECTIONS = (TREES, PLACEMENTS, NODES)
LISTING = Listing(
    "trees",
    {
        "view": fields.choice("view", {f"TREE_VIEW_{v.name}": v.value for v in View}),
        "create_time": fields.time("create_time"),
    },
    [Order("create_time")],
)
# Nodes in one batch of a subtree: some 100 kB on the wire.
BATCH = 500
IN_ORDER = [("depth", 1), ("path", 1)]


class HierarchyStore:
    """Trees of one operator's customers. What people call them, and what they stand for, is sealed."""

    def __init__(self, store: Store, vault: Vault, history: History) -> None:
        self._store = store
        self._vault = vault
        self._history = history
        self._trees = store.collection(TREES.name)
        self._placements = store.collection(PLACEMENTS.name)
        self._nodes = store.collection(NODES.name)
        self._requests = Requests(store)
        self._outbox = Outbox(store)

    async def path(self, node_id: str, at: datetime, transaction: Transaction = None) -> tuple[Placement, ...]:
        """A node and those above it as of `at`: the top first, the node last; nothing where it is not there."""
        there = {"from": {"$lte": at}, "to": {"$gt": at}}
        found = await self._placements.find_one({"node_id": node_id, **there}, session=transaction)
        if found is None:
            return ()
        above = path_of(found)[:-1]
        cursor = self._placements.find({"node_id": {"$in": above}, **there}, session=transaction)
        documents = [d async for d in cursor] if above else []
        return tuple(sorted(await self._opened([*documents, found]), key=lambda p: p.depth))

    async def nodes(self, tree_id: str, at: datetime) -> list[Placement]:
        """All nodes of a tree as they are at `at`, parents before their children."""
        async with self.snapshot() as seen:
            return [p async for batch in self.subtree(seen, tree_id, (), at) for p in batch]

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` in a transaction."""
        return await self._store.transact(work)

    async def create_once(
        self, request_id: str, content: bytes, work: Callable[[Transaction], Awaitable[Tree]]
    ) -> Tree:
        """Runs `work` in a transaction, once per `request_id`; a retry gets the first answer."""

        async def kept(transaction: Transaction) -> Document:
            return await self._tree_document(await work(transaction))

        fingerprint = self._vault.fingerprint(content)
        return await self._opened_tree(await self._requests.once("CreateTree", request_id, fingerprint, kept))

    async def add_once(
        self,
        request_id: str,
        content: bytes,
        work: Callable[[Transaction], Awaitable[tuple[Tree, list[Placement]]]],
    ) -> tuple[Tree, list[Placement]]:
        """The same for new nodes."""

        async def kept(transaction: Transaction) -> Document:
            tree, placements = await work(transaction)
            return {"tree": await self._tree_document(tree), "nodes": await self._documents(placements)}

        fingerprint = self._vault.fingerprint(content)
        answer = await self._requests.once("AddNodes", request_id, fingerprint, kept)
        return await self._opened_tree(answer["tree"]), await self._opened(answer["nodes"])

    def snapshot(self) -> contextlib.AbstractAsyncContextManager[Transaction]:
        """Lets everything that is read in the block be of one moment; see `Store.snapshot`."""
        return self._store.snapshot()

    async def tree(self, transaction: Transaction, tree_id: str) -> Tree | None:
        """One tree, as the transaction or the snapshot sees it."""
        found = await self._trees.find_one({"_id": tree_id}, session=transaction)
        return None if found is None else await self._opened_tree(found)

    async def tree_of(self, transaction: Transaction, node_id: str) -> Tree | None:
        """The tree in which a node stands or ever stood."""
        found = await self._placements.find_one({"node_id": node_id}, {"tree_id": 1}, session=transaction)
        return None if found is None else await self.tree(transaction, found["tree_id"])

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Tree], str]:
        """A page of the trees of these customers, the oldest first, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        page = await LISTING.page(self._trees, selection, {"customer_id": {"$in": list(customer_ids)}})
        keys = await self._vault.keys({d["customer_id"] for d in page.documents})
        return [tree_of_document(d, keys) for d in page.documents], page.next_page_token

    async def hold(self, transaction: Transaction, tree_id: str) -> Tree | None:
        """One tree, kept from all other writers until the transaction ends: who comes second begins anew.

        Two moves that each see the tree without the other could close a circle together.
        """
        found = await self._trees.find_one_and_update({"_id": tree_id}, {"$inc": {"holds": 1}}, session=transaction)
        return None if found is None else await self._opened_tree(found)

    async def insert_tree(self, transaction: Transaction, tree: Tree, *happenings: Happening) -> None:
        """Adds a tree and what it has to tell.

        Raises:
            AlreadyExists: its id or its name is another's; Refused: the customer was erased.
        """
        document = await self._tree_document(tree)
        try:
            await self._trees.insert_one(document, session=transaction)
        except Exception as error:
            if taken := await self._taken_tree(document, error):
                raise taken from error
            raise
        await self._outbox.add(transaction, *happenings)

    async def replace_tree(self, transaction: Transaction, tree: Tree) -> None:
        """Puts the next version of a tree in place of the one before, which its history keeps.

        Raises:
            AlreadyExists: its name is another's; Refused: the customer was erased.
        """
        document = await self._tree_document(tree)
        try:
            before = await self._trees.find_one_and_replace({"_id": tree.id}, document, session=transaction)
        except Exception as error:
            if taken := await self._taken_tree(document, error):
                raise taken from error
            raise
        await self._history.keep(transaction, KIND, [{k: v for k, v in before.items() if k != "name_token"}])

    async def homes(self, transaction: Transaction, node_ids: Sequence[str]) -> dict[str, str]:
        """The tree of each of these nodes that is on record, by node: it stays so, whatever becomes of the node."""
        cursor = self._nodes.find({"_id": {"$in": list(node_ids)}}, {"tree_id": 1}, session=transaction)
        return {d["_id"]: d["tree_id"] async for d in cursor}

    async def former(self, transaction: Transaction, node_ids: Sequence[str]) -> dict[str, list[Placement]]:
        """Every placement that these nodes ever had, by node."""
        return await self._by_node({"node_id": {"$in": list(node_ids)}}, transaction)

    async def lasting(
        self, transaction: Transaction, tree_id: str, node_ids: Sequence[str], at: datetime
    ) -> dict[str, list[Placement]]:
        """The placements of these nodes in this tree that have not ended at `at`, by node."""
        wanted = {"node_id": {"$in": list(node_ids)}, "to": {"$gt": at}, "tree_id": tree_id}
        return await self._by_node(wanted, transaction)

    async def below(self, transaction: Transaction, tree_id: str, path: Sequence[str], at: datetime) -> list[Placement]:
        """The placements at the end of `path` and below that have not ended at `at`, parents before their children."""
        wanted = {**_part(tree_id, path), "to": {"$gt": at}}
        cursor = self._placements.find(wanted, session=transaction).sort(IN_ORDER)
        return await self._opened([d async for d in cursor])

    async def subtree(
        self, transaction: Transaction, tree_id: str, path: Sequence[str], at: datetime, deepest: int = DEEPEST
    ) -> AsyncIterator[list[Placement]]:
        """The node at the end of `path` with all below it, or the whole tree, as of `at`; no level below `deepest`.

        Parents before their children, in batches.
        """
        wanted = {**_part(tree_id, path, deepest), "from": {"$lte": at}, "to": {"$gt": at}}
        cursor = self._placements.find(wanted, session=transaction).sort(IN_ORDER).batch_size(BATCH)
        batch: list[Document] = []
        async for document in cursor:
            batch.append(document)
            if len(batch) == BATCH:
                yield await self._opened(batch)
                batch = []
        if batch:
            yield await self._opened(batch)

    async def record(self, transaction: Transaction, nodes: Sequence[Placement], at: datetime) -> None:
        """Puts nodes as a change of this moment, `at`, leaves them in place of what was on record, which is kept.

        Raises:
            AlreadyExists: one of them is on record in another tree; Refused: the customer was erased.
        """
        wanted = {"_id": {"$in": [p.node_id for p in nodes]}}
        before = {d["_id"]: d async for d in self._nodes.find(wanted, session=transaction)}
        for node in nodes:
            if node.node_id in before and before[node.node_id]["tree_id"] != node.tree_id:
                raise _node_taken(node.node_id)
        await self._history.keep(transaction, NODE, list(before.values()))
        keys, who = await self._vault.make({p.customer_id for p in nodes}), trail()
        new: list[Document] = []
        changed: list[Document] = []
        for node in nodes:
            version = before[node.node_id]["version"] + 1 if node.node_id in before else 1
            document = node_to_document(node, keys[node.customer_id]) | who | {"version": version, "update_time": at}
            (changed if version > 1 else new).append(document)
        if new:
            await self._nodes.insert_many(new, session=transaction)
        if changed:
            replaced = [ReplaceOne({"_id": d["_id"]}, d) for d in changed]
            await self._nodes.bulk_write(replaced, ordered=False, session=transaction)

    async def change(
        self,
        transaction: Transaction,
        closed: Sequence[Placement],
        opened: Sequence[Placement],
        at: datetime,
        *happenings: Happening,
    ) -> None:
        """Ends the placements `closed` at `at`, adds those `opened`, and what there is to tell.

        One that began at `at` never was: it is taken out.

        Raises:
            AlreadyExists: a node has its place in another tree; Refused: the customer was erased.
        """
        ended = [place(p) for p in closed if p.start < at]
        undone = [place(p) for p in closed if p.start == at]
        if ended:
            who = {f"end_{name}": value for name, value in trail().items()}
            await self._placements.update_many(
                {"_id": {"$in": ended}}, {"$set": {"to": at, **who}}, session=transaction
            )
        if undone:
            await self._placements.delete_many({"_id": {"$in": undone}}, session=transaction)
        if opened:
            try:
                await self._placements.insert_many(await self._documents(opened), session=transaction)
            except Exception as error:
                if taken := _taken_node(error):
                    raise taken from error
                raise
        await self._outbox.add(transaction, *happenings)

    async def forget(self, transaction: Transaction, customer_ids: Sequence[str]) -> None:
        """Takes everything that people wrote out of these customers' trees; their shape stays, which names nobody."""
        gone = {"$unset": {"sealed": "", "name_token": ""}}
        whose = {"customer_id": {"$in": list(customer_ids)}}
        trees = [d["_id"] async for d in self._trees.find(whose, {"_id": 1}, session=transaction)]
        await self._trees.update_many(whose, gone, session=transaction)
        await update_in_parts(self._placements, {"tree_id": {"$in": trees}}, gone, transaction)
        await update_in_parts(self._nodes, whose, gone, transaction)

    async def _by_node(self, wanted: Document, transaction: Transaction) -> dict[str, list[Placement]]:
        found: dict[str, list[Placement]] = {}
        for placement in await self._opened([d async for d in self._placements.find(wanted, session=transaction)]):
            found.setdefault(placement.node_id, []).append(placement)
        return found

    async def _opened(self, documents: Sequence[Document]) -> list[Placement]:
        keys = await self._vault.keys({d["customer_id"] for d in documents})
        return [from_document(d, keys) for d in documents]

    async def _opened_tree(self, document: Document) -> Tree:
        return tree_of_document(document, await self._vault.keys([document["customer_id"]]))

    async def _documents(self, placements: Sequence[Placement]) -> list[Document]:
        keys, who = await self._vault.make({p.customer_id for p in placements}), trail()
        return [to_document(p, keys[p.customer_id]) | who for p in placements]

    async def _tree_document(self, tree: Tree) -> Document:
        key = (await self._vault.make([tree.customer_id]))[tree.customer_id]
        token = self._vault.token("tree", tree.customer_id, tree.name)
        return tree_to_document(tree, key) | {"name_token": token, **trail()}

    async def _taken_tree(self, document: Document, error: Exception) -> Refusal | None:
        """What a caller is told of a tree that a unique index refused; None: another fault."""
        key = refused_key(error)
        if key is None:
            return None
        if "_id" in key:
            known = {"type": "tree", "id": document["_id"]}
            return AlreadyExists("there is a tree with this id", field="tree.id", metadata=known)
        same = {name: document[name] for name in ("customer_id", "name_token")}
        holder = await self._trees.find_one(same, {"_id": 1})
        return AlreadyExists(
            "the customer has a tree of this name",
            field="tree.name",
            metadata={"type": "tree", "id": holder["_id"] if holder else ""},
        )


def _part(tree_id: str, path: Sequence[str], deepest: int = DEEPEST) -> Document:
    part: Document = {"tree_id": tree_id, "depth": {"$gte": max(1, len(path)), "$lte": deepest}}
    return {**part, "path": within(path)} if path else part


def _taken_node(error: Exception) -> Refusal | None:
    key = refused_key(error)
    return None if key is None else _node_taken(str(key.get("node_id") or key.get("_id", "")).partition("/")[0])


def _node_taken(node_id: str) -> Refusal:
    return AlreadyExists("the node has its place already", field="nodes", metadata={"type": "node", "id": node_id})
