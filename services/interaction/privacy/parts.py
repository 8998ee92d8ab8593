"""What is redacted is redacted part by part: a customer may have more records than a transaction could change."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

# Large enough to share the price of a durable write, small enough that other writes do not wait behind it.
REDACTED_AT_ONCE: Final = 500


async def in_parts(found: AsyncIterator[Mapping[str, Any]], most: int) -> AsyncIterator[list[str]]:
    """The ids of the documents found, at most so many at a time."""
    ids: list[str] = []
    async for document in found:
        ids.append(document["_id"])
        if len(ids) == most:
            yield ids
            ids = []
    if ids:
        yield ids
