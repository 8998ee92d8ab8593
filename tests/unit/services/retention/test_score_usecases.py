"""Scores are asked for, made anew, and tell of every band that changed: on a store in memory."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from holdfast.retention.v1 import scores_pb2

from chassis.query.selection import Selection
from chassis.rules import NotFound, Refused
from chassis.times import now
from services.retention.features.kept import Kept
from services.retention.features.readings import Readings
from services.retention.features.rules import NAMES, Reading, fold, read
from services.retention.models.rules import score
from services.retention.scores import wire
from services.retention.scores.assessment_rules import Champion, assess, champion, probability
from services.retention.scores.rescoring import Rescoring
from services.retention.scores.usecases import MANY, ScoreUseCases
from tests.support.fakes.features import FakeFeatures
from tests.support.fakes.scores import FakeChampions, FakeScores
from tests.unit.services.retention.builders import NOON, hand_made_model, lively_facts, restless_customer

FIRST = champion("churn-first", hand_made_model())
SECOND = champion("churn-second", replace(hand_made_model(), intercept=-6.0))
FOREVER = datetime(2999, 1, 1, tzinfo=NOON.tzinfo)


def reading(*, is_customer: bool = True, **changes: object) -> Reading:
    values = {**dict.fromkeys(NAMES), **restless_customer(), "monthly_charge": 80.0, **changes}
    return Reading(tuple(values[name] for name in NAMES), "EUR", is_customer, FOREVER)  # type: ignore[misc]


CALM = reading(tenure_months=60.0, contract_type="two_year", payment_method="bank_transfer", open_tickets=0.0)


class House:
    """Scores, with what stands around them."""

    def __init__(self, *champions: Champion) -> None:
        self.features = FakeFeatures()
        self.store = FakeScores()
        self.champions = FakeChampions(*champions)
        readings = Readings(self.features, self.features.lineage)
        self.scores = ScoreUseCases(self.store, readings, self.champions)
        self.rescoring = Rescoring(self.store, readings, self.champions, self.scores)

    async def hear(self, who: str, found: Reading) -> None:
        """What a listener does when something happens to a customer."""
        self.features.read[who] = found
        self.features.kept[who] = Kept(who, fold(lively_facts()), 1)
        await self.scores.rescore(None, {who: found}, NOON)

    def told(self) -> list[tuple[str, int, str, str]]:
        changes = [one.data for one in self.store.events]
        assert all(isinstance(one, scores_pb2.RiskBandChanged) for one in changes)
        return [
            (event.subject, event.sequence, _short(one.previous_band), _short(one.score.band))  # type: ignore[attr-defined]
            for event, one in zip(self.store.events, changes, strict=True)
        ]


def _short(number: scores_pb2.RiskBand.ValueType) -> str:
    return scores_pb2.RiskBand.Name(number).removeprefix("RISK_BAND_").lower()


async def test_without_a_champion_nobody_is_scored_and_who_is_known_waits() -> None:
    house = House()
    await house.hear("ann", CALM)
    with pytest.raises(Refused) as refused:
        await house.scores.get("ann")
    assert refused.value.reason == "NO_CHAMPION"
    assert (await house.scores.page(Selection()))[0] == []
    assert not await house.rescoring.step()
    house.champions.promote(FIRST)
    assert await house.rescoring.step()
    assert not await house.rescoring.step()
    assert house.told() == [("ann", 1, "unspecified", "low")]


async def test_a_score_is_made_from_the_reading_that_is_kept() -> None:
    house = House(FIRST)
    await house.hear("ann", reading())
    found = await house.scores.get("ann")
    assert found.probability == score(FIRST.model, restless_customer()).probability
    assert found.band == "critical"
    assert {one.feature for one in found.reasons} <= set(FIRST.model.features)
    assert found.remedies[0].probability < found.probability
    assert found.value is not None
    assert (found.value.currency_code, found.tier) == ("EUR", "bronze")
    with pytest.raises(NotFound):
        await house.scores.get("ben")


async def test_a_value_needs_a_charge_and_its_currency() -> None:
    at = now()
    assert assess("ann", FIRST, replace(reading(), currency="").values, "", at).value is None
    assert assess("ann", FIRST, reading(monthly_charge=None).values, "EUR", at).tier is None


async def test_an_event_is_told_only_when_the_band_changes() -> None:
    house = House(FIRST)
    await house.hear("ann", reading())
    await house.hear("ann", reading(tenure_months=3.0))
    await house.hear("ann", CALM)
    assert house.told() == [("ann", 1, "unspecified", "critical"), ("ann", 3, "critical", "low")]
    last = house.store.kept["ann"]
    assert last is not None
    assert (last.version, last.at, last.values) == (3, NOON, CALM.values)


async def test_nobody_is_told_of_the_risk_of_losing_who_has_left_until_they_are_back() -> None:
    house = House(FIRST)
    await house.hear("ann", reading(is_customer=False))
    assert (await house.scores.page(Selection()))[0] == []
    assert house.told() == []
    await house.hear("ann", reading())
    await house.hear("ann", replace(CALM, is_customer=False))
    await house.hear("ann", reading())
    assert house.told() == [("ann", 2, "unspecified", "critical")]
    assert [one.customer_id for one in (await house.scores.page(Selection()))[0]] == ["ann"]


async def test_a_stored_score_is_explained_by_the_model_that_made_it() -> None:
    house = House(FIRST)
    await house.hear("ann", reading())
    house.champions.promote(SECOND)
    (found,), _ = await house.scores.page(Selection())
    assert found == assess("ann", FIRST, reading().values, "EUR", NOON)
    del house.champions.models[FIRST.id]
    (bare,), _ = await house.scores.page(Selection())
    assert (bare.probability, bare.band, bare.reasons, bare.value) == (found.probability, found.band, (), None)


async def test_everybody_is_scored_anew_by_a_new_champion_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.retention.scores.rescoring.BATCH", 7)
    house = House(FIRST)
    for number in range(20):
        await house.hear(f"customer-{number:02}", reading(tenure_months=float(number)))
    house.store.events.clear()
    house.champions.promote(SECOND)
    steps = 0
    while await house.rescoring.step():
        steps += 1
    assert steps == 3
    assert {one.model_id for one in house.store.kept.values() if one} == {SECOND.id}
    assert {one[0] for one in house.told()} == set(house.store.kept)


async def test_who_was_scored_by_the_model_of_before_at_the_last_moment_is_found() -> None:
    house = House(FIRST)
    await house.hear("ann", reading())
    house.champions.promote(SECOND)
    while await house.rescoring.step():
        pass
    late = house.store.kept["ann"]
    assert late is not None
    house.store.kept["ann"] = replace(late, model_id=FIRST.id)
    assert await house.rescoring.step()
    assert await house.store.outdated(None, SECOND.id, 9) == []


async def test_a_customer_is_scored_anew_when_its_reading_has_ended() -> None:
    house = House(FIRST)
    await house.hear("ann", replace(reading(), until=now() - timedelta(seconds=1)))
    assert await house.rescoring.step()
    state = house.features.kept["ann"].state
    renewed = house.store.kept["ann"]
    assert renewed is not None
    assert renewed.values == read(state, now()).values
    assert not await house.rescoring.step()


async def test_many_are_scored_as_one_is() -> None:
    house = House(FIRST)
    readings = {f"c{n:03}": reading(tenure_months=float(n), open_tickets=None) for n in range(2 * MANY)}
    await house.scores.rescore(None, readings, NOON)
    for who, found in readings.items():
        kept = house.store.kept[who]
        assert kept is not None
        assert kept.probability == pytest.approx(probability(FIRST.model, found.values), abs=1e-12)


def test_a_score_goes_over_the_wire_with_texts_and_shares() -> None:
    found = assess("ann", FIRST, reading().values, "EUR", NOON)
    message = wire.message(found)
    assert message.band == scores_pb2.RISK_BAND_CRITICAL
    assert message.score_time.ToDatetime(NOON.tzinfo) == NOON
    first = message.reasons[0]
    assert (first.feature, first.value, first.text) == ("tenure_months", "2", "customer for 2 months")
    assert 0 < first.probability_points < 1
    assert message.levers[0].new_value in ("two_year", "one_year")
    assert message.lifetime_value.micros > 0
    assert wire.text(None) == ""
