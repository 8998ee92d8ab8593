"""Scores in MongoDB: the only file of this noun that knows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import ReplaceOne

from chassis.events.outbox import Happening, Outbox
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.schema import Collection, Index
from chassis.query import fields
from chassis.query.listing import Listing
from chassis.query.selection import Order, Selection
from services.retention.scores.assessment_rules import BANDS, Scored
from services.retention.scores.rescoring import Progress
from services.retention.scores.usecases import Told

SCORES = Collection(
    "scores",
    required={
        "probability": "double",
        "band": "int",
        "announced": "int",
        "model_id": "string",
        "score_time": "date",
        "values": "array",
        "currency": "string",
        "listed": "bool",
        "version": ["int", "long"],
    },
    indexes=[
        Index([("listed", 1), ("probability", -1), ("_id", -1)], serves="ListScores, those most at risk first"),
        Index([("listed", 1), ("band", 1), ("probability", -1), ("_id", -1)], serves="ListScores of one band"),
    ],
)
RESCORING = Collection(
    "rescoring",
    required={"model_id": "string", "last": "string", "done": ["int", "long"], "finished": "bool"},
)
# A band is kept as its number in the contract: 0 stands for none.
_NUMBERS = {band: number for number, band in enumerate(BANDS, 1)}
LISTING = Listing(
    "scores",
    {
        "probability": fields.number("probability"),
        "band": fields.choice("band", {f"RISK_BAND_{band.upper()}": number for band, number in _NUMBERS.items()}),
    },
    [Order("probability", descending=True)],
)
_WALK = "champion"


class ScoreStore:
    """The scores of the customers of one operator."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._scores = store.collection(SCORES.name)
        self._rescoring = store.collection(RESCORING.name)
        self._outbox = Outbox(store)

    async def told(self, transaction: Transaction, customer_ids: Sequence[str]) -> dict[str, Told]:
        """What is known of the last scores of those customers that have one."""
        condition = {"_id": {"$in": list(customer_ids)}}
        cursor = self._scores.find(condition, {"version": 1, "announced": 1}, session=transaction)
        return {d["_id"]: Told(d["version"], _band(d["announced"])) async for d in cursor}

    async def keep(self, transaction: Transaction, scores: Sequence[Scored], happenings: Sequence[Happening]) -> None:
        """Puts scores in place of those before, and writes what there is to tell."""
        writes = [ReplaceOne({"_id": one.customer_id}, to_document(one), upsert=True) for one in scores]
        await self._scores.bulk_write(writes, ordered=False, session=transaction)
        await self._outbox.add(transaction, *happenings)

    async def page(self, selection: Selection) -> tuple[list[Scored], str]:
        """A page of the scores of those who can be at risk, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        page = await LISTING.page(self._scores, selection, {"listed": True})
        return [from_document(d) for d in page.documents], page.next_page_token

    async def progress(self, transaction: Transaction) -> Progress:
        """How far the walk over all customers is; one that never began has no model."""
        found = await self._rescoring.find_one({"_id": _WALK}, session=transaction)
        return Progress(found["model_id"], found["last"], found["done"], found["finished"]) if found else Progress()

    async def advance(self, transaction: Transaction, progress: Progress) -> None:
        """Keeps how far the walk is, with what it did."""
        document = {
            "model_id": progress.model_id,
            "last": progress.last,
            "done": progress.done,
            "finished": progress.finished,
        }
        await self._rescoring.replace_one({"_id": _WALK}, document, upsert=True, session=transaction)


def to_document(scored: Scored) -> Document:
    """A score as it is kept."""
    return {
        "_id": scored.customer_id,
        "probability": scored.probability,
        "band": _NUMBERS[scored.band],
        "announced": _NUMBERS[scored.announced] if scored.announced else 0,
        "model_id": scored.model_id,
        "score_time": scored.at,
        "values": list(scored.values),
        "currency": scored.currency,
        "listed": scored.listed,
        "version": scored.version,
    }


def from_document(document: Mapping[str, Any]) -> Scored:
    """A score from what is kept."""
    return Scored(
        customer_id=document["_id"],
        probability=document["probability"],
        band=BANDS[document["band"] - 1],
        model_id=document["model_id"],
        at=document["score_time"],
        values=tuple(document["values"]),
        currency=document["currency"],
        announced=_band(document["announced"]),
        listed=document["listed"],
        version=document["version"],
    )


def _band(number: int) -> Any:
    return BANDS[number - 1] if number else None
