"""`ScoresService`: protobuf in, protobuf out."""

from typing import Any

from holdfast.common.v1 import query_pb2
from holdfast.retention.v1 import scores_pb2 as pb
from holdfast.retention.v1 import scores_pb2_grpc

from chassis.app import App
from chassis.query.selection import selection
from services.retention.scores import wire
from services.retention.scores.usecases import ScoreUseCases


class ScoresHandlers(scores_pb2_grpc.ScoresServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: ScoreUseCases) -> None:
        self._usecases = usecases

    async def GetScore(self, request: pb.GetScoreRequest, _: Any) -> pb.GetScoreResponse:
        """Scores one customer."""
        return pb.GetScoreResponse(score=wire.message(await self._usecases.get(request.customer_id)))

    async def ListScores(self, request: pb.ListScoresRequest, _: Any) -> pb.ListScoresResponse:
        """Reads a page of stored scores."""
        scores, token = await self._usecases.page(selection(request.query))
        return pb.ListScoresResponse(
            scores=[wire.message(one) for one in scores], page=query_pb2.PageResponse(next_page_token=token)
        )


def install(app: App, usecases: ScoreUseCases) -> None:
    """Serves `ScoresService`."""
    descriptor = pb.DESCRIPTOR.services_by_name["ScoresService"]
    app.serve(scores_pb2_grpc.add_ScoresServiceServicer_to_server, ScoresHandlers(usecases), descriptor)
