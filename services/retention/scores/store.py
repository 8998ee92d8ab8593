"""Scores in MongoDB: the only file of this noun that knows it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from pymongo import ReplaceOne, UpdateMany, UpdateOne

from chassis.events.outbox import OUTBOX, Happening, Outbox
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.schema import Collection, Index
from chassis.query import fields
from chassis.query.listing import Listing
from chassis.query.selection import Order, Selection
from services.retention.scores.assessment_rules import BANDS, Scored
from services.retention.scores.usecases import Told

T = TypeVar("T")

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
        Index([("model_id", 1)], serves="rescoring: whose score is by another model than the champion"),
        Index([("listed", 1), ("band", 1), ("probability", -1), ("_id", -1)], serves="ListScores of one band"),
    ],
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
# What was told of a person is forgotten with the person.
TOLD = replace(OUTBOX, indexes=[*OUTBOX.indexes, Index([("customer_id", 1)], serves="erasure of what was told")])
# In place of a model's id, which always has a hyphen: the customer goes by another id.
RETIRED = "retired"
_BLANK: Document = {
    "probability": 0.0,
    "band": 0,
    "announced": 0,
    "model_id": "",
    "values": [],
    "currency": "",
    "listed": False,
    "version": 0,
}


class ScoreStore:
    """The scores of the customers of one operator."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._scores = store.collection(SCORES.name)
        self._outbox = Outbox(store)
        self._told = store.collection(TOLD.name)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` in a transaction, and again when the store asks for it."""
        return await self._store.transact(work)

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

    async def expect(self, transaction: Transaction, customer_ids: Sequence[str], at: datetime) -> None:
        """Notes that these customers, where they have no score yet, are to be scored by the first champion."""
        blank = {**_BLANK, "score_time": at}
        writes: list[Any] = [UpdateOne({"_id": who}, {"$setOnInsert": blank}, upsert=True) for who in customer_ids]
        retired = {"_id": {"$in": list(customer_ids)}, "model_id": RETIRED}
        writes.append(UpdateMany(retired, {"$set": {"model_id": ""}}))
        await self._scores.bulk_write(writes, ordered=False, session=transaction)

    async def retire(self, transaction: Transaction, customer_ids: Sequence[str]) -> None:
        """Takes scores off the list and out of rescoring; where they come back, their count goes on."""
        gone = {name: value for name, value in _BLANK.items() if name not in ("announced", "version")}
        condition = {"_id": {"$in": list(customer_ids)}}
        await self._scores.update_many(condition, {"$set": {**gone, "model_id": RETIRED}}, session=transaction)

    async def forget(self, transaction: Transaction, customer_ids: Sequence[str]) -> None:
        """Deletes scores, and the events that told of them."""
        await self._scores.delete_many({"_id": {"$in": list(customer_ids)}}, session=transaction)
        await self._told.delete_many({"customer_id": {"$in": list(customer_ids)}}, session=transaction)

    async def many(self, customer_ids: Sequence[str]) -> list[Scored]:
        """The scores of those of the customers that have one."""
        condition = {"_id": {"$in": list(customer_ids)}, "model_id": {"$nin": ["", RETIRED]}}
        return [from_document(d) async for d in self._scores.find(condition)]

    async def outdated(self, transaction: Transaction, model_id: str, most: int) -> list[str]:
        """Up to `most` customers whose score is by another model, or who have none yet."""
        cursor = self._scores.find(outdated_filter(model_id), {"_id": 1}, session=transaction).limit(most)
        return [d["_id"] async for d in cursor]

    async def count_outdated(self, model_id: str) -> int:
        """How many customers have a score by another model, or none yet."""
        return int(await self._scores.count_documents(outdated_filter(model_id)))


def outdated_filter(model_id: str) -> Document:
    """Finds the scores by another model, without those that are nobody's."""
    return {"model_id": {"$nin": [model_id, RETIRED]}}


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
