"""`ModelsService`: protobuf in, protobuf out."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from holdfast.common.v1 import query_pb2
from holdfast.retention.v1 import models_pb2 as pb
from holdfast.retention.v1 import models_pb2_grpc

from chassis.app import App
from chassis.query.selection import selection
from services.retention.models import wire
from services.retention.models.champions import Champions
from services.retention.models.usecases import ModelUseCases


class ModelsHandlers(models_pb2_grpc.ModelsServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: ModelUseCases, champions: Champions) -> None:
        self._usecases = usecases
        self._champions = champions

    async def TrainModel(self, request: pb.TrainModelRequest, _: Any) -> AsyncIterator[pb.TrainModelResponse]:
        """Trains a model, and tells of its progress."""
        async with contextlib.aclosing(self._usecases.train(request.seed, promote=request.promote)) as strides:
            async for stride in strides:
                entry = stride.entry
                if entry is not None:
                    await self._champions.refresh()
                model = wire.message(entry) if entry is not None else None
                yield pb.TrainModelResponse(stage=stride.stage, progress=stride.progress, model=model)

    async def GetModel(self, request: pb.GetModelRequest, _: Any) -> pb.GetModelResponse:
        """Reads one model."""
        entry = await self._usecases.get(request.model_id)
        return pb.GetModelResponse(model=wire.message(entry), card=entry.card, tables_json=entry.text.decode())

    async def ListModels(self, request: pb.ListModelsRequest, _: Any) -> pb.ListModelsResponse:
        """Reads a page of models."""
        entries, token = await self._usecases.page(selection(request.query))
        return pb.ListModelsResponse(
            models=[wire.message(entry) for entry in entries], page=query_pb2.PageResponse(next_page_token=token)
        )

    async def PromoteModel(self, request: pb.PromoteModelRequest, _: Any) -> pb.PromoteModelResponse:
        """Makes a model champion."""
        entry = await self._usecases.promote(request.model_id)
        await self._champions.refresh()
        return pb.PromoteModelResponse(model=wire.message(entry))


def install(app: App, usecases: ModelUseCases, champions: Champions) -> None:
    """Serves `ModelsService`."""
    descriptor = pb.DESCRIPTOR.services_by_name["ModelsService"]
    app.serve(models_pb2_grpc.add_ModelsServiceServicer_to_server, ModelsHandlers(usecases, champions), descriptor)
