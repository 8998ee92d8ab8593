"""When a contact happened, was received, was recorded."""

from datetime import UTC, datetime, timedelta

import pytest

from chassis.rules import Invalid
from services.interaction.interactions.rules import Times, check_sender, settled
from tests.unit.services.interaction.builders import NOW

HOUR = timedelta(hours=1)


def test_what_says_nothing_happened_and_was_received_when_it_was_recorded() -> None:
    assert settled(None, None, NOW) == Times(NOW, NOW, NOW)


def test_what_says_when_it_was_received_happened_then() -> None:
    assert settled(None, NOW - HOUR, NOW) == Times(NOW - HOUR, NOW - HOUR, NOW)


def test_both_times_stand_as_they_were_said() -> None:
    assert settled(NOW - 3 * HOUR, NOW - HOUR, NOW) == Times(NOW - 3 * HOUR, NOW - HOUR, NOW)


def test_a_clock_may_run_ahead_by_a_day_and_no_more() -> None:
    assert settled(NOW + 24 * HOUR, None, NOW).occur == NOW + 24 * HOUR
    late = NOW + 24 * HOUR + timedelta(milliseconds=1)
    for occur, receive, field in ((late, None, "occur_time"), (None, late, "receive_time")):
        with pytest.raises(Invalid, match="more than a day in the future") as refused:
            settled(occur, receive, NOW, "interaction.")
        assert refused.value.field == f"interaction.{field}"


def test_nothing_happened_before_1970() -> None:
    with pytest.raises(Invalid, match="before 1970"):
        settled(datetime(1969, 12, 31, 23, 59, tzinfo=UTC), None, NOW)


def test_a_message_id_needs_the_system_that_gave_it() -> None:
    check_sender("", "")
    check_sender("chat", "")
    check_sender("chat", "m1")
    with pytest.raises(Invalid) as refused:
        check_sender("", "m1", "interaction.")
    assert refused.value.field == "interaction.source"
