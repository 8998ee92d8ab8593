"""`holdfast model train | list | show`."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.mesh.options import DataOption, NameOption, chosen_mesh

if TYPE_CHECKING:
    from holdfast.retention.v1.models_pb2 import GetModelResponse, ListModelsResponse, Model


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The models that tell who is about to leave.", no_args_is_help=True)
    group.command()(train)
    group.command("list")(list_models)
    group.command()(show)
    app.add_typer(group, name="model")


def train(
    promote: Annotated[bool, typer.Option(help="Take it into use when it is done.")] = True,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the folds: the same data and seed give the same model.")
    ] = 0,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Train a model on the outcomes recorded so far, and tell how good it is."""
    from cli.client import client_of, run
    from cli.demo import training
    from cli.importing import bars
    from cli.pages import models, paper

    mesh = chosen_mesh(data, name)

    async def work(shown_bars: "bars.Bars") -> "Model":
        async with client_of(mesh, "admin") as client:
            return await training.train(client, shown_bars, promote=promote, seed=seed)

    with bars.shown() as shown_bars:
        model = run(work(shown_bars))
    paper.show(models.trained(model))


def list_models(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most models shown.")] = 20,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """List the models, newest first."""
    from datetime import UTC, datetime

    from holdfast.common.v1.query_pb2 import PageRequest, Query
    from holdfast.retention.v1.models_pb2 import ListModelsRequest

    from cli.client import CALL_SECONDS, client_of, run
    from cli.pages import models, paper

    mesh = chosen_mesh(data, name)

    async def work() -> "ListModelsResponse":
        async with client_of(mesh, "agent") as client:
            request = ListModelsRequest(query=Query(page=PageRequest(page_size=limit)))
            return await client.models.ListModels(request, metadata=client.metadata, timeout=CALL_SECONDS)

    found = run(work()).models
    none = "No model yet: run `holdfast model train`."
    paper.show(models.table(found, datetime.now(UTC)) if found else none)


def show(
    model_id: Annotated[
        str, typer.Argument(metavar="[ID]", help="The model; the one in use unless told.")
    ] = "champion",
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Show the figures and the card of a model."""
    from holdfast.retention.v1.models_pb2 import GetModelRequest

    from cli.client import CALL_SECONDS, client_of, run
    from cli.pages import models, paper

    mesh = chosen_mesh(data, name)

    async def work() -> "GetModelResponse":
        async with client_of(mesh, "agent") as client:
            request = GetModelRequest(model_id=model_id)
            return await client.models.GetModel(request, metadata=client.metadata, timeout=CALL_SECONDS)

    paper.show(models.card(run(work())))
