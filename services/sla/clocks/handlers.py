"""`ClocksService`, and the ear on interaction's tickets: protobuf in, protobuf out."""

from collections.abc import Sequence
from typing import Any

from holdfast.common.v1 import query_pb2
from holdfast.interaction.v1 import tickets_pb2
from holdfast.sla.v1 import clocks_pb2 as pb
from holdfast.sla.v1 import clocks_pb2_grpc

from chassis.app import App
from chassis.events.listener import Received
from chassis.query.selection import selection
from services.sla.clocks import wire
from services.sla.clocks.rules import Status
from services.sla.clocks.usecases import ClockUseCases

HEARD = (tickets_pb2.TicketOpened, tickets_pb2.TicketChanged)
TOLD = (pb.ClockStarted, pb.ClockChanged, pb.ClockInJeopardy, pb.ClockBreached)


class ClocksHandlers(clocks_pb2_grpc.ClocksServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: ClockUseCases) -> None:
        self._usecases = usecases

    async def GetClock(self, request: pb.GetClockRequest, _: Any) -> pb.GetClockResponse:
        """Reads one clock as it stands now."""
        clock, intervals = await self._usecases.get(request.clock_id)
        return pb.GetClockResponse(clock=wire.message(clock), intervals=[wire.interval(i) for i in intervals])

    async def ListClocks(self, request: pb.ListClocksRequest, _: Any) -> pb.ListClocksResponse:
        """Reads a page of clocks."""
        clocks, token = await self._usecases.page(selection(request.query))
        return pb.ListClocksResponse(
            clocks=[wire.message(c) for c in clocks], page=query_pb2.PageResponse(next_page_token=token)
        )

    async def GetCustomerSla(self, request: pb.GetCustomerSlaRequest, _: Any) -> pb.GetCustomerSlaResponse:
        """Reads how the promises to a customer stand."""
        sla = await self._usecases.customer_sla(request.customer_id)
        hits, breached = sla.hits, sla.standing.counts.get(Status.BREACHED, 0)
        return pb.GetCustomerSlaResponse(
            running=[wire.message(c) for c in sla.standing.running],
            met=hits.met,
            missed=hits.missed - breached,
            breached=breached,
            hit_rate=hits.rate,
            agreement_id=sla.agreement.ref.id if sla.agreement else "",
            agreement_name=sla.agreement.name if sla.agreement else "",
        )


class TicketEars:
    """Takes what interaction tells of tickets."""

    def __init__(self, usecases: ClockUseCases) -> None:
        self._usecases = usecases

    async def apply(self, received: Sequence[Received], transaction: Any) -> None:
        """Applies events of `HEARD` in the transaction."""
        tickets = [
            wire.ticket(event.data.ticket, event.sequence)
            for event in received
            if isinstance(event.data, tickets_pb2.TicketOpened | tickets_pb2.TicketChanged)
        ]
        await self._usecases.hear(transaction, tickets)


def install(app: App, usecases: ClockUseCases) -> None:
    """Serves `ClocksService`."""
    descriptor = pb.DESCRIPTOR.services_by_name["ClocksService"]
    app.serve(clocks_pb2_grpc.add_ClocksServiceServicer_to_server, ClocksHandlers(usecases), descriptor)
