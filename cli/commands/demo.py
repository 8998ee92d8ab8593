"""`holdfast demo`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import err, out
from cli.mesh.options import DataOption, NameOption, chosen_mesh

if TYPE_CHECKING:
    from cli.demo.showing import Shown
    from cli.mesh.mesh import Mesh


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    data: DataOption = None,
    name: NameOption = None,
    port_base: Annotated[
        int | None, typer.Option(help="First port of the mesh; 0 picks free ports. Remembered. New meshes: 7400.")
    ] = None,
    customers: Annotated[int, typer.Option(help="How many customers the made-up operator has.")] = 2_000,
    seed: Annotated[int, typer.Option(min=0, help="Another seed makes another operator beside the first.")] = 7,
) -> None:
    """Start the mesh, load a made-up operator's year, and show the customer most at risk. Twice is as good as once."""
    from datetime import UTC, datetime

    from cli.client import client_of, run
    from cli.demo import showing
    from cli.importing import bars
    from cli.mesh import progress
    from cli.pages import customer
    from cli.pages.paper import show

    mesh = chosen_mesh(data, name)
    with progress.shown() as report:
        mesh.up(port_base, report=report)

    async def work(shown_bars: "bars.Bars") -> "Shown":
        async with client_of(mesh, "admin") as client:
            return await showing.show(client, seed, customers, shown_bars)

    with bars.shown() as shown_bars:
        shown = run(work(shown_bars))
    _tell(shown)
    show(customer.page(shown.story, datetime.now(UTC)))
    _where(mesh, _options(data, name), shown.story.customer_id)


def _tell(shown: "Shown") -> None:
    from cli.pages import imports, models
    from cli.pages.paper import show

    show(imports.summary(shown.tallies), "")
    if shown.late:
        err.print(f"[yellow]retention does not know all of {shown.late} sampled customers yet; it goes on by itself[/]")
    show(models.trained(shown.model) if shown.trained else f"Model {shown.model.id} stays: nothing has changed.", "")


def _where(mesh: "Mesh", options: str, customer_id: str) -> None:
    out.print("\n[bold]Where everything listens[/]")
    for member in mesh.status():
        out.print(f"  {member.name:<14}{member.address}")
    edge = mesh.edge_url
    out.print(f"\nAll callers use the edge, [bold]{edge}[/], by gRPC, gRPC-Web or REST:")
    out.print(f"  holdfast customer {customer_id}{options}", soft_wrap=True)
    out.print(
        f'  curl -H "Authorization: Bearer $(holdfast token agent{options})" {edge}/v1/customers/{customer_id}/360',
        soft_wrap=True,
    )
    out.print(f"A token:  [bold]holdfast token agent{options}[/]", soft_wrap=True)
    out.print(f"To stop:  [bold]holdfast down{options}[/]", soft_wrap=True)


def _options(data: Path | None, name: str | None) -> str:
    """What has to be said again to reach the same mesh."""
    if name:
        return f" --name {name}"
    return f" --data {data}" if data else ""
