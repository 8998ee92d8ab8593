"""Retention from events to scores: a real process, real sockets, a real MongoDB, three sources with bad manners."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import grpc
import pytest
from google.protobuf.message import Message
from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import customers_pb2
from holdfast.events.v1 import events_pb2
from holdfast.retention.v1 import features_pb2, models_pb2, scores_pb2

from chassis.errors import reason_of
from chassis.mongo.client import Store
from chassis.times import now
from services.retention.features.rules import NAMES, from_document, prune, vector
from tests.integration.services.retention.conftest import Metadata, Sources, Stubs
from tests.support.event_source import event
from tests.support.polling import eventually
from tests.support.service import Keys, Process
from tests.unit.services.retention.people import Person, contact, folded, person

PEOPLE = 400
SECONDS = 60.0


async def settled(database: Store, sources: Sources) -> None:
    """Waits until each listener's position is behind the last event there is."""

    async def holds() -> bool:
        kept = {d["_id"]: d["position"] async for d in database.collection("positions").find()}
        return all(
            not source.events or kept.get(name) == str(len(source.events))
            for name, source in (
                ("customer_info", sources.customer_info), ("interaction", sources.interaction), ("sla", sources.sla),
            )
        )  # fmt: skip

    await eventually(holds, "the last event", SECONDS)


def refused_as(error: pytest.ExceptionInfo[grpc.aio.AioRpcError], code: grpc.StatusCode, reason: str) -> bool:
    return error.value.code() is code and reason_of(error.value) == reason


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return [person(seed) for seed in range(PEOPLE)]


@pytest.fixture(scope="module")
async def told(sources: Sources, people: list[Person], service: Process) -> list[Person]:
    """Everybody, once everything was told: out of order, and partly more than once."""
    shuffle = random.Random(11)
    for source, name in (
        (sources.customer_info, "customer_info"), (sources.interaction, "interaction"), (sources.sla, "sla"),
    ):  # fmt: skip
        events = [one for someone in people for one in getattr(someone, name)]
        shuffle.shuffle(events)
        source.tell(*events)
    return people


async def rows(people: list[Person]) -> AsyncIterator[features_pb2.RecordOutcomesRequest]:
    for start in range(0, len(people), 150):
        yield features_pb2.RecordOutcomesRequest(outcomes=[one.outcome() for one in people[start : start + 150]])


async def train(stubs: Stubs, admin: Metadata, **wish: object) -> tuple[models_pb2.Model, list[float]]:
    progress: list[float] = []
    model = models_pb2.Model()
    request = models_pb2.TrainModelRequest(**wish)  # type: ignore[arg-type]
    async for step in stubs.models.TrainModel(request, metadata=admin, timeout=120):
        progress.append(step.progress)
        if step.HasField("model"):
            model = step.model
    return model, progress


async def scores(stubs: Stubs, admin: Metadata, query: query_pb2.Query | None = None) -> list[scores_pb2.Score]:
    query = query or query_pb2.Query()
    query.page.page_size = 150
    found: list[scores_pb2.Score] = []
    while True:
        answer = await stubs.scores.ListScores(scores_pb2.ListScoresRequest(query=query), metadata=admin)
        found += answer.scores
        if not answer.page.next_page_token:
            return found
        query.page.page_token = answer.page.next_page_token


async def test_of_a_customer_nobody_told_of_nothing_is_known(stubs: Stubs, admin: Metadata) -> None:
    asked = features_pb2.GetFeaturesRequest(customer_id=str(uuid.uuid4()))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stubs.features.GetFeatures(asked, metadata=admin)
    assert refused_as(refused, grpc.StatusCode.NOT_FOUND, "NOT_FOUND")


async def test_without_a_champion_nobody_is_scored(stubs: Stubs, admin: Metadata) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stubs.scores.GetScore(scores_pb2.GetScoreRequest(customer_id=str(uuid.uuid4())), metadata=admin)
    assert refused_as(refused, grpc.StatusCode.FAILED_PRECONDITION, "NO_CHAMPION")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stubs.models.GetModel(models_pb2.GetModelRequest(model_id="champion"), metadata=admin)
    assert refused_as(refused, grpc.StatusCode.NOT_FOUND, "NOT_FOUND")


async def test_training_without_outcomes_says_how_many_are_needed(stubs: Stubs, admin: Metadata) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await train(stubs, admin)
    assert refused_as(refused, grpc.StatusCode.FAILED_PRECONDITION, "TOO_FEW_OUTCOMES")
    assert "at least 100" in str(refused.value.details())


