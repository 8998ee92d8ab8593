"""Responsibilities and assignments to try things on."""

from typing import Any

from services.customer_info.hierarchy.rules import Placement
from services.customer_info.responsibilities.rules import Assignment, Contact, Responsibility
from tests.unit.services.customer_info.builders import NOON, new_uuid

PAT = Contact("Pat Example", "pat@example.com", "+4930123456")


def duty(name: str, *depends_on: str, **changes: Any) -> Responsibility:
    """A responsibility as the catalogue keeps one."""
    return Responsibility(name, f"Does {name}.", depends_on, **{"update_time": NOON, **changes})


def assignment(place: Placement, responsibility: str = "manager", **changes: Any) -> Assignment:
    """That somebody who is no customer has a responsibility at a node, as the record keeps it."""
    usual: dict[str, Any] = {
        "id": new_uuid(),
        "customer_id": place.customer_id,
        "tree_id": place.tree_id,
        "node_id": place.node_id,
        "responsibility": responsibility,
        "start": NOON,
        "create_time": NOON,
        "update_time": NOON,
    }
    if "holder_id" not in changes:
        usual["contact"] = PAT
    return Assignment(**{**usual, **changes})
