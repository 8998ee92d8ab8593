"""`holdfast customer search | tree | who-is | gaps | duplicates | history`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.mesh.options import DataOption, JsonOption, NameOption

if TYPE_CHECKING:
    from cli.client import Client

CustomerArgument = Annotated[
    str, typer.Argument(metavar="CUSTOMER", help="The customer's id, or anything it can be found by.")
]
AsOfOption = Annotated[str | None, typer.Option(help="As it stood on this day or at this time; now unless told.")]


def register(group: typer.Typer) -> None:
    for command in (search, tree, gaps, duplicates, history):
        group.command()(command)
    group.command("who-is")(who_is)


def search(
    text: Annotated[
        list[str], typer.Argument(metavar="TEXT", help="A name, or the begin of one; typos do not matter.")
    ],
    *,
    limit: Annotated[int, typer.Option(min=1, max=50, help="Most customers shown.")] = 10,
    archived: Annotated[bool, typer.Option(help="With those that were archived.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Find customers by name, the best match first."""
    from holdfast.customer_info.v1.search_pb2 import SearchCustomersRequest

    from cli import asking
    from cli.pages import found as pages
    from cli.pages.paper import show_answer

    request = SearchCustomersRequest(text=" ".join(text), limit=limit, include_archived=archived)

    async def work(client: "Client") -> Any:
        return await asking.answer(client, client.search.SearchCustomers, request)

    answer = asking.asked(data, name, "agent", work)
    page = pages.searched(answer.found) if answer.found else "No customer of such a name."
    show_answer(answer, page, as_json=as_json)


def tree(
    customer: CustomerArgument,
    *,
    tree_name: Annotated[str | None, typer.Option("--tree", help="Only the tree of this name or id.")] = None,
    levels: Annotated[int, typer.Option(min=0, max=32, help="Levels shown; 0: all.")] = 0,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Show how a customer is organised: its trees, with their nodes; as JSON, one document for each tree."""
    from cli import asking
    from cli.asking_trees import trees
    from cli.pages import organisation as pages
    from cli.pages.paper import show, show_answer

    at = asking.moment(as_of, "--as-of")

    async def work(client: "Client") -> Any:
        return await trees(client, await asking.customer_id(client, customer), tree_name, at, levels)

    found = asking.asked(data, name, "agent", work)
    for one in found:
        show_answer(one, pages.tree(one), as_json=as_json)
    if not found and not as_json:
        show("No tree.")


def who_is(
    responsibility: Annotated[str, typer.Argument(metavar="RESPONSIBILITY", help="Its name.")],
    node: Annotated[str, typer.Argument(metavar="NODE", help="The id of the node; `customer tree` shows it.")],
    *,
    at: Annotated[str | None, typer.Option(help="On this day or at this time; now unless told.")] = None,
    as_json: JsonOption = False,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Tell who has a responsibility at a node, and who those are that it depends on. Exit code 1 if nobody has."""
    from holdfast.customer_info.v1.responsibilities_pb2 import WhoIsRequest

    from cli import asking
    from cli.pages import responsibilities as pages
    from cli.pages.paper import show_answer

    request = WhoIsRequest(
        responsibility=responsibility, node_id=asking.id_of(node, "NODE"), as_of=asking.moment(at, "--at")
    )

    async def work(client: "Client") -> Any:
        return await asking.answer(client, client.responsibilities.WhoIs, request)

    answer = asking.asked(data, name, "agent", work)
    show_answer(answer, pages.holders(answer), as_json=as_json)
    if not answer.answer.holders:
        raise typer.Exit(1)


def gaps(
    customer: CustomerArgument,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Report where responsibilities lack somebody who can be reached. Exit code 1 if there are gaps."""
    from cli import asking
    from cli.asking_gaps import gap_report
    from cli.pages import responsibilities as pages
    from cli.pages.paper import show_answer

    at = asking.moment(as_of, "--as-of")

    async def work(client: "Client") -> Any:
        return await gap_report(client, await asking.customer_id(client, customer), at)

    report = asking.asked(data, name, "agent", work)
    show_answer(report, pages.gaps(report), as_json=as_json)
    if report.gap_count:
        raise typer.Exit(1)


def duplicates(
    customer: CustomerArgument,
    limit: Annotated[int, typer.Option(min=1, max=50, help="Most records shown.")] = 10,
    as_json: JsonOption = False,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """List records that may be the same customer, and why."""
    from holdfast.customer_info.v1.duplicates_pb2 import FindDuplicatesRequest

    from cli import asking
    from cli.pages import found as pages
    from cli.pages.paper import show_answer

    async def work(client: "Client") -> Any:
        request = FindDuplicatesRequest(customer_id=await asking.customer_id(client, customer), limit=limit)
        return await asking.answer(client, client.duplicates.FindDuplicates, request)

    answer = asking.asked(data, name, "agent", work)
    page = pages.duplicates(answer.candidates) if answer.candidates else "No record looks like the same customer."
    show_answer(answer, page, as_json=as_json)


def history(
    customer: CustomerArgument,
    *,
    kind: Annotated[
        list[str] | None, typer.Option(help="Only changes of these records: customer, product, account …; repeatable.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most changes shown.")] = 20,
    as_json: JsonOption = False,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """List what was changed of a customer, by whom, the latest change first."""
    from holdfast.common.v1.query_pb2 import PageRequest
    from holdfast.customer_info.v1.history_pb2 import ListChangesRequest

    from cli import asking
    from cli.pages import changes as pages
    from cli.pages.paper import show, show_answer

    async def work(client: "Client") -> Any:
        request = ListChangesRequest(
            customer_id=await asking.customer_id(client, customer), kinds=kind, page=PageRequest(page_size=limit)
        )
        return await asking.answer(client, client.history.ListChanges, request)

    answer = asking.asked(data, name, "agent", work)
    page = pages.table(answer.changes) if answer.changes else "No change is kept."
    show_answer(answer, page, as_json=as_json)
    if not as_json and answer.page.next_page_token:
        show(f"There are more: --limit shows more than {limit}.")