async def test_events_told_twice_out_of_order_and_over_broken_streams_count_once(
    told: list[Person], sources: Sources, database: Store
) -> None:
    await settled(database, sources)
    assert sources.customer_info.breaks + sources.interaction.breaks > 0
    assert sources.interaction.told > len(sources.interaction.events)
    kept = {d["_id"]: from_document(d["state"]) async for d in database.collection("features").find()}
    assert kept == {one.id: prune(folded(one.told), now()) for one in told}
    assert await database.collection("dead_letters").count_documents({}) == 0


async def test_features_are_read_as_of_a_time_and_with_their_age(
    told: list[Person], stubs: Stubs, admin: Metadata
) -> None:
    someone = max(told, key=lambda one: len(one.interaction))
    state = folded(someone.told)
    for as_of in (None, now() - timedelta(days=40)):
        asked = features_pb2.GetFeaturesRequest(customer_id=someone.id)
        if as_of is not None:
            asked.as_of.FromDatetime(as_of)
        answer = await stubs.features.GetFeatures(asked, metadata=admin)
        assert [one.name for one in answer.features] == list(NAMES)
        found = {one.name: getattr(one, str(one.WhichOneof("value")), None) for one in answer.features}
        assert found == pytest.approx(vector(state, answer.as_of.ToDatetime(now().tzinfo)))
    contacts = next(one for one in answer.features if one.name == "contacts_90d")
    assert contacts.fact_time.ToDatetime(now().tzinfo) == state.heard["interaction"]


