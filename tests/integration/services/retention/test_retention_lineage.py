"""Retention follows merges, un-merges and erasures, and shows all it holds: over real sockets and a real store."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import grpc
import pytest
from holdfast.common.v1.rows_pb2 import BulkSummary
from holdfast.events.v1 import events_pb2
from holdfast.retention.v1 import features_pb2, privacy_pb2
from holdfast.retention.v1.privacy_pb2_grpc import PrivacyServiceStub

from chassis.events.listener import DEAD_LETTERS
from chassis.lineage import Lineage
from chassis.mongo.client import Store
from chassis.query.selection import Selection
from chassis.times import now
from services.retention.features.readings import Readings
from services.retention.features.rules import State, combined, from_document, prune, read, vector
from services.retention.features.store import FeatureStore
from services.retention.features.usecases import FeatureUseCases
from services.retention.scores.rescoring import Rescoring
from services.retention.scores.store import ScoreStore
from services.retention.scores.usecases import ScoreUseCases
from tests.integration.services.retention.conftest import Metadata, Sources, Stubs
from tests.support.event_source import erased, merged, parted
from tests.support.fakes.scores import FakeChampions
from tests.support.polling import eventually
from tests.support.service import Keys, Process
from tests.unit.services.retention.people import Person, Unpacked, contact, folded, person
from tests.unit.services.retention.test_score_usecases import FIRST


@pytest.fixture
async def privacy(service: Process) -> AsyncIterator[PrivacyServiceStub]:
    async with grpc.aio.insecure_channel(service.address) as channel:
        yield PrivacyServiceStub(channel)


async def features(stubs: Stubs, who: str, admin: Metadata) -> dict[str, object] | None:
    """The features of a customer; None: nothing is known."""
    try:
        answer = await stubs.features.GetFeatures(features_pb2.GetFeaturesRequest(customer_id=who), metadata=admin)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        return None
    return {one.name: getattr(one, str(one.WhichOneof("value")), None) for one in answer.features}


def tell(sources: Sources, *people: Person) -> None:
    for one in people:
        sources.customer_info.tell(*one.customer_info)
        sources.interaction.tell(*one.interaction)
        sources.sla.tell(*one.sla)


def shows(stubs: Stubs, who: Person, admin: Metadata, *people: Person) -> Callable[[], Awaitable[bool]]:
    """Whether who asks for one person is told what is known of these, as of one customer."""

    async def condition() -> bool:
        state = combined(prune(folded(one.told), now()) for one in people)
        return await features(stubs, who.id, admin) == pytest.approx(vector(state, now()))

    return condition


def somebody() -> str:
    return str(uuid.uuid4())


def complaint(who: str) -> events_pb2.Event:
    return contact(who, random.Random(who), complaint=True)


async def record(stubs: Stubs, keys: Keys, who: str) -> BulkSummary:
    """Records that somebody left."""
    outcome = features_pb2.Outcome(customer_id=who, churned=True)
    outcome.observe_time.FromDatetime(now())
    request = features_pb2.RecordOutcomesRequest(outcomes=[outcome])
    return (await stubs.features.RecordOutcomes(iter([request]), metadata=keys.metadata("service"))).summary


async def set_aside(database: Store, *events: events_pb2.Event) -> None:
    """Leaves events with those that could not be applied."""
    letter = {"listener": "interaction", "error": "Invalid", "time": now()}
    letters = [{"_id": f"interaction:{one.id}", **letter, "event": one.SerializeToString()} for one in events]
    await database.collection(DEAD_LETTERS.name).insert_many(letters)


async def test_merged_customers_are_one_and_parted_ones_several_again(
    sources: Sources, stubs: Stubs, admin: Metadata
) -> None:
    ann, ben = person(1001), person(1002)
    tell(sources, ann, ben)
    for one in (ann, ben):
        await eventually(shows(stubs, one, admin, one), "the features of each")
    sources.customer_info.tell(merged(ann.id, ben.id))
    for one in (ann, ben):
        await eventually(shows(stubs, one, admin, ann, ben), "the features of both")
    ben.interaction.append(complaint(ben.id))
    sources.interaction.tell(ben.interaction[-1])
    await eventually(shows(stubs, ann, admin, ann, ben), "the late event of the merged id")
    sources.customer_info.tell(parted([ann.id], [ben.id]))
    for one in (ann, ben):
        await eventually(shows(stubs, one, admin, one), "the features of each, again")


async def test_of_the_erased_nothing_is_left_and_nothing_comes_back(
    sources: Sources, stubs: Stubs, admin: Metadata, database: Store, keys: Keys
) -> None:
    ann, ben = person(1003), person(1004)
    tell(sources, ann, ben)
    for one in (ann, ben):
        await eventually(shows(stubs, one, admin, one), "the features of each")
    sources.customer_info.tell(merged(ann.id, ben.id))
    await eventually(shows(stubs, ann, admin, ann, ben), "the features of both")
    assert (await record(stubs, keys, ann.id)).created == 1
    await set_aside(database, ann.interaction[0], ben.interaction[0], complaint(somebody()))
    sources.customer_info.tell(erased(ann.id, ben.id))

    async def gone() -> bool:
        return [await features(stubs, one.id, admin) for one in (ann, ben)] == [None, None]

    await eventually(gone, "the erasure")
    last = somebody()
    sources.interaction.tell(complaint(ben.id), complaint(last))

    async def heard() -> bool:
        return await features(stubs, last, admin) is not None

    await eventually(heard, "the event after the erasure")
    assert await gone()
    for name in ("features", "scores", "outcomes", "outbox"):
        field = "customer_id" if name == "outbox" else "_id"
        async for document in database.collection(name).find({field: {"$in": [ann.id, ben.id]}}):
            assert name == "features"
            assert from_document(document["state"]) == State()
    assert await database.collection(DEAD_LETTERS.name).count_documents({}) == 1
    refused = await record(stubs, keys, ben.id)
    assert [(one.row, one.reason) for one in refused.errors] == [(1, "ERASED")]


async def test_everything_held_is_exported_to_whom_it_concerns(
    sources: Sources, stubs: Stubs, admin: Metadata, privacy: PrivacyServiceStub, keys: Keys
) -> None:
    ann, ben = person(1005), person(1006)
    tell(sources, ann, ben)
    sources.customer_info.tell(merged(ann.id, ben.id))
    await eventually(shows(stubs, ann, admin, ann, ben), "the features of both")
    await record(stubs, keys, ben.id)
    found: dict[str, list[dict[str, Any]]] = {}
    request = privacy_pb2.ExportCustomerRequest(customer_id=ben.id)
    async for part in privacy.ExportCustomer(request, metadata=keys.metadata("customer", customer_id=ben.id)):
        found.setdefault(part.kind, []).extend(dict(record) for record in part.records)
    assert set(found) == {"features", "scores", "outcomes"}
    assert {record["customer_id"] for record in found["features"]} == {ann.id, ben.id}
    assert {len(record["products"]) for record in found["features"]} == {2}
    assert [(record["customer_id"], record["churned"]) for record in found["outcomes"]] == [(ben.id, True)]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await privacy.ExportCustomer(request, metadata=keys.metadata("customer", customer_id=ann.id)).read()
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


class House:
    """Retention's use cases on real stores, with a champion at hand."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.kept, self.scored = FeatureStore(store), ScoreStore(store)
        self.lineage = Lineage(store)
        self.readings = Readings(self.kept, self.lineage)
        self.scores = ScoreUseCases(self.scored, self.readings, FakeChampions(FIRST))
        self.features = FeatureUseCases(self.kept, self.lineage, self.scores)
        self.rescoring = Rescoring(self.scored, self.readings, FakeChampions(FIRST), self.scores)

    async def hear(self, *events: events_pb2.Event) -> None:
        unpacked = [Unpacked(one) for one in events]
        await self.store.transact(lambda transaction: self.features.apply(unpacked, transaction))

    async def listed(self) -> dict[str, float]:
        found, _ = await self.scores.page(Selection())
        return {one.customer_id: one.probability for one in found}


