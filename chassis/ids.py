"""Identifiers: UUIDs of version 7 (RFC 9562), which sort by the time at which they were made."""

import os
import time
from datetime import datetime

_NOISE_BITS = 74
_last = (0, 0)


def new_id() -> str:
    """A fresh UUIDv7 as lower-case text of 36 characters, greater than every one this process made before."""
    global _last  # noqa: PLW0603 - the sequence is the process's
    millis = time.time_ns() // 1_000_000
    if millis > _last[0]:
        # The topmost bit stays free, so that counting up from here does not overflow.
        noise = int.from_bytes(os.urandom(10), "big") >> (80 - _NOISE_BITS + 1)
    else:
        # RFC 9562, 6.2, method 2: within a millisecond, or while the clock is set back, count up by random steps.
        millis, noise = _last[0], _last[1] + 1 + int.from_bytes(os.urandom(4), "big")
    _last = (millis, noise)
    return _format(millis, noise)


def new_ids(count: int) -> list[str]:
    """Fresh ids for many things at once, each greater than the one before, for little more than the price of one."""
    global _last  # noqa: PLW0603 - the sequence is the process's
    new_id()
    millis, noise = _last
    _last = (millis, noise + count)
    return [_format(millis, n) for n in range(noise + 1, noise + count + 1)]


def least_id(at: datetime) -> str:
    """The smallest UUIDv7 that can have been made at `at`: a bound for range reads by time."""
    return _format(int(at.timestamp() * 1000), 0)


def _format(millis: int, noise: int) -> str:
    high = (millis << 16) | 0x7000 | (noise >> 62 & 0x0FFF)
    low = 0x8000000000000000 | (noise & 0x3FFFFFFFFFFFFFFF)
    text = (high << 64 | low).to_bytes(16, "big").hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
