"""`holdfast export customers | products`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import CommandError
from cli.mesh.options import DataOption, NameOption, chosen_mesh

if TYPE_CHECKING:
    from cli.mesh.mesh import Mesh

FORMATS = ("ndjson", "csv")
FormatOption = Annotated[
    str | None, typer.Option("--format", help="ndjson or csv; as FILE is named unless told, else ndjson.")
]
OutOption = Annotated[Path | None, typer.Option("--out", help="The file to write; standard output unless told.")]
FieldOption = Annotated[list[str] | None, typer.Option("--field", help="Only this field, beside the id; repeatable.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Write files that `holdfast import` reads.", no_args_is_help=True)
    group.command()(customers)
    group.command()(products)
    app.add_typer(group, name="export")


def customers(
    *,
    form: FormatOption = None,
    out: OutOption = None,
    status: Annotated[
        list[str] | None,
        typer.Option(help="Only those that are prospect, active, suspended, closed, archived; repeatable."),
    ] = None,
    field: FieldOption = None,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Write all customers, but archived ones unless asked for."""
    mesh = chosen_mesh(data, name)
    _export(mesh, "customers", out, {"form": _format(form, out), "statuses": status or [], "fields": field or []})


def products(
    *,
    form: FormatOption = None,
    out: OutOption = None,
    status: Annotated[
        list[str] | None,
        typer.Option(help="Only those that are ordered, provisioning, active, suspended, ceased; repeatable."),
    ] = None,
    field: FieldOption = None,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Write all products of all customers."""
    mesh = chosen_mesh(data, name)
    _export(mesh, "products", out, {"form": _format(form, out), "statuses": status or [], "fields": field or []})


def _export(mesh: "Mesh", kind: str, out: Path | None, asked: dict[str, Any]) -> None:
    from cli.client import client_of, run
    from cli.console import err
    from cli.exporting import records
    from cli.exporting.files import written

    request = records.request_of(kind, **asked)

    async def work() -> int:
        async with client_of(mesh, "admin") as client:
            with written(out) as file, err.status(f"writing {kind}") as shown:
                return await records.write(client, request, file, lambda rows: shown.update(f"{rows:,} {kind}"))

    rows = run(work())
    err.print(f"{rows:,} {kind} written{f' to {out}' if out else ''}.", soft_wrap=True)


def _format(form: str | None, out: Path | None) -> str:
    chosen = form or ("csv" if out is not None and out.suffix.lower() == ".csv" else "ndjson")
    if chosen not in FORMATS:
        raise CommandError(f"--format must be one of {', '.join(FORMATS)}, not {chosen!r}", exit_code=2)
    return chosen
