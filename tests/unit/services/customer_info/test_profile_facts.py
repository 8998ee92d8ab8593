"""What other services tell adds up, in whatever order it comes; and what each event says."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from google.protobuf.message import Message
from holdfast.interaction.v1 import interactions_pb2, tickets_pb2
from hypothesis import given
from hypothesis import strategies as st

from services.customer_info.customers.rules import Money
from services.customer_info.profiles import facts, view_rules
from services.customer_info.profiles.documents import told_from_document, told_to_document
from services.customer_info.profiles.fact_rules import (
    MOST_OVER,
    Facts,
    Last,
    Sum,
    Thing,
    Things,
    added,
    shown,
    together,
)
from services.customer_info.profiles.facts import SECTIONS
from services.customer_info.profiles.view_rules import Freshness, Told
from tests.unit.services.customer_info import profile_builders as build
from tests.unit.services.customer_info.builders import NOON, later


@dataclass
class Heard:
    """An event as a listener hands it over."""

    data: Message
    sequence: int = 1
    time: datetime = NOON
    customer_id: str = ""


@given(st.lists(build.facts, max_size=4), st.randoms(use_true_random=False))
def test_facts_add_up_to_the_same_in_whatever_order(said: list[Facts], draw: Any) -> None:
    mixed = list(said)
    draw.shuffle(mixed)
    assert shown(together(said)) == shown(together(mixed))


@given(build.facts, build.facts, build.facts)
def test_facts_add_up_to_the_same_in_whatever_groups(one: Facts, two: Facts, three: Facts) -> None:
    assert added(added(one, two), three) == added(one, added(two, three))


def test_facts_of_two_sorts_do_not_add_up() -> None:
    with pytest.raises(TypeError):
        added({"a": Sum()}, {"a": Last(1, NOON)})


def test_of_things_that_are_over_the_latest_are_remembered() -> None:
    many = Things({f"t{n}": Thing(1, is_open=False, at=later(n)) for n in range(2 * MOST_OVER)})
    kept = added({"open": many}, {"open": Things({"u": Thing(1, is_open=True, at=NOON)})})["open"]
    assert isinstance(kept, Things)
    assert len(kept.things) == MOST_OVER + 1
    assert "t0" not in kept.things
    assert f"t{2 * MOST_OVER - 1}" in kept.things


@given(build.facts)
def test_what_is_kept_is_read_back_as_it_was(said: Facts) -> None:
    told = Told(said, NOON)
    assert told_from_document(told_to_document(told)) == told
    assert told_from_document({"forgotten": True}) is None


def heard(*events: Heard) -> dict[str, dict[str, Any]]:
    """What the view says after these events, by section."""
    sums: dict[str, Facts] = {}
    for event in events:
        for whose, section, said in facts.told(event):
            assert whose == "c"
            sums[section] = added(sums.get(section, {}), said)
    return {section: shown(said) for section, said in sums.items()}


def test_contacts_are_counted_and_the_customers_own_choice_of_channel_is_known() -> None:
    call, web, mail = (
        interactions_pb2.CHANNEL_CALL,
        interactions_pb2.CHANNEL_WEB,
        interactions_pb2.CHANNEL_EMAIL,
    )
    outbound = {"direction": interactions_pb2.DIRECTION_OUTBOUND}
    said = heard(
        Heard(build.contact("c", web, later(9))),
        Heard(build.contact("c", call, later(1), complaint=True)),
        Heard(build.contact("c", call, later(2))),
        *(Heard(build.contact("c", mail, later(n), **outbound)) for n in range(3, 7)),
    )
    assert said == {
        "contacts": {
            "count": 7,
            "complaints": 1,
            "last_time": later(9),
            "last_channel": "web",
            "most_used_channel": "call",
        }
    }


def test_an_entry_without_a_time_of_its_own_happened_when_it_was_told() -> None:
    entry = build.contact("c")
    entry.interaction.ClearField("occur_time")
    assert heard(Heard(entry, time=later(3)))["contacts"]["last_time"] == later(3)


def test_tickets_are_open_until_nobody_waits_for_them_any_more() -> None:
    closed, pending = tickets_pb2.TICKET_STATE_CLOSED, tickets_pb2.TICKET_STATE_PENDING
    events = [
        Heard(build.ticket("c", "t1"), 1),
        Heard(build.ticket("c", "t2"), 1),
        Heard(build.ticket("c", "t2", closed, later(8)), 3),
        Heard(build.ticket("c", "t2", pending, later(2)), 2),
    ]
    assert heard(*events) == heard(*reversed(events)) == {"tickets": {"open": 1, "oldest_open_time": NOON}}
    reopened = Heard(build.ticket("c", "t2", pending, later(9)), 4)
    assert heard(*events, reopened)["tickets"]["open"] == 2
    assert heard(Heard(build.ticket("c", "t1", closed)))["tickets"] == {"open": 0}


def test_broken_promises_are_counted() -> None:
    said = heard(Heard(build.breach("c", later(5))), Heard(build.breach("c", later(2))))
    assert said == {"promises": {"broken": 2, "last_broken_time": later(5)}}


def test_the_latest_score_counts_and_says_what_a_customer_is_worth_where_it_says_so() -> None:
    said = heard(Heard(build.worth("c", later(2))), Heard(build.score("c", later(1), probability=0.1)))
    assert said["risk"] == {"band": "high", "probability": 0.75, "score_time": later(2)}
    assert said["value"] == {"lifetime_value": Money("EUR", 990_000_000), "tier": "gold", "score_time": later(2)}
    assert "value" not in heard(Heard(build.score("c")))


def test_an_event_of_nobody_says_nothing() -> None:
    assert not list(facts.told(Heard(build.breach(""))))
    assert [whose for whose, _, _ in facts.told(Heard(build.breach(""), customer_id="d"))] == ["d"]


def test_every_event_that_a_section_is_made_of_is_listened_for_and_understood() -> None:
    kinds = [kind for s in SECTIONS for kind in s.kinds]
    listened = [kind for service in ("interaction", "retention", "sla") for kind in facts.kinds_of(service)]
    assert set(kinds) == set(listened)
    assert len(listened) == len(set(listened))
    for kind in kinds:
        assert list(facts.told(Heard(kind(), customer_id="c")))


def section(*told: Told, heard_time: datetime | None = NOON, at: datetime = NOON) -> view_rules.SectionView:
    return view_rules.section("contacts", "interaction", told, heard_time, at)


SAID = Told({"count": Sum(2)}, later(-60))


def test_a_section_is_fresh_while_its_service_is_heard_from_however_old_its_news() -> None:
    found = section(SAID, at=NOON + view_rules.SILENT_AFTER)
    assert (found.freshness, found.told_time, found.heard_time) == (Freshness.FRESH, later(-60), NOON)
    assert found.facts == {"count": 2}


def test_a_section_whose_service_is_silent_is_stale_and_still_says_what_it_said() -> None:
    late = NOON + view_rules.SILENT_AFTER + timedelta(milliseconds=1)
    for found in (section(SAID, at=late), section(SAID, heard_time=None)):
        assert (found.freshness, found.facts) == (Freshness.STALE, {"count": 2})


def test_a_section_of_which_nothing_was_told_is_missing() -> None:
    assert section().freshness is Freshness.MISSING
    assert section().facts == {}


def test_facts_of_several_records_of_a_customer_are_shown_together() -> None:
    found = section(SAID, Told({"count": Sum(3)}, later(-5)))
    assert (found.facts, found.told_time) == ({"count": 5}, later(-5))