async def test_lists_show_customers_and_not_ids_on_the_real_store(store: Store) -> None:
    house = House(store)
    people = [person(seed) for seed in range(2001, 2005)]
    ann, ben, *others = (one.id for one in people)
    await house.hear(*(event for one in people for event in one.told))
    before = await house.listed()
    assert set(before) == {ann, ben, *others}
    await house.hear(merged(ann, ben))
    together = await house.listed()
    assert set(together) == {ann, *others}
    assert together[ann] == (await house.scores.get(ben)).probability
    await store.collection("features").update_one({"_id": ann}, {"$set": {"until": now() - timedelta(seconds=1)}})
    assert await house.rescoring.step()
    assert not await house.rescoring.step()
    assert await house.listed() == pytest.approx(together)
    await house.hear(parted([ann], [ben]))
    assert await house.listed() == pytest.approx(before)
    await house.hear(merged(ben, ann), erased(ben, ann))
    assert set(await house.listed()) == {*others}
    told = [d["customer_id"] async for d in store.collection("outbox").find()]
    assert set(told) == {*others}
    assert not await house.rescoring.step()


async def test_a_merge_and_what_is_told_meanwhile_never_miss_each_other(store: Store) -> None:
    """Whichever commits first, the reading is that of all: the other waits, or sees what was done."""
    house = House(store)
    for seed in range(3001, 3009):
        ann, ben = person(seed), person(seed + 100)
        await asyncio.gather(house.hear(*ann.told), house.hear(merged(ann.id, ben.id)), house.hear(*ben.told))
        state = combined(prune(folded(one.told), now()) for one in (ann, ben))
        kept = await house.kept.reading(ann.id)
        assert kept is not None
        assert kept.values == read(state, now()).values
        assert await house.lineage.of_many([ben.id]) == {ben.id: (ann.id, ben.id)}


async def test_an_erasure_and_what_is_told_meanwhile_leave_nothing(store: Store) -> None:
    house = House(store)
    for seed in range(4001, 4009):
        ann = person(seed)
        await asyncio.gather(house.hear(*ann.told[:2]), house.hear(erased(ann.id)), house.hear(*ann.told[2:]))
        assert (await house.kept.states(None, [ann.id]))[ann.id].state == State()
        assert await house.kept.erased(None, [ann.id]) == {ann.id}
    assert await house.listed() == {}
