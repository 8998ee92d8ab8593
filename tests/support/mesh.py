"""The whole mesh for end-to-end tests: real mongod, services and edge, on free ports in a temporary folder."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest

from cli.mesh.instance import Instance
from cli.mesh.members import SERVICES, Programs
from cli.mesh.mesh import Mesh
from cli.mesh.starting import Options
from cli.mesh.state import EdgeOptions
from tests.support.collector import Collector

OPTIONS = Options(timeout=120.0, cache_gb=0.25)
ORIGIN = "https://console.example"
RATE_PER_SECOND = 5_000


class LiveMesh(Mesh):
    """A mesh with what a test asks of it. `kill`, `restart`, `stop`, `status` and `address` come from Mesh."""

    @property
    def edge(self) -> str:
        """`host:port` of the edge, for a gRPC channel."""
        return self.address("edge")

    @property
    def services(self) -> dict[str, str]:
        """`host:port` of each service and of the experience API behind the edge."""
        return {name: self.address(name) for name in (*SERVICES, "gateway")}

    def bearer(self, role: str, customer_id: str = "", subject: str = "") -> tuple[tuple[str, str], ...]:
        """gRPC metadata with a token of `role`; `dict(...)` of it are HTTP headers."""
        return (("authorization", f"Bearer {self.token(role, subject, customer_id=customer_id)}"),)

    @contextlib.contextmanager
    def database(self, service: str) -> Iterator[Any]:
        """The database of a service, opened as the service opens it."""
        client: pymongo.MongoClient[dict[str, Any]]
        with pymongo.MongoClient(self.mongo_uris()[service]) as client:
            yield client.get_default_database()

    def recover(self) -> None:
        """Start whatever does not run, and wait until all of it serves."""
        self.up(options=OPTIONS)


def start_mesh(folder: Path, programs: Programs | None = None) -> LiveMesh:
    """A new mesh with its data in `folder`. Stop it with `down()`."""
    mesh = LiveMesh(Instance(folder), programs)
    mesh.up(0, EdgeOptions(allowed_origins=(ORIGIN,), rate_per_second=RATE_PER_SECOND), OPTIONS)
    return mesh


@pytest.fixture(scope="session")
def mesh(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[LiveMesh]:
    """One mesh for the test session, every trace kept. A test that kills a member calls `recover()` at its end."""
    with pytest.MonkeyPatch.context() as environment:
        # Also for members that a test starts again.
        environment.setenv("HOLDFAST_OTLP_ENDPOINT", collector.endpoint)
        environment.setenv("HOLDFAST_TRACE_SAMPLE_RATIO", "1")
        running = start_mesh(tmp_path_factory.mktemp("mesh"))
        yield running
        running.down()
