"""Entries as they are kept, and as the events that they are."""

import uuid

from holdfast.events.v1 import events_pb2
from holdfast.interaction.v1 import interactions_pb2 as pb

from services.interaction.interactions import wire
from services.interaction.interactions.store import event, from_document, to_document
from tests.unit.services.interaction.builders import CUSTOMER, NOW, entry

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def stamped(made: pb.Interaction) -> tuple[pb.Interaction, dict[str, object]]:
    times = wire.times(made, NOW)
    wire.stamp(made, str(uuid.uuid4()), times)
    return made, to_document(made, times, TRACE)


def test_an_entry_comes_back_as_it_was_kept() -> None:
    made, document = stamped(entry(source="chat", message_id="m1", occur_time=NOW))
    assert from_document(document) == made


def test_an_entry_that_says_little_takes_little_room() -> None:
    bare = pb.Interaction(customer_id=CUSTOMER, channel=pb.CHANNEL_WEB, direction=pb.DIRECTION_INBOUND)
    made, document = stamped(bare)
    assert from_document(document) == made
    assert set(document) == {
        "_id", "customer_id", "channel", "direction", "occur_time", "receive_time", "record_time", "traceparent",
    }  # fmt: skip


def test_a_mood_of_zero_is_a_mood() -> None:
    made, document = stamped(entry(sentiment=0.0))
    assert document["sentiment"] == 0.0
    assert from_document(document).HasField("sentiment")
    assert made.HasField("sentiment")


def test_the_event_is_the_entry_without_its_note() -> None:
    made, document = stamped(entry(occur_time=NOW))
    told = event(document)
    assert (told.type, told.subject, told.customer_id) == (
        "holdfast.interaction.v1.InteractionLogged", made.id, CUSTOMER,
    )  # fmt: skip
    assert (told.sequence, told.time, told.traceparent) == (1, made.occur_time, TRACE)
    data = pb.InteractionLogged()
    assert told.data.Unpack(data)
    assert data.interaction.note == ""
    made.ClearField("note")
    assert data.interaction == made
    assert events_pb2.Event.FromString(told.SerializeToString()) == told
    assert document["note"]
