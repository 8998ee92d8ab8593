"""Reaches the four services for what they hold on a customer."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import grpc
from google.protobuf.message import Message
from holdfast.customer_info.v1 import privacy_pb2 as customer_info_pb2
from holdfast.customer_info.v1 import privacy_pb2_grpc as customer_info_grpc
from holdfast.interaction.v1 import privacy_pb2 as interaction_pb2
from holdfast.interaction.v1 import privacy_pb2_grpc as interaction_grpc
from holdfast.retention.v1 import privacy_pb2 as retention_pb2
from holdfast.retention.v1 import privacy_pb2_grpc as retention_grpc
from holdfast.sla.v1 import privacy_pb2 as sla_pb2
from holdfast.sla.v1 import privacy_pb2_grpc as sla_grpc

from chassis.errors import from_status
from chassis.exporting import as_json
from chassis.rules import Forbidden, NotFound, Refusal, Refused, TooSlow, Unauthenticated
from gateway.experience.clients import Channels
from gateway.privacy.usecases import Part, silent

# What is told to the caller as the service said it; everything else means that the service does not answer.
PASSED_ON = (NotFound, Refused, Forbidden, Unauthenticated, TooSlow)


class Clients:
    """`Services` over gRPC."""

    def __init__(self, channels: Channels) -> None:
        """Calls through `channels`, which carry the caller's token and trace."""
        self._methods: Mapping[str, tuple[Any, type[Message]]] = {
            "customer_info": (
                customer_info_grpc.PrivacyServiceStub(channels.customer_info).ExportCustomer,
                customer_info_pb2.ExportCustomerRequest,
            ),
            "interaction": (
                interaction_grpc.PrivacyServiceStub(channels.interaction).ExportCustomer,
                interaction_pb2.ExportCustomerRequest,
            ),
            "retention": (
                retention_grpc.PrivacyServiceStub(channels.retention).ExportCustomer,
                retention_pb2.ExportCustomerRequest,
            ),
            "sla": (sla_grpc.PrivacyServiceStub(channels.sla).ExportCustomer, sla_pb2.ExportCustomerRequest),
        }

    async def export(self, service: str, customer_id: str) -> AsyncGenerator[Part, None]:
        """See `gateway.privacy.usecases.Services.export`."""
        method, request = self._methods[service]
        call = method(request(customer_id=customer_id))
        try:
            async for told in call:
                yield Part(told.kind, [as_json(record) for record in told.records])
        except grpc.aio.AioRpcError as error:
            raise _refusal(service, error) from error
        finally:
            call.cancel()


def _refusal(service: str, error: grpc.aio.AioRpcError) -> Refusal:
    refusal = from_status(error)
    return refusal if isinstance(refusal, PASSED_ON) else silent(service)
