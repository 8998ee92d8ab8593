"""Nothing acknowledged is lost, nothing is doubled: processes are killed in the middle of writes, and come back."""

import asyncio
import contextlib
import uuid

import grpc
import pytest
from holdfast.customer_info.v1 import customers_pb2
from holdfast.retention.v1 import features_pb2

from cli.client import Client
from tests.e2e import samples
from tests.support.mesh import LiveMesh
from tests.support.polling import eventually

WRITERS = 8
EACH = 40


async def write(client: Client, customer_id: str, names: list[str], acknowledged: set[str]) -> None:
    """Logs one interaction for each name, and tries again until it is acknowledged, as a careful sender does."""
    for name in names:
        while name not in acknowledged:
            with contextlib.suppress(grpc.aio.AioRpcError):
                request = samples.interaction(customer_id, name)
                await client.interactions.LogInteraction(request, metadata=client.metadata, timeout=5)
                await client.customers.CreateCustomer(named_customer(name), metadata=client.metadata, timeout=5)
                acknowledged.add(name)


def named_customer(name: str) -> customers_pb2.CreateCustomerRequest:
    """A customer that can be told by what is not sealed of it; the same name is what makes a retry harmless."""
    firm = customers_pb2.Customer(organization=customers_pb2.Organization(trading_name="Example"))
    firm.billed.total.currency_code, firm.billed.total.micros = "EUR", number_of(name)
    return customers_pb2.CreateCustomerRequest(customer=firm, request_id=name)


def number_of(name: str) -> int:
    """A number of 48 bits for each name, which is a UUID: no two are the same in a test."""
    return uuid.UUID(name).int >> 80


@pytest.mark.parametrize("member", ["interaction", "customer_info", "mongod", "edge", "gateway", "retention", "sla"])
async def test_killing_a_process_in_the_middle_of_writes_loses_and_doubles_nothing(
    mesh: LiveMesh, system: Client, member: str
) -> None:
    customer_id = str(uuid.uuid4())
    names = [[f"{uuid.uuid4()}" for _ in range(EACH)] for _ in range(WRITERS)]
    acknowledged: set[str] = set()
    writers = [asyncio.create_task(write(system, customer_id, mine, acknowledged)) for mine in names]

    async def under_way() -> bool:
        return len(acknowledged) >= WRITERS * EACH // 4

    await eventually(under_way, "the first writes")
    try:
        await asyncio.to_thread(mesh.kill, member)
    finally:
        await asyncio.to_thread(mesh.recover)
    async with asyncio.timeout(90):
        await asyncio.gather(*writers)
    wanted = {name for mine in names for name in mine}
    with mesh.database("interaction") as store:
        found = store["interactions"].find({"customer_id": customer_id})
        kept = [d["message_id"] for d in found]
    assert len(kept) == len(wanted), "one entry for each message, no more"
    assert set(kept) == wanted
    with mesh.database("customer_info") as database:
        numbers = [number_of(name) for name in sorted(wanted)]
        ids = [d["_id"] for d in database["customers"].find({"billed.total.micros": {"$in": numbers}})]
        told = database["outbox"].count_documents({"subject": {"$in": ids}})
    assert len(ids) == len(wanted), "one customer for each request, no more"
    assert told == len(wanted), "and one event for each"

    async def counted() -> bool:
        return await contacts(mesh, customer_id) == len(wanted)

    # Each was heard by retention exactly once, whatever was killed.
    await eventually(counted, "every contact among the features", seconds=60)


async def contacts(mesh: LiveMesh, customer_id: str) -> float:
    """How many contacts of the last 30 days retention counts."""
    client = Client(mesh.edge, mesh.token("agent"))
    try:
        request = features_pb2.GetFeaturesRequest(customer_id=customer_id)
        found = await client.features.GetFeatures(request, metadata=client.metadata)
    except grpc.aio.AioRpcError:
        return -1
    finally:
        await client.channel.close()
    return next(f.number for f in found.features if f.name == "contacts_30d")


async def test_a_service_told_to_stop_finishes_what_it_has_begun(mesh: LiveMesh, system: Client) -> None:
    customer_id = str(uuid.uuid4())
    names = [[f"{uuid.uuid4()}" for _ in range(EACH)] for _ in range(WRITERS)]
    acknowledged: set[str] = set()
    writers = [asyncio.create_task(write(system, customer_id, mine, acknowledged)) for mine in names]

    async def under_way() -> bool:
        return len(acknowledged) >= WRITERS

    await eventually(under_way, "the first writes")
    try:
        await asyncio.to_thread(mesh.stop, "interaction")
    finally:
        await asyncio.to_thread(mesh.recover)
    async with asyncio.timeout(90):
        await asyncio.gather(*writers)
    with mesh.database("interaction") as store:
        kept = store["interactions"].count_documents({"customer_id": customer_id})
    assert kept == WRITERS * EACH
