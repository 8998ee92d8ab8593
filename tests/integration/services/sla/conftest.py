"""A store for the tests of SLA, whichever driver opens it."""

from collections.abc import AsyncIterator, Callable

import pytest

from chassis.mongo.client import Store
from services.sla.build import COLLECTIONS
from tests.support.explain import Overheard, overheard_from_empty


@pytest.fixture
async def spied(mongo_uri: Callable[[str], str]) -> AsyncIterator[tuple[Store, Overheard]]:
    """The module's store, with its schema and without documents, and what is asked of it from here on."""
    async with overheard_from_empty(mongo_uri("sla"), COLLECTIONS) as found:
        yield found


@pytest.fixture
def store(spied: tuple[Store, Overheard]) -> Store:
    """The store alone."""
    return spied[0]
