"""Serves a service's events: `EventsService.Subscribe`."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from holdfast.events.v1 import events_pb2, events_pb2_grpc

from chassis.app import App
from chassis.events.feed import Feed
from chassis.events.outbox import Source
from chassis.events.position import decode
from chassis.mongo.client import Store
from chassis.stopping import until_stopping


class EventsHandlers(events_pb2_grpc.EventsServiceServicer):
    """One feed, for any number of listeners."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def Subscribe(
        self, request: events_pb2.SubscribeRequest, _: Any
    ) -> AsyncIterator[events_pb2.SubscribeResponse]:
        """Streams events from the position asked for."""
        batches = until_stopping(self._feed.after(decode(request.after), frozenset(request.types)))
        async for batch in batches:
            yield events_pb2.SubscribeResponse(events=batch.events, position=batch.position.encode())


def install(app: App, store: Store, sources: Sequence[Source]) -> None:
    """Serves what `sources` tell, in the name of the service."""
    handlers = EventsHandlers(Feed(app.name, store, sources))
    descriptor = events_pb2.DESCRIPTOR.services_by_name["EventsService"]
    app.serve(events_pb2_grpc.add_EventsServiceServicer_to_server, handlers, descriptor)
