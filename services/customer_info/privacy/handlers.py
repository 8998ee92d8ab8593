"""`PrivacyService`: protobuf in, protobuf out."""

from collections.abc import AsyncIterator
from typing import Any

from holdfast.customer_info.v1 import privacy_pb2 as pb
from holdfast.customer_info.v1 import privacy_pb2_grpc

from chassis.app import App
from chassis.exporting import parts
from services.customer_info.privacy.exporting import Exporting
from services.customer_info.privacy.usecases import ErasureUseCases
from services.customer_info.wire import stamp


class PrivacyHandlers(privacy_pb2_grpc.PrivacyServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, erasures: ErasureUseCases, exporting: Exporting) -> None:
        self._erasures = erasures
        self._exporting = exporting

    async def ExportCustomer(
        self, request: pb.ExportCustomerRequest, _: Any
    ) -> AsyncIterator[pb.ExportCustomerResponse]:
        """Streams everything held on a customer."""
        async for kind, records in parts(await self._exporting.export(request.customer_id)):
            yield pb.ExportCustomerResponse(kind=kind, records=records)

    async def EraseCustomer(self, request: pb.EraseCustomerRequest, _: Any) -> pb.EraseCustomerResponse:
        """Erases a person."""
        erasure = await self._erasures.erase(request.customer_id, request.etag, request.reason)
        return pb.EraseCustomerResponse(member_ids=erasure.members, erase_time=stamp(erasure.done_time))


def install(app: App, erasures: ErasureUseCases, exporting: Exporting) -> None:
    """Serves `PrivacyService`."""
    descriptor = pb.DESCRIPTOR.services_by_name["PrivacyService"]
    app.serve(privacy_pb2_grpc.add_PrivacyServiceServicer_to_server, PrivacyHandlers(erasures, exporting), descriptor)
