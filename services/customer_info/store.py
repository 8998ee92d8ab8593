"""What the stores of customer information share."""

from collections.abc import Mapping
from typing import Any

from pymongo.read_concern import ReadConcern

from chassis.call import channel, subject
from chassis.mongo.client import Document
from chassis.mongo.faults import DUPLICATE_KEY
from services.customer_info.customers.rules import Money

# What a document says of its last change.
TRAIL = {"by": "string", "channel": "string"}


def refused_key(error: BaseException) -> Mapping[str, Any] | None:
    """The key that a unique index refused to hold twice, by field; None if `error` is something else.

    The driver has one error for a single write and another for many, which keeps each write's own inside.
    """
    details = getattr(error, "details", None) or {}
    for found in (details, *details.get("writeErrors", ())):
        if found.get("code") == DUPLICATE_KEY:
            key: Mapping[str, Any] = found.get("keyValue", {})
            return key
    return None


async def holder(collection: Any, condition: Mapping[str, Any]) -> str:
    """The id of what an index refused to hold twice; empty where there is nothing of the sort.

    An index refuses for the sake of what is there, be it known to a majority yet or not: so that is what is read.
    """
    there = collection.with_options(read_concern=ReadConcern("local"))
    found = await there.find_one(condition, {"_id": 1})
    return "" if found is None else str(found["_id"])


def trail() -> Document:
    """Who makes a change, and through which channel, as every document of this service keeps it."""
    return {"by": subject(), "channel": channel()}


def money_document(amount: Money) -> Document:
    """An amount as it is kept."""
    return {"currency": amount.currency, "micros": amount.micros}


def money_of(kept: Mapping[str, Any], name: str) -> Money | None:
    """The amount in the field `name` of what is kept; None where there is none."""
    amount = kept.get(name)
    return Money(amount["currency"], amount["micros"]) if amount else None


def without_none(kept: Mapping[str, Any]) -> Document:
    """What is kept, without what is not known."""
    return {k: v for k, v in kept.items() if v is not None}
