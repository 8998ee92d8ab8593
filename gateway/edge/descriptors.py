"""What the edge needs to know of the contracts: which methods exist, stream, only read, or speak REST."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from google.api import annotations_pb2
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.descriptor_pb2 import (
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    MethodOptions,
    ServiceDescriptorProto,
)
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from gateway.edge.rest import RestBodies, read_rest_bodies
from gateway.edge.settings import SERVICES, EdgeError

OWN_PACKAGES = tuple(f"holdfast.{name}." for name in SERVICES)


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC. `reads` holds when a second execution changes nothing; `rest` when it has an HTTP mapping."""

    service: str
    name: str
    streams: bool
    reads: bool
    rest: bool

    @property
    def path(self) -> str:
        return f"/{self.service}/{self.name}"

    @property
    def owner(self) -> str:
        """The mesh member that serves it: the second word of the package `holdfast.<owner>.v1`."""
        return self.service.split(".")[1]


@dataclass(frozen=True, slots=True)
class Api:
    """The contracts as the edge sees them: methods in order of path, and the JSON bodies of those with REST."""

    methods: tuple[Method, ...]
    rest_bodies: RestBodies
    descriptor_set: bytes

    @property
    def rest_services(self) -> list[str]:
        """Full names of services with an HTTP mapping; the transcoder has nothing to do for the others."""
        return sorted({method.service for method in self.methods if method.rest})


def read_api(descriptors: Path) -> Api:
    """Read the descriptor set.

    Raises EdgeError when the file is missing, is no descriptor set, or holds no method of ours.
    """
    try:
        files = FileDescriptorSet.FromString(descriptors.read_bytes())
    except FileNotFoundError:
        raise EdgeError(f"the descriptor set {descriptors} is missing: run `make gen`") from None
    except DecodeError:
        raise EdgeError(f"{descriptors} is not a protobuf descriptor set: run `make gen`") from None
    methods = sorted(_methods(files), key=lambda method: method.path)
    if not methods:
        raise EdgeError(f"{descriptors} describes no service of the mesh: run `make gen`")
    rest_bodies = read_rest_bodies(files)
    _add_error_details(files)
    return Api(tuple(methods), rest_bodies, files.SerializeToString(deterministic=True))


def _add_error_details(files: FileDescriptorSet) -> None:
    """No method names the types of `google.rpc` error details, so no descriptor set has them; errors carry them."""
    present = {file.name for file in files.file}
    for details in (any_pb2, duration_pb2, status_pb2, error_details_pb2):
        if details.DESCRIPTOR.name not in present:
            details.DESCRIPTOR.CopyToProto(files.file.add())


def _methods(files: FileDescriptorSet) -> Iterator[Method]:
    for file in files.file:
        # Others, such as events.v1, are served by every service: no path of theirs names one.
        if file.package.startswith(OWN_PACKAGES):
            for service in file.service:
                for method in service.method:
                    yield _method(file, service, method)


def _method(file: FileDescriptorProto, service: ServiceDescriptorProto, method: MethodDescriptorProto) -> Method:
    rest = method.options.HasExtension(annotations_pb2.http)
    return Method(
        service=f"{file.package}.{service.name}",
        name=method.name,
        streams=method.client_streaming or method.server_streaming,
        reads=method.options.idempotency_level == MethodOptions.NO_SIDE_EFFECTS
        or (rest and bool(method.options.Extensions[annotations_pb2.http].get)),
        rest=rest,
    )
