"""Agreements in MongoDB: the only file of this noun that knows it. A document is a version."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

from chassis.mongo import schema
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.faults import duplicate
from chassis.mongo.schema import Index
from chassis.query import fields
from chassis.query.listing import Listing
from chassis.query.selection import Order, Selection
from services.sla.agreements.documents import from_document, key_of, to_document
from services.sla.agreements.rules import AgreementRef
from services.sla.agreements.version_rules import AgreementVersion

AGREEMENTS = schema.Collection(
    "agreements",
    required={
        "agreement_id": "string",
        "version": ["int", "long"],
        "newest": "bool",
        "name": "string",
        "customer_id": "string",
        "valid_from": "date",
        "calendar": "object",
        "objectives": "array",
        "create_time": "date",
    },
    optional={"valid_to": "date"},
    indexes=[
        Index(
            [("agreement_id", 1), ("version", -1)], serves="the newest version; no number is used twice", unique=True
        ),
        Index([("customer_id", 1), ("agreement_id", 1)], serves="which agreements may govern a customer's tickets"),
        Index([("newest", 1), ("agreement_id", 1), ("_id", 1)], serves="ListAgreements"),
        Index(
            [("newest", 1), ("customer_id", 1), ("agreement_id", 1), ("_id", 1)], serves="ListAgreements of a customer"
        ),
    ],
)
LISTING = Listing(
    "agreements",
    {"customer_id": fields.text("customer_id"), "id": fields.text("agreement_id", sortable=True)},
    [Order("id")],
)
# Two puts that arrive at once meet on the same number; each round lets at least one of them through.
MOST_ROUNDS = 16
# Versions never change, so what was read once need not be read again; the bound is there for the memory.
MOST_REMEMBERED = 5_000


class AgreementStore:
    """The agreements of one operator, with all their versions."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._agreements = store.collection(AGREEMENTS.name)
        self._known: dict[AgreementRef, AgreementVersion] = {}

    async def transact(self, work: Callable[[Transaction], Awaitable[AgreementVersion]]) -> AgreementVersion:
        """Runs `work` in a transaction, anew when another put took the number that it chose."""
        for _ in range(MOST_ROUNDS):
            try:
                return await self._store.transact(work)
            except Exception as error:
                if not duplicate(error):
                    raise
        return await self._store.transact(work)

    async def newest(self, transaction: Transaction, agreement_id: str) -> AgreementVersion | None:
        """The newest version, as the transaction sees it."""
        found = await self._agreements.find_one(
            {"agreement_id": agreement_id}, sort=[("version", -1)], session=transaction
        )
        return None if found is None else from_document(found)

    async def insert(self, transaction: Transaction, version: AgreementVersion) -> None:
        """Adds a version, which is the newest from now on."""
        older = {"agreement_id": version.ref.id, "version": version.ref.version - 1}
        await self._agreements.update_one(older, {"$set": {"newest": False}}, session=transaction)
        await self._agreements.insert_one(to_document(version), session=transaction)

    async def get(self, agreement_id: str, version: int) -> AgreementVersion | None:
        """One version; 0 is the newest."""
        if version:
            return (await self.versions([AgreementRef(agreement_id, version)])).get(AgreementRef(agreement_id, version))
        found = await self._agreements.find_one({"agreement_id": agreement_id}, sort=[("version", -1)])
        return None if found is None else from_document(found)

    async def page(self, selection: Selection) -> tuple[list[AgreementVersion], str]:
        """A page of newest versions and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        page = await LISTING.page(self._agreements, selection, {"newest": True})
        return [from_document(d) for d in page.documents], page.next_page_token

    async def covering(self, customer_ids: Iterable[str]) -> list[AgreementVersion]:
        """All versions of every agreement that covers, or once covered, one of the customers or everybody.

        All of them, since a newer version that covers a customer no more takes the older one's promise back.
        """
        heads = await self._store.aggregate(AGREEMENTS.name, covering_pipeline(customer_ids))
        refs = [AgreementRef(head["_id"], one["version"]) for head in heads for one in head["versions"]]
        found = await self.versions(refs)
        return [found[ref] for ref in refs]

    async def versions(self, refs: Collection[AgreementRef]) -> dict[AgreementRef, AgreementVersion]:
        """Those of the versions that there are."""
        found = {ref: self._known[ref] for ref in refs if ref in self._known}
        unknown = [key_of(ref) for ref in set(refs) if ref not in found]
        if unknown:
            async for document in self._agreements.find({"_id": {"$in": unknown}}):
                version = from_document(document)
                found[version.ref] = version
            if len(self._known) + len(unknown) > MOST_REMEMBERED:
                self._known.clear()
            self._known.update(found)
        return found


def covering_pipeline(customer_ids: Iterable[str]) -> list[Document]:
    """Finds the numbers of all versions of the agreements that concern the customers."""
    covered_by_index: dict[str, Any] = {"_id": 0, "version": 1}
    return [
        {"$match": {"customer_id": {"$in": sorted({"", *customer_ids})}}},
        {"$group": {"_id": "$agreement_id"}},
        {
            "$lookup": {
                "from": AGREEMENTS.name,
                "localField": "_id",
                "foreignField": "agreement_id",
                "pipeline": [{"$project": covered_by_index}],
                "as": "versions",
            }
        },
    ]
