"""The four services as the gateway sees them: real gRPC servers that answer, refuse, hang or are down as told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from holdfast.customer_info.v1 import customers_pb2, portfolio_pb2
from holdfast.customer_info.v1 import privacy_pb2 as customer_info_privacy
from holdfast.interaction.v1 import interactions_pb2, tickets_pb2
from holdfast.interaction.v1 import privacy_pb2 as interaction_privacy
from holdfast.retention.v1 import privacy_pb2 as retention_privacy
from holdfast.retention.v1 import scores_pb2
from holdfast.sla.v1 import clocks_pb2, measurements_pb2
from holdfast.sla.v1 import privacy_pb2 as sla_privacy

from chassis.errors import to_status
from chassis.exporting import as_struct
from chassis.rules import Refusal

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
# Of a stream, all that it says.
Answer: TypeAlias = Message | Sequence[Message]


def exported(response: Any, **kinds: Sequence[Mapping[str, Any]]) -> list[Message]:
    """What a service exports: of each kind one part with its records."""
    return [response(kind=kind, records=[as_struct(one) for one in records]) for kind, records in kinds.items()]


ANSWERS: Mapping[str, Mapping[str, Answer]] = {
    "customer_info": {
        "/holdfast.customer_info.v1.CustomersService/GetCustomer": customers_pb2.GetCustomerResponse(
            customer=customers_pb2.Customer(language="en", etag="7")
        ),
        "/holdfast.customer_info.v1.PortfolioService/GetPortfolio": portfolio_pb2.GetPortfolioResponse(
            products=[portfolio_pb2.Product(family="mobile"), portfolio_pb2.Product(family="voice")]
        ),
        "/holdfast.customer_info.v1.PrivacyService/ExportCustomer": exported(
            customer_info_privacy.ExportCustomerResponse, customers=[{"language": "en"}], products=[]
        ),
    },
    "interaction": {
        "/holdfast.interaction.v1.InteractionsService/ListInteractions": interactions_pb2.ListInteractionsResponse(
            interactions=[interactions_pb2.Interaction(category="fault")]
        ),
        "/holdfast.interaction.v1.TicketsService/ListCustomerTickets": tickets_pb2.ListCustomerTicketsResponse(
            tickets=[tickets_pb2.Ticket(category="fault", state=tickets_pb2.TICKET_STATE_HELD)]
        ),
        "/holdfast.interaction.v1.PrivacyService/ExportCustomer": exported(
            interaction_privacy.ExportCustomerResponse,
            interactions=[{"note": '„Grüße“ "quoted"', "duration_seconds": 7.0} for _ in range(3)],
            tickets=[{"title": "fault"}],
        ),
    },
    "retention": {
        "/holdfast.retention.v1.ScoresService/GetScore": scores_pb2.GetScoreResponse(
            score=scores_pb2.Score(probability=0.25, value_tier="gold")
        ),
        "/holdfast.retention.v1.PrivacyService/ExportCustomer": exported(
            retention_privacy.ExportCustomerResponse, features=[{"days": [{"contacts": 1.0}]}], scores=[], outcomes=[]
        ),
    },
    "sla": {
        "/holdfast.sla.v1.ClocksService/GetCustomerSla": clocks_pb2.GetCustomerSlaResponse(met=3, missed=1),
        "/holdfast.sla.v1.MeasurementsService/GetAvailability": measurements_pb2.GetAvailabilityResponse(
            products=[measurements_pb2.ProductAvailability(availability=0.999)]
        ),
        "/holdfast.sla.v1.PrivacyService/ExportCustomer": exported(
            sla_privacy.ExportCustomerResponse, clocks=[{"state": "CLOCK_STATE_MET"}], agreements=[], outages=[]
        ),
    },
}


def _serialize(answer: Message) -> bytes:
    return answer.SerializeToString()


@dataclass(frozen=True)
class Received:
    """A call as it came in; `seconds` is what was left of its deadline."""

    method: str
    request: Any
    metadata: Mapping[str, str | bytes]
    seconds: float | None


@dataclass
class FakeService:
    """One service on a port of its own, which it keeps when it is stopped and started."""

    answers: Mapping[str, Answer]
    port: int = 0
    # What a method does instead of answering, by its short name.
    refusals: dict[str, Refusal] = field(default_factory=dict)
    bare_codes: dict[str, grpc.StatusCode] = field(default_factory=dict)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    # What a method says instead, and after how many answers a stream breaks, by its short name.
    scripts: dict[str, Sequence[Message]] = field(default_factory=dict)
    breaks_after: dict[str, int] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    _server: grpc.aio.Server | None = None

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Serves; does nothing if it does already."""
        if self._server is None:
            self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
            self._server.add_generic_rpc_handlers((_Table({path: self._handler(path) for path in self.answers}),))
            self.port = self._server.add_insecure_port(self.target)
            await self._server.start()

    async def stop(self) -> None:
        """Stops at once: calls in flight break, new ones find nobody."""
        if self._server is not None:
            await self._server.stop(None)
            self._server = None

    def reset(self) -> None:
        """Behaves well again, and forgets what came in."""
        self.close_gates()
        told = (self.refusals, self.bare_codes, self.gates, self.scripts, self.breaks_after)
        for kept in (*told, self.received, self.cancelled):
            kept.clear()

    def hold(self, method: str) -> asyncio.Event:
        """Calls of `method` hang until the gate that is returned opens."""
        gate = self.gates[method] = asyncio.Event()
        return gate

    def close_gates(self) -> None:
        """Lets go of every call that hangs."""
        for gate in self.gates.values():
            gate.set()

    def count(self, method: str) -> int:
        """How often `method` was called."""
        return sum(call.method == method for call in self.received)

    def last(self, method: str) -> Received:
        """The latest call of `method`."""
        return [call for call in self.received if call.method == method][-1]

    def _handler(self, path: str) -> Handler:
        service, _, method = path.lstrip("/").rpartition("/")
        descriptor = descriptor_pool.Default().FindMethodByName(f"{service}.{method}")
        request = GetMessageClass(descriptor.input_type)
        answer = self.answers[path]
        if isinstance(answer, Message):
            behaviour = self._behaviour(method, answer)
            return grpc.unary_unary_rpc_method_handler(behaviour, request.FromString, _serialize)
        return grpc.unary_stream_rpc_method_handler(self._stream(method, answer), request.FromString, _serialize)

    def _behaviour(self, method: str, answer: Message) -> Callable[[Message, Any], Awaitable[Message]]:
        async def behave(request: Message, context: Any) -> Message:
            await self._receive(method, request, context)
            return self.scripts.get(method, [answer])[0]

        return behave

    def _stream(self, method: str, answers: Sequence[Message]) -> Callable[[Message, Any], AsyncIterator[Message]]:
        async def behave(request: Message, context: Any) -> AsyncIterator[Message]:
            await self._receive(method, request, context)
            for n, answer in enumerate(self.scripts.get(method, answers)):
                if n == self.breaks_after.get(method):
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "gone in the middle")
                yield answer

        return behave

    async def _receive(self, method: str, request: Message, context: Any) -> None:
        """What every call goes through."""
        metadata = dict(context.invocation_metadata())
        self.received.append(Received(method, request, metadata, context.time_remaining()))
        try:
            if method in self.gates:
                await self.gates[method].wait()
        except asyncio.CancelledError:
            self.cancelled.append(method)
            raise
        if method in self.refusals:
            status = to_status(self.refusals[method], "")
            await context.abort(status.code, status.message, status.trailers)
        if method in self.bare_codes:
            await context.abort(self.bare_codes[method], "a proxy says so")


class _Table(grpc.GenericRpcHandler):
    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "Handler | None":
        return self._handlers.get(handler_call_details.method)
