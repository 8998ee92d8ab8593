"""Former versions in MongoDB: the only file of this noun that knows it.

The record itself is its latest version; what it was before goes here, as it was kept: sealed content stays sealed,
under the key of the same person.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.parts import update_in_parts
from chassis.mongo.schema import Collection, Index
from chassis.vault.joint import SEALED_WITH
from services.customer_info.history.rules import Made, Place, Version, latest, version_key

V = TypeVar("V")

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
    optional={SEALED_WITH: "array"},
    indexes=[
        Index([("subject", 1), ("update_time", -1)], serves="a record as it stood at a time"),
        Index([("customer_id", 1), ("update_time", -1), ("_id", -1)], serves="ListChanges of a customer, latest first"),
        Index(
            [(SEALED_WITH, 1)],
            serves="what others' records held of somebody who is erased",
            partial={SEALED_WITH: {"$exists": True}},
        ),
    ],
)
# What serves look-ups of the present has no place in the past.
PRESENT_ONLY = frozenset({"lookup", "terms", "external_keys", "identifier_keys", "name_token", "holds"})
# What is told beside the record as it was.
BESIDE = PRESENT_ONLY | {"_id", SEALED_WITH}
# What a former version loses when the person is erased, by kind: what the emptied record has lost too. The rest says
# that there was a version, when, who made it, and what the operator sold or ordered by it.
SEALED = ("sealed",)
PERSONAL: Mapping[str, Sequence[str]] = {
    "customer": (*SEALED, "language", "characteristics", "since", "billing", "billed"),
    "profile": (*SEALED, "language", "channels", "cleared"),
}
SHOWN = dict.fromkeys(sorted(PRESENT_ONLY), 0)
LATEST = [("update_time", -1), ("_id", -1)]


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the records of a kind are kept, and which fields of theirs name the customer and the time of the change.

    `many`: a customer may have thousands, and the collection has an index of a customer's by that time. Otherwise
    they are few, and read all. What never changes has no versions: each record is one.
    """

    collection: str
    owner: str = "customer_id"
    many: bool = False
    time: str = "update_time"


class History:
    """Former versions of the records of this service."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._history = store.collection(HISTORY.name)

    async def keep(self, transaction: Transaction, kind: str, befores: Sequence[Mapping[str, Any]]) -> None:
        """Keeps what records of `kind` were, in the transaction that changes them."""
        if befores:
            await self._history.insert_many([_entry(kind, before) for before in befores], session=transaction)

    async def as_of(self, kind: str, subject: str, at: datetime) -> Document | None:
        """The former version of a record that was valid at `at`, as it was kept; None where none had been made."""
        found = await self._history.find_one(
            {"subject": subject, "kind": kind, "update_time": {"$lte": at}}, sort=[("update_time", -1)]
        )
        return None if found is None else _document(found)

    async def many_as_of(self, kind: str, present: Sequence[Document], at: datetime) -> list[Document]:
        """Records as they stood at `at`, of those that are `present` now: one for each that was there."""
        changed = [d["_id"] for d in present if d["update_time"] > at]
        there = [d for d in present if d["update_time"] <= at]
        return there + await self._former(kind, changed, at) if changed else there

    async def _former(self, kind: str, subjects: Sequence[str], at: datetime) -> list[Document]:
        valid = {"subject": {"$in": list(subjects)}, "kind": kind, "update_time": {"$lte": at}}
        found = await self._store.aggregate(
            HISTORY.name,
            [
                {"$match": valid},
                {"$sort": {"subject": 1, "update_time": -1}},
                {"$group": {"_id": "$subject", "latest": {"$first": "$$ROOT"}}},
            ],
        )
        return [_document(d["latest"]) for d in found]

    async def versions(self, keys: Sequence[str]) -> dict[str, Document]:
        """The former versions of these keys (`version_key`), as they were kept, by key."""
        return {d["_id"]: _document(d) async for d in self._history.find({"_id": {"$in": list(keys)}})}

    async def page(
        self, customer_ids: Sequence[str], kinds: Sequence[str], before: Place | None, most: int
    ) -> list[Version]:
        """Former versions of the records of some customers, latest first, at most `most`, from before a place on."""
        wanted: Document = {"customer_id": {"$in": list(customer_ids)}, "kind": {"$in": list(kinds)}}
        cursor = self._history.find(wanted | _before(before)).sort(LATEST).limit(most)
        return [_version(e["kind"], e["customer_id"], _document(e)) async for e in cursor]

    async def forget(self, transaction: Transaction, customer_ids: Sequence[str]) -> None:
        """Takes what is personal out of the former versions of these customers' records, and of those that held their
        data while they were merged; that there were some stays.

        Their keys are destroyed; a replica that still has one in memory shall find nothing to open. Without a
        transaction it goes part by part: a record may have been changed more often than one transaction could.
        """
        others: Document = {"kind": {"$nin": list(PERSONAL)}}
        for kinds, gone in [*(({"kind": kind}, gone) for kind, gone in PERSONAL.items()), (others, SEALED)]:
            left = {"$or": [{f"document.{name}": {"$exists": True}} for name in gone]}
            whose = {"customer_id": {"$in": list(customer_ids)}, **kinds, **left}
            taken = {"$unset": {f"document.{name}": "" for name in gone}}
            await update_in_parts(self._history, whose, taken, transaction)
        held = {SEALED_WITH: {"$in": list(customer_ids)}, "document.sealed": {"$exists": True}}
        await update_in_parts(self._history, held, {"$unset": {"document.sealed": ""}}, transaction)


class Versions(Generic[V]):
    """The versions of the records of a kind, read from their documents by `read`; of records that are no customer's."""

    def __init__(self, store: Store, kind: str, collection: str, read: Callable[[Document], V]) -> None:
        self._kind = kind
        self._read = read
        self._present = store.collection(collection)
        self._former = store.collection(HISTORY.name)

    async def below(self, record_id: str, before: int, most: int) -> list[Made[V]]:
        """What a record was in its versions below the number `before`, the latest first, at most `most`."""
        # The present is read first: a record that is changed meanwhile is in both, and no version in neither.
        found = await self._present.find_one({"_id": record_id, "version": {"$lt": before}})
        span = {"$gte": version_key(self._kind, record_id, 0), "$lt": version_key(self._kind, record_id, before)}
        cursor = self._former.find({"_id": span}).sort("_id", -1).limit(most)
        former = [_document(entry) async for entry in cursor]
        there = [d for d in former if found is None or d["version"] < found["version"]]
        documents = [*([found] if found else []), *there][:most]
        return [Made(self._read(d), d.get("by", ""), d.get("channel", "")) for d in documents]


