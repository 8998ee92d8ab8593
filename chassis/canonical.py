"""UUIDs in the one form in which they are kept and compared: lower case.

RFC 9562 has them read in either case and written in lower case; whoever sends capitals means the same thing.
"""

import functools
from collections.abc import Callable, Sequence

from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

Step = Callable[[Message], None]


def settle(message: Message) -> None:
    """Writes in lower case whatever the contract says is a UUID, in `message` and all messages in it."""
    for step in _steps(message.DESCRIPTOR):
        step(message)


@functools.cache
def _steps(descriptor: Descriptor) -> Sequence[Step]:
    """What `settle` does to messages of a type; worked out once, and nothing for those that hold no UUID."""
    return [step for field in descriptor.fields if (step := _step(field)) is not None]


def _step(field: FieldDescriptor) -> Step | None:
    if field.message_type is not None:
        return _within(field) if _holds_any(field.message_type) else None
    rules = field.GetOptions().Extensions[validate_pb2.field]
    if field.is_repeated:
        return functools.partial(_settle_list, field.name) if rules.repeated.items.string.uuid else None
    return functools.partial(_settle_field, field.name) if rules.string.uuid else None


def _within(field: FieldDescriptor) -> Step:
    # A map's values are reached by their keys; no contract of ours has UUIDs in one.
    return functools.partial(_settle_items if field.is_repeated else _settle_message, field.name)


@functools.cache
def _holds_any(descriptor: Descriptor, above: frozenset[str] = frozenset()) -> bool:
    """Whether messages of a type, or of one within it, hold a UUID."""
    if descriptor.full_name in above or descriptor.GetOptions().map_entry:
        return False
    above |= {descriptor.full_name}
    for field in descriptor.fields:
        if field.message_type is not None:
            if _holds_any(field.message_type, above):
                return True
        elif _step(field) is not None:
            return True
    return False


def _settle_field(name: str, message: Message) -> None:
    value = getattr(message, name)
    if value and (lower := value.lower()) != value:
        setattr(message, name, lower)


def _settle_list(name: str, message: Message) -> None:
    values = getattr(message, name)
    for place, value in enumerate(values):
        if (lower := value.lower()) != value:
            values[place] = lower


def _settle_message(name: str, message: Message) -> None:
    if message.HasField(name):
        settle(getattr(message, name))


def _settle_items(name: str, message: Message) -> None:
    for item in getattr(message, name):
        settle(item)
