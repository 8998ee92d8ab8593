"""How amounts, times and shares are written. Times are UTC."""

from datetime import UTC, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1.types_pb2 import Money
from rich.text import Text

BAR: Final = 20
DASH: Final = "-"


def plain(text: str) -> str:
    """Text of others on one line, without the control characters that could steer a terminal."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def words(name: str) -> str:
    """An identifier as words: `month_to_month` is "month to month"."""
    return plain(name.replace("_", " "))


def enum_words(name: str, prefix: str) -> str:
    """The name of an enum's value as words: CHANNEL_FIELD_VISIT is "field visit"."""
    return words(name.removeprefix(prefix).lower())


def moment(stamp: Timestamp) -> datetime:
    """A timestamp as an aware time."""
    return datetime.fromtimestamp(stamp.seconds, UTC)


def minute(stamp: Timestamp) -> str:
    """Day and minute."""
    return moment(stamp).strftime("%Y-%m-%d %H:%M")


def day(stamp: Timestamp) -> str:
    """The day."""
    return moment(stamp).strftime("%Y-%m-%d")


def span(seconds: float) -> str:
    """A length of time in its two largest units: "3 d 4 h", "12 min"."""
    total = int(abs(seconds))
    units = ((31_536_000, "y"), (86_400, "d"), (3_600, "h"), (60, "min"))
    parts = []
    for size, unit in units:
        count, total = divmod(total, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or f"{total} s"


def ago(stamp: Timestamp, now: datetime) -> str:
    """How long since, or until."""
    seconds = (now - moment(stamp)).total_seconds()
    return f"{span(seconds)} ago" if seconds >= 0 else f"in {span(seconds)}"


def money(amount: Money) -> str:
    """An amount with its currency, in cents' precision."""
    return f"{amount.micros / 1_000_000:,.2f} {plain(amount.currency_code)}"


def percent(share: float, digits: int = 0) -> str:
    """A share as a percentage; never 100 % for what is not whole."""
    rounded = f"{100 * share:.{digits}f}"
    if share < 1 and float(rounded) >= 100:
        rounded = f"{100 - 10**-digits:.{digits}f}"
    return f"{rounded} %"


def bar(share: float, style: str, width: int = BAR) -> Text:
    """A bar, full at a share of 1; anything above 0 shows."""
    full = round(min(1.0, max(0.0, share)) * width)
    if share > 0:
        full = max(1, full)
    return Text.assemble(("━" * full, style), ("─" * (width - full), "bright_black"))
