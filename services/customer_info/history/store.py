"""Former versions in MongoDB: the only file of this noun that knows it.

The record itself is its latest version; what it was before goes here, as it was kept: sealed content stays sealed,
under the key of the same person.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.schema import Collection, Index

HISTORY = Collection(
    "history",
    required={
        "kind": "string",
        "subject": "string",
        "customer_id": "string",
        "version": ["int", "long"],
        "update_time": "date",
        "document": "object",
    },
    indexes=[
        Index([("subject", 1), ("update_time", -1)], serves="a record as it stood at a time"),
        Index([("customer_id", 1), ("update_time", -1), ("_id", -1)], serves="ListChanges of a customer, latest first"),
    ],
)
# What serves look-ups of the present has no place in the past.
PRESENT_ONLY = frozenset({"lookup", "terms", "external_keys", "identifier_keys", "holds"})


class History:
    """Former versions of the records of this service."""

    def __init__(self, store: Store) -> None:
        self._history = store.collection(HISTORY.name)

    async def keep(self, transaction: Transaction, kind: str, befores: Sequence[Mapping[str, Any]]) -> None:
        """Keeps what records of `kind` were, in the transaction that changes them."""
        if befores:
            await self._history.insert_many([_entry(kind, before) for before in befores], session=transaction)

    async def as_of(self, subject: str, at: datetime) -> Document | None:
        """The former version of a record that was valid at `at`, as it was kept; None where none had been made."""
        found = await self._history.find_one(
            {"subject": subject, "update_time": {"$lte": at}}, sort=[("update_time", -1)]
        )
        return None if found is None else _document(found)

    async def versions(self, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Document]:
        """The former versions asked for by subject and number, as they were kept."""
        keys = [_key(subject, version) for subject, version in wanted]
        return {(d["subject"], d["version"]): _document(d) async for d in self._history.find({"_id": {"$in": keys}})}

    async def page(self, customer_ids: Sequence[str], before: tuple[datetime, str] | None, most: int) -> list[Document]:
        """The latest entries of some customers, latest first, at most `most`; `before` is where the last page ended."""
        condition: Document = {"customer_id": {"$in": list(customer_ids)}}
        if before is not None:
            at, key = before
            condition["$or"] = [{"update_time": {"$lt": at}}, {"update_time": at, "_id": {"$lt": key}}]
        cursor = self._history.find(condition).sort([("update_time", -1), ("_id", -1)]).limit(most)
        return [entry async for entry in cursor]


def _entry(kind: str, before: Mapping[str, Any]) -> Document:
    return {
        "_id": _key(before["_id"], before["version"]),
        "kind": kind,
        "subject": before["_id"],
        "customer_id": before.get("customer_id", before["_id"]),
        "version": before["version"],
        "update_time": before["update_time"],
        "document": {k: v for k, v in before.items() if k not in PRESENT_ONLY and k != "_id"},
    }


def _document(entry: Mapping[str, Any]) -> Document:
    return {"_id": entry["subject"], **entry["document"]}


def _key(subject: str, version: int) -> str:
    return f"{subject}:{version:010d}"
