"""Ids, times and etags: the small values that everything carries."""

import time
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from chassis import etag
from chassis.ids import least_id, new_id
from chassis.rules import Conflict, Invalid
from chassis.times import from_timestamp, now, to_timestamp

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LEAST, MOST = -62_135_596_800_000, 253_402_300_799_999
# Every millisecond that a timestamp can name, long before 1970 too.
moments = st.integers(LEAST, MOST).map(lambda ms: EPOCH + timedelta(milliseconds=ms))


def millis_of(identifier: str) -> int:
    return int(identifier.replace("-", "")[:12], 16)


def test_an_id_is_a_uuid_of_version_seven() -> None:
    for _ in range(1000):
        made = uuid.UUID(new_id())
        assert (made.version, made.variant) == (7, uuid.RFC_4122)


def test_ids_sort_by_the_time_they_were_made_and_never_meet() -> None:
    made = [new_id() for _ in range(5000)]
    assert len(set(made)) == len(made)
    millis = [millis_of(i) for i in made]
    assert millis == sorted(millis)


def test_an_id_tells_the_millisecond_it_was_made_in() -> None:
    before = time.time_ns() // 1_000_000
    made = millis_of(new_id())
    assert before <= made <= time.time_ns() // 1_000_000


def test_an_id_is_lower_case_text_of_36_characters() -> None:
    made = new_id()
    assert (len(made), made) == (36, made.lower())
    assert made == str(uuid.UUID(made))


def test_the_least_id_of_a_time_bounds_every_id_from_then_on() -> None:
    at = now()
    made = new_id()
    assert least_id(at) <= made < least_id(at + timedelta(seconds=10))
    assert uuid.UUID(least_id(at)).version == 7


def test_now_is_in_utc_and_in_whole_milliseconds() -> None:
    moment = now()
    assert moment.utcoffset() == timedelta(0)
    assert moment.microsecond % 1000 == 0
    assert abs(moment - datetime.now(UTC)) < timedelta(seconds=5)


@given(moments)
def test_a_time_goes_out_and_comes_back_as_it_was(moment: datetime) -> None:
    assert from_timestamp(to_timestamp(moment)) == moment


@given(moments)
def test_a_time_on_the_wire_is_exact(moment: datetime) -> None:
    stamp = to_timestamp(moment)
    since = moment - EPOCH
    assert (stamp.seconds, stamp.nanos) == (since // timedelta(seconds=1), since.microseconds * 1000)


def test_a_time_of_any_zone_is_the_same_instant_on_the_wire() -> None:
    moment = now()
    assert to_timestamp(moment.astimezone(timezone(timedelta(hours=9)))) == to_timestamp(moment)


@given(st.integers(LEAST // 1000, MOST // 1000), st.integers(0, 999_999_999))
def test_a_time_from_the_wire_is_cut_to_the_millisecond(seconds: int, nanos: int) -> None:
    moment = from_timestamp(Timestamp(seconds=seconds, nanos=nanos))
    assert moment - EPOCH == timedelta(seconds=seconds, milliseconds=nanos // 1_000_000)


@pytest.mark.parametrize(
    "stamp",
    [
        Timestamp(seconds=LEAST // 1000 - 1),
        Timestamp(seconds=MOST // 1000 + 1),
        Timestamp(seconds=2**63 - 1),
        Timestamp(nanos=-1),
        Timestamp(nanos=1_000_000_000),
    ],
)
def test_what_is_no_time_is_refused_by_field(stamp: Timestamp) -> None:
    with pytest.raises(Invalid) as refused:
        from_timestamp(stamp, "some.field")
    assert refused.value.field == "some.field"


def test_an_etag_is_checked_only_where_one_is_given() -> None:
    etag.check("", 7)
    etag.check(etag.etag(7), 7)
    with pytest.raises(Conflict) as refused:
        etag.check(etag.etag(6), 7)
    assert refused.value.metadata == {"etag": etag.etag(7)}


def test_every_version_has_an_etag_of_its_own() -> None:
    assert len({etag.etag(n) for n in range(100)}) == 100
