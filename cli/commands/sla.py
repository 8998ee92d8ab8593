"""`holdfast sla clocks | agreements`."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import CommandError
from cli.mesh.options import DataOption, NameOption, chosen_mesh

if TYPE_CHECKING:
    from holdfast.sla.v1.agreements_pb2 import ListAgreementsResponse
    from holdfast.sla.v1.clocks_pb2 import ListClocksResponse

STATES = ("running", "paused", "met", "breached", "missed", "cancelled")
LimitOption = Annotated[int, typer.Option(min=1, max=1000, help="Most rows shown.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="What was promised, and whether it is kept.", no_args_is_help=True)
    group.command()(clocks)
    group.command()(agreements)
    app.add_typer(group, name="sla")


def clocks(
    state: Annotated[str | None, typer.Option(help=f"Only those that are {', '.join(STATES)}.")] = None,
    limit: LimitOption = 20,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """List the clocks that run on tickets, or those in one state."""
    from datetime import UTC, datetime

    from holdfast.common.v1.query_pb2 import PageRequest, Predicate, Query
    from holdfast.sla.v1.clocks_pb2 import ListClocksRequest

    from cli.client import CALL_SECONDS, client_of, run
    from cli.pages import clocks as pages
    from cli.pages import paper

    if state is not None and state not in STATES:
        raise CommandError(f"--state must be one of {', '.join(STATES)}, not {state!r}", exit_code=2)
    mesh = chosen_mesh(data, name)

    async def work() -> "ListClocksResponse":
        predicates = [Predicate(field="state", values=[f"CLOCK_STATE_{state.upper()}"])] if state else []
        request = ListClocksRequest(query=Query(predicates=predicates, page=PageRequest(page_size=limit)))
        async with client_of(mesh, "agent") as client:
            return await client.clocks.ListClocks(request, metadata=client.metadata, timeout=CALL_SECONDS)

    answer = run(work())
    paper.show(pages.table(answer.clocks, datetime.now(UTC)) if answer.clocks else "No clock.")
    if answer.page.next_page_token:
        paper.show(f"There are more: --limit shows more than {limit}.")


def agreements(limit: LimitOption = 20, data: DataOption = None, name: NameOption = None) -> None:
    """List the agreements in their newest version."""
    from holdfast.common.v1.query_pb2 import PageRequest, Query
    from holdfast.sla.v1.agreements_pb2 import ListAgreementsRequest

    from cli.client import CALL_SECONDS, client_of, run
    from cli.pages import clocks as pages
    from cli.pages import paper

    mesh = chosen_mesh(data, name)

    async def work() -> "ListAgreementsResponse":
        async with client_of(mesh, "agent") as client:
            request = ListAgreementsRequest(query=Query(page=PageRequest(page_size=limit)))
            return await client.agreements.ListAgreements(request, metadata=client.metadata, timeout=CALL_SECONDS)

    answer = run(work())
    paper.show(pages.agreements(answer.agreements) if answer.agreements else "No agreement.")
    if answer.page.next_page_token:
        paper.show(f"There are more: --limit shows more than {limit}.")
