"""Facts arrive, outcomes are recorded, models learn from both: on a store in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from holdfast.sla.v1 import clocks_pb2

from chassis import bulk
from chassis.rules import NotFound
from chassis.times import now
from services.retention.features.kept import Kept, Outcome
from services.retention.features.readings import Readings
from services.retention.features.rules import OutcomeRecorded, Reading, State, fold, prune, read, vector
from services.retention.features.usecases import FeatureUseCases
from tests.support.event_source import event
from tests.support.fakes.features import FakeFeatures
from tests.unit.services.retention.builders import NOON, lively_facts
from tests.unit.services.retention.people import Unpacked, folded, person


class Rescored:
    """Notes who was to be scored anew, and who no more."""

    def __init__(self) -> None:
        self.batches: list[Mapping[str, Reading]] = []
        self.retired: list[str] = []
        self.forgotten: list[str] = []

    async def rescore(self, transaction: Any, readings: Mapping[str, Reading], at: datetime) -> None:
        self.batches.append(readings)

    async def retire(self, transaction: Any, customer_ids: Sequence[str]) -> None:
        self.retired += customer_ids

    async def forget(self, transaction: Any, customer_ids: Sequence[str]) -> None:
        self.forgotten += customer_ids


@pytest.fixture
def store() -> FakeFeatures:
    return FakeFeatures()


@pytest.fixture
def rescored() -> Rescored:
    return Rescored()


@pytest.fixture
def features(store: FakeFeatures, rescored: Rescored) -> FeatureUseCases:
    return FeatureUseCases(store, store.lineage, rescored)


async def test_events_of_one_customer_change_it_once_and_have_it_scored(
    features: FeatureUseCases, store: FakeFeatures, rescored: Rescored
) -> None:
    people = [person(seed) for seed in range(3)]
    told = [one for someone in people for one in someone.told]
    half = len(told) // 2
    await features.apply([Unpacked(one) for one in told[:half]], None)
    await features.apply([Unpacked(one) for one in told[half:]], None)
    assert {who: kept.state for who, kept in store.kept.items()} == {one.id: folded(one.told) for one in people}
    assert max(kept.revision for kept in store.kept.values()) == 2
    assert len(rescored.batches) == 2
    assert rescored.batches[1][people[2].id] == store.read[people[2].id]


async def test_events_that_tell_of_nobody_change_nothing(
    features: FeatureUseCases, store: FakeFeatures, rescored: Rescored
) -> None:
    outage = Unpacked(event(clocks_pb2.ClockBreached(clock=clocks_pb2.Clock(id="network")), "", "network"))
    await features.apply([outage], None)
    assert not store.kept
    assert not rescored.batches


LEFT, STAYED = True, False


def outcome(who: str, churned: bool, day: int) -> Outcome:
    return Outcome(who, OutcomeRecorded(at=NOON + timedelta(days=day), churned=churned))


async def test_of_two_outcomes_the_newest_counts_whatever_the_order(
    features: FeatureUseCases, store: FakeFeatures
) -> None:
    done = await features.record([outcome("ann", LEFT, 1), outcome("ben", STAYED, 1), outcome("ann", STAYED, 2)])
    assert done == [bulk.Outcome.CREATED, bulk.Outcome.CREATED, bulk.Outcome.UPDATED]
    done = await features.record([outcome("ann", LEFT, 1), outcome("ben", STAYED, 1), outcome("ben", LEFT, 0)])
    assert done == [bulk.Outcome.UNCHANGED] * 3
    assert {who: fact.churned for who, fact in store.known.items()} == {"ann": False, "ben": False}


async def test_models_learn_from_features_as_of_when_the_outcome_was_observed(
    features: FeatureUseCases, store: FakeFeatures
) -> None:
    state = fold(lively_facts())
    store.kept["ann"] = Kept("ann", state, 1)
    await features.record([outcome("ann", LEFT, -60), outcome("stranger", LEFT, 0)])
    found = [row async for rows in features.labelled() for row in rows]
    assert found == [("ann", vector(state, NOON - timedelta(days=60)), True)]
    assert await features.outcome_count() == 2


async def test_a_reading_that_holds_no_longer_is_made_anew_from_the_state(store: FakeFeatures) -> None:
    readings, at = Readings(store, store.lineage), now()
    state = fold(lively_facts())
    store.kept["ann"] = Kept("ann", state, 1)
    store.read["ann"] = read(state, at)
    assert await readings.get("ann", at) == ("ann", store.read["ann"])
    store.read["ann"] = read(State(), at - timedelta(days=2))
    assert await readings.get("ann", at) == ("ann", read(state, at))
    with pytest.raises(NotFound):
        await readings.get("ben", at)
    with pytest.raises(NotFound):
        await readings.as_of("ben", None)


async def test_readings_of_many_are_renewed_and_kept_where_they_have_ended(store: FakeFeatures) -> None:
    readings, at = Readings(store, store.lineage), now()
    state = fold(lively_facts())
    for who, moment in (("ann", at), ("ben", at - timedelta(days=1))):
        store.kept[who], store.read[who] = Kept(who, state, 1), read(state, moment)
    assert await readings.due(at, 9) == ["ben"]
    found = await readings.many(None, ["ann", "ben", "nobody"], at)
    expected = read(prune(state, at), at)
    assert found == {"ann": read(state, at), "ben": expected}
    assert store.read["ben"] == expected
    assert await readings.due(at, 9) == []
