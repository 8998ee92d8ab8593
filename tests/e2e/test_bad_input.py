"""Bad input gets a clear error that names the field, and changes nothing."""

import uuid

import grpc
import httpx
import pytest
from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import customers_pb2
from holdfast.interaction.v1 import interactions_pb2

from cli.client import Client
from tests.e2e import samples
from tests.support.mesh import LiveMesh

CUSTOMERS = "/holdfast.customer_info.v1.CustomersService"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"customer": {"individual": {"familyName": "X"}, "nickname": "Y"}}', "nickname"),
        ('{"customer": {"individual": {"familyName": 7}}}', "family_name"),
        ('{"customer": {"individual": {}}}', "family_name"),
        ('{"customer": {}}', "party"),
        ("{not json", ""),
    ],
)
async def test_a_body_that_is_wrong_is_refused_with_the_field_named(mesh: LiveMesh, body: str, says: str) -> None:
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=dict(mesh.bearer("agent"))) as http:
        answer = await http.post("/v1/customers", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert says in answer.text


async def test_a_message_over_four_mebibytes_is_refused(mesh: LiveMesh, agent: Client) -> None:
    request = samples.interaction(str(uuid.uuid4()))
    request.interaction.note = "x" * (4 * 1024 * 1024 + 1)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await agent.interactions.LogInteraction(request, metadata=agent.metadata)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=dict(mesh.bearer("agent"))) as http:
        answer = await http.post("/v1/interactions", content=b'{"interaction": {"note": "' + b"x" * 5_000_000 + b'"}}')
    assert answer.status_code == 413


async def test_invalid_utf8_is_refused(mesh: LiveMesh) -> None:
    async with grpc.aio.insecure_channel(mesh.edge) as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"{CUSTOMERS}/GetCustomer")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(b"\x0a\x02\xff\xfe", metadata=mesh.bearer("agent"))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_negative_page_size_and_a_foreign_token_are_refused(agent: Client) -> None:
    request = customers_pb2.ListCustomersRequest(query=query_pb2.Query(page=query_pb2.PageRequest(page_size=-1)))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await agent.customers.ListCustomers(request, metadata=agent.metadata)
    assert "page_size" in str(refused.value.details())
    for n in range(3):
        await agent.interactions.LogInteraction(samples.interaction(str(uuid.UUID(int=n + 1))), metadata=agent.metadata)
    customer_id = await samples.customer(agent)
    await samples.customer(agent)
    listed = customers_pb2.ListCustomersRequest(query=query_pb2.Query(page=query_pb2.PageRequest(page_size=1)))
    token = (await agent.customers.ListCustomers(listed, metadata=agent.metadata)).page.next_page_token
    assert token
    foreign = interactions_pb2.ListInteractionsRequest(
        customer_id=customer_id, query=query_pb2.Query(page=query_pb2.PageRequest(page_token=token))
    )
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await agent.interactions.ListInteractions(foreign, metadata=agent.metadata)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "page token" in str(refused.value.details())


async def test_an_unknown_path_answers_with_a_body_that_says_so(mesh: LiveMesh) -> None:
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=dict(mesh.bearer("agent"))) as http:
        answer = await http.get("/v2/nothing")
    assert answer.status_code == 404
    assert set(answer.json()) >= {"code", "reason"}
