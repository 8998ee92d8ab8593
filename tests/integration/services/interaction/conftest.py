"""The interaction service as a real process, and a store of its own for tests of the stores."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from holdfast.events.v1.events_pb2_grpc import EventsServiceStub
from holdfast.interaction.v1.interactions_pb2_grpc import InteractionsServiceStub
from holdfast.interaction.v1.privacy_pb2_grpc import PrivacyServiceStub
from holdfast.interaction.v1.tickets_pb2_grpc import TicketsServiceStub

from chassis.errors import DETAILS_TRAILER
from chassis.mongo.client import Store, open_store
from services.interaction.build import COLLECTIONS
from tests.support.event_source import EventSource
from tests.support.service import Keys, Process, environment, serving
from tests.support.settings import settings_of

Metadata = tuple[tuple[str, str], ...]


@pytest.fixture(scope="module")
async def customer_info() -> AsyncIterator[EventSource]:
    """What interaction listens to."""
    source = EventSource()
    await source.start()
    yield source
    await source.stop()


@pytest.fixture(scope="module")
def service(
    mongo_uri: Callable[[str], str],
    keys: Keys,
    customer_info: EventSource,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Process]:
    folder: Path = tmp_path_factory.mktemp("interaction")
    settings = {"interaction_mongo_uri": mongo_uri("interaction"), "customer_info_target": customer_info.address}
    with serving("services.interaction", keys, folder, **settings) as process:
        yield process


@pytest.fixture
async def channel(service: Process) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(service.address) as opened:
        yield opened


@pytest.fixture
def interactions(channel: grpc.aio.Channel) -> "InteractionsServiceStub":
    return InteractionsServiceStub(channel)


@pytest.fixture
def tickets(channel: grpc.aio.Channel) -> "TicketsServiceStub":
    return TicketsServiceStub(channel)


@pytest.fixture
def privacy(channel: grpc.aio.Channel) -> "PrivacyServiceStub":
    return PrivacyServiceStub(channel)


@pytest.fixture
def events(channel: grpc.aio.Channel) -> "EventsServiceStub":
    return EventsServiceStub(channel)


@pytest.fixture
def agent(keys: Keys) -> Metadata:
    return keys.metadata("agent")


@pytest.fixture
def loader(keys: Keys) -> Metadata:
    return keys.metadata("service")


@pytest.fixture
async def store(mongo_uri: Callable[[str], str], keys: Keys) -> AsyncIterator[Store]:
    """The store of this module, brought up as the service would."""
    driver = os.environ.get("HOLDFAST_MONGO_DRIVER", "pymongo")
    settings = settings_of(environment(keys, 1, mongo_driver=driver))
    opened = await open_store(mongo_uri("interaction"), settings, "test")
    await opened.ensure(COLLECTIONS)
    yield opened
    await opened.close()


def violated(error: grpc.aio.AioRpcError) -> list[str]:
    """The fields that a refusal names."""
    found = error_details_pb2.BadRequest()
    trailers = dict(error.trailing_metadata() or ())
    for detail in status_pb2.Status.FromString(trailers[DETAILS_TRAILER]).details:
        if detail.Unpack(found):
            return [violation.field for violation in found.field_violations]
    raise AssertionError("the error names no field")
