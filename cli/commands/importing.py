"""`holdfast import telco`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import err
from cli.mesh.options import DataOption, NameOption, chosen_mesh

if TYPE_CHECKING:
    from cli.importing.telco import Report


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Load files through the bulk streams.", no_args_is_help=True)
    group.command()(telco)
    app.add_typer(group, name="import")


def telco(
    file: Annotated[Path, typer.Argument(help="The CSV file of IBM's telco customers.")],
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Load the IBM telco customers with services, contract, charges and churn. Exit code 1 if a row failed."""
    from cli.client import client_of, run
    from cli.importing import bars
    from cli.importing import telco as telco_import
    from cli.pages import imports
    from cli.pages.paper import show

    mesh = chosen_mesh(data, name)

    async def work(shown_bars: "bars.Bars") -> "Report":
        async with client_of(mesh, "admin") as client:
            return await telco_import.load(client, file, shown_bars)

    with bars.shown() as shown_bars:
        report = run(work(shown_bars))
    tallies = {"customers": report.customers, "products": report.products, "outcomes": report.outcomes}
    wrong = f", {report.bad_rows:,} of them wrong" if report.bad_rows else ""
    show(f"{report.rows:,} rows read{wrong}.", imports.summary(tallies))
    for note in report.notes:
        show(f"Note: {note}.")
    if report.unheard:
        show("Note: retention has not heard of all of it yet; before a training, run this again.")
    if report.failed:
        failed = max(len(report.problems), report.bad_rows + sum(tally.failed for tally in tallies.values()))
        err.print(imports.problems([str(one) for one in report.problems], failed), soft_wrap=True)
        raise typer.Exit(1)
