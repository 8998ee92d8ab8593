"""When a contact happened, was received, was recorded, and who says so. Pure: no I/O, no clock, no randomness."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from chassis.rules import Invalid

# A sender's clock may run ahead, and a zone may have been mistaken for UTC; what lies further ahead is a fault.
FURTHEST_AHEAD = timedelta(days=1)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class Times(NamedTuple):
    """The times of an entry: when it happened, when the sending system got it, when it was recorded here; and when its
    texts were taken out, None where they are there.
    """

    occur: datetime
    receive: datetime
    record: datetime
    redact: datetime | None = None


def settled(occur: datetime | None, receive: datetime | None, record: datetime, path: str = "") -> Times:
    """The times of an entry recorded at `record`: received when recorded, and happened when received, unless it says.

    `path` is what stands before the fields' names in the request.

    Raises:
        Invalid: a time lies more than a day after `record`, or before 1970.
    """
    if receive is None:
        receive = record
    else:
        _check(receive, record, path, "receive_time")
    if occur is None:
        occur = receive
    else:
        _check(occur, record, path, "occur_time")
    return Times(occur, receive, record)


def check_sender(source: str, message_id: str, path: str = "") -> None:
    """Passes when a message id comes with the system that gave it: only together do they name a message.

    Raises:
        Invalid: there is a message id without its source.
    """
    if message_id and not source:
        raise Invalid("source is needed with message_id", field=f"{path}source")


def _check(moment: datetime, record: datetime, path: str, name: str) -> None:
    if EARLIEST <= moment <= record:
        return
    if moment < EARLIEST:
        raise Invalid("lies before 1970", field=path + name)
    if moment > record + FURTHEST_AHEAD:
        raise Invalid("lies more than a day in the future", field=path + name)
