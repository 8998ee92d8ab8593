"""Records of consent in MongoDB: the only file of this noun that knows it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from chassis.coalesce import Coalescer
from chassis.events.outbox import Happening, Outbox
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.requests import Requests
from chassis.mongo.schema import Collection, Index
from chassis.query import fields
from chassis.query.listing import Listing
from chassis.query.selection import Order, Selection
from chassis.vault.sealing import DataKey
from chassis.vault.vault import Vault
from services.customer_info.consents.rules import (
    Basis,
    Change,
    Channel,
    DoNotContact,
    Extent,
    Given,
    Kind,
    Lifted,
    Record,
    Source,
    Why,
    Withdrawn,
)
from services.customer_info.store import TRAIL, without_none

CONSENTS = Collection(
    "consents",
    required={"customer_id": "string", "kind": "string", "time": "date", **TRAIL},
    optional={
        "sealed": "binData",
        "evidence": "object",
        "purpose": "string",
        "purposes": "array",
        "channels": "array",
        "basis": "string",
        "extent": "string",
        "why": "string",
        "start": "date",
        "end": "date",
        "record_id": "string",
    },
    indexes=[
        Index(
            [("customer_id", 1), ("time", -1), ("_id", -1)],
            serves="MayContact, of one or many; ListConsents, newest first; export and erasure",
        )
    ],
)
LISTING = Listing(
    "consents",
    {
        "kind": fields.choice("kind", [k.value for k in Kind]),
        "purpose": fields.text("purpose"),
        "time": fields.time("time"),
    },
    [Order("time", descending=True)],
)
# Whoever decides reads no notes.
DECIDING = {"sealed": 0}


class ConsentStore:
    """Records of consent of one operator's customers."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._consents = store.collection(CONSENTS.name)
        self._vault = vault
        self._requests = Requests(store)
        self._outbox = Outbox(store)
        self._reads: Coalescer[str, list[Record]] = Coalescer(self._read)

    async def once(
        self, method: str, request_id: str, content: bytes, work: Callable[[Transaction], Awaitable[Record]]
    ) -> Record:
        """Runs `work` in a transaction, once per `request_id`; a retry gets the first answer."""

        async def kept(transaction: Transaction) -> Document:
            return await self._document(await work(transaction))

        fingerprint = self._vault.fingerprint(content)
        return (await self._opened([await self._requests.once(method, request_id, fingerprint, kept)]))[0]

    async def read(self, transaction: Transaction, customer_ids: Sequence[str]) -> list[Record]:
        """All records kept under any of the ids, newest first, without their notes, as the transaction sees them."""
        condition = {"customer_id": {"$in": list(customer_ids)}}
        cursor = self._consents.find(condition, DECIDING, session=transaction).sort([("time", -1), ("_id", -1)])
        return [from_document(d, None) async for d in cursor]

    async def insert(self, transaction: Transaction, record: Record, *happenings: Happening) -> None:
        """Adds a record and what it has to tell.

        Raises:
            Refused: the person was erased (ERASED).
        """
        await self._consents.insert_one(await self._document(record), session=transaction)
        await self._outbox.add(transaction, *happenings)

    async def known(self, customer_id: str) -> list[Record]:
        """All records kept under an id, in no order, without their notes; reads that come together share a trip."""
        return await self._reads.submit(customer_id)

    async def known_of_many(self, customer_ids: Sequence[str]) -> dict[str, list[Record]]:
        """The same of many ids, by id."""
        wanted = list(dict.fromkeys(customer_ids))
        return dict(zip(wanted, await self._read(wanted), strict=True))

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Record], str]:
        """A page of the records kept under any of the ids, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        page = await LISTING.page(self._consents, selection, {"customer_id": {"$in": list(customer_ids)}})
        return await self._opened(page.documents), page.next_page_token

    async def of(self, customer_ids: Sequence[str]) -> list[Record]:
        """Everything recorded under any of the ids, oldest first, with notes: what an export of a person holds."""
        condition = {"customer_id": {"$in": list(customer_ids)}}
        cursor = self._consents.find(condition).sort([("time", 1), ("_id", 1)])
        return await self._opened([d async for d in cursor])

    async def forget(self, transaction: Transaction, customer_ids: Sequence[str]) -> None:
        """Deletes all records kept under the ids: the person is being erased.

        Not even objections stay. GDPR, art. 17(3), would let an operator keep what defends a claim; but the answer for
        an erased person is no, whatever was recorded, and so nothing needs them.
        """
        await self._consents.delete_many({"customer_id": {"$in": list(customer_ids)}}, session=transaction)

    async def _read(self, customer_ids: Sequence[str]) -> list[list[Record]]:
        """The records of each id, in one round trip."""
        condition: Any = customer_ids[0] if len(customer_ids) == 1 else {"$in": list(dict.fromkeys(customer_ids))}
        found: dict[str, list[Record]] = {}
        async for document in self._consents.find({"customer_id": condition}, DECIDING):
            found.setdefault(document["customer_id"], []).append(from_document(document, None))
        return [found.get(customer_id, []) for customer_id in customer_ids]

    async def _document(self, record: Record) -> Document:
        note = record.source.note
        if not note:
            return to_document(record, None)
        return to_document(record, (await self._vault.make([record.customer_id]))[record.customer_id])

    async def _opened(self, documents: Sequence[Document]) -> list[Record]:
        owners = {d["customer_id"] for d in documents if "sealed" in d}
        keys = await self._vault.keys(owners) if owners else {}
        return [from_document(d, keys.get(d["customer_id"])) for d in documents]


def to_document(record: Record, key: DataKey | None) -> Document:
    """A record as it is kept; its note, if it has one, sealed with `key`."""
    document: Document = {
        "_id": record.id,
        "customer_id": record.customer_id,
        "kind": record.kind.value,
        "time": record.time,
        "by": record.by,
        "channel": record.source.channel,
        **_content(record.change),
    }
    if record.source.evidence:
        document["evidence"] = dict(zip(("type", "id"), record.source.evidence, strict=True))
    if key is not None:
        document["sealed"] = key.seal(_context(record.id), {"note": record.source.note})
    return document


def from_document(document: Document, key: DataKey | None) -> Record:
    """A record from what is kept; without the key, without its note."""
    evidence = document.get("evidence")
    sealed = document.get("sealed")
    note = key.open(_context(document["_id"]), sealed)["note"] if key is not None and sealed is not None else ""
    return Record(
        id=document["_id"],
        customer_id=document["customer_id"],
        change=_change(document),
        time=document["time"],
        source=Source(document["channel"], (evidence["type"], evidence["id"]) if evidence else None, note),
        by=document["by"],
    )


def _context(record_id: str) -> str:
    return f"{CONSENTS.name}:{record_id}"


def _content(change: Change) -> Document:
    if isinstance(change, Lifted):
        return {"record_id": change.record_id}
    channels = [c.value for c in change.channels]
    if isinstance(change, Withdrawn):
        return {"purpose": change.purpose, "channels": channels}
    span = without_none({"start": change.start, "end": change.end})
    if isinstance(change, Given):
        return {"purpose": change.purpose, "basis": change.basis.value, "channels": channels, **span}
    why = {"why": change.why.value} if change.why else {}
    return {
        "extent": change.extent.value, "channels": channels, "purposes": list(change.purposes), **span, **why
    }  # fmt: skip


def _change(document: Document) -> Change:
    kind = Kind(document["kind"])
    if kind is Kind.LIFTED:
        return Lifted(document["record_id"])
    channels = tuple(Channel(c) for c in document["channels"])
    if kind is Kind.WITHDRAWN:
        return Withdrawn(document["purpose"], channels)
    start, end = document.get("start"), document.get("end")
    if kind is Kind.GIVEN:
        return Given(document["purpose"], Basis(document["basis"]), channels, start, end)
    why = Why(document["why"]) if "why" in document else None
    return DoNotContact(Extent(document["extent"]), channels, tuple(document["purposes"]), start, end, why)
