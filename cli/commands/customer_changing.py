"""`holdfast customer merge | unmerge | export | erase`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.customer_reading import CustomerArgument
from cli.console import CommandError
from cli.mesh.options import DataOption, NameOption

if TYPE_CHECKING:
    from holdfast.customer_info.v1.merges_pb2 import FieldChoice

    from cli.client import Client

KEEPS = ("survivor", "duplicate", "latest", "both")


def register(group: typer.Typer) -> None:
    for command in (merge, unmerge, export, erase):
        group.command()(command)


def merge(
    survivor: Annotated[str, typer.Argument(metavar="SURVIVOR", help="The record that stays.")],
    duplicate: Annotated[str, typer.Argument(metavar="DUPLICATE", help="The record that is the same customer.")],
    *,
    keep: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=WHOSE", help="Whose value is kept: survivor, duplicate, latest, both; repeatable."),
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only show what it would make.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Merge two records of one customer; `unmerge` undoes it."""
    import uuid

    from holdfast.customer_info.v1.merges_pb2 import MergeRequest, PreviewMergeRequest

    from cli import asking
    from cli.pages import merging as pages
    from cli.pages.paper import show

    choices = [_choice(one) for one in keep or ()]

    async def look(client: "Client") -> tuple[Any, Any]:
        request = PreviewMergeRequest(
            survivor_id=await asking.customer_id(client, survivor, "SURVIVOR"),
            duplicate_id=await asking.customer_id(client, duplicate, "DUPLICATE"),
            choices=choices,
        )
        return request, await asking.answer(client, client.merges.PreviewMerge, request)

    wish, seen = asking.asked(data, name, "supervisor", look)
    show(pages.preview(seen))
    if preview:
        return
    if not yes and not typer.confirm("Merge them?"):
        raise typer.Exit(1)

    async def work(client: "Client") -> Any:
        # Only if nobody changed what was shown; and once, however often it is tried.
        request = MergeRequest(
            survivor_id=wish.survivor_id,
            duplicate_id=wish.duplicate_id,
            choices=choices,
            survivor_etag=seen.survivor_etag,
            duplicate_etag=seen.duplicate_etag,
            request_id=str(uuid.uuid4()),
        )
        return await asking.answer(client, client.merges.Merge, request)

    show(pages.merged(asking.asked(data, name, "supervisor", work).merge))


def unmerge(
    duplicate: Annotated[str, typer.Argument(metavar="ID", help="The id of the record that was merged into another.")],
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Undo a merge: two records again, each with what was written under its id."""
    from holdfast.customer_info.v1.merges_pb2 import UnmergeRequest

    from cli import asking
    from cli.pages import merging as pages
    from cli.pages.paper import show

    request = UnmergeRequest(duplicate_id=asking.id_of(duplicate, "ID"))

    async def work(client: "Client") -> Any:
        return await asking.answer(client, client.merges.Unmerge, request)

    show(pages.unmerged(asking.asked(data, name, "supervisor", work)))


def export(
    customer: CustomerArgument,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write; standard output unless told.")] = None,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Write everything that all services hold on a customer, as one JSON document."""
    from holdfast.gateway.v1.privacy_pb2 import ExportCustomerRequest

    from cli import asking
    from cli.client import BULK_SECONDS
    from cli.console import err
    from cli.exporting.files import written

    async def work(client: "Client") -> None:
        request = ExportCustomerRequest(customer_id=await asking.customer_id(client, customer))
        with written(out) as file:
            call = client.privacy_export.ExportCustomer(request, metadata=client.metadata, timeout=BULK_SECONDS)
            async for piece in call:
                file.write(piece.data)

    asking.asked(data, name, "supervisor", work)
    if out:
        err.print(f"Written to {out}.", soft_wrap=True)


def erase(
    customer: CustomerArgument,
    *,
    reason: Annotated[str, typer.Option(help="Why, for the record; nothing personal.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the id once more.")] = False,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Erase a person for ever: nobody can read what was held on them any more, here or in a backup."""
    from holdfast.customer_info.v1.customers_pb2 import GetCustomerRequest
    from holdfast.customer_info.v1.privacy_pb2 import EraseCustomerRequest

    from cli import asking
    from cli.pages import merging as pages
    from cli.pages.paper import show

    async def look(client: "Client") -> Any:
        request = GetCustomerRequest(customer_id=await asking.customer_id(client, customer))
        return (await asking.answer(client, client.customers.GetCustomer, request)).customer

    found = asking.asked(data, name, "supervisor", look)
    show(pages.about_to_erase(found))
    if not yes and typer.prompt("This cannot be undone. Type the id of the customer to erase it").strip() != found.id:
        raise CommandError("that is not its id: nothing was erased")

    async def work(client: "Client") -> Any:
        request = EraseCustomerRequest(customer_id=found.id, etag=found.etag, reason=reason)
        return await asking.answer(client, client.privacy.EraseCustomer, request)

    show(pages.erased(asking.asked(data, name, "supervisor", work)))


def _choice(text: str) -> "FieldChoice":
    from holdfast.customer_info.v1.merges_pb2 import FieldChoice, Survivorship

    field, sign, whose = text.partition("=")
    if not sign or not field or whose not in KEEPS:
        raise CommandError(
            f"--keep must be FIELD=WHOSE with {', '.join(KEEPS)}, such as language=duplicate", exit_code=2
        )
    return FieldChoice(field=field, keep=Survivorship.Value(f"SURVIVORSHIP_{whose.upper()}"))
