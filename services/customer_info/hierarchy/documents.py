"""Trees and placements as documents: part of the store's door, kept apart for its length.

What people call a node and what it stands for is sealed under the customer's key; ids, kinds and times are not. A path
is kept as one text, each id followed by a stroke: what is below a node are the texts that begin with its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.vault.sealing import DataKey
from services.customer_info.hierarchy.rules import Kind, Placement, Reference, Tree, View

Document = dict[str, Any]
TREES = "hierarchy_trees"
PLACEMENTS = "hierarchy_placements"
NODES = "hierarchy_nodes"
STROKE, NEXT = "/", "0"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def place(placement: Placement) -> str:
    """A node cannot begin to be two things at once."""
    return f"{placement.node_id}/{(placement.start - _EPOCH) // timedelta(milliseconds=1)}"


def text(path: Sequence[str]) -> str:
    """A path as it is kept; no id holds a stroke."""
    return "".join(node_id + STROKE for node_id in path)


def path_of(document: Document) -> tuple[str, ...]:
    """The path of a placement that is kept."""
    return tuple(document["path"].split(STROKE)[:-1])


def within(path: Sequence[str]) -> Document:
    """The condition that a path begins with `path`."""
    begin = text(path)
    return {"$gte": begin, "$lt": begin[:-1] + NEXT}


def to_document(placement: Placement, key: DataKey) -> Document:
    """A placement as it is kept."""
    kept_as = place(placement)
    return {
        "_id": kept_as,
        "node_id": placement.node_id,
        "tree_id": placement.tree_id,
        "customer_id": placement.customer_id,
        "kind": placement.kind.value,
        "path": text(placement.path),
        "depth": placement.depth,
        "from": placement.start,
        "to": placement.end,
        "sealed": key.seal(f"{PLACEMENTS}:{kept_as}", _personal(placement)),
    }


def from_document(document: Document, keys: Mapping[str, DataKey]) -> Placement:
    """A placement from what is kept; without a name where its customer was erased."""
    return _placement(document, _content(document, keys, PLACEMENTS), path_of(document))


def node_to_document(node: Placement, key: DataKey) -> Document:
    """What is on record of a node: what it is itself, and what it stands right below."""
    return {
        "_id": node.node_id,
        "tree_id": node.tree_id,
        "customer_id": node.customer_id,
        "kind": node.kind.value,
        "parent_id": node.parent_id,
        "from": node.start,
        "to": node.end,
        "sealed": key.seal(f"{NODES}:{node.node_id}", _personal(node)),
    }


def node_of_document(document: Document, keys: Mapping[str, DataKey]) -> Placement:
    """A node from what is on record of it, with no more of its path than its parent; without a name where its customer
    was erased.
    """
    content, parent_id = _content(document, keys, NODES), document["parent_id"]
    path = (parent_id, document["_id"]) if parent_id else (document["_id"],)
    return _placement({**document, "node_id": document["_id"]}, content, path)


def tree_to_document(tree: Tree, key: DataKey) -> Document:
    """A tree as it is kept."""
    return {
        "_id": tree.id,
        "customer_id": tree.customer_id,
        "view": tree.view.value,
        "version": tree.version,
        "create_time": tree.create_time,
        "update_time": tree.update_time,
        "sealed": key.seal(f"{TREES}:{tree.id}", {"name": tree.name}),
    }


def tree_of_document(document: Document, keys: Mapping[str, DataKey]) -> Tree:
    """A tree from what is kept; without a name where its customer was erased."""
    return Tree(
        id=document["_id"],
        customer_id=document["customer_id"],
        name=_content(document, keys, TREES).get("name", ""),
        view=View(document["view"]),
        version=document["version"],
        create_time=document["create_time"],
        update_time=document["update_time"],
    )


def _placement(document: Document, content: Document, path: tuple[str, ...]) -> Placement:
    reference = content.get("reference")
    return Placement(
        node_id=document["node_id"],
        tree_id=document["tree_id"],
        customer_id=document["customer_id"],
        name=content.get("name", ""),
        path=path,
        start=document["from"],
        end=document["to"],
        kind=Kind(document["kind"]),
        reference=Reference(**reference) if reference else None,
    )


def _personal(placement: Placement) -> Document:
    content: Document = {"name": placement.name}
    if placement.reference:
        content["reference"] = asdict(placement.reference)
    return content


def _content(document: Document, keys: Mapping[str, DataKey], collection: str) -> Document:
    key = keys.get(document["customer_id"])
    sealed = document.get("sealed")
    return {} if key is None or sealed is None else key.open(f"{collection}:{document['_id']}", sealed)
