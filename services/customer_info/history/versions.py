"""The versions of a record that is no customer's, page by page."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, Protocol, TypeVar

from chassis.rules import missing
from services.customer_info.history.rules import Made, mark_of, place_of, token, version_key, version_of

NEWEST: Final = 10**10
"""More than any record has versions."""


class Versioned(Protocol):
    """A record whose changes are counted."""

    @property
    def version(self) -> int: ...

    @property
    def update_time(self) -> datetime | None: ...


V = TypeVar("V", bound=Versioned)


async def version_page(
    read: Callable[[str, int, int], Awaitable[list[Made[V]]]], kind: str, name: str, page_size: int, page_token: str
) -> tuple[list[Made[V]], str]:
    """A page of what a record was, the latest version first, and the next page's token.

    Args:
        read: of the record of a name the versions below a number, the latest first, so many at most.
        kind: of the record, as its history keeps it.
        name: which record.
        page_size: versions of the page at most.
        page_token: where the page before ended; empty: this is the first one.

    Raises:
        NotFound: there is none of this name; Invalid: the token is another list's.
    """
    mark = mark_of(name, [kind])
    place = place_of(page_token, mark)
    found = await read(name, min(version_of(place[1]), NEWEST) if place else NEWEST, page_size + 1)
    if not found and not place:
        raise missing(kind, name)
    page = found[:page_size]
    last = page[-1].record if len(found) > page_size else None
    if last is None or last.update_time is None:
        return page, ""
    return page, token((last.update_time, version_key(kind, name, last.version)), mark)
