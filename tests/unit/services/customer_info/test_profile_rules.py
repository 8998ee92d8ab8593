"""What a profile is, and what may become of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from chassis.rules import Invalid
from services.customer_info.profiles import rules
from services.customer_info.profiles.rules import (
    UPDATABLE,
    Channel,
    Day,
    Hours,
    Interest,
    Preference,
    Profile,
    Source,
    Window,
)
from tests.unit.services.customer_info.builders import NOON, later
from tests.unit.services.customer_info.profile_builders import (
    OFFICE,
    WORKDAYS,
    day_lists,
    full_profile,
    profiles,
    windows,
)

EVERYTHING = frozenset(UPDATABLE)
recent = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - its bounds


def test_the_first_change_makes_the_profile() -> None:
    wish = Profile("c", language="de")
    made, changed = rules.updated(Profile("c"), wish, {"language", "interests"}, "p", NOON)
    assert changed == {"language"}
    assert made == Profile("c", language="de", id="p", version=1, create_time=NOON, update_time=NOON)


def test_only_the_fields_named_change_and_its_times_grow_whatever_the_clock_says() -> None:
    before = full_profile("c")
    after, changed = rules.updated(before, Profile("c", language="fr"), {"language"}, "other", later(-5))
    assert changed == {"language"}
    assert after == replace(before, language="fr", version=2, update_time=NOON + timedelta(milliseconds=1))


def test_what_changes_nothing_leaves_the_profile_as_it_is() -> None:
    before = full_profile("c")
    assert rules.updated(before, full_profile("c"), EVERYTHING, "p", later()) == (before, frozenset())
    assert rules.updated(Profile("c"), Profile("c"), EVERYTHING, "p", later())[0].version == 0


@given(profiles, profiles)
def test_every_field_can_be_changed_and_taken_back(one: Profile, other: Profile) -> None:
    made, _ = rules.updated(Profile("c"), one, EVERYTHING, "p", NOON)
    changed, _ = rules.updated(made, other, EVERYTHING, "p", NOON)
    back, _ = rules.updated(changed, one, EVERYTHING, "p", NOON)
    assert [getattr(changed, n) for n in UPDATABLE] == [getattr(other, n) for n in UPDATABLE]
    assert [getattr(back, n) for n in UPDATABLE] == [getattr(one, n) for n in UPDATABLE]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"channels": (Preference("a", (Channel.SMS,)),) * 2}, "profile.channels[1].purpose"),
        (
            {"interests": (Interest("a", Source.STATED, 1.0), Interest("a", Source.DERIVED, 0.5))},
            "profile.interests[1].tag",
        ),
        ({"contact_window": Window("Atlantis/City", OFFICE.hours)}, "profile.contact_window.time_zone"),
        ({"contact_window": Window("../etc/passwd", OFFICE.hours)}, "profile.contact_window.time_zone"),
        ({"contact_window": Window("Europe", OFFICE.hours)}, "profile.contact_window.time_zone"),
        (
            {"contact_window": Window("UTC", (Hours((Day.MONDAY,), 0, 60), Hours((Day.FRIDAY,), 60, 60)))},
            "profile.contact_window.hours[1].end",
        ),
        (
            {"contact_window": Window("UTC", (Hours(WORKDAYS, 0, 61), Hours((Day.FRIDAY,), 60, 90)))},
            "profile.contact_window.hours",
        ),
    ],
)
def test_an_inconsistent_profile_is_refused_by_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.updated(Profile("c"), full_profile("c", **changes), EVERYTHING, "p", NOON)
    assert refused.value.field == field


def test_hours_that_touch_or_are_on_other_days_do_not_overlap() -> None:
    window = Window("UTC", (Hours(WORKDAYS, 0, 60), Hours((Day.FRIDAY,), 60, 90), Hours((Day.SUNDAY,), 0, 1440)))
    rules.check(full_profile(contact_window=window))


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        # A Friday in winter: one hour before UTC.
        (datetime(2026, 1, 16, 7, 59, tzinfo=UTC), False),
        (datetime(2026, 1, 16, 8, 0, tzinfo=UTC), True),
        (datetime(2026, 1, 16, 16, 29, 59, tzinfo=UTC), True),
        (datetime(2026, 1, 16, 16, 30, tzinfo=UTC), False),
        # A Friday in summer: two.
        (datetime(2026, 7, 17, 7, 0, tzinfo=UTC), True),
        (datetime(2026, 7, 17, 15, 30, tzinfo=UTC), False),
        # A Saturday.
        (datetime(2026, 1, 17, 12, 0, tzinfo=UTC), False),
    ],
)
def test_the_window_is_that_of_the_clock_on_the_customers_wall(at: datetime, *, is_open: bool) -> None:
    assert rules.open_at(OFFICE, at) is is_open


@given(recent)
def test_a_whole_week_is_always_open(at: datetime) -> None:
    assert rules.open_at(Window("America/St_Johns", (Hours(tuple(Day), 0, 1440),)), at)


MINUTE = timedelta(minutes=1)


@given(windows, recent)
def test_a_window_opens_at_the_first_minute_at_which_it_is_open(window: Window, at: datetime) -> None:
    at = at.replace(second=0, microsecond=0)
    assume(not rules.open_at(window, at))
    minutes = (at + n * MINUTE for n in range(1, 15 * 24 * 60))
    assert rules.opening(window, at) == next((m for m in minutes if rules.open_at(window, m)), None)


# Clocks go forward or back: by an hour, by half of one, by a day that is left out.
TURNS = [
    ("America/New_York", datetime(2026, 3, 8, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 29, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, tzinfo=UTC)),
]
small_hours = st.builds(
    lambda days, start, length: Hours(days, start, start + length), day_lists, st.integers(0, 240), st.integers(1, 120)
)


@given(st.sampled_from(TURNS), small_hours, st.integers(-12 * 60, 36 * 60))
@example(TURNS[0], Hours((Day.SUNDAY,), 165, 285), 0)
@example(TURNS[3], Hours((Day.SUNDAY,), 157, 170), 55)
def test_around_a_turn_of_the_clocks_a_window_opens_at_the_first_minute_at_which_it_is_open(
    turn: tuple[str, datetime], hours: Hours, minute: int
) -> None:
    zone, day = turn
    window, at = Window(zone, (hours,)), day + minute * MINUTE
    assume(not rules.open_at(window, at))
    minutes = (at + n * MINUTE for n in range(1, 15 * 24 * 60))
    assert rules.opening(window, at) == next(m for m in minutes if rules.open_at(window, m))


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        # A Friday evening, a weekend, an early Monday in winter.
        ("2024-05-03T18:00:00+00:00", "2024-05-06T07:00:00+00:00"),
        ("2024-05-05T12:00:00+00:00", "2024-05-06T07:00:00+00:00"),
        ("2024-01-08T05:00:00+00:00", "2024-01-08T08:00:00+00:00"),
    ],
)
def test_a_window_opens_by_the_clock_on_the_customers_wall(at: str, opens: str) -> None:
    assert rules.opening(OFFICE, datetime.fromisoformat(at)) == datetime.fromisoformat(opens)


def test_hours_that_the_clocks_leave_out_open_a_week_later() -> None:
    skipped = Window("Europe/Berlin", (Hours((Day.SUNDAY,), 2 * 60, 3 * 60),))
    assert rules.opening(skipped, datetime(2024, 3, 30, 12, tzinfo=UTC)) == datetime(2024, 4, 7, 0, tzinfo=UTC)


def test_hours_that_begin_while_the_clocks_go_forward_open_as_they_have_gone() -> None:
    early = Window("America/New_York", (Hours((Day.SUNDAY,), 2 * 60 + 45, 5 * 60),))
    # From two o'clock to three, at 07:00 UTC.
    assert rules.opening(early, datetime(2026, 3, 8, 1, 30, 7, 5000, tzinfo=UTC)) == datetime(2026, 3, 8, 7, tzinfo=UTC)


def test_hours_that_the_clocks_repeat_open_twice() -> None:
    again = Window("Europe/Berlin", (Hours((Day.SUNDAY,), 60, 150),))
    # Half past two comes at 00:30 and at 01:30 UTC, and with it the end of the hours.
    assert rules.opening(again, datetime(2024, 10, 27, 0, 40, tzinfo=UTC)) == datetime(2024, 10, 27, 1, tzinfo=UTC)


FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("hours_off", [0, 13, 24 * 5])
def test_at_either_end_of_all_years_a_window_is_open_or_shut(zone: str, hours_off: int) -> None:
    mondays, always = (Window(zone, (Hours(days, 60, 120),)) for days in ((Day.MONDAY,), tuple(Day)))
    for at in (FIRST + timedelta(hours=hours_off), LAST - timedelta(hours=hours_off)):
        assert rules.open_at(Window(zone, (Hours(tuple(Day), 0, 1440),)), at)
        for window in (mondays, always):
            if rules.open_at(window, at):
                continue
            opens = rules.opening(window, at)
            if opens is not None:
                assert timedelta(0) < opens - at < timedelta(days=8)
                assert rules.open_at(window, opens)
            else:
                assert LAST - at < timedelta(days=8), "there is always a next week, but at the end of the last year"


def test_far_off_days_of_the_week_are_right() -> None:
    mondays = Window("UTC", (Hours((Day.MONDAY,), 0, 1440),))
    # The years begin on a Monday, and end on a Friday.
    assert rules.open_at(mondays, FIRST)
    assert not rules.open_at(mondays, FIRST + timedelta(days=1))
    assert rules.opening(mondays, LAST - timedelta(days=5)) == LAST.replace(
        day=27, hour=0, minute=0, second=0, microsecond=0
    )
    assert rules.opening(mondays, LAST) is None


def test_a_customer_has_its_own_profile_before_that_of_whom_was_merged_into_it() -> None:
    own, other = full_profile("a", language="de"), full_profile("b", language="fr")
    assert rules.of_customer(["a", "b"], {"a": own, "b": other}) == own
    assert rules.of_customer(["b"], {"b": other}) == other


def test_each_field_that_a_customer_did_not_tell_is_lent_by_the_first_of_its_records_that_did() -> None:
    own = Profile("a", language="de", id="p", version=3, create_time=NOON, update_time=NOON)
    other = full_profile("b", newsletter_topics=())
    last = full_profile("c", newsletter_topics=("news",))
    shown = rules.of_customer(["a", "b", "c"], {"a": own, "b": other, "c": last})
    assert shown == replace(
        own,
        channels=other.channels,
        contact_window=other.contact_window,
        accessibility_needs=other.accessibility_needs,
        interests=other.interests,
        newsletter_topics=("news",),
    )


def test_what_is_lent_is_not_kept_even_when_it_is_written_back() -> None:
    ids, other = ["a", "b"], full_profile("b", version=7)
    shown = rules.of_customer(ids, {"b": other})
    assert (shown.customer_id, shown.version, shown.interests) == ("a", 0, other.interests)
    mine, changed = rules.updated(Profile("a"), replace(shown, language="fr"), EVERYTHING, "p", NOON, shown=shown)
    assert changed == {"language"}
    assert mine == Profile("a", language="fr", id="p", version=1, create_time=NOON, update_time=NOON)
    assert rules.of_customer(ids, {"a": mine, "b": other}).interests == other.interests


def test_what_a_customer_emptied_is_not_lent_until_it_is_told_anew() -> None:
    ids, other = ["a", "b"], full_profile("b")
    shown = rules.of_customer(ids, {"b": other})
    emptied, _ = rules.updated(Profile("a"), Profile("a"), {"interests"}, "p", NOON, shown=shown)
    shown = rules.of_customer(ids, {"a": emptied, "b": other})
    assert (shown.interests, shown.language) == ((), other.language)
    told, _ = rules.updated(emptied, full_profile("a"), {"interests"}, "p", NOON, shown=shown)
    assert (told.interests, told.cleared) == (other.interests, frozenset())


def test_who_told_nothing_has_an_empty_profile() -> None:
    assert rules.of_customer(["a", "b"], {}) == Profile("a")
