"""Runs one service of the mesh as a real process, over real sockets, for integration tests."""

import contextlib
import itertools
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cli.mesh import instance as instances
from cli.mesh import ports
from cli.mesh.instance import Instance
from cli.mesh.issuer import ISSUER, Issuer
from cli.mesh.mongod import make_secrets

START_SECONDS = 60.0
POLL_SECONDS = 0.05


# Below the ports of whole instances (`ports.FREE_FIRST`) and those that the kernel gives to connections, in lanes: no
# two test workers get the same one, however long a server takes to listen there.
FIRST_PORT, LANES, SLOTS = 10_000, 16, 600
_lane = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % LANES
_slots = itertools.count(secrets.randbelow(SLOTS))


def free_port() -> int:
    """A port of the loopback that nobody listens on now, and that nobody else of this session is given."""
    every = (FIRST_PORT + next(_slots) % SLOTS * LANES + _lane for _ in range(SLOTS))
    return next(port for port in every if ports.is_free(port))


@dataclass
class Keys:
    """A token issuer of the test session's own."""

    issuer: Issuer
    instance: Instance
    folder: Path

    def token(self, *roles: str, subject: str = "tester", **claims: Any) -> str:
        """A token for `roles`; see `Issuer.token` for the claims."""
        return self.issuer.token(roles, subject, **claims)

    def metadata(self, *roles: str, **claims: Any) -> tuple[tuple[str, str], ...]:
        """The metadata of a call made with such a token."""
        return (("authorization", f"Bearer {self.token(*roles, **claims)}"),)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The token issuer of this session."""
    return new_keys(tmp_path_factory.mktemp("keys"))


def new_keys(folder: Path) -> Keys:
    """A token issuer whose keys lie in `folder`."""
    instance = Instance(folder)
    instances.prepare(instance)
    return Keys(Issuer(instance), instance, folder)


@dataclass
class Process:
    """A service under test."""

    module: str
    environment: Mapping[str, str]
    log: Path
    address: str
    child: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Starts it, and waits until it says that it serves."""
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                [sys.executable, "-m", self.module], env={**os.environ, **self.environment}, stderr=log, stdout=log
            )
        until = time.monotonic() + START_SECONDS
        while not healthy(self.address):
            if self.child.poll() is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError(f"{self.module} does not serve:\n{self.log.read_text()[-3000:]}")
            time.sleep(POLL_SECONDS)
        if self.child.poll() is not None:
            raise RuntimeError(f"somebody else serves at {self.address}:\n{self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """As a crash would: SIGKILL."""
        if self.child and self.child.poll() is None:
            self.child.kill()
            self.child.wait()

    def stop(self) -> int:
        """As an operator would: SIGTERM. Answers with the exit code."""
        assert self.child is not None
        self.child.terminate()
        return self.child.wait(timeout=30)


def healthy(address: str) -> bool:
    """Whether the server at `address` says SERVING."""
    with grpc.insecure_channel(address) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=1)
        except grpc.RpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def environment(keys: Keys, port: int, **settings: str) -> dict[str, str]:
    """The settings of a process on `port`; `settings` are named without their prefix, in lower case."""
    token_file = keys.folder / "service.token"
    if not token_file.exists():
        token_file.write_text(keys.token("service", subject="test-service"))
    usual = {
        "listen": f"127.0.0.1:{port}",
        "jwks": str(keys.instance.jwks),
        "jwt_issuer": ISSUER,
        "token_file": str(token_file),
        "mongo_driver": os.environ.get("HOLDFAST_MONGO_DRIVER", "pymongo"),
        "drain_seconds": "2",
    }
    if "customer_info_mongo_uri" in settings:
        usual |= vault_settings(keys, settings["customer_info_mongo_uri"])
    return {f"HOLDFAST_{name.upper()}": value for name, value in {**usual, **settings}.items()}


def vault_settings(keys: Keys, keys_uri: str) -> dict[str, str]:
    """A vault with its keys at `keys_uri`, and a master key of the test session's own.

    Most tests have one database and one user: there the keys lie beside what they seal, in collections of their own.
    """
    make_secrets(keys.instance)
    return {
        "customer_info_keys_mongo_uri": keys_uri,
        "customer_info_master_key": str(keys.instance.master_key),
    }


@contextlib.contextmanager
def serving(module: str, keys: Keys, folder: Path, **settings: str) -> Iterator[Process]:
    """Runs `module` while the block lasts."""
    port = free_port()
    process = Process(module, environment(keys, port, **settings), folder / f"{module}.log", f"127.0.0.1:{port}")
    process.start()
    try:
        yield process
    finally:
        process.kill()
