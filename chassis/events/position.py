"""Where a listener is in a service's events: an opaque text to everyone but the feed that wrote it."""

import base64
from dataclasses import dataclass
from typing import Any

import bson
from bson.errors import BSONError

from chassis.rules import Invalid


@dataclass(frozen=True, slots=True)
class Position:
    """Either in the change stream (`token`), or in a sweep of what the change stream no longer, or not yet, tells.

    A sweep reads each source in turn (`source`, a number) in the order of ids (`last`, the last one read); the change
    stream is taken up at `start`, the cluster time at which the sweep began, so that nothing falls between.
    `last` is also kept beside a token: where to sweep from when the oplog has forgotten the token.
    """

    token: Any = None
    start: Any = None
    source: int = 0
    last: str = ""

    def encode(self) -> str:
        """As it travels."""
        raw = bson.encode({"t": self.token, "s": self.start, "n": self.source, "l": self.last})
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
        return Position(found["t"], found["s"], int(found["n"]), str(found["l"]))
    except (ValueError, BSONError, KeyError, TypeError) as error:
        raise Invalid("is not a position of this service's events", field="after") from error
