"""Options that every command on an instance takes, and what they mean."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cli.mesh.mesh import Mesh

DataOption = Annotated[
    Path | None,
    typer.Option("--data", envvar="HOLDFAST_DATA", help="Data directory of the mesh; beaten by --name."),
]
NameOption = Annotated[
    str | None,
    typer.Option("--name", help="Name of the mesh in this project: .holdfast/NAME; `default` unless told."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="The answer as JSON, for programs.")]


def chosen_mesh(data: Path | None, name: str | None) -> "Mesh":
    """The mesh that --name chooses, else --data or HOLDFAST_DATA, else the project's default one."""
    from cli.mesh.instance import find
    from cli.mesh.mesh import Mesh

    return Mesh(find(None if name else data, name))
