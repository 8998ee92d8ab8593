"""Responsibilities and assignments as documents: who is no customer of ours is sealed with the enterprise's key."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from chassis.vault.sealing import DataKey
from services.customer_info.responsibilities.rules import Assignment, Contact, Responsibility
from services.customer_info.store import trail

Document = dict[str, Any]


def definition_document(responsibility: Responsibility) -> Document:
    """A responsibility as it is kept."""
    return {
        "_id": responsibility.name,
        "description": responsibility.description,
        "depends_on": list(responsibility.depends_on),
        "required": responsibility.required,
        "several": responsibility.several,
        "version": responsibility.version,
        "update_time": responsibility.update_time,
        **trail(),
    }


def definition(document: Mapping[str, Any]) -> Responsibility:
    """A responsibility from what is kept."""
    return Responsibility(
        name=document["_id"],
        description=document["description"],
        depends_on=tuple(document["depends_on"]),
        required=document["required"],
        several=document["several"],
        version=document["version"],
        update_time=document["update_time"],
    )


def assignment_document(assignment: Assignment, key: DataKey) -> Document:
    """An assignment as it is kept; `key` is the enterprise's."""
    document: Document = {
        "_id": assignment.id,
        "customer_id": assignment.customer_id,
        "tree_id": assignment.tree_id,
        "node_id": assignment.node_id,
        "responsibility": assignment.responsibility,
        "from": assignment.start,
        "to": assignment.end,
        "version": assignment.version,
        "create_time": assignment.create_time,
        "update_time": assignment.update_time,
        **trail(),
    }
    if assignment.contact is None:
        return {**document, "holder_id": assignment.holder_id}
    return {**document, "sealed": key.seal(_context(assignment.id), asdict(assignment.contact))}


def assignment(document: Mapping[str, Any], key: DataKey | None) -> Assignment:
    """An assignment from what is kept; without the key, nobody knows who its holder is."""
    sealed, holder_id = document.get("sealed"), document.get("holder_id", "")
    personal = key.open(_context(document["_id"]), sealed) if key is not None and sealed is not None else {}
    return Assignment(
        id=document["_id"],
        customer_id=document["customer_id"],
        tree_id=document["tree_id"],
        node_id=document["node_id"],
        responsibility=document["responsibility"],
        start=document["from"],
        end=document["to"],
        create_time=document["create_time"],
        update_time=document["update_time"],
        holder_id=holder_id,
        contact=None if holder_id else Contact(**personal),
        version=document["version"],
    )


def _context(assignment_id: str) -> str:
    return f"responsibility_assignments:{assignment_id}"