async def test_a_time_at_the_end_of_the_calendar_is_refused(stubs: Stubs, admin: Metadata) -> None:
    asked = features_pb2.GetFeaturesRequest(customer_id=str(uuid.uuid4()))
    asked.as_of.FromJsonString("0001-01-01T00:00:00Z")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stubs.features.GetFeatures(asked, metadata=admin)
    assert refused_as(refused, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")


async def test_outcomes_are_recorded_row_by_row_and_the_newest_counts(
    told: list[Person], stubs: Stubs, keys_metadata: Metadata
) -> None:
    first = (await stubs.features.RecordOutcomes(rows(told), metadata=keys_metadata)).summary
    assert (first.received, first.created, first.failed) == (PEOPLE, PEOPLE, 0)
    stranger, someone = str(uuid.uuid4()), told[0]
    mixed = [
        features_pb2.Outcome(customer_id="nobody"),
        features_pb2.Outcome(customer_id=stranger),
        Person(someone.id, churned=not someone.churned).outcome(now() - timedelta(days=300)),
        Person(stranger, churned=True).outcome(now() - timedelta(days=1)),
        Person(stranger, churned=False).outcome(),
    ]

    async def stream() -> AsyncIterator[features_pb2.RecordOutcomesRequest]:
        yield features_pb2.RecordOutcomesRequest(outcomes=mixed)

    second = (await stubs.features.RecordOutcomes(stream(), metadata=keys_metadata)).summary
    assert (second.received, second.created, second.updated, second.unchanged, second.failed) == (5, 1, 1, 1, 2)
    assert [(one.row, one.field) for one in second.errors] == [(1, "customer_id"), (2, "observe_time")]


@pytest.fixture(scope="module")
def keys_metadata(keys: Keys) -> Metadata:
    return keys.metadata("service")


async def test_a_model_is_trained_shown_and_kept_once(told: list[Person], stubs: Stubs, admin: Metadata) -> None:
    model, progress = await train(stubs, admin, promote=False, seed=3)
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    assert len(progress) > 6
    assert model.stage == models_pb2.MODEL_STAGE_CANDIDATE
    assert model.id == f"churn-{model.digest[:12]}"
    assert model.figures.rows == PEOPLE
    assert model.figures.auc > 0.6
    again, _ = await train(stubs, admin, promote=False, seed=3)
    assert again == model
    shown = await stubs.models.GetModel(models_pb2.GetModelRequest(model_id=model.id), metadata=admin)
    assert shown.model == model
    assert shown.card.startswith("# Churn model")
    assert '"format":"holdfast.retention.model.v1"' in shown.tables_json


async def test_a_promoted_model_scores_everybody_and_tells_of_every_band(
    told: list[Person], stubs: Stubs, admin: Metadata, keys_metadata: Metadata
) -> None:
    model, _ = await train(stubs, admin, promote=True, seed=3)
    assert model.stage == models_pb2.MODEL_STAGE_CHAMPION
    asked = scores_pb2.GetScoreRequest(customer_id=told[0].id)
    answer = await stubs.scores.GetScore(asked, metadata=admin)
    assert answer.score.model_id == model.id

    async def all_scored() -> bool:
        found = await scores(stubs, admin)
        return len(found) == PEOPLE and {one.model_id for one in found} == {model.id}

    await eventually(all_scored, "everybody's score", SECONDS)
    found = await scores(stubs, admin)
    assert [one.probability for one in found] == sorted((one.probability for one in found), reverse=True)
    first = found[0]
    one = (await stubs.scores.GetScore(scores_pb2.GetScoreRequest(customer_id=first.customer_id), metadata=admin)).score
    one.score_time.CopyFrom(first.score_time)
    assert one == first
    assert first.reasons
    assert first.lifetime_value.currency_code == "EUR"
    assert first.value_tier
    bands = {one.customer_id: one.band for one in found}
    changes = [change async for change in heard(stubs, keys_metadata, scores_pb2.RiskBandChanged, PEOPLE)]
    assert {one.score.customer_id: one.score.band for one in changes} == bands
    assert {one.previous_band for one in changes} == {scores_pb2.RISK_BAND_UNSPECIFIED}


async def heard(
    stubs: Stubs, metadata: Metadata, kind: type[Message], count: int
) -> AsyncIterator[scores_pb2.RiskBandChanged]:
    """The first `count` events of a kind."""
    request = events_pb2.SubscribeRequest(types=[kind.DESCRIPTOR.full_name])
    call = stubs.events.Subscribe(request, metadata=metadata, timeout=SECONDS)
    left = count
    async for response in call:
        for told in response.events:
            change = scores_pb2.RiskBandChanged()
            assert told.data.Unpack(change)
            yield change
            left -= 1
        if left <= 0:
            call.cancel()
            return


async def test_scores_are_listed_by_band_and_by_probability(stubs: Stubs, admin: Metadata) -> None:
    everybody = await scores(stubs, admin)
    query = query_pb2.Query()
    query.predicates.add(field="band", values=["RISK_BAND_LOW"])
    low = await scores(stubs, admin, query)
    assert {one.customer_id for one in low} == {
        one.customer_id for one in everybody if one.band == scores_pb2.RISK_BAND_LOW
    }
    query = query_pb2.Query()
    query.predicates.add(field="probability", operator=query_pb2.Predicate.OPERATOR_GREATER_OR_EQUAL, values=["0.35"])
    assert len(await scores(stubs, admin, query)) == sum(one.probability >= 0.35 for one in everybody)
    query = query_pb2.Query()
    query.predicates.add(field="model_id", values=["x"])
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await scores(stubs, admin, query)
    assert refused_as(refused, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_QUERY")


async def test_what_happens_to_a_customer_changes_its_stored_score(
    told: list[Person], sources: Sources, stubs: Stubs, admin: Metadata
) -> None:
    before = {one.customer_id: one for one in await scores(stubs, admin)}
    someone = next(one for one in told if before[one.id].band == scores_pb2.RISK_BAND_LOW)
    draw = random.Random(6)
    sources.interaction.tell(*(contact(someone.id, draw, complaint=True) for _ in range(6)))

    async def rescored() -> bool:
        # Who moves up while the pages are turned is on none of them.
        found = {one.customer_id: one for one in await scores(stubs, admin)}.get(someone.id)
        return found is not None and found.probability != before[someone.id].probability

    await eventually(rescored, "the new score")
    asked = scores_pb2.GetScoreRequest(customer_id=someone.id)
    now_asked = (await stubs.scores.GetScore(asked, metadata=admin)).score
    stored = {one.customer_id: one for one in await scores(stubs, admin)}[someone.id]
    assert now_asked.probability == pytest.approx(stored.probability)
    assert "complaints_90d" in {one.feature for one in now_asked.reasons}


async def test_who_has_left_is_listed_no_more_but_can_be_asked_for(
    told: list[Person], sources: Sources, stubs: Stubs, admin: Metadata
) -> None:
    gone = told[5]
    facts = customers_pb2.CustomerFacts(id=gone.id, status=customers_pb2.CUSTOMER_STATUS_CLOSED)
    sources.customer_info.tell(event(customers_pb2.CustomerUpdated(customer=facts), gone.id, gone.id, 2))

    async def unlisted() -> bool:
        return gone.id not in {one.customer_id for one in await scores(stubs, admin)}

    await eventually(unlisted, "the end of the listing")
    asked = scores_pb2.GetScoreRequest(customer_id=gone.id)
    assert (await stubs.scores.GetScore(asked, metadata=admin)).score.customer_id == gone.id


async def test_promoting_the_model_of_before_is_the_way_back(
    told: list[Person], stubs: Stubs, admin: Metadata, database: Store
) -> None:
    old = (await stubs.models.GetModel(models_pb2.GetModelRequest(model_id="champion"), metadata=admin)).model
    new, _ = await train(stubs, admin, promote=True, seed=4)
    assert new.id != old.id

    async def by(model_id: str) -> bool:
        return {one.model_id for one in await scores(stubs, admin)} == {model_id}

    await eventually(lambda: by(new.id), "everybody's score by the new model", SECONDS)
    request = models_pb2.PromoteModelRequest(model_id=old.id)
    back = (await stubs.models.PromoteModel(request, metadata=admin)).model
    assert back.stage == models_pb2.MODEL_STAGE_CHAMPION
    await eventually(lambda: by(old.id), "everybody's score by the old model", SECONDS)
    listed = (await stubs.models.ListModels(models_pb2.ListModelsRequest(), metadata=admin)).models
    assert {one.id: one.stage for one in listed} == {
        old.id: models_pb2.MODEL_STAGE_CHAMPION,
        new.id: models_pb2.MODEL_STAGE_RETIRED,
    }
    told_of = database.collection("outbox").find({"type": "holdfast.retention.v1.ChampionChanged"}).sort("_id", 1)
    assert [d["subject"] async for d in told_of] == [old.id, new.id, old.id]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stubs.models.PromoteModel(models_pb2.PromoteModelRequest(model_id="churn-none"), metadata=admin)
    assert refused_as(refused, grpc.StatusCode.NOT_FOUND, "NOT_FOUND")


async def test_a_customer_whose_windows_have_moved_is_scored_anew(
    told: list[Person], stubs: Stubs, admin: Metadata, database: Store
) -> None:
    someone = told[9].id
    before = {one.customer_id: one for one in await scores(stubs, admin)}[someone]
    yesterday = {"$set": {"until": now() - timedelta(seconds=1), "values": [None] * len(NAMES)}}
    await database.collection("features").update_one({"_id": someone}, yesterday)

    async def renewed() -> bool:
        found = {one.customer_id: one for one in await scores(stubs, admin)}[someone]
        return found.score_time.ToDatetime() > before.score_time.ToDatetime()

    await eventually(renewed, "the renewed score")
    after = {one.customer_id: one for one in await scores(stubs, admin)}[someone]
    assert after.probability == before.probability


async def test_a_forged_model_is_not_promoted(stubs: Stubs, admin: Metadata, database: Store) -> None:
    models = database.collection("models")
    genuine = await models.find_one({"stage": models_pb2.MODEL_STAGE_CHAMPION})
    forged = {**genuine, "_id": "churn-f0rged", "stage": models_pb2.MODEL_STAGE_CANDIDATE}
    forged["text"] = bytes(genuine["text"]).replace(b'"intercept":', b'"intercept":1')
    await models.insert_one(forged)
    replayed = {**genuine, "_id": "churn-replayed", "stage": models_pb2.MODEL_STAGE_CANDIDATE}
    await models.insert_one(replayed)
    for name in ("churn-f0rged", "churn-replayed"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stubs.models.PromoteModel(models_pb2.PromoteModelRequest(model_id=name), metadata=admin)
        assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    shown = await stubs.models.GetModel(models_pb2.GetModelRequest(model_id="champion"), metadata=admin)
    assert shown.model.id == genuine["_id"]
    await models.delete_many({"_id": {"$in": ["churn-f0rged", "churn-replayed"]}})


async def test_a_champion_forged_in_the_store_is_not_believed_after_a_restart(
    told: list[Person], stubs: Stubs, admin: Metadata, database: Store, service: Process
) -> None:
    models = database.collection("models")
    genuine = await models.find_one({"stage": models_pb2.MODEL_STAGE_CHAMPION})
    text = bytes(genuine["text"]).replace(b'"intercept":', b'"intercept":1')
    await models.update_one({"_id": genuine["_id"]}, {"$set": {"text": text}})
    await asyncio.to_thread(service.stop)
    await asyncio.to_thread(service.start)
    asked = scores_pb2.GetScoreRequest(customer_id=told[0].id)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stubs.scores.GetScore(asked, metadata=admin, wait_for_ready=True)
    assert refused_as(refused, grpc.StatusCode.FAILED_PRECONDITION, "NO_CHAMPION")
    assert service.log.read_text().count("model_refused") == 1
    await models.update_one({"_id": genuine["_id"]}, {"$set": {"text": genuine["text"]}})

    async def believed() -> bool:
        try:
            return bool((await stubs.scores.GetScore(asked, metadata=admin)).score.model_id == genuine["_id"])
        except grpc.aio.AioRpcError:
            return False

    await eventually(believed, "the genuine champion")
