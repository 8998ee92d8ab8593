"""Cells of the CSV files that `holdfast export` writes, read back: times, amounts, addresses with their validity."""

import re
from collections.abc import Sequence
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1.types_pb2 import Characteristic, Money, Period

from chassis.cells import parted_pairs

_TIME: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)"
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_VALIDITY: Final = re.compile(rf"(.*)\[({_TIME})?/({_TIME})?\]", re.DOTALL)
_AMOUNT: Final = re.compile(r"(-?)(\d{1,13})(?:\.(\d{1,6}))? ?([A-Z]{3})")
MOST_MICROS: Final = 2**63 - 1


class CellError(Exception):
    """A cell that cannot be read; `column` is where it stands, and the sentence does not repeat what it holds."""

    def __init__(self, column: str, sentence: str) -> None:
        super().__init__(sentence)
        self.column = column
        self.sentence = sentence


def time(column: str, text: str) -> Timestamp:
    """A time in RFC 3339, or a day, which begins at midnight UTC.

    Raises:
        CellError: it is neither.
    """
    stamp = Timestamp()
    try:
        stamp.FromJsonString(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
    except ValueError:
        raise CellError(column, "must be a day or a time, such as 2026-03-14 or 2026-03-14T12:00:00Z") from None
    return stamp


def money(column: str, text: str) -> Money:
    """An amount with the code of its currency, such as "29.85 EUR".

    Raises:
        CellError: it is none.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise CellError(column, 'must be an amount and its currency, such as "29.85 EUR"')
    sign, whole, part, currency = found.groups()
    micros = int(f"{sign}{whole}{(part or '').ljust(6, '0')}")
    if not -MOST_MICROS - 1 <= micros <= MOST_MICROS:
        raise CellError(column, f"must be an amount up to {MOST_MICROS // 1_000_000:,}")
    return Money(currency_code=currency, micros=micros)


def whole(column: str, text: str) -> int:
    """A whole number.

    Raises:
        CellError: it is none.
    """
    if not re.fullmatch(r"\d{1,9}", text):
        raise CellError(column, "must be a whole number")
    return int(text)


def yes(column: str, text: str) -> bool:
    """Whether it says true.

    Raises:
        CellError: it says neither true nor false.
    """
    said = text.strip().lower()
    if said not in ("true", "false"):
        raise CellError(column, "must be true or false")
    return said == "true"


def choice(column: str, text: str, prefix: str, known: Sequence[str]) -> str:
    """The name of an enum's value, told by its last words in lower case.

    Raises:
        CellError: there is no such value.
    """
    name = prefix + text.strip().upper().replace(" ", "_")
    if name not in known:
        words = [one.removeprefix(prefix).lower() for one in known]
        raise CellError(column, f"must be one of {', '.join(word for word in words if word != 'unspecified')}")
    return name


def pairs(column: str, text: str, sign: str) -> list[tuple[str, str]]:
    """Names and values.

    Raises:
        CellError: a part is no pair.
    """
    try:
        return parted_pairs(text, sign)
    except ValueError as error:
        raise CellError(column, str(error)) from None


def characteristics(column: str, text: str) -> list[Characteristic]:
    """Names and values as messages.

    Raises:
        CellError: a part is no pair.
    """
    return [Characteristic(name=name, value=value) for name, value in pairs(column, text, "=")]


def valid(column: str, text: str) -> tuple[str, Period | None]:
    """An address, and its validity where one stands behind it: "ada@example.com[2024-01-01T00:00:00Z/]"."""
    found = _VALIDITY.fullmatch(text)
    if found is None:
        return text, None
    value, start, end = found.groups()
    period = Period()
    if start:
        period.start.CopyFrom(time(column, start))
    if end:
        period.end.CopyFrom(time(column, end))
    return value, period if start or end else None
