"""The whole story of a customer, told by services that are fakes."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chassis.rules import Forbidden, NotFound
from gateway.experience.flights import SharedSections
from gateway.experience.memory import Memory
from gateway.experience.ports import Ask, Viewer
from gateway.experience.rules import Answered, Declined, Failed, Freshness, Section
from gateway.experience.usecases import Customer360
from tests.support.polling import until

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ASK = Ask("anna", 10, Viewer(frozenset({"agent"}), "", ""), "token")
Outcome = Answered[str] | Declined | Failed


class FakeSections:
    """Services of which each comes to the outcome it is given, or hangs where it is given none."""

    def __init__(self) -> None:
        self.outcomes: dict[Section, Outcome | None] = {s: Answered(f"the {s.value}") for s in Section}
        self.asked: list[tuple[Section, float]] = []
        self.cancelled: set[Section] = set()

    async def tell(self, section: Section, ask: Ask, seconds: float) -> Outcome:
        self.asked.append((section, seconds))
        outcome = self.outcomes[section]
        try:
            # Every outcome takes a turn of the loop, as on a wire.
            await asyncio.sleep(0 if outcome else 3600)
        except asyncio.CancelledError:
            self.cancelled.add(section)
            raise
        assert outcome is not None
        return outcome


class House:
    """A use case over fakes, and a clock that stands still."""

    def __init__(self) -> None:
        self.now = NOW
        self.sections = FakeSections()
        memory: Memory[str] = Memory(len, 1000, timedelta(hours=1))
        self.usecase = Customer360(SharedSections(self.sections), memory, 2.0, lambda: self.now)

    async def story(
        self, ask: Ask = ASK, left: float | None = None
    ) -> Mapping[Section, tuple[Freshness, str | None, str]]:
        story = await self.usecase.tell(ask, left)
        return {section: (t.told.freshness, t.told.content, t.told.reason) for section, t in story.items()}


@pytest.fixture
def house() -> House:
    return House()


async def test_every_section_is_told_fresh(house: House) -> None:
    assert await house.story() == {s: (Freshness.FRESH, f"the {s.value}", "") for s in Section}


@pytest.mark.parametrize("down", Section)
async def test_a_service_that_is_down_leaves_the_other_sections_fresh(house: House, down: Section) -> None:
    house.sections.outcomes[down] = Failed("UNAVAILABLE")
    story = await house.story()
    assert story[down] == (Freshness.MISSING, None, "UNAVAILABLE")
    assert {freshness for section, (freshness, *_) in story.items() if section is not down} == {Freshness.FRESH}


async def test_a_service_that_hangs_is_given_up_before_the_caller_gives_up(house: House) -> None:
    house.sections.outcomes[Section.SLA] = None
    async with asyncio.timeout(2.0):
        story = await house.story(left=2.0)
    assert story[Section.SLA] == (Freshness.MISSING, None, "DEADLINE_EXCEEDED")
    assert house.sections.cancelled == {Section.SLA}


async def test_all_sections_are_asked_at_once_and_under_one_deadline(house: House) -> None:
    house.sections.outcomes = dict.fromkeys(Section)
    story = asyncio.create_task(house.story(left=1.0))
    await until(lambda: len(house.sections.asked) == len(Section))
    assert {section for section, _ in house.sections.asked} == set(Section)
    assert [seconds for _, seconds in house.sections.asked] == pytest.approx([0.9] * len(Section))
    story.cancel()
    with pytest.raises(asyncio.CancelledError):
        await story


async def test_a_failing_service_is_stood_in_for_by_what_it_last_said(house: House) -> None:
    await house.story()
    house.now += timedelta(minutes=3)
    house.sections.outcomes[Section.SCORE] = Failed("OVERLOADED")
    told = (await house.usecase.tell(ASK, None))[Section.SCORE].told
    assert (told.freshness, told.content, told.as_of) == (Freshness.STALE, "the score", NOW)


async def test_what_was_told_to_an_agent_is_not_shown_to_a_customer(house: House) -> None:
    await house.story()
    house.sections.outcomes[Section.SCORE] = Failed("UNAVAILABLE")
    customer = replace(ASK, viewer=Viewer(frozenset({"customer"}), "anna", ""), token="hers")
    assert (await house.story(customer))[Section.SCORE] == (Freshness.MISSING, None, "UNAVAILABLE")


async def test_a_no_is_passed_on_and_what_was_said_before_is_forgotten(house: House) -> None:
    await house.story()
    house.sections.outcomes[Section.SCORE] = Declined("NO_CHAMPION")
    assert (await house.story())[Section.SCORE] == (Freshness.ABSENT, None, "NO_CHAMPION")
    house.sections.outcomes[Section.SCORE] = Failed("UNAVAILABLE")
    assert (await house.story())[Section.SCORE] == (Freshness.MISSING, None, "UNAVAILABLE")


async def test_a_customer_who_does_not_exist_ends_the_call_without_waiting_for_the_rest(house: House) -> None:
    house.sections.outcomes = dict.fromkeys(Section) | {Section.CUSTOMER: Declined("NOT_FOUND")}
    with pytest.raises(NotFound) as refused:
        await house.story()
    assert refused.value.metadata == {"type": "customer", "id": "anna"}
    await until(lambda: house.sections.cancelled == set(Section) - {Section.CUSTOMER})


async def test_a_customer_who_is_gone_is_forgotten(house: House) -> None:
    await house.story()
    house.sections.outcomes[Section.CUSTOMER] = Declined("NOT_FOUND")
    with pytest.raises(NotFound):
        await house.story()
    house.sections.outcomes = {s: Failed("UNAVAILABLE") for s in Section}
    assert {freshness for freshness, *_ in (await house.story()).values()} == {Freshness.MISSING}


async def test_a_section_that_is_not_found_does_not_end_the_call(house: House) -> None:
    house.sections.outcomes[Section.SCORE] = Declined("NOT_FOUND")
    assert (await house.story())[Section.SCORE] == (Freshness.ABSENT, None, "NOT_FOUND")


async def test_a_caller_who_may_not_see_the_customer_is_refused(house: House) -> None:
    house.sections.outcomes[Section.CUSTOMER] = Declined("PERMISSION_DENIED")
    with pytest.raises(Forbidden):
        await house.story()


async def test_how_long_a_service_took_is_measured(house: House) -> None:
    house.sections.outcomes[Section.SLA] = None
    story = await house.usecase.tell(ASK, 0.1)
    assert story[Section.SLA].milliseconds >= 80
    assert story[Section.CUSTOMER].milliseconds < story[Section.SLA].milliseconds
