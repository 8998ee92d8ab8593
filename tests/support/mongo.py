"""A real mongod for tests: one for each test session, a database and a user of its own for each test module."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.mesh import instance as instances
from cli.mesh import logs, mongod_program, ports, process
from cli.mesh import mongod as mongods
from cli.mesh.instance import Instance

START_SECONDS = 60.0
CACHE_GB = 0.25


@dataclass(slots=True)
class Mongod:
    """A running mongod, a replica set of one with authentication."""

    instance: Instance
    port: int
    process: process.Record

    @property
    def admin_uri(self) -> str:
        return mongods.admin_uri(self.instance, self.port)

    @property
    def uris(self) -> dict[str, str]:
        """What `holdfast up` gives to the four services."""
        return mongods.uris(self.instance, self.port)

    def fresh_database(self, service: str) -> str:
        """URI of a new empty database, with a user who has the rights that a service has on its own."""
        name, password = f"{service}_{secrets.token_hex(6)}", secrets.token_urlsafe(12)
        with self.admin() as client:
            mongods.create_user(client, name, password)
        return mongods.uri(name, password, self.port, name)

    def drop(self, uri: str) -> None:
        """Drop a database made by `fresh_database`, and its user."""
        with self.admin() as client:
            mongods.drop_databases(client, [uri.rpartition("/")[2].partition("?")[0]])

    def admin(self) -> mongods.Client:
        return mongods.connect(self.admin_uri)

    def kill(self) -> None:
        """As a crash would: SIGKILL."""
        process.kill(self.process)

    def start(self) -> None:
        """Start it again on its data and wait until it accepts writes."""
        self.process = _spawn(self.instance, self.port)
        mongods.establish(self.instance, self.port)

    def stop(self) -> None:
        process.stop(self.process, grace=30.0)


def start_mongod(folder: Path, port: int | None = None) -> Mongod:
    """A new mongod with its data in `folder`, on a free port unless told."""
    instance = Instance(folder)
    instances.prepare(instance)
    mongods.make_secrets(instance)
    chosen = port or ports.from_base(ports.pick_base())["mongod"]
    mongod = Mongod(instance, chosen, _spawn(instance, chosen))
    try:
        mongods.establish(instance, chosen)
    except BaseException:
        mongod.kill()
        raise
    return mongod


def _spawn(instance: Instance, port: int) -> process.Record:
    command = mongod_program.command(mongod_program.locate(), instance, port, CACHE_GB)
    record = process.spawn(command, {process.MARK: str(instance.data)}, instance.log("mongod"), instance.data)
    until = time.monotonic() + START_SECONDS
    while not mongods.is_up(port):
        if not process.alive(record) or time.monotonic() > until:
            process.kill(record)
            raise RuntimeError(f"mongod does not start: {logs.reason(instance.log('mongod'), 0)}")
        time.sleep(process.POLL_SECONDS)
    return record


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """One mongod for the test session (each worker of xdist has its own)."""
    running = start_mongod(tmp_path_factory.mktemp("mongod"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def mongo_uri(mongod: Mongod) -> Iterator[Callable[[str], str]]:
    """`mongo_uri("sla")`: a database of that service for this module; the same at each call, dropped at the end."""
    made: dict[str, str] = {}

    def uri(service: str) -> str:
        if service not in made:
            made[service] = mongod.fresh_database(service)
        return made[service]

    yield uri
    for one in made.values():
        mongod.drop(one)
