"""One experience API for the session; services that behave well at the start of every test."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from cli.mesh.instance import Instance, prepare
from cli.mesh.issuer import Issuer
from tests.integration.gateway.fakes import ANSWERS, FakeService
from tests.integration.gateway.running import Gateway, running
from tests.support.polling import eventually


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """Where the development issuer keeps its keys."""
    made = Instance(tmp_path_factory.mktemp("issuer"))
    prepare(made)
    return made


@pytest.fixture(scope="session")
def issuer(instance: Instance) -> Issuer:
    return Issuer(instance)


@pytest.fixture(scope="session")
async def services() -> AsyncIterator[Mapping[str, FakeService]]:
    """The four services."""
    made = {name: FakeService(answers) for name, answers in ANSWERS.items()}
    for service in made.values():
        await service.start()
    yield made
    for service in made.values():
        await service.stop()


@pytest.fixture(scope="session")
async def process(
    services: Mapping[str, FakeService], issuer: Issuer, instance: Instance, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    log: Path = tmp_path_factory.mktemp("gateway") / "log"
    async with running(services, issuer, instance.jwks, log) as gateway:
        yield gateway


@pytest.fixture
async def gateway(process: Gateway) -> AsyncIterator[Gateway]:
    """The experience API, with all services behind it up and reached again after what the last test did to them."""
    for service in process.services.values():
        service.reset()
        await service.start()
    await eventually(process.all_fresh)
    for service in process.services.values():
        service.reset()
    yield process
    for service in process.services.values():
        service.close_gates()
