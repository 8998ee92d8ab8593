"""Where a listener is in a service's events: an opaque text to everyone but the feed that wrote it."""

import base64
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import bson
from bson.errors import BSONError
from bson.timestamp import Timestamp

from chassis.rules import Invalid

HEX = frozenset(string.hexdigits)


@dataclass(frozen=True, slots=True)
class Position:
    """Either in the change stream (`token`), or in a sweep of what the change stream no longer, or not yet, tells.

    A sweep reads all sources in the order of ids (`last`, the last one read); the change stream is taken up at `start`,
    the cluster time at which the sweep began, so that nothing falls between. `last` is also kept beside a token: where
    to sweep from when the oplog has forgotten the token.
    """

    token: Any = None
    start: Any = None
    last: str = ""

    def encode(self) -> str:
        """As it travels."""
        raw = bson.encode({"t": self.token, "s": self.start, "l": self.last})
        return base64.urlsafe_b64encode(raw).decode()


def decode(text: str) -> Position | None:
    """The position that `text` stands for; None for the empty text, the beginning of everything.

    Raises:
        Invalid: it is not one.
    """
    if not text:
        return None
    try:
        found = bson.decode(base64.b64decode(text, altchars=b"-_", validate=True))
        token, start, last = found["t"], found["s"], found["l"]
        genuine = _is_token(token) if start is None else token is None and isinstance(start, Timestamp)
        if not genuine or (last and str(UUID(last)) != last):
            raise _foreign()
        return Position(token, start, last)
    except (ValueError, BSONError, KeyError, TypeError, AttributeError) as error:
        raise _foreign() from error


def _foreign() -> Invalid:
    return Invalid("is not a position of this service's events", field="after")


def _is_token(token: Any) -> bool:
    """Whether it has the form of MongoDB's resume tokens. One that MongoDB does not take is a position it has lost."""
    if not isinstance(token, Mapping):
        return False
    data = token.get("_data")
    return isinstance(data, str) and bool(data) and HEX.issuperset(data)
