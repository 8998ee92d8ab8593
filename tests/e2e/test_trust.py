"""Who is let in: at the edge and again at the service; and whose database a service can read."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import grpc
import httpx
import pymongo
import pytest
from holdfast.customer_info.v1 import customers_pb2
from pymongo.errors import OperationFailure

from cli.client import Client
from cli.mesh.instance import Instance
from cli.mesh.issuer import Issuer
from cli.mesh.members import SERVICES
from tests.e2e import samples
from tests.support.mesh import LiveMesh

GET = "/holdfast.customer_info.v1.CustomersService/GetCustomer"


def expired(mesh: LiveMesh) -> str:
    return Issuer(mesh.instance).token(["agent"], "late", exp=int(time.time()) - 3600)


def wrong_audience(mesh: LiveMesh) -> str:
    return Issuer(mesh.instance).token(["agent"], "lost", aud="somebody-else")


def wrong_issuer(mesh: LiveMesh) -> str:
    return Issuer(mesh.instance).token(["agent"], "lost", iss="https://elsewhere.example")


def forged(mesh: LiveMesh) -> str:
    head, body, signature = mesh.token("agent").split(".")
    swapped = "A" if signature[10] != "A" else "B"
    return ".".join((head, body, signature[:10] + swapped + signature[11:]))


@pytest.mark.parametrize("make", [expired, wrong_audience, wrong_issuer, forged, lambda _: "nonsense", lambda _: ""])
@pytest.mark.parametrize("door", ["edge", "customer_info"])
async def test_a_token_that_cannot_be_trusted_is_refused_at_the_edge_and_at_the_service(
    mesh: LiveMesh, make: Callable[[LiveMesh], str], door: str
) -> None:
    token = make(mesh)
    metadata = (("authorization", f"Bearer {token}"),) if token else None
    request = customers_pb2.GetCustomerRequest(customer_id=str(uuid.uuid4())).SerializeToString()
    async with grpc.aio.insecure_channel(mesh.address(door)) as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(GET)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(request, metadata=metadata)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("door", ["edge", "customer_info"])
async def test_a_role_that_may_not_is_refused_through_the_edge_and_at_the_service(mesh: LiveMesh, door: str) -> None:
    request = customers_pb2.CreateCustomerRequest(
        customer=customers_pb2.Customer(individual=customers_pb2.Individual(family_name="Example"))
    )
    async with grpc.aio.insecure_channel(mesh.address(door)) as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            "/holdfast.customer_info.v1.CustomersService/CreateCustomer"
        )
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(request.SerializeToString(), metadata=mesh.bearer("auditor"))
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_customer_sees_itself_and_nobody_else(mesh: LiveMesh, agent: Client) -> None:
    mine, other = await samples.customer(agent), await samples.customer(agent)
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=dict(mesh.bearer("customer", mine))) as http:
        assert (await http.get(f"/v1/customers/{mine}")).status_code == 200
        refused = await http.get(f"/v1/customers/{other}")
    assert refused.status_code == 403
    assert "NOT_OWN_CUSTOMER" in refused.text


def test_the_database_user_of_a_service_cannot_read_another_services_database(mesh: LiveMesh) -> None:
    uris = mesh.mongo_uris()
    for service in SERVICES:
        client: pymongo.MongoClient[Any]
        with pymongo.MongoClient(uris[service]) as client:
            assert client.get_default_database().list_collection_names()
            for other in SERVICES:
                if other == service:
                    continue
                with pytest.raises(OperationFailure, match="not authorized"):
                    client[other].list_collection_names()
                with pytest.raises(OperationFailure, match="not authorized"):
                    client[other]["outbox"].find_one()
                with pytest.raises(OperationFailure, match="not authorized"):
                    client[other].command("insert", "outbox", documents=[{"_id": "x"}])


def test_secrets_of_an_instance_are_readable_by_its_user_only(mesh: LiveMesh) -> None:
    instance: Instance = mesh.instance
    files = [p for p in instance.data.rglob("*") if p.is_file() and p.parent.name in ("secrets", "tokens")]
    assert files
    assert {p.stat().st_mode & 0o077 for p in files} == {0}
