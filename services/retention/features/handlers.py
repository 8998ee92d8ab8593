"""`FeaturesService`: protobuf in, protobuf out."""

from collections.abc import AsyncIterator
from typing import Any

from holdfast.retention.v1 import features_pb2 as pb
from holdfast.retention.v1 import features_pb2_grpc

from chassis.app import App
from chassis.bulk import Tally, note_rows
from chassis.times import to_timestamp
from services.retention.features import wire
from services.retention.features.readings import Readings
from services.retention.features.usecases import FeatureUseCases


class FeaturesHandlers(features_pb2_grpc.FeaturesServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, readings: Readings, usecases: FeatureUseCases) -> None:
        self._readings = readings
        self._usecases = usecases

    async def GetFeatures(self, request: pb.GetFeaturesRequest, _: Any) -> pb.GetFeaturesResponse:
        """Reads a customer's features."""
        as_of = wire.moment(request.as_of, "as_of") if request.HasField("as_of") else None
        found = await self._readings.as_of(request.customer_id, as_of)
        return pb.GetFeaturesResponse(features=wire.features(found), as_of=to_timestamp(found.as_of))

    async def RecordOutcomes(
        self, requests: AsyncIterator[pb.RecordOutcomesRequest], _: Any
    ) -> pb.RecordOutcomesResponse:
        """Loads outcomes in bulk."""
        tally = Tally()
        async for request in requests:
            await note_rows(tally, request.outcomes, wire.outcome, self._usecases.record, needs_id=False)
        return pb.RecordOutcomesResponse(summary=tally.summary())


def install(app: App, readings: Readings, usecases: FeatureUseCases) -> None:
    """Serves `FeaturesService`."""
    descriptor = pb.DESCRIPTOR.services_by_name["FeaturesService"]
    app.serve(features_pb2_grpc.add_FeaturesServiceServicer_to_server, FeaturesHandlers(readings, usecases), descriptor)
