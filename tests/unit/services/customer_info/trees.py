"""Trees and nodes to try things on."""

from datetime import datetime
from typing import Any

from services.customer_info.hierarchy.rules import Kind, Node, Placement, Tree
from tests.unit.services.customer_info.builders import NOON, new_uuid


def tree(customer_id: str = "", **changes: Any) -> Tree:
    """A tree as the record keeps one."""
    usual: dict[str, Any] = {
        "id": new_uuid(),
        "customer_id": customer_id or new_uuid(),
        "name": "Departments",
        "create_time": NOON,
        "update_time": NOON,
    }
    return Tree(**{**usual, **changes})


def node(node_id: str = "", parent_id: str = "", **changes: Any) -> Node:
    """A node as a caller wants it."""
    usual: dict[str, Any] = {"name": "Sales", "kind": Kind.DEPARTMENT}
    return Node(node_id or new_uuid(), parent_id=parent_id, **{**usual, **changes})


def placement(of: Tree, *path: str, start: datetime = NOON, **changes: Any) -> Placement:
    """A node of the tree `of`, below the others of its `path`."""
    usual: dict[str, Any] = {"name": f"node {path[-1]}", "kind": Kind.DEPARTMENT}
    return Placement(path[-1], of.id, of.customer_id, path=path, start=start, **{**usual, **changes})


def family(of: Tree, *paths: str, start: datetime = NOON) -> list[Placement]:
    """Nodes by paths such as "a/b", which may be the ends of those that come before."""
    return [placement(of, *path.split("/"), start=start) for path in paths]
