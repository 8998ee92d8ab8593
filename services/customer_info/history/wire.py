"""Changes and records between protobuf and the rules' dataclasses: part of the handlers' door."""

from typing import Any

from google.protobuf import json_format, struct_pb2
from google.protobuf.message import Message
from holdfast.customer_info.v1 import history_pb2 as pb

from chassis.times import to_timestamp
from services.customer_info.history.rules import Change, Content, FieldChange, Record


def content(message: Message) -> Content:
    """A record's message as JSON writes it, by the names of the contract; what is not set is not there."""
    found: Content = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return found


def change_message(change: Change) -> pb.Change:
    """A change as it goes to a caller."""
    made = change.version
    return pb.Change(
        kind=made.kind,
        record_id=made.record_id,
        customer_id=made.customer_id,
        version=made.version,
        time=to_timestamp(made.time),
        by=made.by,
        channel=made.channel,
        fields=[_field(f) for f in change.fields],
        erased=change.erased,
        unreadable=change.unreadable,
    )


def record_message(record: Record) -> pb.GetRecordResponse:
    """A record as it goes to a caller."""
    made = record.version
    out = pb.GetRecordResponse(
        kind=made.kind,
        record_id=made.record_id,
        customer_id=made.customer_id,
        version=made.version,
        time=to_timestamp(made.time),
        by=made.by,
        channel=made.channel,
        masked_fields=record.masked,
        unreadable=record.unreadable,
    )
    json_format.ParseDict(dict(record.content), out.content)
    return out


def _field(field: FieldChange) -> pb.FieldChange:
    shown = field.masked
    return pb.FieldChange(
        name=field.name,
        before=_value(field.before) if shown or field.before is not None else None,
        after=_value(field.after) if shown or field.after is not None else None,
        masked=field.masked,
    )


def _value(value: Any) -> struct_pb2.Value:
    found = struct_pb2.Value()
    json_format.ParseDict(value, found)
    return found
