"""`PrivacyService`: protobuf in, protobuf out."""

from collections.abc import AsyncIterator
from typing import Any

from holdfast.retention.v1 import privacy_pb2 as pb
from holdfast.retention.v1 import privacy_pb2_grpc

from chassis.app import App
from chassis.exporting import parts
from services.retention.privacy.usecases import Exporting


class PrivacyHandlers(privacy_pb2_grpc.PrivacyServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, exporting: Exporting) -> None:
        self._exporting = exporting

    async def ExportCustomer(
        self, request: pb.ExportCustomerRequest, _: Any
    ) -> AsyncIterator[pb.ExportCustomerResponse]:
        """Streams everything held on a customer."""
        async for kind, records in parts(await self._exporting.export(request.customer_id)):
            yield pb.ExportCustomerResponse(kind=kind, records=records)


def install(app: App, exporting: Exporting) -> None:
    """Serves `PrivacyService`."""
    descriptor = pb.DESCRIPTOR.services_by_name["PrivacyService"]
    app.serve(privacy_pb2_grpc.add_PrivacyServiceServicer_to_server, PrivacyHandlers(exporting), descriptor)
