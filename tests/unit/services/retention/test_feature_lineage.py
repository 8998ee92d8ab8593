"""Merged customers are one, parted ones are several again, the erased are nobody: on stores in memory."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from holdfast.events.v1 import events_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.query.selection import Selection
from chassis.rules import NotFound, Refused
from chassis.times import now
from services.retention.features.kept import Outcome
from services.retention.features.readings import Readings
from services.retention.features.rules import OutcomeRecorded, State, combined, prune, read, vector
from services.retention.features.usecases import FeatureUseCases
from services.retention.scores.rescoring import Rescoring
from services.retention.scores.usecases import ScoreUseCases
from tests.support.event_source import erased, merged, parted
from tests.support.fakes.features import FakeFeatures
from tests.support.fakes.scores import FakeChampions, FakeScores
from tests.unit.services.retention.builders import NOON
from tests.unit.services.retention.people import Unpacked, folded, person
from tests.unit.services.retention.test_score_usecases import FIRST, SECOND

T = TypeVar("T")
PEOPLE = [person(seed) for seed in range(4)]
ANN, BEN, CAT, DAN = (one.id for one in PEOPLE)


class World:
    """Features and scores, and all that was told."""

    def __init__(self, *champions: Any) -> None:
        self.store, self.kept_scores = FakeFeatures(), FakeScores()
        self.readings = Readings(self.store, self.store.lineage)
        self.champions = FakeChampions(*champions)
        self.scores = ScoreUseCases(self.kept_scores, self.readings, self.champions)
        self.features = FeatureUseCases(self.store, self.store.lineage, self.scores)
        self.rescoring = Rescoring(self.kept_scores, self.readings, self.champions, self.scores)

    async def hear(self, *events: events_pb2.Event) -> None:
        await self.features.apply([Unpacked(one) for one in events], None)

    async def listed(self) -> set[str]:
        return {one.customer_id for one in (await self.scores.page(Selection()))[0]}


def whole(*ids: str) -> State:
    """What is known of a customer of these ids, from scratch."""
    return combined(prune(folded(one.told), now()) for who in ids for one in PEOPLE if one.id == who)


async def told_of_all(*champions: Any) -> World:
    world = World(*champions)
    await world.hear(*(event for one in PEOPLE for event in one.told))
    return world


async def test_the_survivor_has_the_features_of_all_of_its_ids_and_whichever_is_asked_for_answers_as_it() -> None:
    world = await told_of_all()
    await world.hear(merged(ANN, BEN))
    at = now()
    for asked in (ANN, BEN):
        assert await world.readings.get(asked, at) == (ANN, read(whole(ANN, BEN), at))
        aged = await world.readings.as_of(asked, NOON)
        assert aged.values == vector(whole(ANN, BEN), NOON)
    assert await world.readings.get(CAT, at) == (CAT, read(whole(CAT), at))
    assert {who: kept.state for who, kept in world.store.kept.items()} == {
        who: whole(who) for who in (ANN, BEN, CAT, DAN)
    }


async def test_what_is_told_of_a_merged_id_later_counts_for_its_survivor_and_goes_with_it_when_they_part() -> None:
    world = World()
    await world.hear(*PEOPLE[0].told, merged(ANN, BEN))
    await world.hear(*PEOPLE[1].told)
    assert (await world.readings.get(ANN, now()))[1].values == read(whole(ANN, BEN), now()).values
    await world.hear(parted([ANN], [BEN]))
    for who in (ANN, BEN):
        assert await world.readings.get(who, now()) == (who, read(whole(who), now()))


async def test_of_several_ids_of_whom_nothing_was_heard_nothing_is_known() -> None:
    world = World()
    await world.hear(merged(ANN, BEN))
    for who in (ANN, BEN):
        with pytest.raises(NotFound):
            await world.readings.get(who, now())
    assert await world.readings.due(now() + timedelta(days=9), 9) == []


async def test_a_reading_that_has_ended_is_renewed_from_all_ids() -> None:
    world = await told_of_all()
    await world.hear(merged(ANN, BEN))
    world.store.read[ANN] = read(whole(ANN, BEN), now() - timedelta(days=2))
    assert await world.readings.due(now(), 9) == [ANN]
    found = await world.readings.many(None, [ANN, BEN, CAT], now())
    assert found == {ANN: read(whole(ANN, BEN), now()), CAT: world.store.read[CAT]}
    assert world.store.read[ANN] == found[ANN]


async def test_a_merged_id_is_on_no_list_and_comes_back_when_it_parts() -> None:
    world = await told_of_all(FIRST)
    everybody = {ANN, BEN, CAT, DAN}
    assert await world.listed() == everybody
    before = {who: (await world.scores.get(who)).probability for who in everybody}
    versions = {who: one.version for who, one in world.kept_scores.kept.items() if one}
    await world.hear(merged(ANN, BEN))
    assert await world.listed() == everybody - {BEN}
    together = {who: await world.scores.get(who) for who in (ANN, BEN)}
    assert {one.customer_id for one in together.values()} == {ANN}
    assert len({one.probability for one in together.values()}) == 1
    # A new champion scores customers, not ids.
    world.champions.promote(SECOND)
    while await world.rescoring.step():
        pass
    assert await world.listed() == everybody - {BEN}
    world.champions.promote(FIRST)
    await world.hear(parted([ANN], [BEN]))
    while await world.rescoring.step():
        pass
    assert await world.listed() == everybody
    assert {who: (await world.scores.get(who)).probability for who in everybody} == before
    again = world.kept_scores.kept[BEN]
    assert again is not None
    # Listeners skip what counts less than what they know.
    assert again.version > versions[BEN]


async def test_without_a_champion_who_comes_back_waits_for_the_first() -> None:
    world = await told_of_all()
    await world.hear(merged(ANN, BEN))
    await world.hear(parted([ANN], [BEN]))
    world.champions.promote(FIRST)
    while await world.rescoring.step():
        pass
    assert await world.listed() == {ANN, BEN, CAT, DAN}


async def test_of_the_erased_nothing_is_left_and_nothing_comes_back() -> None:
    world = await told_of_all(FIRST)
    await world.hear(merged(ANN, BEN))
    await world.features.record([Outcome(who, OutcomeRecorded(at=NOON, churned=True)) for who in (ANN, BEN, CAT)])
    await world.hear(*PEOPLE[1].told[:1], erased(ANN, BEN), *PEOPLE[0].told[:1])
    await world.hear(*PEOPLE[0].told, *PEOPLE[1].told, erased(ANN, BEN))
    for who in (ANN, BEN):
        assert world.store.kept[who].state == State()
        with pytest.raises(NotFound):
            await world.scores.get(who)
    assert set(world.kept_scores.kept) == {CAT, DAN} == await world.listed()
    assert {one.customer_id for one in world.kept_scores.events} == {CAT, DAN}
    assert set(world.store.known) == {CAT}
    done = await world.features.record([Outcome(who, OutcomeRecorded(at=NOON, churned=True)) for who in (ANN, DAN)])
    assert isinstance(done[0], Refused)
    assert done[0].reason == "ERASED"
    assert set(world.store.known) == {CAT, DAN}
    assert await world.readings.due(now() + timedelta(days=9), 9) == sorted([CAT, DAN])


async def test_a_model_learns_from_a_customer_once_whatever_the_number_of_its_ids() -> None:
    world = await told_of_all()
    earlier, later = (OutcomeRecorded(at=NOON - timedelta(days=day), churned=day == 1) for day in (9, 1))
    await world.features.record([Outcome(ANN, earlier), Outcome(BEN, later), Outcome(CAT, earlier)])
    for survivor, duplicate in ((ANN, BEN), (BEN, ANN)):
        await world.hear(merged(survivor, duplicate))
        rows = [row async for some in world.features.labelled() for row in some]
        assert {who: (row, churned) for who, row, churned in rows} == {
            survivor: (vector(whole(survivor, duplicate), later.at), True),
            CAT: (vector(whole(CAT), earlier.at), False),
        }
        assert len(rows) == 2


def ran(work: Coroutine[Any, Any, T]) -> T:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


Step = tuple[str, int, int]
KINDS_OF_STEP = st.sampled_from(["tell", "tell", "tell", "merge", "part", "erase"])
steps = st.lists(st.tuples(KINDS_OF_STEP, st.integers(0, 99), st.integers(1, 99)), max_size=40)


@settings(max_examples=60)
@given(steps, st.integers(1, 7))
def test_whatever_is_told_merged_parted_and_erased_in_between_the_features_are_those_of_the_final_customers(
    chosen: Sequence[Step], size: int
) -> None:
    ran(_lived(chosen, size))


class Story:
    """What happened to the people, step by step, as their services tell it."""

    def __init__(self) -> None:
        self.left = {one.id: list(one.told) for one in PEOPLE}
        self.known: dict[str, list[events_pb2.Event]] = {who: [] for who in self.left}
        self.groups: list[list[str]] = [[who] for who in self.left]
        self.gone: set[str] = set()
        self.events: list[events_pb2.Event] = []

    def take(self, kind: str, one: int, other: int) -> None:
        """Takes a step, unless it makes no sense."""
        group = self.groups[one % len(self.groups)]
        if kind == "tell":
            self._tell(list(self.left)[one % len(self.left)], other)
        elif kind == "erase" and other % 3 == 0:
            self.gone |= {*group}
            self.events.append(erased(*group))
        elif kind == "merge":
            self._merge(group, self.groups[(one + other) % len(self.groups)])
        elif kind == "part" and len(group) > 1 and not self.gone & {*group}:
            at = 1 + other % (len(group) - 1)
            self.groups[self.groups.index(group)] = group[:at]
            self.groups.append(group[at:])
            self.events.append(parted(group[:at], group[at:]))

    def _tell(self, who: str, which: int) -> None:
        if self.left[who]:
            event = self.left[who].pop(which % len(self.left[who]))
            self.known[who].append(event)
            self.events.append(event)

    def _merge(self, group: list[str], into: list[str]) -> None:
        if group is not into and not self.gone & {*group, *into}:
            self.groups.remove(group)
            into += group
            self.events.append(merged(*into))


async def _lived(chosen: Sequence[Step], size: int) -> None:
    """Lives through the steps, `size` events at a time, and compares with what is known from scratch."""
    story, world = Story(), World(FIRST)
    for step in chosen:
        story.take(*step)
    for start in range(0, len(story.events), size):
        await world.hear(*story.events[start : start + size])
    listed = await world.listed()
    for group in story.groups:
        state = combined(prune(folded(story.known[who]), now()) for who in group)
        if not state.is_known or story.gone & {*group}:
            for who in group:
                with pytest.raises(NotFound):
                    await world.readings.as_of(who, None)
            assert not listed & {*group}
            continue
        assert world.store.read[group[0]].values == read(state, now()).values
        for who in group:
            assert (await world.readings.as_of(who, NOON)).values == vector(state, NOON)
        assert listed & {*group} == {group[0]}
