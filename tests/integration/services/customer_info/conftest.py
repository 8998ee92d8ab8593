"""The service as a real process, and its database opened beside it."""

import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import grpc
import pytest
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.portfolio_pb2_grpc import PortfolioServiceStub

from chassis.mongo.client import Store, open_store
from chassis.mongo.schema import Collection
from chassis.settings import Settings
from chassis.vault.keys import VAULT_COLLECTIONS
from chassis.vault.master import FileMasterKey
from chassis.vault.vault import Vault, open_vault
from cli.mesh.mongod import make_secrets
from services.customer_info.build import COLLECTIONS
from tests.support.service import Keys, Process, serving

Metadata = tuple[tuple[str, str], ...]


@pytest.fixture(scope="module")
def service(mongo_uri: Callable[[str], str], keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder: Path = tmp_path_factory.mktemp("customer_info")
    uris = {
        "customer_info_mongo_uri": mongo_uri("customer_info"),
        "customer_info_keys_mongo_uri": mongo_uri("customer_info_keys"),
    }
    with serving("services.customer_info", keys, folder, **uris) as process:
        yield process


@pytest.fixture
async def channel(service: Process) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(service.address) as open_channel:
        yield open_channel


@pytest.fixture
def customers(channel: grpc.aio.Channel) -> CustomersServiceStub:
    return CustomersServiceStub(channel)


@pytest.fixture
def portfolio(channel: grpc.aio.Channel) -> PortfolioServiceStub:
    return PortfolioServiceStub(channel)


@pytest.fixture
def agent(keys: Keys) -> Metadata:
    return keys.metadata("agent")


@pytest.fixture
def loader(keys: Keys) -> Metadata:
    return keys.metadata("service")


@pytest.fixture(scope="module")
async def store(mongo_uri: Callable[[str], str]) -> AsyncIterator[Store]:
    """The database of this module, brought up as the service does it, opened with the driver under test."""
    opened = await opened_store(mongo_uri("customer_info"), COLLECTIONS)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def key_store(mongo_uri: Callable[[str], str]) -> AsyncIterator[Store]:
    """Where the keys of this module's service lie."""
    opened = await opened_store(mongo_uri("customer_info_keys"), VAULT_COLLECTIONS)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def vault(key_store: Store, keys: Keys) -> Vault:
    """The vault of this module's service."""
    make_secrets(keys.instance)
    return await open_vault(key_store, FileMasterKey(str(keys.instance.master_key)))


@pytest.fixture
async def other_vault(key_store: Store, vault: Vault, keys: Keys) -> Vault:
    """The same keys as another replica has them: what it destroys, `vault` may still have in memory."""
    return await open_vault(key_store, FileMasterKey(str(keys.instance.master_key)))


async def opened_store(uri: str, collections: Sequence[Collection]) -> Store:
    driver = os.environ.get("HOLDFAST_MONGO_DRIVER", "pymongo")
    values = {"listen": "127.0.0.1:0", "jwks": "-", "jwt_issuer": "-", "mongo_driver": driver}
    opened = await open_store(uri, Settings.model_validate(values), "test")
    await opened.ensure(collections)
    return opened
