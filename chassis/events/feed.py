"""Streams a service's events: sweeps what is there, then follows the change stream; both resume where they broke."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from holdfast.events.v1 import events_pb2
from pymongo.errors import PyMongoError

from chassis.events.outbox import Source
from chassis.events.position import Position
from chassis.ids import least_id
from chassis.log import logger
from chassis.mongo.client import Document, Store
from chassis.mongo.faults import position_lost
from chassis.rules import Invalid
from chassis.tasks import end

MOST_IN_A_BATCH = 500
# A transaction lives a minute at most: an event whose id is older than this before the last one seen is not under way.
MARGIN = timedelta(minutes=5)
# How long a listener waits for news before it is told that there is none.
IDLE_SECONDS = 5.0
_log = logger("feed")


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in order, and the position after them."""

    events: list[events_pb2.Event]
    position: Position


class Feed:
    """The events of one service, from its sources."""

    def __init__(self, service: str, store: Store, sources: Sequence[Source]) -> None:
        self._origin = f"holdfast/{service}"
        self._store = store
        self._sources = sources

    async def after(self, position: Position | None, types: frozenset[str]) -> AsyncIterator[Batch]:
        """Batches from `position` on (None: from the first event), for ever. No `types`: all.

        Raises:
            Invalid: the service tells of no such types.
        """
        sources = self._sources_of(types)
        if position is None:
            position = Position(start=await self._store.operation_time())
        while True:
            if position.token is None:
                async for batch in self._sweep(position, sources, types):
                    position = batch.position
                    yield batch
            try:
                async with contextlib.aclosing(self._follow(position, sources, types)) as batches:
                    async for batch in batches:
                        position = batch.position
                        yield batch
            except PyMongoError as error:
                if not position_lost(error):
                    raise
                _log.warning("position_lost", swept_from=position.last)
                position = Position(start=await self._store.operation_time(), last=_margin(position.last))

    def _sources_of(self, types: frozenset[str]) -> list[Source]:
        known = {kind for source in self._sources for kind in source.types}
        if unknown := types - known:
            told = ", ".join(sorted(known))
            raise Invalid(f"the service tells nothing of {', '.join(sorted(unknown))}; it tells {told}", field="types")
        return [s for s in self._sources if not types or s.types & types]

    async def _sweep(
        self, position: Position, sources: Sequence[Source], types: frozenset[str]
    ) -> AsyncIterator[Batch]:
        """Everything there is after a position, in the order of ids whatever the source, so that one id says how far.

        It ends with an empty batch, whose position is the one from which the change stream is followed.
        """
        read_to = dict.fromkeys(sources, position.last)
        pages: dict[Source, list[events_pb2.Event]] = {}
        while True:
            for source in [s for s in read_to if not pages.get(s)]:
                pages.pop(source, None)
                if documents := await self._read(source, read_to[source], types):
                    pages[source] = [self._event(source, d) for d in documents]
                    read_to[source] = documents[-1]["_id"]
                else:
                    del read_to[source]
            if not pages:
                break
            # Up to here nothing is missing of any source.
            bound = min(page[-1].id for page in pages.values())
            events = sorted((e for page in pages.values() for e in page if e.id <= bound), key=attrgetter("id"))
            pages = {source: [e for e in page if e.id > bound] for source, page in pages.items()}
            position = replace(position, last=bound)
            yield Batch(events, position)
        yield Batch([], position)

    async def _read(self, source: Source, last: str, types: frozenset[str]) -> list[Document]:
        condition: Document = {"_id": {"$gt": last}}
        if source.collection == "outbox" and types:
            condition["type"] = {"$in": sorted(types)}
        cursor = self._store.collection(source.collection).find(condition).sort("_id", 1).limit(MOST_IN_A_BATCH)
        return [d async for d in cursor]

    async def _follow(
        self, position: Position, sources: Sequence[Source], types: frozenset[str]
    ) -> AsyncGenerator[Batch, None]:
        """The change stream, in batches of what has arrived."""
        by_name = {s.collection: s for s in sources}
        match: Document = {"operationType": "insert", "ns.coll": {"$in": sorted(by_name)}}
        if types:
            match["$or"] = [{"ns.coll": {"$ne": "outbox"}}, {"fullDocument.type": {"$in": sorted(types)}}]
        options = {"resume_after": position.token} if position.token else {"start_at_operation_time": position.start}
        stream = await self._store.watch(
            [{"$match": match}, {"$project": {"ns": 1, "fullDocument": 1}}], max_await_time_ms=1000, **options
        )
        last = position.last
        changes: asyncio.Queue[Document | BaseException] = asyncio.Queue(MOST_IN_A_BATCH)
        reader = asyncio.create_task(_pump(stream, changes))
        try:
            while True:
                batch = await _arrived(changes)
                if not batch:
                    token = stream.resume_token
                    if token is not None:
                        yield Batch([], Position(token=token, last=last))
                    continue
                events = [self._event(by_name[c["ns"]["coll"]], c["fullDocument"]) for c in batch]
                last = max(last, *(e.id for e in events))
                yield Batch(events, Position(token=batch[-1]["_id"], last=last))
        finally:
            await end([reader])
            await stream.close()

    def _event(self, source: Source, document: Document) -> events_pb2.Event:
        event = source.event(document)
        event.id = document["_id"]
        event.source = self._origin
        return event


async def _pump(stream: "AsyncIterator[Document]", changes: "asyncio.Queue[Document | BaseException]") -> None:
    """Moves changes into the queue: what one round trip brought is there at once, to be taken together."""
    try:
        async for change in stream:
            await changes.put(change)
    except PyMongoError as error:
        await changes.put(error)


async def _arrived(changes: "asyncio.Queue[Document | BaseException]") -> list[Document]:
    """What is there, at least one change; nothing after a while without any."""
    try:
        async with asyncio.timeout(IDLE_SECONDS):
            found = [await changes.get()]
    except TimeoutError:
        return []
    while len(found) < MOST_IN_A_BATCH and not changes.empty():
        found.append(changes.get_nowait())
    documents = []
    for n, change in enumerate(found):
        if isinstance(change, BaseException):
            if n:
                # First what came before the fault; the fault waits for the next round.
                changes.put_nowait(change)
                break
            raise change
        documents.append(change)
    return documents


def _margin(last: str) -> str:
    """An id a margin before `last`."""
    if not last:
        return ""
    millis = int(last.replace("-", "")[:12], 16)
    return least_id(datetime.fromtimestamp(millis / 1000, UTC) - MARGIN)
