"""How a report of many gaps is told page by page, all pages as of one moment. Pure."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from chassis.rules import Invalid
from services.customer_info.responsibilities.tree_rules import Gap

TOKEN_FIELD = "page.page_token"  # noqa: S105 - the path of a field, not a secret
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_STROKE = "/"
# Where a gap stands in a report: by tree, the nodes above before those below, by responsibility.
Place = tuple[str, int, tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the page before ended, in a report as of a time."""

    as_of: datetime
    place: Place


def place_of(gap: Gap) -> Place:
    """Where a gap stands in a report; no two stand at one place."""
    return gap.tree_id, len(gap.node_ids), gap.node_ids, gap.responsibility


def after(gaps: Sequence[Gap], mark: Mark | None) -> list[Gap]:
    """The gaps in their order, from the one after a mark on."""
    in_order = sorted(gaps, key=place_of)
    return in_order if mark is None else [g for g in in_order if place_of(g) > mark.place]


def token(customer_id: str, tree_id: str, as_of: datetime, last: Gap) -> str:
    """The token of the page after the one that ends with `last`."""
    millis = (as_of - _EPOCH) // _MILLISECOND
    parts = [_whose(customer_id, tree_id), millis, last.tree_id, _STROKE.join(last.node_ids), last.responsibility]
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode()


def mark(text: str, customer_id: str, tree_id: str) -> Mark | None:
    """Where the page before ended; None: this is the first page.

    Raises:
        Invalid: the token is not one of this report.
    """
    if not text:
        return None
    try:
        whose, millis, tree, nodes, name = json.loads(base64.b64decode(text, altchars=b"-_", validate=True))
        texts = all(isinstance(part, str) for part in (tree, nodes, name))
        if whose != _whose(customer_id, tree_id) or type(millis) is not int or not texts:
            raise ValueError("it is another report's")
        ids = tuple(nodes.split(_STROKE)) if nodes else ()
        return Mark(_EPOCH + millis * _MILLISECOND, (tree, len(ids), ids, name))
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise Invalid(
            "the page token is not one of this report, or is for another one",
            field=TOKEN_FIELD,
            reason="INVALID_PAGE_TOKEN",
        ) from error


def _whose(customer_id: str, tree_id: str) -> str:
    return blake2b("\x1f".join(["gaps", customer_id, tree_id]).encode(), digest_size=8).hexdigest()
