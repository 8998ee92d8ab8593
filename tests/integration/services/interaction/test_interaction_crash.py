"""Nothing acknowledged is lost, and nothing is doubled, when the process is killed in the middle of writes."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import grpc
from holdfast.interaction.v1 import interactions_pb2 as pb
from holdfast.interaction.v1.interactions_pb2_grpc import InteractionsServiceStub

from chassis.ids import new_ids
from chassis.mongo.client import Store
from chassis.times import now
from services.interaction.interactions import wire
from services.interaction.interactions.store import to_document
from services.interaction.privacy.rules import ERASED
from tests.support.event_source import EventSource, erased
from tests.support.polling import eventually
from tests.support.service import Keys, free_port, serving
from tests.unit.services.interaction.builders import entry

MESSAGES = 600
CALLERS = 32
BEFORE_THE_KILL = 150


def settings(mongo_uri: Callable[[str], str]) -> dict[str, str]:
    """Customer information is not there, and not missed."""
    return {"interaction_mongo_uri": mongo_uri("interaction"), "customer_info_target": f"127.0.0.1:{free_port()}"}


async def log_all(
    address: str, metadata: tuple[tuple[str, str], ...], keys: list[str], on_answer: Callable[[], None]
) -> dict[str, str]:
    """Logs a message for each key, many at once; the ids of those that were acknowledged."""
    acknowledged: dict[str, str] = {}
    left = iter(keys)
    async with grpc.aio.insecure_channel(address) as channel:
        stub = InteractionsServiceStub(channel)

        async def caller() -> None:
            for key in left:
                request = pb.LogInteractionRequest(interaction=entry(source="crash", message_id=key))
                try:
                    answer = await stub.LogInteraction(request, metadata=metadata, timeout=20)
                except grpc.aio.AioRpcError:
                    continue
                acknowledged[key] = answer.interaction.id
                on_answer()

        await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return acknowledged


async def test_a_kill_amid_writes_loses_nothing_acknowledged_and_doubles_nothing(
    mongo_uri: Callable[[str], str], keys: Keys, store: Store, tmp_path: Path
) -> None:
    metadata = keys.metadata("agent")
    messages = [uuid.uuid4().hex for _ in range(MESSAGES)]
    with serving("services.interaction", keys, tmp_path, **settings(mongo_uri)) as process:
        answers = Counter[str]()

        def kill_amid() -> None:
            answers["all"] += 1
            if answers["all"] == BEFORE_THE_KILL:
                assert process.child is not None
                process.child.kill()

        first = await log_all(process.address, metadata, messages, kill_amid)
        assert BEFORE_THE_KILL <= len(first) < MESSAGES
        process.kill()
        kept = {d["message_id"]: d["_id"] async for d in store.collection("interactions").find({"source": "crash"})}
        assert first.items() <= kept.items()

        process.start()
        second = await log_all(process.address, metadata, messages, lambda: None)
    assert len(second) == MESSAGES
    assert kept.items() <= second.items()
    found = [(d["message_id"], d["_id"]) async for d in store.collection("interactions").find({"source": "crash"})]
    assert sorted(found) == sorted(second.items())


async def test_a_stop_amid_writes_answers_what_was_taken(
    mongo_uri: Callable[[str], str], keys: Keys, store: Store, tmp_path: Path
) -> None:
    messages = [f"stop-{uuid.uuid4().hex}" for _ in range(MESSAGES)]
    with serving("services.interaction", keys, tmp_path, **settings(mongo_uri)) as process:
        answers = Counter[str]()

        def stop_amid() -> None:
            answers["all"] += 1
            if answers["all"] == BEFORE_THE_KILL:
                assert process.child is not None
                process.child.terminate()

        acknowledged = await log_all(process.address, keys.metadata("agent"), messages, stop_amid)
        assert process.child is not None
        assert await asyncio.to_thread(process.child.wait, 30) == 0
    pattern = {"source": "crash", "message_id": {"$regex": "^stop-"}}
    found = {d["message_id"]: d["_id"] async for d in store.collection("interactions").find(pattern)}
    assert found == acknowledged


async def test_a_kill_amid_a_redaction_only_delays_it(
    mongo_uri: Callable[[str], str], keys: Keys, store: Store, tmp_path: Path
) -> None:
    customer, entries = str(uuid.uuid4()), store.collection("interactions")
    one = entry(customer_id=customer)
    document = to_document(one, wire.times(one, now()))
    for _ in range(40):
        await entries.insert_many([{**document, "_id": entry_id} for entry_id in new_ids(1000)])
    source = EventSource()
    await source.start()
    with_text = {"customer_id": customer, "note": one.note}
    wanted = settings(mongo_uri) | {"customer_info_target": source.address}
    with serving("services.interaction", keys, tmp_path, **wanted) as process:
        source.tell(erased(customer))

        async def begun() -> bool:
            return bool(await entries.count_documents({"customer_id": customer, "note": ERASED}, limit=1))

        await eventually(begun, "the first part")
        process.kill()
        left = await entries.count_documents(with_text)
        assert 0 < left < 40_000
        process.start()

        async def done() -> bool:
            erasure = {"_id": customer, "redact_time": {"$exists": True}}
            return await store.collection("erasures").find_one(erasure) is not None

        await eventually(done, "the end of the redaction", 60)
    await source.stop()
    assert await entries.count_documents(with_text) == 0
    assert await entries.count_documents({"customer_id": customer, "redact_time": {"$exists": True}}) == 40_000
