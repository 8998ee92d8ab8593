"""Checks a message against the field rules of its proto (protovalidate)."""

from collections.abc import Collection
from operator import attrgetter

from google.protobuf.message import Message
from protovalidate import Validator

from chassis import canonical
from chassis.errors import Violations

_VALIDATOR = Validator()


def check(message: Message, *, may_lack: Collection[str] = ()) -> None:
    """Passes `message`, its UUIDs in the one form in which they are kept, or refuses it.

    `may_lack` are paths of fields that may be unset, whatever the rules say.

    Raises:
        Violations: it breaks rules; each is named with the path of its field.
    """
    found = _found(message)
    if found and may_lack:
        found = [(path, text) for path, text in found if path not in may_lack or attrgetter(path)(message)]
    if found:
        raise Violations(found)
    canonical.settle(message)


def check_rows(message: Message, row_field: str) -> dict[int, Violations]:
    """The items of the repeated field `row_field` that break rules, by their place; all are checked in one go.

    As with `check`, the UUIDs of the others are in their one form.

    Raises:
        Violations: something else in `message` breaks rules, such as too many rows.
    """
    rows: dict[int, list[tuple[str, str]]] = {}
    rest: list[tuple[str, str]] = []
    for path, sentence in _found(message):
        place, inner = _in_row(path, row_field)
        if place is None:
            rest.append((path, sentence))
        else:
            rows.setdefault(place, []).append((inner, sentence))
    if rest:
        raise Violations(rest)
    canonical.settle(message)
    return {place: Violations(fields) for place, fields in rows.items()}


def _found(message: Message) -> list[tuple[str, str]]:
    found = _VALIDATOR.collect_violations(message)
    return [(_path(v.proto.field), v.proto.message or str(v.proto.rule_id)) for v in found] if found else []


def _in_row(path: str, row_field: str) -> tuple[int | None, str]:
    """The place of the row that `path` leads into, and the way on from there; None if it leads elsewhere."""
    head, _, inner = path.partition(".")
    if not head.startswith(f"{row_field}["):
        return None, path
    return int(head[len(row_field) + 1 : -1]), inner


def _path(path: object) -> str:
    parts = []
    for element in getattr(path, "elements", ()):
        name = str(element.field_name)
        subscript = getattr(element, "subscript", None)
        if subscript is not None:
            name += f"[{getattr(subscript, 'value', subscript)}]"
        parts.append(name)
    return ".".join(parts)
