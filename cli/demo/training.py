"""Training a model, with its progress."""

from holdfast.retention.v1.models_pb2 import Model, TrainModelRequest

from cli.client import TRAIN_SECONDS, Client
from cli.console import CommandError
from cli.importing.bars import Bars


async def train(client: Client, bars: Bars, *, promote: bool, seed: int = 0) -> Model:
    """Train on all outcomes recorded so far; the model.

    Raises:
        CommandError: the training ended without a model.
        grpc.aio.AioRpcError: it was refused, too few outcomes for one.
    """
    bar, model = bars.task("training", 1.0), None
    request = TrainModelRequest(promote=promote, seed=seed)
    async for step in client.models.TrainModel(request, metadata=client.metadata, timeout=TRAIN_SECONDS):
        bar.done(min(step.progress, 0.999), step.stage)
        if step.HasField("model"):
            model = step.model
    if model is None:
        raise CommandError("the training ended without a model: `holdfast logs retention` tells why")
    bar.done(1.0, "")
    return model
