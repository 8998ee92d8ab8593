"""`AgreementsService`: protobuf in, protobuf out."""

from typing import Any

from holdfast.common.v1 import query_pb2
from holdfast.sla.v1 import agreements_pb2 as pb
from holdfast.sla.v1 import agreements_pb2_grpc

from chassis.app import App
from chassis.query.selection import selection
from services.sla.agreements import wire
from services.sla.agreements.usecases import AgreementUseCases


class AgreementsHandlers(agreements_pb2_grpc.AgreementsServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: AgreementUseCases) -> None:
        self._usecases = usecases

    async def PutAgreement(self, request: pb.PutAgreementRequest, _: Any) -> pb.PutAgreementResponse:
        """Makes an agreement or its next version."""
        put = await self._usecases.put(wire.version(request.agreement))
        return pb.PutAgreementResponse(agreement=wire.message(put))

    async def GetAgreement(self, request: pb.GetAgreementRequest, _: Any) -> pb.GetAgreementResponse:
        """Reads one version."""
        found = await self._usecases.get(request.agreement_id, request.version)
        return pb.GetAgreementResponse(agreement=wire.message(found))

    async def ListAgreements(self, request: pb.ListAgreementsRequest, _: Any) -> pb.ListAgreementsResponse:
        """Reads a page of newest versions."""
        found, token = await self._usecases.page(selection(request.query))
        return pb.ListAgreementsResponse(
            agreements=[wire.message(one) for one in found], page=query_pb2.PageResponse(next_page_token=token)
        )


def install(app: App, usecases: AgreementUseCases) -> None:
    """Serves `AgreementsService`."""
    descriptor = pb.DESCRIPTOR.services_by_name["AgreementsService"]
    app.serve(agreements_pb2_grpc.add_AgreementsServiceServicer_to_server, AgreementsHandlers(usecases), descriptor)
