"""How long a customer is bound. Pure: no I/O, no clock, no randomness."""

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime

# The last instant that a message can tell of.
END_OF_TIME = datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Term:
    """A contract: months of commitment (0: from month to month), which lasts from `start` until before `end`."""

    months: int = 0
    start: datetime | None = None
    end: datetime | None = None


def commitment(term: Term | None, first_used: datetime | None) -> tuple[datetime | None, datetime | None]:
    """When the commitment of a contract begins and ends; `first_used` is when the product was first active.

    It ends as the contract says, else its months after it began; it begins as the contract says, else with the first
    use. None: unknown, or there is none.
    """
    if term is None:
        return None, None
    start = term.start or first_used
    if term.end is not None:
        return start, term.end
    if not term.months or start is None:
        return start, None
    return start, months_after(start, term.months)


def months_after(moment: datetime, months: int) -> datetime:
    """The same time so many calendar months later; on the last day of a month that is too short."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if year > END_OF_TIME.year:
        return END_OF_TIME
    return moment.replace(year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1]))


def bound(span: tuple[datetime | None, datetime | None], at: datetime) -> bool:
    """Whether a commitment holds at `at`: it has begun, and has not ended."""
    start, end = span
    return end is not None and at < end and (start is None or start <= at)
