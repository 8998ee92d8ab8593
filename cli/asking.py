"""What commands on one customer have in common: whom they are about, at what time, and one way to ask the mesh."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.customer_info.v1.customers_pb2 import LookupCustomerRequest

from cli.client import CALL_SECONDS, Client, client_of, run
from cli.console import CommandError
from cli.mesh.options import chosen_mesh

LONGEST: Final = 512
T = TypeVar("T")


def asked(data: Path | None, name: str | None, role: str, work: Callable[[Client], Awaitable[T]]) -> T:
    """What `work` gets from the chosen mesh, in that role.

    Raises:
        CommandError: there is no such mesh, or it refuses.
    """
    mesh = chosen_mesh(data, name)

    async def working() -> T:
        async with client_of(mesh, role) as client:
            return await work(client)

    return run(working())


async def answer(client: Client, method: Any, request: Any) -> Any:
    """The answer to one call."""
    return await method(request, metadata=client.metadata, timeout=CALL_SECONDS)


async def customer_id(client: Client, text: str, argument: str = "CUSTOMER") -> str:
    """The id of the customer meant: its own id, or anything that it can be looked up by.

    Raises:
        CommandError: nobody answers to it, or several do.
    """
    own = uuid_of(text)
    if own:
        return own
    if not 1 <= len(text) <= LONGEST:
        raise CommandError(f"{argument} must have 1 to {LONGEST} characters", exit_code=2)
    try:
        found = await answer(client, client.customers.LookupCustomer, LookupCustomerRequest(any=text))
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            raise CommandError(f"{argument}: no customer, or more than one, answers to it") from None
        raise
    return str(found.customer.id)


def uuid_of(text: str) -> str:
    """The text as a UUID in its usual form; empty if it is none."""
    try:
        return str(uuid.UUID(text)) if "-" in text else ""
    except ValueError:
        return ""


def id_of(text: str, argument: str) -> str:
    """An id that must be one.

    Raises:
        CommandError: it is none.
    """
    found = uuid_of(text)
    if not found:
        raise CommandError(f"{argument} must be an id such as 0b0e7f0a-5e0c-4a43-9d38-5e9d9cbf7a01", exit_code=2)
    return found


def moment(text: str | None, option: str) -> Timestamp | None:
    """A day (its begin, UTC) or a time; None where nothing is said.

    Raises:
        CommandError: it is neither.
    """
    if text is None:
        return None
    stamp = Timestamp()
    try:
        said = datetime.fromisoformat(text)
        # In UTC, the first and the last day of the calendar may lie outside of it.
        stamp.FromDatetime(said.astimezone(UTC) if said.tzinfo else said.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise CommandError(
            f"{option} must be a day or a time, such as {date(2026, 3, 14)} or 2026-03-14T12:00", exit_code=2
        ) from None
    return stamp
