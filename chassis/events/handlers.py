"""Serves a service's events: `EventsService.Subscribe`."""

from collections.abc import AsyncIterator
from typing import Any

from holdfast.events.v1 import events_pb2, events_pb2_grpc

from chassis.events.feed import Feed
from chassis.events.position import decode


class EventsHandlers(events_pb2_grpc.EventsServiceServicer):
    """One feed, for any number of listeners."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def Subscribe(
        self, request: events_pb2.SubscribeRequest, _: Any
    ) -> AsyncIterator[events_pb2.SubscribeResponse]:
        """Streams events from the position asked for."""
        async for batch in self._feed.after(decode(request.after), frozenset(request.types)):
            yield events_pb2.SubscribeResponse(events=batch.events, position=batch.position.encode())
