"""What happens to interactions, on a store in memory."""

import uuid

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.interaction.v1 import interactions_pb2 as pb

from chassis.bulk import Outcome
from chassis.query.selection import Selection
from chassis.rules import Invalid, NotFound
from services.interaction.interactions.usecases import InteractionUseCases
from tests.support.fakes.interactions import FakeInteractions
from tests.support.fakes.lineage import FakeLineage
from tests.unit.services.interaction.builders import CUSTOMER, NOW, entry

DUPLICATE, GONE = str(uuid.UUID(int=2)), str(uuid.UUID(int=3))


@pytest.fixture
def store() -> FakeInteractions:
    return FakeInteractions()


@pytest.fixture
def usecases(store: FakeInteractions) -> InteractionUseCases:
    return InteractionUseCases(store, FakeLineage([CUSTOMER, DUPLICATE]), {GONE})


async def test_a_logged_entry_is_answered_as_it_is_kept(usecases: InteractionUseCases) -> None:
    logged, duplicate = await usecases.log(entry(occur_time=NOW))
    assert not duplicate
    assert uuid.UUID(logged.id).version == 7
    assert logged.HasField("record_time")
    assert logged.receive_time == logged.record_time
    assert await usecases.get(logged.id) == logged


async def test_times_are_cut_to_the_millisecond_that_is_kept(usecases: InteractionUseCases) -> None:
    fine = Timestamp(seconds=int(NOW.timestamp()), nanos=123_456_789)
    logged, _ = await usecases.log(entry(occur_time=fine))
    assert logged.occur_time.nanos == 123_000_000


async def test_the_same_message_is_logged_once(usecases: InteractionUseCases, store: FakeInteractions) -> None:
    first, _ = await usecases.log(entry(source="chat", message_id="m1"))
    again, duplicate = await usecases.log(entry(source="chat", message_id="m1", note="as told a second time"))
    assert duplicate
    assert again == first
    other, duplicate = await usecases.log(entry(source="mail", message_id="m1"))
    assert not duplicate
    assert other.id != first.id
    assert len(store.kept) == 2


async def test_an_id_of_the_caller_is_not_taken(usecases: InteractionUseCases) -> None:
    wish = str(uuid.uuid4())
    logged, _ = await usecases.log(entry(id=wish))
    assert logged.id != wish


@pytest.mark.parametrize("stamp", [Timestamp(seconds=10**15), Timestamp(nanos=-1), Timestamp(seconds=-(10**12))])
async def test_a_time_that_is_none_is_refused_with_its_field(usecases: InteractionUseCases, stamp: Timestamp) -> None:
    with pytest.raises(Invalid) as refused:
        await usecases.log(entry(receive_time=stamp))
    assert refused.value.field == "interaction.receive_time"


async def test_an_unknown_entry_is_not_found(usecases: InteractionUseCases) -> None:
    with pytest.raises(NotFound) as refused:
        await usecases.get(CUSTOMER)
    assert refused.value.metadata == {"type": "interaction", "id": CUSTOMER}


async def test_each_item_of_a_load_has_its_own_outcome(usecases: InteractionUseCases, store: FakeInteractions) -> None:
    items = [
        entry(),
        entry(source="chat", message_id="m1"),
        entry(occur_time=Timestamp(seconds=10**11)),
        entry(source="chat", message_id="m1"),
        entry(message_id="m2"),
    ]
    outcomes = await usecases.ingest(items)
    assert outcomes[:2] == [Outcome.CREATED, Outcome.CREATED]
    assert outcomes[3] is Outcome.UNCHANGED
    fields = [outcome.field for outcome in outcomes if isinstance(outcome, Invalid)]
    assert fields == ["occur_time", "source"]
    assert len(store.kept) == 2


async def test_an_empty_load_asks_nothing_of_the_store(usecases: InteractionUseCases) -> None:
    assert await usecases.ingest([]) == []


async def test_a_history_is_the_customers_own_and_newest_first(usecases: InteractionUseCases) -> None:
    for day in (3, 1, 2):
        await usecases.log(entry(occur_time=NOW.replace(day=day, month=1)))
    await usecases.log(entry(customer_id=str(uuid.uuid4())))
    entries, token = await usecases.page(CUSTOMER, Selection())
    assert [e.occur_time.ToDatetime().day for e in entries] == [3, 2, 1]
    assert not token
    assert {e.customer_id for e in entries} == {CUSTOMER}


async def test_a_history_is_narrowed_by_what_the_list_offers(usecases: InteractionUseCases) -> None:
    await usecases.log(entry())
    await usecases.log(entry(channel=pb.CHANNEL_CHAT))
    entries, _ = await usecases.page(CUSTOMER, Selection().where("channel", "CHANNEL_CHAT"))
    assert [e.channel for e in entries] == [pb.CHANNEL_CHAT]
    with pytest.raises(Invalid) as refused:
        await usecases.page(CUSTOMER, Selection().where("note", "bill"))
    assert refused.value.reason == "INVALID_QUERY"


async def test_a_history_shows_what_was_written_under_every_id_of_the_customer(
    usecases: InteractionUseCases, store: FakeInteractions
) -> None:
    written = [await usecases.log(entry(customer_id=who)) for who in (CUSTOMER, DUPLICATE, GONE)]
    for asked in (CUSTOMER, DUPLICATE):
        entries, _ = await usecases.page(asked, Selection())
        assert {e.id: e.customer_id for e in entries} == {e.id: e.customer_id for e, _ in written[:2]}


async def test_of_the_erased_a_contact_is_logged_and_nothing_of_what_was_said(
    usecases: InteractionUseCases, store: FakeInteractions
) -> None:
    logged, _ = await usecases.log(entry(customer_id=GONE, redact_time=NOW))
    await usecases.ingest([entry(customer_id=GONE), entry()])
    ours, theirs = [[e for e in store.kept.values() if e.customer_id == who] for who in (CUSTOMER, GONE)]
    assert [(e.note, e.HasField("redact_time")) for e in ours] == [("asked about the bill", False)]
    assert len(theirs) == 2
    for one in theirs:
        assert one.redact_time == one.record_time
        assert (one.note, one.items[0].topic, one.items[0].resolution) == ("[erased]", "[erased]", "")
        assert [(p.role, p.id) for p in one.participants] == [("agent", "")]
        assert (one.category, one.channel, one.sentiment) == ("billing", pb.CHANNEL_CALL, -0.5)
    assert logged == store.kept[logged.id]


async def test_a_caller_cannot_say_that_an_entry_was_redacted(usecases: InteractionUseCases) -> None:
    logged, _ = await usecases.log(entry(redact_time=NOW))
    assert not logged.HasField("redact_time")
    assert logged.note
