"""`TicketsService`: protobuf in, protobuf out."""

from collections.abc import AsyncIterator
from typing import Any

from holdfast.common.v1 import query_pb2
from holdfast.interaction.v1 import tickets_pb2 as pb
from holdfast.interaction.v1 import tickets_pb2_grpc

from chassis.bulk import Tally, note_rows
from chassis.call import subject
from chassis.query.selection import selection
from services.interaction.tickets import wire
from services.interaction.tickets.rules import Draft
from services.interaction.tickets.usecases import TicketUseCases


class TicketsHandlers(tickets_pb2_grpc.TicketsServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: TicketUseCases) -> None:
        self._usecases = usecases

    async def OpenTicket(self, request: pb.OpenTicketRequest, _: Any) -> pb.OpenTicketResponse:
        """Opens a ticket."""
        content = request.ticket.SerializeToString(deterministic=True)
        made = await self._usecases.open(wire.draft(request.ticket, "ticket."), request.request_id, content)
        return pb.OpenTicketResponse(ticket=wire.message(made))

    async def GetTicket(self, request: pb.GetTicketRequest, _: Any) -> pb.GetTicketResponse:
        """Reads one ticket."""
        return pb.GetTicketResponse(ticket=wire.message(await self._usecases.get(request.ticket_id)))

    async def ListCustomerTickets(
        self, request: pb.ListCustomerTicketsRequest, _: Any
    ) -> pb.ListCustomerTicketsResponse:
        """Reads a page of a customer's tickets."""
        tickets, token = await self._usecases.page_of_customer(request.customer_id, selection(request.query))
        return pb.ListCustomerTicketsResponse(
            tickets=[wire.message(t) for t in tickets], page=query_pb2.PageResponse(next_page_token=token)
        )

    async def ListTickets(self, request: pb.ListTicketsRequest, _: Any) -> pb.ListTicketsResponse:
        """Reads a page of all tickets."""
        tickets, token = await self._usecases.page(selection(request.query))
        return pb.ListTicketsResponse(
            tickets=[wire.message(t) for t in tickets], page=query_pb2.PageResponse(next_page_token=token)
        )

    async def ChangeTicket(self, request: pb.ChangeTicketRequest, _: Any) -> pb.ChangeTicketResponse:
        """Changes a ticket, or adds a note."""
        after = await self._usecases.change(request.ticket_id, wire.change(request), subject(), request.etag)
        return pb.ChangeTicketResponse(ticket=wire.message(after))

    async def ImportTickets(self, requests: AsyncIterator[pb.ImportTicketsRequest], _: Any) -> pb.ImportTicketsResponse:
        """Loads tickets in bulk."""
        tally = Tally()
        async for request in requests:
            await note_rows(tally, request.tickets, _draft, self._usecases.load)
        return pb.ImportTicketsResponse(summary=tally.summary())


def _draft(row: pb.Ticket) -> Draft:
    return wire.draft(row, past=True)
