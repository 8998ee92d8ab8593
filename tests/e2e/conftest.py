"""What every end-to-end test stands on: a client through the edge."""

from collections.abc import AsyncIterator

import pytest

from cli.client import Client
from tests.support.mesh import LiveMesh


@pytest.fixture
async def agent(mesh: LiveMesh) -> AsyncIterator[Client]:
    """A call-centre agent."""
    client = Client(mesh.edge, mesh.token("agent"))
    yield client
    await client.channel.close()


@pytest.fixture
async def system(mesh: LiveMesh) -> AsyncIterator[Client]:
    """Another system, with the role service."""
    client = Client(mesh.edge, mesh.token("service"))
    yield client
    await client.channel.close()
