"""What the stores of customer information share."""

from collections.abc import Mapping
from typing import Any

from chassis.call import channel, subject
from chassis.mongo.client import Document
from services.customer_info.customers.rules import Money

DUPLICATE_KEY = 11000
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
