"""What the gateway remembers of the services' answers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.experience.memory import Memory
from gateway.experience.ports import Ask, Viewer
from gateway.experience.rules import Remembered, Section

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
AGENT = Viewer(frozenset({"agent"}), "", "")
ASK = Ask("anna", 10, AGENT, "token")


def memory(most: int = 100) -> Memory[str]:
    return Memory(len, most, HOUR)


def told(content: str = "story") -> Remembered[str]:
    return Remembered(content, NOW)


@pytest.mark.parametrize(
    "viewer",
    [
        Viewer(frozenset({"auditor"}), "", ""),
        Viewer(frozenset({"agent", "supervisor"}), "", ""),
        Viewer(frozenset({"agent"}), "anna", ""),
        Viewer(frozenset({"agent"}), "", "reseller"),
        Viewer(frozenset({"customer"}), "anna", ""),
    ],
)
def test_an_answer_is_shown_to_its_own_audience_only(viewer: Viewer) -> None:
    held = memory()
    held.keep(Section.SCORE, ASK, told())
    assert held.recall(Section.SCORE, replace(ASK, viewer=viewer), NOW) is None
    assert held.recall(Section.SCORE, ASK, NOW) == told()


def test_another_token_of_the_same_audience_is_shown_the_answer() -> None:
    held = memory()
    held.keep(Section.SCORE, ASK, told())
    assert held.recall(Section.SCORE, replace(ASK, token="renewed"), NOW) == told()


def test_sections_and_customers_are_apart() -> None:
    held = memory()
    held.keep(Section.SCORE, ASK, told())
    assert held.recall(Section.SLA, ASK, NOW) is None
    assert held.recall(Section.SCORE, replace(ASK, customer_id="bert"), NOW) is None


def test_the_number_of_interactions_matters_to_interactions_alone() -> None:
    held = memory()
    held.keep(Section.INTERACTIONS, ASK, told("ten"))
    held.keep(Section.TICKETS, ASK, told("open"))
    fewer = replace(ASK, interactions=3)
    assert held.recall(Section.INTERACTIONS, fewer, NOW) is None
    assert held.recall(Section.TICKETS, fewer, NOW) == told("open")


def test_an_answer_is_remembered_up_to_its_age_and_no_longer() -> None:
    held = memory()
    held.keep(Section.SCORE, ASK, told())
    assert held.recall(Section.SCORE, ASK, NOW + HOUR) == told()
    assert held.recall(Section.SCORE, ASK, NOW + HOUR + timedelta(milliseconds=1)) is None


def test_what_was_not_used_for_longest_makes_room() -> None:
    held = memory(most=10)
    for name in ("anna", "bert"):
        held.keep(Section.SCORE, replace(ASK, customer_id=name), told("12345"))
    held.recall(Section.SCORE, ASK, NOW)
    held.keep(Section.SCORE, replace(ASK, customer_id="cleo"), told("1"))
    remembered = [n for n in ("anna", "bert", "cleo") if held.recall(Section.SCORE, replace(ASK, customer_id=n), NOW)]
    assert remembered == ["anna", "cleo"]


def test_an_answer_larger_than_the_room_is_not_remembered() -> None:
    held = memory(most=3)
    held.keep(Section.SCORE, ASK, told("1234"))
    assert held.recall(Section.SCORE, ASK, NOW) is None


def test_replacing_and_dropping_give_their_room_back() -> None:
    held = memory(most=10)
    for content in ("123456", "654321", "123456"):
        held.keep(Section.SCORE, ASK, told(content))
    held.drop(Section.SCORE, ASK)
    held.keep(Section.SLA, ASK, told("1234567890"))
    assert held.recall(Section.SLA, ASK, NOW) == told("1234567890")


def test_a_forgotten_customer_is_forgotten_for_every_audience_and_gives_its_room_back() -> None:
    held = memory(most=10)
    auditor = replace(ASK, viewer=Viewer(frozenset({"auditor"}), "", ""))
    held.keep(Section.SCORE, ASK, told("12345"))
    held.keep(Section.SCORE, auditor, told("12345"))
    held.forget("anna")
    assert held.recall(Section.SCORE, ASK, NOW) is None
    assert held.recall(Section.SCORE, auditor, NOW) is None
    held.keep(Section.SLA, replace(ASK, customer_id="bert"), told("1234567890"))
    assert held.recall(Section.SLA, replace(ASK, customer_id="bert"), NOW) is not None
