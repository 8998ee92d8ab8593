"""The permission of a method stands in its contract; without one, nothing starts."""

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor
from holdfast.common.v1 import policy_pb2

from chassis.errors import COMMON_REASONS
from chassis.policy import Method, PolicyError, methods

DESCRIPTORS = Path(__file__).resolve().parents[3] / "gen" / "holdfast.binpb"
AGENT, CUSTOMER = policy_pb2.ROLE_AGENT, policy_pb2.ROLE_CUSTOMER


def service(policy: policy_pb2.MethodPolicy | None, package: str) -> ServiceDescriptor:
    """A service with one method under this policy; its request has `own.customer_id` and `name`."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    text = descriptor_pb2.FieldDescriptorProto.TYPE_STRING
    inner = file.message_type.add(name="Own")
    inner.field.add(name="customer_id", number=1, type=text, label=1)
    request = file.message_type.add(name="Request")
    request.field.add(name="name", number=1, type=text, label=1)
    kind = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
    request.field.add(name="own", number=2, type=kind, type_name=f".{package}.Own", label=1)
    whole = f".{package}.Request"
    method = file.service.add(name="Things").method.add(name="Do", input_type=whole, output_type=whole)
    if policy is not None:
        method.options.Extensions[policy_pb2.policy].CopyFrom(policy)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    found: ServiceDescriptor = pool.FindServiceByName(f"{package}.Things")
    return found


@pytest.mark.parametrize(
    ("name", "policy", "why"),
    [
        ("none", None, "names no role"),
        ("empty", policy_pb2.MethodPolicy(), "names no role"),
        ("unknown", policy_pb2.MethodPolicy(roles=[AGENT, policy_pb2.ROLE_UNSPECIFIED]), "names no role"),
        ("open", policy_pb2.MethodPolicy(roles=[AGENT, CUSTOMER]), "names no customer_field"),
        ("astray", policy_pb2.MethodPolicy(roles=[CUSTOMER], customer_field="customer_id"), "which its request lacks"),
        ("deep", policy_pb2.MethodPolicy(roles=[CUSTOMER], customer_field="own.id"), "which its request lacks"),
        ("through", policy_pb2.MethodPolicy(roles=[CUSTOMER], customer_field="name.id"), "which its request lacks"),
        ("idle", policy_pb2.MethodPolicy(roles=[AGENT], customer_field="nothing"), "which its request lacks"),
    ],
)
def test_a_policy_that_makes_no_sense_stops_the_start(
    name: str, policy: policy_pb2.MethodPolicy | None, why: str
) -> None:
    with pytest.raises(PolicyError, match=why) as refused:
        list(methods(service(policy, f"refused.{name}")))
    assert f"refused.{name}.Things.Do" in str(refused.value)


def test_a_policy_tells_who_may_call_and_about_whom() -> None:
    policy = policy_pb2.MethodPolicy(roles=[AGENT, CUSTOMER], customer_field="own.customer_id")
    (method,) = methods(service(policy, "good"))
    assert method.path == "/good.Things/Do"
    assert method.roles == {"agent", "customer"}
    request: Any = method.request()
    assert method.customer_of(request) == ""
    request.own.customer_id = "c1"
    assert method.customer_of(request) == "c1"
    assert not method.streaming


def contract() -> list[tuple[ServiceDescriptor, list[Method]]]:
    """Every service of the house with its methods."""
    pool = descriptor_pool.DescriptorPool()
    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()).file
    for file in files:
        pool.AddSerializedFile(file.SerializeToString())
    ours = [file for file in files if file.package.startswith("holdfast.")]
    named = [f"{file.package}.{s.name}" for file in ours for s in file.service]
    return [(pool.FindServiceByName(name), list(methods(pool.FindServiceByName(name)))) for name in named]


def test_every_method_of_the_contract_has_a_policy() -> None:
    found = contract()
    assert {"CustomersService", "PortfolioService", "EventsService"} <= {service.name for service, _ in found}
    for descriptor, known in found:
        assert len(known) == len(descriptor.methods) > 0


def test_methods_document_no_reason_that_any_method_may_answer() -> None:
    for _, known in contract():
        for method in known:
            assert not method.errors & COMMON_REASONS, method.path
            assert "UNSPECIFIED" not in method.errors, method.path
