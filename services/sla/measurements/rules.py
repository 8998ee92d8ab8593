"""Measured quality over a period: availability from outages, and percentiles, with maintenance windows left out."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from chassis.rules import Invalid


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A period from `start` up to, but not including, `end`; both aware.

    Raises:
        Invalid: on construction: a naive instant, or an end that is not after the start.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise Invalid("An instant needs a UTC offset.", field="start" if self.start.tzinfo is None else "end")
        if self.end <= self.start:
            raise Invalid("A window ends after it starts.", field="end")

    def contains(self, at: datetime) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True, order=True)
class UpSample:
    """A service seen up or down at an aware instant; it counts as such until the next sample.

    Raises:
        Invalid: on construction with a naive instant.
    """

    at: datetime
    up: bool

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise Invalid("An instant needs a UTC offset.", field="at")


@dataclass(frozen=True, slots=True)
class Availability:
    """Seconds of a period: `agreed` is the period without maintenance, `down` the part of it lost to outages."""

    agreed_seconds: float
    down_seconds: float
    excluded_seconds: float

    @property
    def percent(self) -> float | None:
        """Up time in percent of the agreed time; None where all of the period is maintenance."""
        if self.agreed_seconds == 0:
            return None
        return 100 * (self.agreed_seconds - self.down_seconds) / self.agreed_seconds


def availability(period: Window, outages: Iterable[Window], maintenance: Iterable[Window] = ()) -> Availability:
    """The availability over a period.

    Outages that overlap count once; what of them lies within maintenance, or outside the period, does not count.
    """
    down = _merged(outages, period)
    excluded = _merged(maintenance, period)
    shared = [part for window in down for part in _merged(excluded, window)]
    agreed = (period.end - period.start) - _length(excluded)
    return Availability(
        agreed_seconds=agreed.total_seconds(),
        down_seconds=(_length(down) - _length(shared)).total_seconds(),
        excluded_seconds=_length(excluded).total_seconds(),
    )


def outages_from_samples(samples: Iterable[UpSample], until: datetime) -> tuple[Window, ...]:
    """The outages that samples show: from each first sample down to the next sample up, or to `until`.

    Samples may come in any order. At one instant a sample down outweighs a sample up.
    """
    outages: list[Window] = []
    since: datetime | None = None
    for sample in sorted(samples, key=lambda sample: (sample.at, not sample.up)):
        if sample.at >= until:
            break
        if not sample.up:
            since = since or sample.at
        elif since is not None:
            if since < sample.at:
                outages.append(Window(since, sample.at))
            since = None
    if since is not None:
        outages.append(Window(since, until))
    return tuple(outages)


def outside(samples: Iterable[tuple[datetime, float]], windows: Iterable[Window]) -> list[float]:
    """The values of the (instant, value) samples that were not taken within any of the windows."""
    excluded = tuple(windows)
    return [value for at, value in samples if not any(window.contains(at) for window in excluded)]


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: the smallest value that at least `percent` of all values do not exceed.

    Always one of the values, never interpolated; its rank is ceil(percent / 100 * count), computed on the decimal that
    was written, so that 99.9 % of 1,000 is rank 999.

    Raises:
        Invalid: no values, a value that is not a number, or a percentage outside (0, 100].
    """
    if not 0 < percent <= 100:
        raise Invalid("A percentile lies above 0 and at most at 100.", field="percent")
    if not values or any(math.isnan(value) for value in values):
        raise Invalid("A percentile needs at least one value, and numbers only.", field="values")
    rank = math.ceil(Fraction(str(percent)) * len(values) / 100)
    return sorted(values)[rank - 1]


def _merged(windows: Iterable[Window], within: Window) -> list[Window]:
    """The windows clipped to another, in order, overlapping ones joined."""
    merged: list[Window] = []
    for window in sorted(windows):
        start, end = max(window.start, within.start), min(window.end, within.end)
        if start >= end:
            continue
        if merged and start <= merged[-1].end:
            merged[-1] = Window(merged[-1].start, max(merged[-1].end, end))
        else:
            merged.append(Window(start, end))
    return merged


def _length(windows: Iterable[Window]) -> timedelta:
    return sum((window.end - window.start for window in windows), timedelta())
