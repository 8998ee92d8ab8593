"""Reaches the four services: one method a section, each of which fills its part of the answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import grpc
from google.protobuf.message import Message
from holdfast.common.v1 import errors_pb2, query_pb2
from holdfast.customer_info.v1 import customers_pb2, customers_pb2_grpc, portfolio_pb2, portfolio_pb2_grpc
from holdfast.gateway.v1 import experience_pb2 as pb
from holdfast.interaction.v1 import interactions_pb2, interactions_pb2_grpc, tickets_pb2, tickets_pb2_grpc
from holdfast.retention.v1 import scores_pb2, scores_pb2_grpc
from holdfast.sla.v1 import clocks_pb2, clocks_pb2_grpc, measurements_pb2, measurements_pb2_grpc

from chassis.channels import Channel
from chassis.errors import from_status, reason_of
from gateway.experience.ports import Ask
from gateway.experience.rules import Answered, Declined, Failed, Section

# The service answered, and the answer is no.
DECLINED = frozenset(
    {
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
    }
)
MOST_TICKETS = 100
DONE = ("TICKET_STATE_CLOSED", "TICKET_STATE_CANCELLED", "TICKET_STATE_REJECTED")
OPEN_TICKETS = query_pb2.Query(
    predicates=[query_pb2.Predicate(field="state", operator=query_pb2.Predicate.OPERATOR_NOT_EQUAL, values=DONE)],
    page=query_pb2.PageRequest(page_size=MOST_TICKETS),
)

_Tell = Callable[[Ask, float], Awaitable[Message]]


@dataclass(frozen=True, slots=True)
class Channels:
    """A channel to each of the services."""

    customer_info: Channel
    interaction: Channel
    retention: Channel
    sla: Channel


class Clients:
    """`Sections` over gRPC; the content of a section is its message in `GetCustomer360Response`, without status."""

    def __init__(self, channels: Channels) -> None:
        """Calls through `channels`, which carry the caller's token and trace."""
        self._customers = customers_pb2_grpc.CustomersServiceStub(channels.customer_info)
        self._portfolio = portfolio_pb2_grpc.PortfolioServiceStub(channels.customer_info)
        self._interactions = interactions_pb2_grpc.InteractionsServiceStub(channels.interaction)
        self._tickets = tickets_pb2_grpc.TicketsServiceStub(channels.interaction)
        self._clocks = clocks_pb2_grpc.ClocksServiceStub(channels.sla)
        self._measurements = measurements_pb2_grpc.MeasurementsServiceStub(channels.sla)
        self._scores = scores_pb2_grpc.ScoresServiceStub(channels.retention)
        self._tellers: Mapping[Section, _Tell] = {
            Section.CUSTOMER: self._customer,
            Section.PORTFOLIO: self._products,
            Section.INTERACTIONS: self._history,
            Section.TICKETS: self._open_tickets,
            Section.SLA: self._promises,
            Section.SCORE: self._score,
        }

    async def tell(self, section: Section, ask: Ask, seconds: float) -> Answered[Message] | Declined | Failed:
        """See `gateway.experience.ports.Sections.tell`."""
        try:
            return Answered(await self._tellers[section](ask, seconds))
        except grpc.aio.AioRpcError as error:
            reason = _reason(error)
            return Declined(reason) if error.code() in DECLINED else Failed(reason)

    async def _customer(self, ask: Ask, seconds: float) -> Message:
        request = customers_pb2.GetCustomerRequest(customer_id=ask.customer_id)
        answer = await self._customers.GetCustomer(request, timeout=seconds)
        return pb.CustomerSection(customer=answer.customer)

    async def _products(self, ask: Ask, seconds: float) -> Message:
        request = portfolio_pb2.GetPortfolioRequest(customer_id=ask.customer_id)
        return pb.PortfolioSection(portfolio=await self._portfolio.GetPortfolio(request, timeout=seconds))

    async def _history(self, ask: Ask, seconds: float) -> Message:
        newest = query_pb2.Query(page=query_pb2.PageRequest(page_size=ask.interactions))
        request = interactions_pb2.ListInteractionsRequest(customer_id=ask.customer_id, query=newest)
        answer = await self._interactions.ListInteractions(request, timeout=seconds)
        return pb.InteractionsSection(interactions=answer.interactions)

    async def _open_tickets(self, ask: Ask, seconds: float) -> Message:
        request = tickets_pb2.ListCustomerTicketsRequest(customer_id=ask.customer_id, query=OPEN_TICKETS)
        answer = await self._tickets.ListCustomerTickets(request, timeout=seconds)
        return pb.TicketsSection(open_tickets=answer.tickets)

    async def _promises(self, ask: Ask, seconds: float) -> Message:
        clocks = clocks_pb2.GetCustomerSlaRequest(customer_id=ask.customer_id)
        measurements = measurements_pb2.GetAvailabilityRequest(customer_id=ask.customer_id)
        sla, availability = await asyncio.gather(
            self._clocks.GetCustomerSla(clocks, timeout=seconds),
            self._measurements.GetAvailability(measurements, timeout=seconds),
        )
        return pb.SlaSection(sla=sla, availability=availability)

    async def _score(self, ask: Ask, seconds: float) -> Message:
        request = scores_pb2.GetScoreRequest(customer_id=ask.customer_id)
        answer = await self._scores.GetScore(request, timeout=seconds)
        return pb.ScoreSection(score=answer.score)


def weight(content: Message) -> int:
    """What a section weighs on the wire, in bytes."""
    return content.ByteSize()


def _reason(error: grpc.aio.AioRpcError) -> str:
    """The documented reason of `error`: a proxy or a foreign server sends statuses that carry none of ours."""
    for reason in (reason_of(error), from_status(error).reason):
        if f"ERROR_REASON_{reason}" in errors_pb2.ErrorReason.keys():  # noqa: SIM118 - an enum wrapper, no dictionary
            return reason
    return "UNAVAILABLE"
