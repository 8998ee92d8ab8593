"""Measurements in MongoDB: the only file of this noun that knows it."""

from collections.abc import Awaitable, Callable, Sequence

from pymongo import ReplaceOne

from chassis.bulk import Outcome
from chassis.mongo import schema
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.schema import Index
from chassis.query import fields
from chassis.query.listing import Listing
from chassis.query.selection import Order, Selection
from services.sla.measurements.outage_rules import Outage
from services.sla.measurements.rules import Window

OUTAGES = schema.Collection(
    "outages",
    required={"customer_id": "string", "product_id": "string", "start": "date", "planned": "bool"},
    optional={"end": "date"},
    indexes=[
        Index(
            [("customer_id", 1), ("start", 1), ("_id", 1)],
            serves="GetAvailability of all products of a customer; ExportCustomer",
        ),
        Index([("customer_id", 1), ("product_id", 1), ("start", 1)], serves="GetAvailability of one product"),
    ],
)
LISTING = Listing("outages", {"start": fields.time("start")}, [Order("start")])


class MeasurementStore:
    """What was measured of one operator's services."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._outages = store.collection(OUTAGES.name)

    async def transact(self, work: Callable[[Transaction], Awaitable[list[Outcome]]]) -> list[Outcome]:
        """Runs `work` in a transaction."""
        return await self._store.transact(work)

    async def read(self, transaction: Transaction, outage_ids: Sequence[str]) -> dict[str, Outage]:
        """Those of the outages that there are, by id, as the transaction sees them."""
        cursor = self._outages.find({"_id": {"$in": list(outage_ids)}}, session=transaction)
        return {d["_id"]: from_document(d) async for d in cursor}

    async def put(self, transaction: Transaction, outages: Sequence[Outage]) -> None:
        """Adds outages, or replaces those of their ids."""
        puts = [ReplaceOne({"_id": outage.id}, to_document(outage), upsert=True) for outage in outages]
        await self._outages.bulk_write(puts, ordered=False, session=transaction)

    async def within(self, customer_ids: Sequence[str], product_id: str, period: Window) -> list[Outage]:
        """The outages under these ids that overlap a period; of one product, if `product_id` names one."""
        return [from_document(d) async for d in self._outages.find(overlap(customer_ids, product_id, period))]

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Outage], str]:
        """A page of all outages of a customer who has these ids, the first first, and the next page's token."""
        page = await LISTING.page(self._outages, selection, {"customer_id": {"$in": list(customer_ids)}})
        return [from_document(d) for d in page.documents], page.next_page_token


def overlap(customer_ids: Sequence[str], product_id: str, period: Window) -> Document:
    """The filter of outages that overlap a period."""
    condition: Document = {
        "customer_id": {"$in": list(customer_ids)},
        "start": {"$lt": period.end},
        "$or": [{"end": {"$gt": period.start}}, {"end": {"$exists": False}}],
    }
    if product_id:
        condition["product_id"] = product_id
    return condition


def to_document(outage: Outage) -> Document:
    """An outage as it is kept."""
    document: Document = {
        "_id": outage.id,
        "customer_id": outage.customer_id,
        "product_id": outage.product_id,
        "start": outage.start,
        "planned": outage.planned,
    }
    if outage.end is not None:
        document["end"] = outage.end
    return document


def from_document(document: Document) -> Outage:
    """An outage from what is kept."""
    return Outage(
        document["_id"],
        document["customer_id"],
        document["product_id"],
        document["start"],
        document.get("end"),
        document["planned"],
    )