class Records:
    """The latest versions of records of every kind, in the collections of their nouns, which this one only reads."""

    def __init__(self, store: Store, kinds: Mapping[str, Kept]) -> None:
        self._collections = {kind: (kept, store.collection(kept.collection)) for kind, kept in kinds.items()}

    async def page(self, kind: str, customer_ids: Sequence[str], before: Place | None, most: int) -> list[Version]:
        """The records of some customers as they are, last changed first, at most `most`, from before a place on."""
        kept, collection = self._collections[kind]
        wanted: Document = {kept.owner: {"$in": list(customer_ids)}}
        if kept.many:
            # An id comes before every key that begins with it: one record too many at most.
            cursor = collection.find(wanted | _before(before, kept.time), SHOWN)
            cursor = cursor.sort([(kept.time, -1), ("_id", -1)]).limit(most + 1)
        else:
            cursor = collection.find(wanted, SHOWN)
        found = [_version(kind, d[kept.owner], d, kept.time) async for d in cursor]
        return latest([v for v in found if before is None or v.place < before], most)

    async def one(self, kind: str, record_id: str) -> Version | None:
        """One record as it is."""
        kept, collection = self._collections[kind]
        found = await collection.find_one({"_id": record_id}, SHOWN)
        return None if found is None else _version(kind, found[kept.owner], found, kept.time)


def _before(place: Place | None, time: str = "update_time") -> Document:
    """What comes after a place in the order from the latest; the first condition tells the index where to begin."""
    if place is None:
        return {}
    at, key = place
    return {time: {"$lte": at}, "$or": [{time: {"$lt": at}}, {"_id": {"$lt": key}}]}


def _version(kind: str, customer_id: str, document: Mapping[str, Any], time: str = "update_time") -> Version:
    return Version(
        kind,
        document["_id"],
        customer_id,
        document.get("version", 1),
        document[time],
        document.get("by", ""),
        document.get("channel", ""),
        document,
    )


def _entry(kind: str, before: Mapping[str, Any]) -> Document:
    entry: Document = {
        "_id": version_key(kind, before["_id"], before["version"]),
        "kind": kind,
        "subject": before["_id"],
        "customer_id": before.get("customer_id", before["_id"]),
        "version": before["version"],
        "update_time": before["update_time"],
        "document": {k: v for k, v in before.items() if k not in BESIDE},
    }
    if SEALED_WITH in before:
        entry[SEALED_WITH] = before[SEALED_WITH]
    return entry


def _document(entry: Mapping[str, Any]) -> Document:
    document: Document = {"_id": entry["subject"], **entry["document"]}
    if SEALED_WITH in entry:
        document[SEALED_WITH] = entry[SEALED_WITH]
    return document
