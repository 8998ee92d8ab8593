"""A mesh whose services are the sample API: the platform is tested apart from what runs on it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.mesh.members import Programs
from tests.support import sample_api
from tests.support.mesh import LiveMesh, start_mesh


def sample_programs(folder: Path) -> Programs:
    """The sample API as every service, and its descriptors at the edge."""
    command = [sys.executable, str(Path(sample_api.__file__))]
    return Programs(service=lambda member: command, descriptors=sample_api.write_descriptors(folder))


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return sample_programs(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def sample_mesh(tmp_path_factory: pytest.TempPathFactory, programs: Programs) -> Iterator[LiveMesh]:
    running = start_mesh(tmp_path_factory.mktemp("sample-mesh"), programs)
    yield running
    running.down()
