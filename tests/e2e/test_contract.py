"""The contract and what is served, in both directions."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from cli.mesh.members import ROOT
from tests.support.mesh import LiveMesh

PUBLISHERS = ("customer_info", "interaction", "retention", "sla")


def described() -> Iterator[tuple[str, MethodDescriptor]]:
    """Every method of the contract, with each member that has to serve it."""
    files = descriptor_pb2.FileDescriptorSet.FromString((ROOT / "gen" / "holdfast.binpb").read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
        if not file.package.startswith("holdfast."):
            continue
        member = file.package.split(".")[1]
        for service in file.service:
            for method in service.method:
                found = pool.FindMethodByName(f"{file.package}.{service.name}.{method.name}")
                for one in PUBLISHERS if member == "events" else (member,):
                    yield one, found


async def silence() -> AsyncIterator[bytes]:
    """A stream of requests that goes on, and says nothing."""
    await asyncio.Event().wait()
    yield b""


@pytest.mark.parametrize(("member", "method"), [pytest.param(m, d, id=f"{m}-{d.full_name}") for m, d in described()])
async def test_every_method_of_the_contract_has_a_handler(
    mesh: LiveMesh, member: str, method: MethodDescriptor
) -> None:
    path = f"/{method.containing_service.full_name}/{method.name}"
    async with grpc.aio.insecure_channel(mesh.address(member)) as channel:
        stream: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(path)
        single: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(path)
        # A stream is refused before it is read: what is sent then may cross the refusal, and fail instead of it.
        opened = stream(silence()) if method.client_streaming else single(b"")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await anext(aiter(opened))
    # Not UNIMPLEMENTED: the method is there, and asks who calls.
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("member", [*PUBLISHERS, "gateway"])
def test_nothing_is_served_that_the_contract_does_not_name(mesh: LiveMesh, member: str) -> None:
    with grpc.insecure_channel(mesh.address(member)) as channel:
        served = set(ProtoReflectionDescriptorDatabase(channel).get_services())
    contract = {d.containing_service.full_name for m, d in described() if m == member}
    assert served == contract | {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


def test_no_method_has_answered_with_a_reason_that_it_does_not_document(mesh: LiveMesh) -> None:
    logs = {p.name: p.read_text(errors="replace") for p in mesh.instance.data.rglob("*.log")}
    assert set(logs) >= {f"{m}.log" for m in PUBLISHERS}
    assert not [line for text in logs.values() for line in text.splitlines() if "undocumented_reason" in line]
