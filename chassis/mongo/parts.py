"""What is large is changed part by part: a customer may have more records than one transaction, or one call, could."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

# Large enough to share the price of a durable write, small enough that other writes do not wait behind it.
AT_ONCE: Final = 500


async def in_parts(found: AsyncIterator[Mapping[str, Any]], most: int = AT_ONCE) -> AsyncIterator[list[Any]]:
    """The ids of the documents found, at most so many at a time."""
    ids: list[Any] = []
    async for document in found:
        ids.append(document["_id"])
        if len(ids) == most:
            yield ids
            ids = []
    if ids:
        yield ids


async def update_in_parts(
    collection: Any, condition: Mapping[str, Any], update: Mapping[str, Any], transaction: Any = None
) -> None:
    """Updates all documents that meet `condition`; outside of a transaction, what is done by then stays when it ends.

    The condition is asked once: it may be one that the update makes untrue.
    """
    async for ids in in_parts(collection.find(condition, {"_id": 1}, session=transaction)):
        await collection.update_many({"_id": {"$in": ids}}, update, session=transaction)
