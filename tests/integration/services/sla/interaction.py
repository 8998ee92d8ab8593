"""Interaction as SLA hears it: a real gRPC server that tells what it is told to, as badly as it is told to."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message import Message
from holdfast.events.v1 import events_pb2, events_pb2_grpc
from holdfast.interaction.v1 import tickets_pb2

from chassis.ids import new_id
from chassis.times import now, to_timestamp
from services.sla.clocks.ticket_rules import Ticket
from tests.unit.services.sla.builders import facts


class FakeInteraction(events_pb2_grpc.EventsServiceServicer):
    """Tells scripted events. A position is the number of batches told."""

    def __init__(self) -> None:
        self._batches: list[list[events_pb2.Event]] = []
        self._news = asyncio.Condition()
        self._line = 0
        self._server: grpc.aio.Server | None = None
        self.target = ""
        # Where listeners said that they stand, each time that they came.
        self.asked: list[str] = []
        # How many batches before its position a listener is told again when it comes back.
        self.rewind = 0

    async def start(self) -> None:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        events_pb2_grpc.add_EventsServiceServicer_to_server(self, self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self.target = f"127.0.0.1:{port}"
        await self._server.start()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(0)

    async def tell(self, *events: events_pb2.Event) -> None:
        """Tells events in one batch."""
        async with self._news:
            self._batches.append(list(events))
            self._news.notify_all()

    async def hang_up(self) -> None:
        """Breaks every stream there is."""
        async with self._news:
            self._line += 1
            self._news.notify_all()

    async def Subscribe(
        self, request: events_pb2.SubscribeRequest, context: Any
    ) -> AsyncIterator[events_pb2.SubscribeResponse]:
        """Streams batches from the position asked for."""
        line = self._line
        self.asked.append(request.after)
        told = max(0, int(request.after or 0) - self.rewind)
        while True:
            async with self._news:
                while told == len(self._batches) and line == self._line:
                    await self._news.wait()
            if line != self._line:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
            told += 1
            yield events_pb2.SubscribeResponse(events=self._batches[told - 1], position=str(told))


def event_of(ticket: Ticket) -> events_pb2.Event:
    """The event that tells of the ticket at its version."""
    kind = tickets_pb2.TicketOpened if ticket.sequence == 1 else tickets_pb2.TicketChanged
    data: Message = kind(ticket=facts(ticket))
    return events_pb2.Event(
        id=new_id(),
        source="holdfast/interaction",
        type=data.DESCRIPTOR.full_name,
        subject=ticket.id,
        time=to_timestamp(now()),
        customer_id=ticket.customer_id,
        sequence=ticket.sequence,
        data=Packed(type_url=f"type.googleapis.com/{data.DESCRIPTOR.full_name}", value=data.SerializeToString()),
    )


def events_of(tickets: Sequence[Ticket]) -> list[events_pb2.Event]:
    """An event for each."""
    return [event_of(ticket) for ticket in tickets]
