"""Sources of events for retention to listen to: real gRPC servers, in the process of the test, with bad manners."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
from holdfast.events.v1 import events_pb2, events_pb2_grpc

from tests.support.service import free_port

BATCH = 25
MOST_BREAKS = 3


class EventSource(events_pb2_grpc.EventsServiceServicer):
    """One service's events: a list that grows. A position is the number of the next one.

    `rude` breaks the stream now and then, and tells some of what was told before once more.
    """

    def __init__(self, *, rude: bool = False) -> None:
        self.events: list[events_pb2.Event] = []
        self.told = 0
        self.breaks = 0
        self._rude = rude
        self._draw = random.Random(5)
        self._news = asyncio.Event()
        self._server: grpc.aio.Server | None = None
        self.address = f"127.0.0.1:{free_port()}"

    async def start(self) -> None:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        events_pb2_grpc.add_EventsServiceServicer_to_server(self, self._server)
        assert self._server.add_insecure_port(self.address)
        await self._server.start()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(0)

    def tell(self, *events: events_pb2.Event) -> None:
        self.events.extend(events)
        self._news.set()

    async def Subscribe(self, request: events_pb2.SubscribeRequest, context: Any) -> AsyncIterator[Any]:
        place = int(request.after or 0)
        while True:
            batch = self.events[place : place + BATCH]
            if not batch:
                self._news.clear()
                await self._news.wait()
                continue
            if self._rude and self.breaks < MOST_BREAKS and self._draw.random() < 0.3:
                self.breaks += 1
                await context.abort(grpc.StatusCode.UNAVAILABLE, "gone for a moment")
            again = self._draw.sample(self.events[:place], min(5, place)) if self._rude else []
            place += len(batch)
            self.told += len(batch) + len(again)
            yield events_pb2.SubscribeResponse(events=[*again, *_wanted(batch, request)], position=str(place))


def _wanted(batch: Sequence[events_pb2.Event], request: events_pb2.SubscribeRequest) -> list[events_pb2.Event]:
    return [one for one in batch if not request.types or one.type in request.types]
