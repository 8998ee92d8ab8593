"""What commands on one customer have in common: whom they are about, at what time, and one way to ask the mesh."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.customer_info.v1.customers_pb2 import (
    Customer,
    CustomerStatus,
    GetCustomerRequest,
    LookupCustomerRequest,
)

from chassis.errors import metadata_of, reason_of
from cli.client import CALL_SECONDS, Client, client_of, run
from cli.console import CommandError
from cli.mesh.options import chosen_mesh
from cli.pages.who import name_of

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
    if own and await _is_customer(client, own):
        return own
    if not 1 <= len(text) <= LONGEST:
        raise CommandError(f"{argument} must have 1 to {LONGEST} characters", exit_code=2)
    try:
        found = await answer(client, client.customers.LookupCustomer, LookupCustomerRequest(any=text))
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            if own:
                # Other services may know of it.
                return own
            raise CommandError(f"{argument}: no customer answers to it") from None
        if reason_of(error) == "AMBIGUOUS":
            raise await _choice(client, argument, metadata_of(error)) from None
        raise
    return str(found.customer.id)


async def _is_customer(client: Client, own: str) -> bool:
    """Whether there is a record with this id: it is meant then, also where it was merged or the person erased."""
    try:
        await answer(client, client.customers.GetCustomer, GetCustomerRequest(customer_id=own))
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return False
        raise
    return True


async def _choice(client: Client, argument: str, told: Mapping[str, str]) -> CommandError:
    """What to say where several customers answer: who they are, so that one of them can be named."""
    ids = [one for one in told.get("ids", "").split(",") if one]
    found = await asyncio.gather(
        *(answer(client, client.customers.GetCustomer, GetCustomerRequest(customer_id=one)) for one in ids)
    )
    who = [f"{name_of(one.customer)} ({_status(one.customer)}) {one.customer.id}" for one in found]
    if told.get("more") == "true":
        who.append("perhaps more")
    return CommandError(f"{argument}: several customers answer to it, name one by its id: {'; '.join(who)}")


def _status(customer: Customer) -> str:
    return CustomerStatus.Name(customer.status).removeprefix("CUSTOMER_STATUS_").lower()


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
