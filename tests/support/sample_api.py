"""A small API in the packages of the mesh, and a real gRPC server for it: what a platform test needs of a service."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    MethodOptions,
    ServiceDescriptorProto,
)
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

SERVICES = ("customer_info", "interaction", "retention", "sla", "gateway")


def _methods(package: str) -> list[MethodDescriptorProto]:
    def method(name: str, *, client: bool = False, server: bool = False) -> MethodDescriptorProto:
        note = f".{package}.Note"
        return MethodDescriptorProto(
            name=name, input_type=note, output_type=note, client_streaming=client, server_streaming=server
        )

    write, read, get, post = method("Write"), method("Read"), method("GetNote"), method("PostNote")
    read.options.idempotency_level = MethodOptions.NO_SIDE_EFFECTS
    service = package.split(".")[1]
    get.options.Extensions[annotations_pb2.http].CopyFrom(http_pb2.HttpRule(get=f"/v1/{service}/{{text}}"))
    post.options.Extensions[annotations_pb2.http].CopyFrom(http_pb2.HttpRule(post=f"/v1/{service}", body="*"))
    return [write, read, get, post, method("Watch", server=True), method("Load", client=True)]


def _file(service: str) -> FileDescriptorProto:
    package = f"holdfast.{service}.v1"
    optional = FieldDescriptorProto.LABEL_OPTIONAL
    note = DescriptorProto(
        name="Note",
        field=[
            FieldDescriptorProto(name="text", number=1, type=FieldDescriptorProto.TYPE_STRING, label=optional),
            FieldDescriptorProto(name="how_many", number=2, type=FieldDescriptorProto.TYPE_INT32, label=optional),
            FieldDescriptorProto(name="caller", number=3, type=FieldDescriptorProto.TYPE_STRING, label=optional),
        ],
    )
    notes = ServiceDescriptorProto(name="Notes", method=_methods(package))
    return FileDescriptorProto(
        name=f"sample/{service}.proto",
        package=package,
        syntax="proto3",
        dependency=["google/api/annotations.proto"],
        message_type=[note],
        service=[notes],
    )


def descriptor_set() -> FileDescriptorSet:
    """The sample API of every service, with all imports."""
    files = FileDescriptorSet()
    for dependency in (
        annotations_pb2.DESCRIPTOR.dependencies[1],
        http_pb2.DESCRIPTOR,
        annotations_pb2.DESCRIPTOR,
    ):
        dependency.CopyToProto(files.file.add())
    files.file.extend(_file(service) for service in SERVICES)
    return files


def write_descriptors(directory: Path) -> Path:
    path = directory / "sample.binpb"
    path.write_bytes(descriptor_set().SerializeToString())
    return path


def note_type(service: str) -> type[Message]:
    """The message class `holdfast.<service>.v1.Note`."""
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_set().file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"holdfast.{service}.v1.Note"))


def _absent() -> status_pb2.Status:
    status = status_pb2.Status(code=5, message="no such note")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason="ABSENT", domain="sample"))
    return status


def call(channel: grpc.Channel, method: str) -> "grpc.UnaryUnaryMultiCallable[bytes, bytes]":
    """A unary method of the sample API, such as `sla/Write`, in serialized notes."""
    return channel.unary_unary(path(method))


def path(method: str) -> str:
    service, name = method.split("/")
    return f"/holdfast.{service}.v1.Notes/{name}"


class _Notes(grpc.GenericRpcHandler):
    """Echoes a note of any service, with the subject of the forwarded token; a few texts ask for a special answer."""

    def __init__(self) -> None:
        self._note = note_type("gateway")

    def service(self, call: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            "Watch": grpc.unary_stream_rpc_method_handler(self._watch),
            "Load": grpc.stream_unary_rpc_method_handler(self._load),
        }
        if call.method.startswith("/holdfast."):
            return handlers.get(call.method.rsplit("/")[-1]) or grpc.unary_unary_rpc_method_handler(self._echo)
        return None

    async def _echo(self, request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        note = self._note.FromString(request)
        if note.text == "slow":  # type: ignore[attr-defined]
            await asyncio.sleep(3600)
        if note.text == "absent":  # type: ignore[attr-defined]
            details = (("grpc-status-details-bin", _absent().SerializeToString()),)
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such note", details)
        headers = dict(context.invocation_metadata() or ())
        note.caller = "token forwarded" if headers.get("authorization") else "no token"  # type: ignore[attr-defined]
        return note.SerializeToString()

    async def _watch(self, request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> AsyncIterator[bytes]:
        for _ in range(3):
            yield request

    async def _load(self, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        return self._note(how_many=len([request async for request in requests])).SerializeToString()


async def serve(listen: str) -> None:
    """Serve health and the sample API on `listen` until SIGTERM."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((_Notes(),))
    checks = health.aio.HealthServicer()
    await checks.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    server.add_insecure_port(listen)
    await server.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await server.stop(0.5)


if __name__ == "__main__":
    asyncio.run(serve(os.environ["HOLDFAST_LISTEN"]))
