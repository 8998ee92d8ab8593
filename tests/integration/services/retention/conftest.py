"""Retention as a real process, between three sources of events, and its database opened beside it."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from holdfast.events.v1.events_pb2_grpc import EventsServiceStub
from holdfast.retention.v1.features_pb2_grpc import FeaturesServiceStub
from holdfast.retention.v1.models_pb2_grpc import ModelsServiceStub
from holdfast.retention.v1.scores_pb2_grpc import ScoresServiceStub

from chassis.mongo.client import Store, open_store
from services.retention.build import COLLECTIONS
from tests.support.event_source import EventSource
from tests.support.explain import Overheard, overheard_from_empty
from tests.support.service import Keys, Process, environment, serving
from tests.support.settings import settings_of

Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sources:
    """The three services that retention listens to."""

    customer_info: EventSource
    interaction: EventSource
    sla: EventSource

    @property
    def settings(self) -> dict[str, str]:
        return {
            "customer_info_target": self.customer_info.address,
            "interaction_target": self.interaction.address,
            "sla_target": self.sla.address,
        }


@dataclass(frozen=True)
class Stubs:
    """Retention's services."""

    features: FeaturesServiceStub
    scores: ScoresServiceStub
    models: ModelsServiceStub
    events: EventsServiceStub


@pytest.fixture(scope="module")
async def sources() -> AsyncIterator[Sources]:
    made = Sources(EventSource(rude=True), EventSource(rude=True), EventSource())
    for one in (made.customer_info, made.interaction, made.sla):
        await one.start()
    yield made
    for one in (made.customer_info, made.interaction, made.sla):
        await one.stop()


@pytest.fixture(scope="module")
def service(
    sources: Sources, mongo_uri: Callable[[str], str], keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    folder: Path = tmp_path_factory.mktemp("retention")
    uri = mongo_uri("retention")
    with serving("services.retention", keys, folder, retention_mongo_uri=uri, **sources.settings) as process:
        yield process


@pytest.fixture
async def stubs(service: Process) -> AsyncIterator[Stubs]:
    async with grpc.aio.insecure_channel(service.address) as channel:
        yield stubs_of(channel)


def stubs_of(channel: grpc.aio.Channel) -> Stubs:
    return Stubs(
        FeaturesServiceStub(channel), ScoresServiceStub(channel), ModelsServiceStub(channel), EventsServiceStub(channel)
    )


@pytest.fixture(scope="session")
def admin(keys: Keys) -> Metadata:
    return keys.metadata("admin")


@pytest.fixture
async def database(service: Process, mongo_uri: Callable[[str], str], keys: Keys) -> AsyncIterator[Store]:
    """The service's own database; asked for with the service, so that its schema is there."""
    opened = await open_store(mongo_uri("retention"), settings_of(environment(keys, 1)), "test")
    yield opened
    await opened.close()


@pytest.fixture
async def spied(mongo_uri: Callable[[str], str]) -> AsyncIterator[tuple[Store, Overheard]]:
    """A store of the module's own, with its schema and without documents, and what is asked of it from here on."""
    async with overheard_from_empty(mongo_uri("retention"), COLLECTIONS) as found:
        yield found


@pytest.fixture
def store(spied: tuple[Store, Overheard]) -> Store:
    """The store alone."""
    return spied[0]
