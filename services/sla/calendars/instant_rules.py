"""Instants as whole microseconds since 1970 UTC: exact integers, so that counts add up without rounding."""

from datetime import UTC, datetime, timedelta

from chassis.rules import Invalid

SECOND = 1_000_000
DAY_SECONDS = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(instant: datetime, field: str) -> int:
    """Microseconds from 1970-01-01T00:00Z to an aware datetime of any zone.

    Raises:
        Invalid: the datetime is naive; `field` names it to the caller.
    """
    if instant.tzinfo is None:
        raise Invalid("An instant needs a UTC offset.", field=field)
    since = instant - EPOCH
    return (since.days * DAY_SECONDS + since.seconds) * SECOND + since.microseconds


def from_micros(micros: int) -> datetime:
    """The UTC datetime of an instant; the inverse of `to_micros`."""
    return EPOCH + timedelta(microseconds=micros)
