"""What a list may be asked by: each noun declares its fields beside the indexes that serve them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chassis.query.selection import Operator
from chassis.rules import Invalid

EQUALITY = frozenset({Operator.EQUAL, Operator.NOT_EQUAL})
RANGE = frozenset(Operator) - {Operator.PREFIX}
TEXT = EQUALITY | {Operator.PREFIX}


@dataclass(frozen=True)
class Field:
    """One field of an allow-list.

    `path` is where it stands in the store; `parse` turns a value's text into what is stored and raises ValueError with
    a sentence; `operators` are those it takes; `sortable` says that an index gives its order.
    """

    path: str
    parse: Callable[[str], Any]
    operators: frozenset[Operator]
    sortable: bool = False


def text(path: str, *, prefix: bool = False, sortable: bool = False) -> Field:
    """A field of text; with `prefix`, one whose index serves prefixes too."""
    return Field(path, str, TEXT if prefix else EQUALITY, sortable)


def choice(path: str, names: Mapping[str, Any] | Sequence[str], *, sortable: bool = False) -> Field:
    """A field that holds one of a few names (with a mapping: what each name is stored as)."""
    stored = names if isinstance(names, Mapping) else {n: n for n in names}

    def parse(value: str) -> Any:
        if value not in stored:
            raise ValueError(f"must be one of {', '.join(stored)}")
        return stored[value]

    return Field(path, parse, EQUALITY, sortable)


def enum(path: str, kind: Any, *, sortable: bool = False) -> Field:
    """A field that holds a value of the protobuf enum `kind`, stored as its number, asked for by its name."""
    names = {name: number for name, number in kind.items() if number}
    return choice(path, names, sortable=sortable)


def time(path: str, *, sortable: bool = True) -> Field:
    """A field that holds a time; values in RFC 3339."""

    def parse(value: str) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise ValueError("must be a time in RFC 3339, such as 2026-01-31T12:00:00Z") from error
        if moment.tzinfo is None:
            raise ValueError("must be a time with its offset, such as 2026-01-31T12:00:00Z")
        try:
            return moment.astimezone(UTC)
        except OverflowError as error:
            raise ValueError("must lie between the years 1 and 9999 in UTC") from error

    return Field(path, parse, RANGE, sortable)


def number(path: str, *, sortable: bool = True) -> Field:
    """A field that holds a number."""

    def parse(value: str) -> float:
        try:
            figure = float(value)
        except ValueError as error:
            raise ValueError("must be a number") from error
        if not math.isfinite(figure):
            raise ValueError("must be a finite number")
        return figure

    return Field(path, parse, RANGE, sortable)


def look_up(fields: Mapping[str, Field], name: str, path: str) -> Field:
    """The field called `name`.

    Raises:
        Invalid: the list does not offer it; `path` says where the request named it.
    """
    field = fields.get(name)
    if field is None:
        allowed = ", ".join(sorted(fields))
        raise Invalid(
            f"{name} is not a field of this list; there are {allowed}",
            field=path,
            reason="INVALID_QUERY",
            metadata={"allowed": allowed},
        )
    return field
