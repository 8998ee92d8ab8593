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
