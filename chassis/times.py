"""Times: aware UTC datetimes inside, `google.protobuf.Timestamp` on the wire, millisecond dates in the store."""

from datetime import UTC, datetime, timedelta

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.rules import Invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What protobuf lets a timestamp be: from the begin of year 1 to the end of year 9999.
_LEAST_SECONDS, _MOST_SECONDS = -62_135_596_800, 253_402_300_799


def now() -> datetime:
    """The time, to the millisecond that the store keeps: what is returned is what will be read."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_timestamp(moment: datetime) -> Timestamp:
    """`moment` (aware) as a protobuf timestamp."""
    stamp = Timestamp()
    put(stamp, moment)
    return stamp


def put(stamp: Timestamp, moment: datetime | None) -> None:
    """Writes `moment` (aware) where it belongs, in half the time that a message of its own takes; None stays unset."""
    if moment is not None:
        since = moment - _EPOCH
        stamp.seconds = since.days * 86_400 + since.seconds
        stamp.nanos = since.microseconds * 1000


def from_timestamp(stamp: Timestamp, field: str = "") -> datetime:
    """A protobuf timestamp as an aware datetime, cut to the millisecond that the store keeps.

    Raises:
        Invalid: it lies outside the years 1 to 9999, or its nanoseconds are no part of a second; names `field`.
    """
    seconds, nanos = stamp.seconds, stamp.nanos
    if not (_LEAST_SECONDS <= seconds <= _MOST_SECONDS and 0 <= nanos < 1_000_000_000):
        raise Invalid("is not a time between the years 1 and 9999", field=field)
    return _EPOCH + timedelta(0, seconds, nanos // 1_000_000 * 1000)


def moment(message: Message, name: str, path: str) -> datetime | None:
    """The time in the field `name` of `message`; None where it is unset. `path` is what the caller calls the field.

    Raises:
        Invalid: it lies outside the years 1 to 9999, which a message on the wire can.
    """
    return from_timestamp(getattr(message, name), path) if message.HasField(name) else None
