"""A store for the tests of SLA, whichever driver opens it."""

from collections.abc import AsyncIterator, Callable

import pytest

from chassis.events.listener import LISTENER_COLLECTIONS
from chassis.events.outbox import OUTBOX
from chassis.mongo.client import Store
from services.sla.agreements.store import AGREEMENTS
from services.sla.clocks.store import CLOCKS
from services.sla.measurements.store import OUTAGES
from tests.support.explain import Overheard, overheard

COLLECTIONS = (AGREEMENTS, CLOCKS, OUTAGES, OUTBOX, *LISTENER_COLLECTIONS)


@pytest.fixture
async def spied(mongo_uri: Callable[[str], str]) -> AsyncIterator[tuple[Store, Overheard]]:
    """The module's store, with its schema and without documents, and what is asked of it from here on."""
    async with overheard(mongo_uri("sla")) as (store, listener):
        await store.ensure(COLLECTIONS)
        for collection in COLLECTIONS:
            await store.collection(collection.name).delete_many({})
        listener.commands.clear()
        yield store, listener


@pytest.fixture
def store(spied: tuple[Store, Overheard]) -> Store:
    """The store alone."""
    return spied[0]
