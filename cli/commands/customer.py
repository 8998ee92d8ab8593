"""`holdfast customer`."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.mesh.options import DataOption, NameOption, chosen_mesh

if TYPE_CHECKING:
    from holdfast.gateway.v1.experience_pb2 import GetCustomer360Response

    from cli.client import Client


def register(app: typer.Typer) -> None:
    app.command()(customer)


def customer(
    customer_id: Annotated[str, typer.Argument(metavar="ID", help="The customer's id, or one that others gave it.")],
    interactions: Annotated[int, typer.Option(min=1, max=100, help="Most contacts shown.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="The answer as JSON.")] = False,
    data: DataOption = None,
    name: NameOption = None,
) -> None:
    """Show the whole story of a customer: who, at what risk, with what, and whether promises were kept."""
    from datetime import UTC, datetime

    from google.protobuf.json_format import MessageToJson

    from cli.client import client_of, run
    from cli.pages import customer as pages
    from cli.pages.paper import show

    mesh = chosen_mesh(data, name)

    async def work() -> "GetCustomer360Response":
        async with client_of(mesh, "agent") as client:
            return await _story(client, customer_id, interactions)

    story = run(work())
    if as_json:
        print(MessageToJson(story, ensure_ascii=False))
    else:
        show(pages.page(story, datetime.now(UTC)))


async def _story(client: "Client", asked: str, interactions: int) -> "GetCustomer360Response":
    from holdfast.gateway.v1.experience_pb2 import GetCustomer360Request

    from cli.client import CALL_SECONDS

    customer_id = _uuid(asked) or await _look_up(client, asked)
    request = GetCustomer360Request(customer_id=customer_id, interactions=interactions)
    return await client.experience.GetCustomer360(request, metadata=client.metadata, timeout=CALL_SECONDS)


async def _look_up(client: "Client", asked: str) -> str:
    import grpc
    from holdfast.customer_info.v1.customers_pb2 import LookupCustomerRequest, LookupExternalId

    from cli.client import CALL_SECONDS
    from cli.console import CommandError

    if not 1 <= len(asked) <= 128:
        raise CommandError("ID must have 1 to 128 characters", exit_code=2)
    request = LookupCustomerRequest(external_id=LookupExternalId(value=asked))
    try:
        call = client.customers.LookupCustomer(request, metadata=client.metadata, timeout=CALL_SECONDS)
        return (await call).customer.id
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            raise CommandError("ID: no customer, or more than one, answers to it") from None
        raise


def _uuid(text: str) -> str:
    """The text as a UUID in its usual form; empty if it is none."""
    import uuid

    try:
        return str(uuid.UUID(text)) if "-" in text else ""
    except ValueError:
        return ""
