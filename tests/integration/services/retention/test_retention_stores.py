"""What every store of features, scores and models does, the real one and the one in memory."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.events.outbox import Happening
from chassis.mongo.client import Store
from chassis.query.selection import Operator, Order, Selection
from chassis.rules import Invalid, Unavailable
from services.retention.features.kept import FeatureKeeper, Kept, Labelled, Outcome
from services.retention.features.rules import NAMES, OutcomeRecorded, State, fold, read
from services.retention.features.store import FeatureStore
from services.retention.models.champions import Champions
from services.retention.models.keys import Signer
from services.retention.models.registry import Entry, Stage
from services.retention.models.signing import generate_key
from services.retention.models.store import ModelStore
from services.retention.scores import wire
from services.retention.scores.assessment_rules import Assessment, Scored
from services.retention.scores.store import ScoreStore
from services.retention.scores.usecases import NEVER, Told
from tests.support.explain import SLOW, Overheard, stages
from tests.support.fakes.features import FakeFeatures
from tests.support.fakes.models import FakeModels
from tests.support.fakes.scores import FakeScores
from tests.unit.services.retention.builders import NOON, entry_of, hand_made_model, lively_facts

ANN, BEN, CAT, DAN = (f"00000000-0000-7000-8000-00000000000{n}" for n in range(1, 5))
LIVELY = fold(lively_facts())


@pytest.fixture(params=["fake", "mongo"])
def features(request: pytest.FixtureRequest) -> FeatureKeeper:
    return FakeFeatures() if request.param == "fake" else FeatureStore(request.getfixturevalue("store"))


@pytest.fixture(params=["fake", "mongo"])
def scores(request: pytest.FixtureRequest) -> Any:
    return FakeScores() if request.param == "fake" else ScoreStore(request.getfixturevalue("store"))


@pytest.fixture(params=["fake", "mongo"])
def models(request: pytest.FixtureRequest) -> Any:
    return FakeModels() if request.param == "fake" else ModelStore(request.getfixturevalue("store"))


async def keep(features: FeatureKeeper, *kept: Kept, at: datetime = NOON) -> None:
    async def work(transaction: Any) -> None:
        await features.keep(transaction, [(one, read(one.state, at)) for one in kept], at)

    await features.transact(work)


async def test_a_state_is_kept_with_its_reading_and_counts_its_changes(features: FeatureKeeper) -> None:
    await keep(features, Kept(ANN, LIVELY, 0), Kept(BEN, State(), 0))
    await keep(features, Kept(ANN, LIVELY, 1))
    assert await features.states(None, [ANN, BEN, CAT]) == {ANN: Kept(ANN, LIVELY, 2), BEN: Kept(BEN, State(), 1)}
    found, empty, nobody = await asyncio.gather(*(features.state(who) for who in (ANN, BEN, CAT)))
    assert (found, empty, nobody) == (LIVELY, State(), None)
    readings = await asyncio.gather(*(features.reading(who) for who in (ANN, BEN, CAT)))
    assert readings == [read(LIVELY, NOON), read(State(), NOON), None]
    assert await features.readings(None, [ANN, CAT]) == {ANN: read(LIVELY, NOON)}


async def test_who_has_no_reading_of_its_own_is_read_as_one_that_does_not_hold(features: FeatureKeeper) -> None:
    await keep(features, Kept(ANN, LIVELY, 0))
    gone = Kept(BEN, State(), 0, erased=True)

    async def work(transaction: Any) -> None:
        await features.keep(transaction, [(Kept(ANN, LIVELY, 1), None), (gone, None)], NOON)

    await features.transact(work)
    assert await features.states(None, [ANN, BEN]) == {ANN: Kept(ANN, LIVELY, 2), BEN: replace(gone, revision=1)}
    assert await features.erased(None, [ANN, BEN, CAT]) == {BEN}
    for who in (ANN, BEN):
        reading = await features.reading(who)
        assert reading is not None
        assert reading.until < NOON
    assert await features.due(NOON + timedelta(days=999), 9) == []


async def test_forgotten_outcomes_are_gone(features: FeatureKeeper) -> None:
    left = OutcomeRecorded(at=NOON, churned=True)

    async def work(transaction: Any) -> None:
        await features.keep_outcomes(transaction, {ANN: left, BEN: left})
        await features.forget(transaction, [ANN, CAT])

    await features.transact(work)
    assert await features.outcomes(None, [ANN, BEN]) == {BEN: left}


async def test_a_change_of_what_somebody_else_has_changed_is_refused(features: FeatureKeeper) -> None:
    await keep(features, Kept(ANN, State(), 0))
    await keep(features, Kept(ANN, State(), 1))
    with pytest.raises(Unavailable):
        await keep(features, Kept(BEN, State(), 0), Kept(ANN, LIVELY, 1))
    assert await features.states(None, [ANN, BEN]) == {ANN: Kept(ANN, State(), 2)}


async def test_readings_that_hold_no_longer_are_due_in_their_order(features: FeatureKeeper) -> None:
    await keep(features, Kept(ANN, LIVELY, 0), at=NOON + timedelta(days=1))
    await keep(features, Kept(BEN, LIVELY, 0), Kept(CAT, LIVELY, 0), at=NOON)
    midnight = datetime(2026, 7, 1, tzinfo=UTC)
    assert await features.due(midnight - timedelta(seconds=1), 9) == []
    assert await features.due(midnight, 9) == [BEN, CAT]
    assert await features.due(midnight + timedelta(days=9), 2) == [BEN, CAT]
    assert await features.due(midnight + timedelta(days=9), 9) == [BEN, CAT, ANN]


async def test_outcomes_are_kept_and_walked_with_the_state_of_each_customer(features: FeatureKeeper) -> None:
    left, stayed = OutcomeRecorded(at=NOON, churned=True), OutcomeRecorded(at=NOON, churned=False)

    async def work(transaction: Any) -> None:
        await features.keep_outcomes(transaction, {ANN: stayed, BEN: left})
        await features.keep_outcomes(transaction, {ANN: left})
        await features.keep_outcomes(transaction, {})

    await features.transact(work)
    await keep(features, Kept(BEN, LIVELY, 0))
    assert await features.outcomes(None, [ANN, BEN, CAT]) == {ANN: left, BEN: left}
    assert await features.outcome_count() == 2
    first = Labelled(Outcome(ANN, left), None)
    second = Labelled(Outcome(BEN, left), LIVELY)
    assert await features.labelled_after("", 1) == [first]
    assert await features.labelled_after(ANN, 5) == [second]
    assert await features.labelled_after(BEN, 5) == []


def scored(who: str, probability: float, **changes: Any) -> Scored:
    band = "low" if probability < 0.5 else "critical"
    one = Scored(who, probability, band, "churn-a", NOON, (None,) * len(NAMES), "EUR", band, listed=True, version=1)  # type: ignore[arg-type]
    return replace(one, **changes)


def band_changed(one: Scored) -> Happening:
    found = Assessment(one.customer_id, one.probability, one.band, (), (), one.model_id, one.at, None, None)
    return Happening(one.customer_id, one.version, wire.band_changed(found, None), NOON, one.customer_id)


async def keep_scores(store: Any, *kept: Scored) -> None:
    async def work(transaction: Any) -> None:
        await store.keep(transaction, kept, [band_changed(one) for one in kept])

    await store.transact(work)


async def test_scores_are_listed_riskiest_first_without_those_who_left(scores: Any) -> None:
    everybody = [
        scored(ANN, 0.2),
        scored(BEN, 0.9),
        scored(CAT, 0.7, listed=False, announced=None),
        scored(DAN, 0.6, values=(1.5,)),
    ]
    await keep_scores(scores, *everybody)
    found, token = await scores.page(Selection(page_size=2))
    assert found == [everybody[1], everybody[3]]
    more, end = await scores.page(Selection(page_size=2, page_token=token))
    assert (more, end) == ([everybody[0]], "")
    low, _ = await scores.page(Selection().where("band", "RISK_BAND_LOW"))
    assert [one.customer_id for one in low] == [ANN]
    above, _ = await scores.page(Selection().where("probability", "0.6", operator=Operator.GREATER_OR_EQUAL))
    assert [one.customer_id for one in above] == [BEN, DAN]
    rising, _ = await scores.page(Selection(order=(Order("probability"),)))
    assert [one.customer_id for one in rising] == [ANN, DAN, BEN]
    with pytest.raises(Invalid):
        await scores.page(Selection().where("model_id", "churn-a"))


async def test_who_waits_for_a_first_score_is_outdated_and_not_listed(scores: Any) -> None:
    await keep_scores(scores, scored(ANN, 0.4, version=7))

    async def work(transaction: Any) -> None:
        await scores.expect(transaction, [ANN, BEN], NOON)

    await scores.transact(work)
    assert await scores.told(None, [ANN, BEN, CAT]) == {ANN: Told(7, "low"), BEN: NEVER}
    assert await scores.outdated(None, "churn-a", 9) == [BEN]
    assert sorted(await scores.outdated(None, "churn-b", 9)) == [ANN, BEN]
    assert len(await scores.outdated(None, "churn-b", 1)) == 1
    assert await scores.count_outdated("churn-b") == 2
    assert [one.customer_id for one in (await scores.page(Selection()))[0]] == [ANN]


async def test_retired_scores_are_nobodys_until_they_come_back_and_count_on(scores: Any) -> None:
    await keep_scores(scores, scored(ANN, 0.4, version=7), scored(BEN, 0.9))

    async def retire(transaction: Any) -> None:
        await scores.retire(transaction, [ANN, DAN])

    await scores.transact(retire)
    assert [one.customer_id for one in (await scores.page(Selection()))[0]] == [BEN]
    assert await scores.outdated(None, "churn-b", 9) == [BEN]
    assert await scores.count_outdated("churn-b") == 1
    assert [one.customer_id for one in await scores.many([ANN, BEN, CAT])] == [BEN]
    assert await scores.told(None, [ANN, DAN]) == {ANN: Told(7, "low")}

    async def expect(transaction: Any) -> None:
        await scores.expect(transaction, [ANN, BEN], NOON)

    await scores.transact(expect)
    assert sorted(await scores.outdated(None, "churn-b", 9)) == [ANN, BEN]
    assert await scores.outdated(None, "churn-a", 9) == [ANN]
    assert await scores.told(None, [ANN]) == {ANN: Told(7, "low")}
    await keep_scores(scores, scored(ANN, 0.3, version=8))
    assert [one.customer_id for one in (await scores.page(Selection()))[0]] == [BEN, ANN]


async def test_forgotten_scores_are_gone_and_so_is_what_was_told_of_them(scores: Any) -> None:
    await keep_scores(scores, scored(ANN, 0.4), scored(BEN, 0.9))

    async def forget(transaction: Any) -> None:
        await scores.forget(transaction, [ANN, CAT])

    await scores.transact(forget)
    assert [one.customer_id for one in await scores.many([ANN, BEN])] == [BEN]
    assert await scores.told(None, [ANN]) == {}


async def test_there_is_one_champion_and_its_change_is_told(models: Any) -> None:
    signer = Signer(generate_key())
    old = entry_of(hand_made_model(), signer, NOON)
    new = entry_of(replace(hand_made_model(), intercept=-2.0), signer, NOON + timedelta(hours=1))
    assert await models.champion(None) is None
    assert await models.champion_id(None) == ""

    async def insert(transaction: Any) -> None:
        for one in (old, new):
            await models.insert(transaction, one)

    await models.transact(insert)
    champion = replace(old, stage=Stage.CHAMPION, version=2)

    async def promote(transaction: Any) -> None:
        await models.replace(transaction, champion)

    await models.transact(promote)
    assert await models.get(None, new.id) == new
    assert await models.get(None, "churn-none") is None
    assert await models.champion(None) == champion
    assert await models.champion_id(None) == old.id
    assert [one.id for one in (await models.page(Selection()))[0]] == [new.id, old.id]
    candidates, _ = await models.page(Selection().where("stage", "MODEL_STAGE_CANDIDATE"))
    assert candidates == [new]


async def test_the_signing_key_is_made_once(models: Any) -> None:
    made = iter([b"first", b"second", b"third", b"late"])
    keys = await asyncio.gather(*(models.signing_key(lambda: next(made), NOON) for _ in range(3)))
    # Whoever was the first to reach the store.
    assert keys[0] in (b"first", b"second", b"third")
    assert [*keys, await models.signing_key(lambda: next(made), NOON)] == [keys[0]] * 4


async def test_a_second_champion_is_refused_by_the_store_itself(store: Store) -> None:
    models, signer = ModelStore(store), Signer(generate_key())
    both: Sequence[Entry] = [
        replace(entry_of(replace(hand_made_model(), intercept=x), signer, NOON), stage=Stage.CHAMPION)
        for x in (-1.0, -2.0)
    ]

    async def work(transaction: Any) -> None:
        for one in both:
            await models.insert(transaction, one)

    with pytest.raises(Exception, match="duplicate key"):
        await models.transact(work)


async def test_no_query_reads_everything_or_sorts_in_memory(spied: tuple[Store, Overheard]) -> None:
    store, listener = spied
    features, scores, models = FeatureStore(store), ScoreStore(store), ModelStore(store)
    await test_a_state_is_kept_with_its_reading_and_counts_its_changes(features)
    await test_readings_that_hold_no_longer_are_due_in_their_order(FeatureStore(await emptied(store)))
    await test_outcomes_are_kept_and_walked_with_the_state_of_each_customer(FeatureStore(await emptied(store)))
    await test_scores_are_listed_riskiest_first_without_those_who_left(scores)
    await test_who_waits_for_a_first_score_is_outdated_and_not_listed(ScoreStore(await emptied(store)))
    await test_there_is_one_champion_and_its_change_is_told(models)
    await Champions(models, Signer(generate_key())).refresh()
    await models.signing_key(lambda: b"key", NOON)
    await test_who_has_no_reading_of_its_own_is_read_as_one_that_does_not_hold(FeatureStore(await emptied(store)))
    await test_retired_scores_are_nobodys_until_they_come_back_and_count_on(ScoreStore(await emptied(store)))
    await ScoreStore(store).transact(lambda t: ScoreStore(store).forget(t, [ANN]))
    await FeatureStore(store).transact(lambda t: FeatureStore(store).forget(t, [ANN]))
    # Those that empty a collection between tests are the tests' own.
    asked = [one for one in listener.commands if one.get("deletes") != [{"q": {}, "limit": 0}]]
    assert sum("delete" in one for one in asked) == 3
    assert {next(iter(one)) for one in asked} >= {"find", "update"}
    for command in asked:
        if command.get("upsert") or "update" in command:
            continue
        found = await stages(store, command)
        assert not found & SLOW, command


async def emptied(store: Store) -> Store:
    for name in ("features", "outcomes", "scores"):
        await store.collection(name).delete_many({})
    return store
