"""Turns a selection into a filter, a sort and a limit, and pages by key, never by skipping."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import bson
from bson.errors import BSONError

from chassis.mongo.client import CODEC, Document
from chassis.query.fields import Field, look_up
from chassis.query.selection import Operator, Order, Predicate, Selection
from chassis.rules import Invalid

TOKEN_FIELD = "query.page.page_token"  # noqa: S105 - the path of a field, not a secret
# What a list is ordered by; anything else in a token could be read as an operator.
SCALARS = (str, int, float, datetime, type(None))
# What the documents of a page may take together: a gRPC client takes 4 MiB unless it says otherwise, and as a message a
# thing is a little longer or shorter than as a document.
MOST_BYTES = 2 * 1024 * 1024
# Pages up to the usual size are not weighed: it would cost a tenth of what reading them does.
UNWEIGHED = 50
_COMPARE = {
    Operator.GREATER: "$gt",
    Operator.GREATER_OR_EQUAL: "$gte",
    Operator.LESS: "$lt",
    Operator.LESS_OR_EQUAL: "$lte",
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of documents, and the token of the next one (empty on the last)."""

    documents: list[Document]
    next_page_token: str


@dataclass(frozen=True)
class Listing:
    """The list of one collection: its allow-list, and the order it has where none is asked for.

    `name` goes into the page tokens, so that one list's token is foreign to every other.
    """

    name: str
    fields: Mapping[str, Field]
    order: Sequence[Order]

    async def page(self, collection: Any, selection: Selection, base: Mapping[str, Any] | None = None) -> Page:
        """One page of `collection`; `base` is a filter that always holds (such as whose list it is).

        It is shorter than asked for where it would be too large for a message (AIP-158).

        Raises:
            Invalid: the selection asks for what the list does not offer, or its token is foreign.
        """
        condition, sort, mark = self._plan(selection, base or {})
        cursor = collection.find(condition).sort(sort).limit(selection.page_size + 1)
        documents = [document async for document in cursor]
        fitting = min(selection.page_size, _fitting(documents))
        more = len(documents) > fitting
        documents = documents[:fitting]
        return Page(documents, self._token(documents[-1], sort, mark) if more else "")

    def filter(self, selection: Selection, base: Mapping[str, Any] | None = None) -> Document:
        """The filter of `selection`, without its page.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return self._plan(selection, base or {}, paged=False)[0]

    def _plan(
        self, selection: Selection, base: Mapping[str, Any], *, paged: bool = True
    ) -> tuple[Document, list[tuple[str, int]], bytes]:
        clauses: list[Document] = [dict(base)] if base else []
        for n, predicate in enumerate(selection.predicates):
            clauses.append(self._clause(predicate, f"query.predicates[{n}]"))
        sort = self._sort(selection.order or self.order)
        mark = self._mark(clauses, sort)
        if paged and selection.page_token:
            clauses.append(self._after(selection.page_token, sort, mark))
        return ({"$and": clauses} if len(clauses) > 1 else (clauses or [{}])[0]), sort, mark

    def _clause(self, predicate: Predicate, path: str) -> Document:
        field = look_up(self.fields, predicate.field, f"{path}.field")
        operator = predicate.operator
        if operator not in field.operators:
            allowed = ", ".join(sorted(o.name for o in field.operators))
            raise Invalid(
                f"{predicate.field} does not take {operator.name}; it takes {allowed}",
                field=f"{path}.operator",
                reason="INVALID_QUERY",
                metadata={"allowed": allowed},
            )
        values = [_parse(field, value, f"{path}.values[{n}]") for n, value in enumerate(predicate.values)]
        if operator is Operator.EQUAL:
            return {field.path: values[0] if len(values) == 1 else {"$in": values}}
        if operator is Operator.NOT_EQUAL:
            return {field.path: {"$nin": values}}
        if len(values) != 1:
            raise Invalid(f"{operator.name} takes one value", field=f"{path}.values", reason="INVALID_QUERY")
        if operator is Operator.PREFIX:
            return {field.path: {"$regex": "^" + re.escape(values[0])}}
        return {field.path: {_COMPARE[operator]: values[0]}}

    def _sort(self, order: Sequence[Order]) -> list[tuple[str, int]]:
        sort = []
        for n, part in enumerate(order):
            path = f"query.order[{n}].field"
            field = look_up(self.fields, part.field, path)
            if not field.sortable:
                raise Invalid(f"the list cannot be ordered by {part.field}", field=path, reason="INVALID_QUERY")
            sort.append((field.path, -1 if part.descending else 1))
        direction = sort[-1][1] if sort else 1
        return [*sort, ("_id", direction)]

    def _mark(self, clauses: Sequence[Document], sort: Sequence[tuple[str, int]]) -> bytes:
        """What a token and the query it is for have in common."""
        seen = bson.encode({"list": self.name, "clauses": list(clauses), "sort": [list(s) for s in sort]})
        return hashlib.blake2b(seen, digest_size=8).digest()

    def _token(self, last: Document, sort: Sequence[tuple[str, int]], mark: bytes) -> str:
        values = [_value(last, path) for path, _ in sort]
        return base64.urlsafe_b64encode(bson.encode({"m": mark, "v": values})).decode()

    def _after(self, token: str, sort: Sequence[tuple[str, int]], mark: bytes) -> Document:
        try:
            found = bson.decode(base64.b64decode(token, altchars=b"-_", validate=True), CODEC)
            values = found["v"]
            genuine = found["m"] == mark and isinstance(values, list) and len(values) == len(sort)
            genuine = genuine and all(isinstance(v, SCALARS) for v in values)
        except (ValueError, BSONError, KeyError) as error:
            raise _foreign() from error
        if not genuine:
            raise _foreign()
        alternatives = []
        for n, (path, direction) in enumerate(sort):
            same = {p: v for (p, _), v in zip(sort[:n], values[:n], strict=True)}
            alternatives.append({**same, path: {"$gt" if direction > 0 else "$lt": values[n]}})
        return {"$or": alternatives}


def _fitting(documents: Sequence[Document]) -> int:
    """How many of the documents, from the first on, are together small enough for a message; at least one."""
    if len(documents) <= UNWEIGHED:
        return len(documents)
    size = 0
    for n, document in enumerate(documents):
        size += len(bson.encode(document))
        if size > MOST_BYTES:
            return max(n, 1)
    return len(documents)


def _foreign() -> Invalid:
    return Invalid(
        "the page token is not one of this list, or is for another query",
        field=TOKEN_FIELD,
        reason="INVALID_PAGE_TOKEN",
    )


def _parse(field: Field, value: str, path: str) -> Any:
    try:
        return field.parse(value)
    except ValueError as error:
        raise Invalid(str(error), field=path, reason="INVALID_QUERY") from error


def _value(document: Document, path: str) -> Any:
    found: Any = document
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found
