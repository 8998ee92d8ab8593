"""Consents between protobuf and the rules."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.customer_info.consents import wire
from services.customer_info.consents.contact_rules import Decision, Reason
from services.customer_info.consents.rules import (
    Basis,
    Channel,
    DoNotContact,
    Extent,
    Given,
    Lifted,
    Record,
    Source,
    Why,
    Withdrawn,
)
from services.customer_info.consents.store import from_document, to_document
from tests.unit.services.customer_info.strategies import moments, uuids

times = st.none() | moments.filter(lambda t: datetime(1, 1, 2, tzinfo=UTC) < t)
channels = st.lists(st.sampled_from(Channel), max_size=3, unique=True).map(tuple)
names = st.sampled_from(["marketing", "surveys", "raffle_2026"])
given_changes = st.builds(Given, names, st.sampled_from(Basis), channels, times, times)
withdrawn_changes = st.builds(Withdrawn, names, channels)
entries = st.builds(
    DoNotContact,
    st.sampled_from(Extent),
    channels,
    st.lists(names, max_size=2, unique=True).map(tuple),
    times,
    times,
    st.none() | st.sampled_from(Why),
)
sources = st.builds(
    Source, st.sampled_from(["", "store"]), st.none() | st.tuples(names, uuids), st.sampled_from(["", "a note"])
)
records = st.builds(
    Record,
    id=uuids,
    customer_id=uuids,
    change=given_changes | withdrawn_changes | entries | st.builds(Lifted, uuids),
    time=moments,
    source=sources,
    by=names,
)


@given(records)
def test_a_record_comes_back_from_its_message_as_it_was(kept: Record) -> None:
    message = wire.record(kept)
    read = {"given": wire.given, "withdrawn": wire.withdrawn, "do_not_contact": wire.do_not_contact}
    which = message.WhichOneof("change")
    assert which == kept.kind
    if which == "lifted":
        assert isinstance(kept.change, Lifted)
        assert message.lifted.record_id == kept.change.record_id
    else:
        assert read[which](getattr(message, which)) == kept.change  # type: ignore[operator]
    assert wire.source(message.source, "") == kept.source


@given(records.filter(lambda r: not r.source.note))
def test_a_record_without_a_note_comes_back_from_its_document_as_it_was(kept: Record) -> None:
    assert from_document(to_document(kept, None), None) == kept


def test_a_source_without_a_channel_has_the_one_it_came_through() -> None:
    message = wire.record(Record("r", "c", Lifted("x"), datetime.now(UTC))).source
    assert wire.source(message, "call").channel == "call"


def test_every_reason_has_its_place_in_the_contract_and_says_yes_or_no() -> None:
    at = datetime.now(UTC)
    answers = [wire.decision("c", Decision(r), at) for r in Reason]
    assert len({a.reason for a in answers}) == len(Reason)
    assert all(a.allowed is (a.reason <= 6) for a in answers)
