"""Families in MongoDB: the only file of this noun that knows it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from chassis.coalesce import Coalescer
from chassis.events.outbox import Happening, Outbox
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.faults import duplicate
from chassis.mongo.schema import Collection, Index
from chassis.query import fields
from chassis.query.listing import Listing
from chassis.query.selection import Selection
from chassis.rules import AlreadyExists
from services.customer_info.catalogue.rules import (
    FAMILY,
    Characteristic,
    Families,
    Family,
    Identifier,
    Kind,
    Status,
)
from services.customer_info.history.rules import Made
from services.customer_info.history.store import History, Versions
from services.customer_info.store import TRAIL, trail, without_none

T = TypeVar("T")

FAMILIES = Collection(
    "families",
    required={
        "title": "string",
        "line": "string",
        "status": "string",
        "characteristics": "array",
        "identifiers": "array",
        "version": ["int", "long"],
        "update_time": "date",
    },
    optional=TRAIL,
    indexes=[
        Index([("line", 1), ("_id", 1)], serves="ListFamilies of a line"),
        Index([("status", 1), ("_id", 1)], serves="ListFamilies in a state"),
    ],
)
LISTING = Listing(
    "families",
    {
        "line": fields.text("line"),
        "status": fields.choice("status", {f"FAMILY_STATUS_{s.name}": s.value for s in Status}),
    },
    # By name, which is the id.
    [],
)


class CatalogueStore:
    """Families of one operator's products."""

    def __init__(self, store: Store, history: History) -> None:
        self._store = store
        self._history = history
        self._outbox = Outbox(store)
        self._families = store.collection(FAMILIES.name)
        self._versions = Versions(store, FAMILY, FAMILIES.name, from_document)
        self._reads: Coalescer[None, Families] = Coalescer(self._read_all)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` in a transaction."""
        return await self._store.transact(work)

    async def everything(self) -> Families:
        """All families by name; reads that come together share a round trip."""
        return await self._reads.submit(None)

    async def read(self, transaction: Transaction, name: str) -> Family | None:
        """One family, as the transaction sees it."""
        found = await self._families.find_one({"_id": name}, session=transaction)
        return None if found is None else from_document(found)

    async def page(self, selection: Selection) -> tuple[list[Family], str]:
        """A page of families by name, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        page = await LISTING.page(self._families, selection)
        return [from_document(d) for d in page.documents], page.next_page_token

    async def versions(self, name: str, before: int, most: int) -> list[Made[Family]]:
        """What a family was in its versions below the number `before`, the latest first, at most `most`."""
        return await self._versions.below(name, before, most)

    async def insert(self, transaction: Transaction, family: Family, *happenings: Happening) -> None:
        """Adds a family and what it has to tell.

        Raises:
            AlreadyExists: somebody added one of this name meanwhile.
        """
        try:
            await self._families.insert_one(to_document(family), session=transaction)
        except Exception as error:
            if duplicate(error):
                known = {"type": FAMILY, "id": family.name}
                raise AlreadyExists("there is a family of this name", field="family.name", metadata=known) from error
            raise
        await self._outbox.add(transaction, *happenings)

    async def replace(self, transaction: Transaction, family: Family, *happenings: Happening) -> None:
        """Puts the next version of a family in place of the one before, which is kept, and what it has to tell."""
        before = await self._families.find_one_and_replace(
            {"_id": family.name}, to_document(family), session=transaction
        )
        await self._history.keep(transaction, FAMILY, [before])
        await self._outbox.add(transaction, *happenings)

    async def add_missing(self, families: Sequence[Family]) -> int:
        """Adds those of the families whose name is not there yet; how many there were."""
        there = {d["_id"] async for d in self._families.find({"_id": {"$in": [f.name for f in families]}}, {"_id": 1})}
        missing = [to_document(f) for f in families if f.name not in there]
        if missing:
            try:
                await self._families.insert_many(missing, ordered=False)
            except Exception as error:
                # Another replica, which starts at this moment, was first with some.
                if not duplicate(error):
                    raise
        return len(missing)

    async def _read_all(self, asked: Sequence[None]) -> list[Families]:
        found = {d["_id"]: from_document(d) async for d in self._families.find({}).sort("_id", 1)}
        return [found for _ in asked]


def to_document(family: Family) -> Document:
    """A family as it is kept."""
    return {
        "_id": family.name,
        "title": family.title,
        "line": family.line,
        "characteristics": [_characteristic_document(c) for c in family.characteristics],
        "identifiers": [{"kind": i.kind, "required": i.required, "most": i.most} for i in family.identifiers],
        "open": family.open,
        "status": family.status.value,
        "version": family.version,
        "update_time": family.update_time,
        **trail(),
    }


def from_document(document: Document) -> Family:
    """A family from what is kept."""
    return Family(
        name=document["_id"],
        title=document["title"],
        line=document["line"],
        characteristics=tuple(_characteristic(c) for c in document["characteristics"]),
        identifiers=tuple(Identifier(i["kind"], i["required"], i["most"]) for i in document["identifiers"]),
        open=document.get("open", False),
        status=Status(document["status"]),
        version=document["version"],
        update_time=document["update_time"],
    )


def _characteristic_document(known: Characteristic) -> Document:
    return without_none(
        {
            "name": known.name,
            "kind": known.kind.value,
            "choices": list(known.choices),
            "unit": known.unit,
            "required": known.required,
            "minimum": known.minimum,
            "maximum": known.maximum,
        }
    )


def _characteristic(kept: dict[str, Any]) -> Characteristic:
    return Characteristic(
        kept["name"],
        Kind(kept["kind"]),
        tuple(kept["choices"]),
        kept["unit"],
        kept["required"],
        kept.get("minimum"),
        kept.get("maximum"),
    )
