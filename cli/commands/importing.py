"""`holdfast import customers | products | telco`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import err
from cli.mesh.options import DataOption, NameOption, chosen_mesh

if TYPE_CHECKING:
    from cli.importing.record_file import Table
    from cli.importing.records import Report as RecordsReport
    from cli.importing.telco import Report
    from cli.mesh.mesh import Mesh

ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on where the last load of the same content broke.")]

ErrorsOption = Annotated[
    Path | None, typer.Option("--errors", help="Write why each row failed to this file: .csv or .ndjson.")
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Load files through the bulk streams.", no_args_is_help=True)
    group.command()(customers)
    group.command()(products)
    group.command()(telco)
    app.add_typer(group, name="import")


def customers(
    file: Annotated[Path, typer.Argument(help="Customers, each with an id: .csv with a header, or .ndjson.")],
    resume: ResumeOption = False,
    errors: ErrorsOption = None,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Load customers: each is made, changed or left as it is. Exit code 1 if a row failed."""
    from cli.importing.record_file import CUSTOMERS

    _records(chosen_mesh(data, name), file, CUSTOMERS, resume=resume, errors=errors)


def products(
    file: Annotated[Path, typer.Argument(help="Products, each with an id: .csv with a header, or .ndjson.")],
    resume: ResumeOption = False,
    errors: ErrorsOption = None,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Load products of customers that are there. Exit code 1 if a row failed."""
    from cli.importing.record_file import PRODUCTS

    _records(chosen_mesh(data, name), file, PRODUCTS, resume=resume, errors=errors)


def _records(mesh: "Mesh", path: Path, table: "Table[Any]", *, resume: bool, errors: Path | None) -> None:
    from cli.client import client_of, run
    from cli.exporting.files import written
    from cli.importing import bars, records, refusals
    from cli.importing.record_file import RecordFile
    from cli.pages import imports
    from cli.pages.paper import show

    file = RecordFile(path, table)
    row_of = refusals.form_of(errors) if errors else None

    async def work(shown_bars: "bars.Bars") -> "RecordsReport":
        async with client_of(mesh, "admin") as client:
            bar = shown_bars.task(path.name, file.size)
            report = await records.load(client, file, table.kind, bar, resume=resume)
            if row_of is not None:
                with written(errors) as out:
                    await refusals.write(refusals.refusals(client, file, report.load_id), out, row_of)
            return report

    with bars.shown() as shown_bars:
        report = run(work(shown_bars))
    show(*imports.records(report, table.kind))
    if report.summary.failed:
        err.print(imports.problems([imports.line(one) for one in report.errors], report.summary.failed), soft_wrap=True)
        raise typer.Exit(1)


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
