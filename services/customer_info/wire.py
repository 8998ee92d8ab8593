"""What the nouns of customer information share between protobuf and the rules' dataclasses."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1 import types_pb2

from chassis.rules import Invalid
from chassis.times import to_timestamp
from services.customer_info.customers.rules import Money

# The greatest amount that a message holds, in millionths.
GREATEST = 2**63 - 1


def asked_for(request: Message) -> bytes:
    """What a request asks for, without its `request_id`: the same for a retry."""
    content: Message = type(request)()
    content.CopyFrom(request)
    content.ClearField("request_id")
    return content.SerializeToString(deterministic=True)


def stamp(time: datetime | None) -> Timestamp | None:
    """A time as a message; None stays unset."""
    return None if time is None else to_timestamp(time)


def money(message: types_pb2.Money) -> Money:
    """The amount that a message tells."""
    return Money(message.currency_code, message.micros)


def money_message(amount: Money | None) -> types_pb2.Money | None:
    """An amount as a message; None stays unset."""
    return None if amount is None else types_pb2.Money(currency_code=amount.currency, micros=amount.micros)


def totals_messages(totals: Iterable[Money]) -> list[types_pb2.Money]:
    """Sums as messages, a currency each; one that no message holds is told as the greatest that one does."""
    return [types_pb2.Money(currency_code=t.currency, micros=min(t.micros, GREATEST)) for t in totals]


def masked(mask: FieldMask, message: Message, updatable: Collection[str], path: str = "update_mask") -> list[str]:
    """The fields that an update is about: those of the mask or, without one, those that are set and may be updated.

    Raises:
        Invalid: the mask, at `path` of the request, names a field that cannot be updated (INVALID_UPDATE_MASK).
    """
    named = list(mask.paths) or [f.name for f, _ in message.ListFields() if f.name in updatable]
    unknown = sorted(set(named) - set(updatable))
    if unknown:
        allowed = ", ".join(sorted(updatable))
        raise Invalid(
            f"{unknown[0]} cannot be updated; there are {allowed}",
            field=path,
            reason="INVALID_UPDATE_MASK",
            metadata={"allowed": allowed},
        )
    return named


def told_fields(
    asked: Sequence[str], known: Collection[str], parts: Mapping[str, Sequence[str]] | None = None
) -> frozenset[str] | None:
    """The fields, or parts of fields, that the rows of a bulk load tell of; None: all.

    Raises:
        Invalid: there is no such field (INVALID_UPDATE_MASK).
    """
    names = [*known, *(f"{field}.{part}" for field, its in (parts or {}).items() for part in its)]
    for n, name in enumerate(asked):
        if name not in names:
            allowed = ", ".join(names)
            raise Invalid(
                f"there is no such field; there are {allowed}",
                field=f"fields[{n}]",
                reason="INVALID_UPDATE_MASK",
                metadata={"allowed": allowed},
            )
    return frozenset(asked) or None


def pairs(messages: Iterable[types_pb2.Characteristic]) -> tuple[tuple[str, str], ...]:
    """Names and values of characteristics."""
    return tuple((c.name, c.value) for c in messages)


def characteristics(kept: Iterable[tuple[str, str]]) -> list[types_pb2.Characteristic]:
    """Names and values as messages."""
    return [types_pb2.Characteristic(name=n, value=v) for n, v in kept]
