"""The times of an entry between protobuf and the rules: part of the handlers' door.

An entry never changes, so its message is what all rooms pass on: no rule needs another form of it, and the path that
logs it is the hottest of the service.
"""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.interaction.v1 import interactions_pb2 as pb

from chassis.times import from_timestamp, to_timestamp
from services.interaction.interactions.rules import Times, settled
from services.interaction.privacy.rules import ERASED


def times(entry: pb.Interaction, at: datetime, path: str = "") -> Times:
    """The times of an entry recorded at `at`; see `settled`.

    Raises:
        Invalid: a time makes no sense, or lies too far off.
    """
    occur = from_timestamp(entry.occur_time, path + "occur_time") if entry.HasField("occur_time") else None
    receive = from_timestamp(entry.receive_time, path + "receive_time") if entry.HasField("receive_time") else None
    return settled(occur, receive, at, path)


def stamp(entry: pb.Interaction, entry_id: str, moments: Times) -> None:
    """Makes of what a caller sent the entry as it is kept."""
    entry.id = entry_id
    recorded = to_timestamp(moments.record)
    entry.record_time.CopyFrom(recorded)
    entry.ClearField("redact_time")
    if moments.redact is not None:
        entry.redact_time.CopyFrom(to_timestamp(moments.redact))
    _settle(entry.receive_time, moments.receive, moments.record, recorded)
    _settle(entry.occur_time, moments.occur, moments.record, recorded)


def redact(entry: pb.Interaction) -> None:
    """Takes out what may say who somebody is, or what was said; `InteractionStore.redact` does the same in place."""
    if entry.note:
        entry.note = ERASED
    for participant in entry.participants:
        participant.id = ""
    for item in entry.items:
        item.topic, item.resolution = ERASED, ""


def _settle(field: Timestamp, moment: datetime, record: datetime, recorded: Timestamp) -> None:
    field.CopyFrom(recorded if moment is record else to_timestamp(moment))
