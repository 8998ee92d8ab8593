"""What the CSV files of both nouns write alike: part of the handlers' door."""

from collections.abc import Iterable

from google.protobuf.message import Message
from holdfast.common.v1 import types_pb2

from chassis.cells import joined_pairs

MICROS = 1_000_000


def time(message: Message, name: str) -> str:
    """A time in RFC 3339; empty where there is none."""
    return str(getattr(message, name).ToJsonString()) if message.HasField(name) else ""


def money(message: Message, name: str) -> str:
    """An amount and its currency, such as "29.85 EUR"; empty where there is none."""
    if not message.HasField(name):
        return ""
    amount: types_pb2.Money = getattr(message, name)
    whole, micros = divmod(abs(amount.micros), MICROS)
    sign = "-" if amount.micros < 0 else ""
    digits = f"{sign}{whole}.{micros:06}"
    return f"{digits.rstrip('0').rstrip('.')} {amount.currency_code}"


def word(name: str, prefix: str) -> str:
    """The value of an enum in lower case; empty where it says nothing."""
    said = name.removeprefix(prefix).lower()
    return "" if said == "unspecified" else said


def characteristics(kept: Iterable[types_pb2.Characteristic]) -> str:
    """Names and values, such as "senior=yes;partner=no"."""
    return joined_pairs(((c.name, c.value) for c in kept), "=")
