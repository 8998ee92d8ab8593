"""Checks a message against the field rules of its proto (protovalidate)."""

from google.protobuf.message import Message
from protovalidate import Validator

from chassis.errors import Violations

_VALIDATOR = Validator()


def check(message: Message) -> None:
    """Passes `message`, or refuses it.

    Raises:
        Violations: it breaks rules; each is named with the path of its field.
    """
    found = _VALIDATOR.collect_violations(message)
    if found:
        raise Violations([(_path(v.proto.field), v.proto.message or str(v.proto.rule_id)) for v in found])


def _path(path: object) -> str:
    parts = []
    for element in getattr(path, "elements", ()):
        name = str(element.field_name)
        subscript = getattr(element, "subscript", None)
        if subscript is not None:
            name += f"[{getattr(subscript, 'value', subscript)}]"
        parts.append(name)
    return ".".join(parts)
