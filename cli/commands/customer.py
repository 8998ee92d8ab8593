"""`holdfast customer`: one customer, read and changed. What names no command is a customer to show."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from cli.commands import customer_changing, customer_reading
from cli.mesh.options import DataOption, JsonOption, NameOption

if TYPE_CHECKING:
    from holdfast.gateway.v1.experience_pb2 import GetCustomer360Response

    from cli.client import Client

DEFAULT = "show"


class ShownByDefault(TyperGroup):
    """`holdfast customer ID` is `holdfast customer show ID`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        cls=ShownByDefault, help="One customer: `holdfast customer ID` shows the whole story.", no_args_is_help=True
    )
    group.command()(show)
    customer_reading.register(group)
    customer_changing.register(group)
    app.add_typer(group, name="customer")


def show(
    customer: Annotated[str, typer.Argument(metavar="ID", help="The customer's id, or anything it can be found by.")],
    interactions: Annotated[int, typer.Option(min=1, max=100, help="Most contacts shown.")] = 10,
    as_json: JsonOption = False,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Show the whole story of a customer: who, at what risk, with what, and whether promises were kept."""
    from datetime import UTC, datetime

    from holdfast.gateway.v1.experience_pb2 import GetCustomer360Request

    from cli import asking
    from cli.pages import customer as pages
    from cli.pages.paper import show_answer

    async def work(client: "Client") -> "GetCustomer360Response":
        customer_id = await asking.customer_id(client, customer, "ID")
        request = GetCustomer360Request(customer_id=customer_id, interactions=interactions)
        found: GetCustomer360Response = await asking.answer(client, client.experience.GetCustomer360, request)
        return found

    story = asking.asked(data, name, "agent", work)
    show_answer(story, pages.page(story, datetime.now(UTC)), as_json=as_json)
