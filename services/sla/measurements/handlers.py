"""`MeasurementsService`: protobuf in, protobuf out."""

from collections.abc import AsyncIterator
from typing import Any

from holdfast.sla.v1 import measurements_pb2 as pb
from holdfast.sla.v1 import measurements_pb2_grpc

from chassis.app import App
from chassis.bulk import Tally, note_rows
from chassis.times import moment
from services.sla.measurements import wire
from services.sla.measurements.usecases import MeasurementUseCases


class MeasurementsHandlers(measurements_pb2_grpc.MeasurementsServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: MeasurementUseCases) -> None:
        self._usecases = usecases

    async def RecordOutages(self, requests: AsyncIterator[pb.RecordOutagesRequest], _: Any) -> pb.RecordOutagesResponse:
        """Loads outages in bulk."""
        tally = Tally()
        async for request in requests:
            await note_rows(tally, request.outages, wire.outage, self._usecases.record)
        return pb.RecordOutagesResponse(summary=tally.summary())

    async def GetAvailability(self, request: pb.GetAvailabilityRequest, _: Any) -> pb.GetAvailabilityResponse:
        """Reads the availability of a customer's products."""
        start, end = moment(request.period, "start", "period.start"), moment(request.period, "end", "period.end")
        found = await self._usecases.availability(request.customer_id, request.product_id, start, end)
        return wire.response(*found)


def install(app: App, usecases: MeasurementUseCases) -> None:
    """Serves `MeasurementsService`."""
    descriptor = pb.DESCRIPTOR.services_by_name["MeasurementsService"]
    app.serve(
        measurements_pb2_grpc.add_MeasurementsServiceServicer_to_server, MeasurementsHandlers(usecases), descriptor
    )
