"""Another service as listeners hear it: a real gRPC server, in the process of the test, with bad manners if need be."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
from google.protobuf.message import Message
from holdfast.customer_info.v1 import merges_pb2, privacy_pb2
from holdfast.events.v1 import events_pb2, events_pb2_grpc

from chassis.ids import new_id
from chassis.times import now, to_timestamp
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


def event(data: Message, customer_id: str, subject: str, sequence: int = 1) -> events_pb2.Event:
    """An event as a service tells it."""
    told = events_pb2.Event(
        id=new_id(),
        source="holdfast/test",
        type=data.DESCRIPTOR.full_name,
        subject=subject,
        time=to_timestamp(now()),
        customer_id=customer_id,
        sequence=sequence,
    )
    told.data.Pack(data)
    return told


def merged(*members: str) -> events_pb2.Event:
    """Customer information says that these are one customer, the survivor's id first."""
    data = merges_pb2.CustomersMerged(survivor_id=members[0], duplicate_id=members[-1], member_ids=members)
    return event(data, members[0], members[0])


def parted(*groups: Sequence[str]) -> events_pb2.Event:
    """Customer information says that these are several customers again."""
    data = merges_pb2.CustomersUnmerged(groups=[merges_pb2.CustomerGroup(member_ids=group) for group in groups])
    return event(data, groups[0][0], groups[0][0])


def erased(*members: str) -> events_pb2.Event:
    """Customer information says that this person was erased."""
    return event(privacy_pb2.CustomerErased(member_ids=members), members[0], members[0])
