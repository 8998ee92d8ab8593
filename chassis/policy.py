"""What the contract says of each method: its shape, and who may call it.

The policy stands in the proto, beside the method. A method without one does not start.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from holdfast.common.v1 import errors_pb2, policy_pb2


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the contract.

    `path` is its gRPC path; `roles` may call it, in lower case; `customer_field` names the request field whose value a
    customer must own, empty where customers may not call; `row_field` the one whose items its handler checks itself;
    `errors` are the reasons it documents beyond the common ones.
    """

    path: str
    request: type[Message]
    client_streaming: bool
    server_streaming: bool
    roles: frozenset[str]
    customer_field: str
    row_field: str
    errors: frozenset[str]

    @property
    def streaming(self) -> bool:
        """Whether either side is a stream: such a call has no default deadline."""
        return self.client_streaming or self.server_streaming

    def customer_of(self, request: Message) -> str:
        """The id of the customer that `request` is about."""
        return str(attrgetter(self.customer_field)(request))


class PolicyError(Exception):
    """A method whose policy is missing or makes no sense; the process does not start."""


def methods(service: ServiceDescriptor) -> Iterator[Method]:
    """The methods of `service`.

    Raises:
        PolicyError: one of them has no roles, is open to customers but names no field, or names one it lacks.
    """
    for method in service.methods:
        yield _method(service, method)


def _method(service: ServiceDescriptor, method: MethodDescriptor) -> Method:
    options: Any = method.GetOptions()
    policy = options.Extensions[policy_pb2.policy]
    roles = frozenset(policy_pb2.Role.Name(r).removeprefix("ROLE_").lower() for r in policy.roles)
    if not roles or "unspecified" in roles:
        raise PolicyError(f"{method.full_name} names no role in its policy")
    if "customer" in roles and not policy.customer_field:
        raise PolicyError(f"{method.full_name} is open to customers, but its policy names no customer_field")
    if policy.customer_field:
        _check_path(method, "customer_field", policy.customer_field)
    if policy.row_field:
        _check_path(method, "row_field", policy.row_field)
    return Method(
        path=f"/{service.full_name}/{method.name}",
        request=GetMessageClass(method.input_type),
        client_streaming=bool(getattr(method, "client_streaming", False)),
        server_streaming=bool(getattr(method, "server_streaming", False)),
        roles=roles,
        customer_field=policy.customer_field,
        row_field=policy.row_field,
        errors=frozenset(errors_pb2.ErrorReason.Name(e).removeprefix("ERROR_REASON_") for e in policy.errors),
    )


def _check_path(method: MethodDescriptor, option: str, path: str) -> None:
    message: Descriptor | None = method.input_type
    for part in path.split("."):
        field = message.fields_by_name.get(part) if message is not None else None
        if field is None:
            raise PolicyError(f"{method.full_name} names {option} {path}, which its request lacks")
        message = field.message_type
