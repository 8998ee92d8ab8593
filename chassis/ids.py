"""Identifiers: UUIDs of version 7 (RFC 9562), which sort by the millisecond in which they were made."""

import os
import time
from datetime import datetime


def new_id() -> str:
    """A fresh UUIDv7 as lower-case text of 36 characters."""
    return _format(time.time_ns() // 1_000_000, int.from_bytes(os.urandom(10), "big"))


def least_id(at: datetime) -> str:
    """The smallest UUIDv7 that can have been made at `at`: a bound for range reads by time."""
    return _format(int(at.timestamp() * 1000), 0)


def _format(millis: int, noise: int) -> str:
    high = (millis << 16) | 0x7000 | (noise >> 62 & 0x0FFF)
    low = 0x8000000000000000 | (noise & 0x3FFFFFFFFFFFFFFF)
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
