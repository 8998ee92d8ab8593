"""Times: aware UTC datetimes inside, `google.protobuf.Timestamp` on the wire, millisecond dates in the store."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp


def now() -> datetime:
    """The time, to the millisecond that the store keeps: what is returned is what will be read."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_timestamp(moment: datetime) -> Timestamp:
    """`moment` (aware) as a protobuf timestamp."""
    micros = int(moment.timestamp() * 1_000_000 + 0.5)
    return Timestamp(seconds=micros // 1_000_000, nanos=micros % 1_000_000 * 1000)


def from_timestamp(stamp: Timestamp) -> datetime:
    """A protobuf timestamp as an aware datetime, cut to the millisecond that the store keeps."""
    moment = datetime.fromtimestamp(stamp.seconds, UTC)
    return moment.replace(microsecond=stamp.nanos // 1_000_000 * 1000)
