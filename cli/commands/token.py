"""`holdfast token ROLE`."""

from typing import Annotated

import typer

from cli.mesh.options import DataOption, NameOption, chosen_mesh


def register(app: typer.Typer) -> None:
    app.command()(token)


def token(
    role: Annotated[str, typer.Argument(help="agent, supervisor, customer, partner, auditor, service or admin.")],
    *,
    customer_id: Annotated[str, typer.Option(help="The customer a token of the role customer speaks for.")] = "",
    partner_id: Annotated[str, typer.Option(help="The partner a token of the role partner speaks for.")] = "",
    subject: Annotated[str, typer.Option(help="Who is calling. [default: dev-ROLE]", show_default=False)] = "",
    ttl: Annotated[str, typer.Option(help="How long it is valid: 90s, 30m, 1h, 7d.")] = "1h",
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Print a bearer token of the development issuer."""
    from cli.mesh.issuer import check_role, parse_ttl

    mesh = chosen_mesh(data, name)
    seconds = parse_ttl(ttl)
    print(mesh.token(check_role(role, customer_id, partner_id), subject, seconds, customer_id, partner_id))
