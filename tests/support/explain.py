"""Shows how MongoDB would run what a store really asks: the commands are overheard, not written down a second time."""

import contextlib
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import pymongo
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from chassis.mongo.client import Document, Store
from chassis.mongo.schema import Collection

KINDS = frozenset({"find", "aggregate", "update", "delete", "findAndModify", "count", "distinct"})
# Belongs to the session and the transport of a command, not to its plan.
ENVELOPE = frozenset(
    {
        "$clusterTime", "$db", "$readPreference", "autocommit", "comment", "lsid", "maxTimeMS", "ordered",
        "readConcern", "startTransaction", "txnNumber", "writeConcern",
    }
)  # fmt: skip
# A read of everything, and an order made in memory.
SLOW = frozenset({"COLLSCAN", "SORT"})


class Overheard(CommandListener):
    """The commands that a client has sent, as it sent them."""

    def __init__(self) -> None:
        self.commands: list[Document] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in KINDS:
            self.commands.append({k: v for k, v in event.command.items() if k not in ENVELOPE})

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """What came of a command says nothing of its plan."""

    def failed(self, event: CommandFailedEvent) -> None:
        """What came of a command says nothing of its plan."""


@contextlib.asynccontextmanager
async def overheard(uri: str) -> AsyncIterator[tuple[Store, Overheard]]:
    """The store at `uri`, opened with the driver under test, and what is asked of it."""
    listener = Overheard()
    if os.environ.get("HOLDFAST_MONGO_DRIVER") == "motor":
        from motor.motor_asyncio import AsyncIOMotorClient

        client: Any = AsyncIOMotorClient(uri, event_listeners=[listener])
    else:
        client = pymongo.AsyncMongoClient(uri, event_listeners=[listener])
    store = Store(client, client.get_default_database().name, 10.0)
    try:
        yield store, listener
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def overheard_from_empty(uri: str, collections: Sequence[Collection]) -> AsyncIterator[tuple[Store, Overheard]]:
    """The store at `uri` with its schema and without documents, and what is asked of it from here on."""
    async with overheard(uri) as (store, listener):
        await store.ensure(collections)
        for collection in collections:
            await store.collection(collection.name).delete_many({})
        listener.commands.clear()
        yield store, listener


async def stages(store: Store, command: Mapping[str, Any]) -> set[str]:
    """The stages of the plan that wins for `command`."""
    answer = await store.database.command("explain", dict(command), verbosity="queryPlanner")
    return set(_stages(answer, winning=False))


def _stages(part: Any, *, winning: bool) -> Iterator[str]:
    if isinstance(part, Mapping):
        if winning and isinstance(part.get("stage"), str):
            yield part["stage"]
        for name, value in part.items():
            yield from _stages(value, winning=(winning or name == "winningPlan") and name != "rejectedPlans")
    elif isinstance(part, list):
        for value in part:
            yield from _stages(value, winning=winning)
