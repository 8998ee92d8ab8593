"""Retention is killed in the middle of what it hears, again and again, and forgets and doubles nothing."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from chassis.mongo.client import open_store
from chassis.times import now
from services.retention.features.rules import from_document, prune
from tests.integration.services.retention.conftest import Sources
from tests.support.event_source import EventSource
from tests.support.polling import eventually
from tests.support.service import Keys, environment, serving
from tests.support.settings import settings_of
from tests.unit.services.retention.people import folded, person

PEOPLE = 600
KILLS = 2
NAMES = ("customer_info", "interaction", "sla")
SECONDS = 90.0


@pytest.fixture
async def polite() -> AsyncIterator[Sources]:
    made = Sources(EventSource(), EventSource(), EventSource())
    for one in (made.customer_info, made.interaction, made.sla):
        await one.start()
    yield made
    for one in (made.customer_info, made.interaction, made.sla):
        await one.stop()


async def test_a_process_killed_while_it_listens_knows_everything_once_in_the_end(
    polite: Sources, mongo_uri: Callable[[str], str], keys: Keys, tmp_path: Path
) -> None:
    people = [person(seed) for seed in range(PEOPLE)]
    shuffle = random.Random(3)
    for name in NAMES:
        events = [one for someone in people for one in getattr(someone, name)]
        shuffle.shuffle(events)
        getattr(polite, name).tell(*events)
    uri = mongo_uri("crash")
    database = await open_store(uri, settings_of(environment(keys, 1)), "test")
    positions, features = database.collection("positions"), database.collection("features")
    goal = len(polite.interaction.events)

    async def place() -> int:
        kept = await positions.find_one({"_id": "interaction"})
        return int(kept["position"]) if kept else 0

    async def everything() -> bool:
        told = {d["_id"]: d["position"] async for d in positions.find()}
        return told == {name: str(len(getattr(polite, name).events)) for name in NAMES}

    killed_at = []
    with serving("services.retention", keys, tmp_path, retention_mongo_uri=uri, **polite.settings) as process:
        for share in range(1, KILLS + 1):

            async def on_the_way(least: int = goal * share // (KILLS + 2)) -> bool:
                return await place() >= least

            await eventually(on_the_way, "the next share of the events", SECONDS)
            process.kill()
            killed_at.append(await place())
            await asyncio.to_thread(process.start)
        await eventually(everything, "the last event", SECONDS)
    assert all(at < goal for at in killed_at), "every kill fell into the middle"
    kept = {d["_id"]: from_document(d["state"]) async for d in features.find()}
    await database.close()
    assert kept == {one.id: prune(folded(one.told), now()) for one in people}
