"""`holdfast up | down | status | logs`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import CommandError, out
from cli.mesh.options import DataOption, NameOption, chosen_mesh

if TYPE_CHECKING:
    from cli.mesh.mesh import MemberStatus, Mesh
    from cli.mesh.state import EdgeOptions


def register(app: typer.Typer) -> None:
    for command in (up, down, status, logs):
        app.command()(command)


def up(
    *,
    data: DataOption = None,
    name: NameOption = None,
    port_base: Annotated[
        int | None, typer.Option(help="First port of the mesh; 0 picks free ports. Remembered. New meshes: 7400.")
    ] = None,
    cache_gb: Annotated[float, typer.Option(min=0.25, help="MongoDB's cache, in gigabytes.")] = 1.0,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait until everything serves.")] = 60.0,
    allow_origin: Annotated[
        list[str] | None, typer.Option(help="Browser origin that may call the edge; repeatable. Remembered.")
    ] = None,
    rate_limit: Annotated[int | None, typer.Option(min=1, help="Calls a second at the edge. Remembered.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="PEM certificate chain of the edge. Remembered.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM key of the certificate. Remembered.")] = None,
) -> None:
    """Start the mesh, or whatever of it does not run, and wait until all of it serves."""
    from cli.mesh.progress import shown
    from cli.mesh.starting import Options

    mesh = chosen_mesh(data, name)
    edge = _edge_options(mesh, allow_origin, rate_limit, tls_cert, tls_key)
    with shown() as report:
        mesh.up(port_base, edge, Options(timeout=timeout, cache_gb=cache_gb), report)
    out.print(f"The mesh serves at [bold]{mesh.edge_url}[/] (gRPC, gRPC-Web and REST). Data: {mesh.instance.data}")


def down(data: DataOption = None, name: NameOption = None) -> None:
    """Stop the mesh cleanly. Its data stays."""
    from cli.mesh.progress import shown

    with shown() as report:
        chosen_mesh(data, name).down(report)
    out.print("The mesh is down. Its data is kept.")


def status(data: DataOption = None, name: NameOption = None) -> None:
    """Show every member of the mesh. Exit code 3 when one does not serve."""
    mesh = chosen_mesh(data, name)
    members = mesh.status()
    _print_table(members)
    if not all(member.serving for member in members):
        raise typer.Exit(3)


def logs(
    member: Annotated[str | None, typer.Argument(help="One member; all of them unless told.")] = None,
    data: DataOption = None,
    name: NameOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing what is written.")] = False,
    lines: Annotated[int, typer.Option("-n", min=0, help="Lines to start with.")] = 20,
) -> None:
    """Print the last lines of the members' logs."""
    from cli.mesh.logs import follow_all, tail
    from cli.mesh.members import ORDER

    instance = chosen_mesh(data, name).instance.require()
    if member is not None and member not in ORDER:
        raise CommandError(f"NAME must be one of {', '.join(ORDER)}, not {member!r}", exit_code=2)
    files = {one: instance.log(one) for one in ([member] if member else ORDER)}
    for one, file in files.items():
        for line in tail(file, lines):
            _print_line(one, line, len(files) > 1)
    if follow:
        for one, line in follow_all(files):
            _print_line(one, line, len(files) > 1)


def _edge_options(
    mesh: "Mesh",
    allow_origin: list[str] | None,
    rate_limit: int | None,
    tls_cert: Path | None,
    tls_key: Path | None,
) -> "EdgeOptions":
    from dataclasses import replace

    from cli.mesh.state import load

    if (tls_cert is None) != (tls_key is None):
        raise CommandError("--tls-cert and --tls-key need each other", exit_code=2)
    options = load(mesh.instance).edge
    if allow_origin is not None:
        options = replace(options, allowed_origins=tuple(allow_origin))
    if rate_limit is not None:
        options = replace(options, rate_per_second=rate_limit)
    if tls_cert is not None and tls_key is not None:
        options = replace(options, tls_certificate=str(tls_cert.absolute()), tls_key=str(tls_key.absolute()))
    return options


def _print_table(members: "list[MemberStatus]") -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("NAME", "STATE", "PID", "ADDRESS", "HEALTH"):
        table.add_column(column, no_wrap=True)
    for column in ("MEMORY", "UPTIME"):
        table.add_column(column, justify="right", no_wrap=True)
    for member in members:
        table.add_row(
            member.name,
            "running" if member.running else "[red]stopped[/]",
            str(member.pid or "-"),
            member.address,
            member.health if member.serving else f"[red]{member.health}[/]",
            f"{member.memory / 2**20:.0f} MiB" if member.memory is not None else "-",
            _age(member.uptime) if member.uptime is not None else "-",
        )
    out.print(table)


def _age(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def _print_line(member: str, line: str, named: bool) -> None:
    print(f"{member:<14}{line}" if named else line, flush=True)
