"""Opens the store with PyMongo's async driver, or with Motor by setting, and hides what differs between the two.

Motor is out of support since May 2026; its maintainers moved it into PyMongo. It stays an option for installations
that have certified it. The two differ in what is a coroutine: `aggregate`, `watch`, `close`, `start_session`.
"""

import contextlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import pymongo
from bson import CodecOptions, Timestamp
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from chassis.call import remaining
from chassis.mongo.faults import outage
from chassis.mongo.schema import Collection, bring_up
from chassis.settings import Settings

T = TypeVar("T")
Document = dict[str, Any]
# A transaction under way; opaque to everyone but the stores, which pass it on as `session=`.
Transaction = Any
# A collection that need not exist: reading it tells the time.
MARK = "mark"
MAJORITY = WriteConcern("majority", j=True)
CODEC: CodecOptions[Document] = CodecOptions(tz_aware=True)


class StoreError(Exception):
    """The store cannot be opened; the message says why, without the password in its URI."""


class Store:
    """One service's own database: majority writes, journaled; majority reads."""

    def __init__(self, client: Any, name: str, timeout_seconds: float) -> None:
        """Wraps `client` of either driver; `name` is the database."""
        self._client = client
        self._timeout = timeout_seconds
        self.database: Any = client.get_database(
            name,
            codec_options=CODEC,
            write_concern=MAJORITY,
            read_concern=ReadConcern("majority"),
            read_preference=ReadPreference.PRIMARY,
        )

    def collection(self, name: str) -> Any:
        """The collection `name`, of the driver's own type."""
        return self.database[name]

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` in a transaction, and again when the store asks for it: `work` must have no other effect.

        Raises:
            whatever `work` raises, with the transaction undone.
        """
        bound = pymongo.timeout(self._timeout) if remaining() is None else contextlib.nullcontext()
        with bound:
            async with await _awaited(self._client.start_session()) as session:
                result: T = await session.with_transaction(
                    work, read_concern=ReadConcern("snapshot"), write_concern=MAJORITY
                )
                return result

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Transaction]:
        """Lets everything that is read in the block be of one moment, however long it is and whoever writes meanwhile.

        A cursor without it sees an index entry twice, or never, that a writer moves past it.
        """
        async with await _awaited(self._client.start_session(snapshot=True)) as session:
            yield session

    async def aggregate(self, collection: str, pipeline: Sequence[Mapping[str, Any]], **options: Any) -> list[Document]:
        """All results of an aggregation."""
        cursor = await _awaited(self.collection(collection).aggregate(pipeline, **options))
        return [document async for document in cursor]

    async def watch(self, pipeline: Sequence[Mapping[str, Any]], **options: Any) -> Any:
        """A change stream on the database, of the driver's own type: iterate it with `async for`, then close it."""
        return await _awaited(self.database.watch(pipeline, **options))

    async def operation_time(self) -> Any:
        """A cluster time before which reads, from here on, show everything: a change stream that starts at it tells the
        rest, and nothing is missed or told twice.

        A majority read answers with the time of what a majority has; a bare command would answer with that of the
        primary's last write, which later reads need not show yet.
        """
        async with await _awaited(self._client.start_session()) as session:
            await self.database[MARK].find_one({}, session=session)
            seen = session.operation_time
            return Timestamp(seen.time, seen.inc + 1)

    async def ensure(self, collections: Sequence[Collection]) -> None:
        """Brings collections, their guards and their indexes up to what is declared. Safe to run at once in replicas.

        Raises:
            StoreError: the store cannot be reached, or refuses.
        """
        try:
            with pymongo.timeout(max(self._timeout, 60)):
                await bring_up(self.database, collections)
        except PyMongoError as error:
            raise StoreError(outage(error)) from error

    async def close(self) -> None:
        """Closes all connections."""
        await _awaited(self._client.close())


async def by_id(collection: Any, ids: Sequence[str], fields: Mapping[str, int] | None = None) -> list[Document | None]:
    """The documents of `ids`, in their order, None for each that is not there; a lone one needs no cursor."""
    if len(ids) == 1:
        return [await collection.find_one({"_id": ids[0]}, fields)]
    found = {d["_id"]: d async for d in collection.find({"_id": {"$in": list(set(ids))}}, fields)}
    return [found.get(i) for i in ids]


async def open_store(uri: str, settings: Settings, application: str) -> Store:
    """Opens the store at `uri` (a database in its path) and makes sure that it answers.

    Raises:
        StoreError: the URI makes no sense, nobody answers in time, the user is refused, or it is no replica set.
    """
    kind = _motor() if settings.mongo_driver == "motor" else pymongo.AsyncMongoClient
    options: dict[str, Any] = {
        "appname": f"holdfast.{application}",
        "serverSelectionTimeoutMS": int(settings.mongo_timeout_seconds * 1000),
        # `timeoutMS` would bound the whole life of a cursor, and change streams live for ever: calls are bounded by
        # their deadlines, transactions outside of calls below, and a dead connection by this.
        "socketTimeoutMS": int(settings.mongo_timeout_seconds * 3000),
        "retryWrites": True,
        "retryReads": True,
        "maxPoolSize": 64,
    }
    try:
        client = kind(uri, **options)
        name = client.get_default_database().name
        hello = await client.admin.command("hello")
    except PyMongoError as error:
        raise StoreError(outage(error)) from error
    if "setName" not in hello:
        await _awaited(client.close())
        raise StoreError("MongoDB is not a replica set: transactions and change streams need one")
    return Store(client, name, settings.mongo_timeout_seconds)


def _motor() -> Callable[..., Any]:
    from motor.motor_asyncio import AsyncIOMotorClient

    kind: Callable[..., Any] = AsyncIOMotorClient
    return kind


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
