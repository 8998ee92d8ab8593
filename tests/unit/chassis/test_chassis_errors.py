"""Errors are an API: every refusal has its status, and every reason its place in the contract."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from holdfast.common.v1 import errors_pb2

import chassis.interceptors.errors  # the fault that is nobody's refusal has its row there
from chassis import rules
from chassis.errors import COMMON_REASONS, DETAILS_TRAILER, DOMAIN, TABLE, Violations, from_status, reason_of, to_status
from chassis.rules import Refusal

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [path for folder in ("chassis", "services", "gateway") for path in sorted((ROOT / folder).rglob("*.py"))]
REASONS = {name.removeprefix("ERROR_REASON_") for name, number in errors_pb2.ErrorReason.items() if number}


def below(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for one in kind.__subclasses__():
        yield one
        yield from below(one)


def made(kind: type[Refusal]) -> Refusal:
    """A refusal of this kind, with whatever it asks for."""
    extra: dict[str, Any] = {}
    if issubclass(kind, Violations):
        return Violations([("a.b", "wrong"), ("c", "missing")])
    if issubclass(kind, rules.Invalid):
        extra["field"] = "a.b"
    if issubclass(kind, rules.Exhausted | rules.Unavailable):
        extra["retry_after"] = 1.25
    return kind("a sentence", **extra)


KINDS = sorted(below(Refusal), key=lambda kind: kind.__name__)


def failed(refusal: Refusal) -> grpc.aio.AioRpcError:
    """What a caller gets for `refusal`."""
    status = to_status(refusal, "a-request")
    trailers = grpc.aio.Metadata(*status.trailers)
    return grpc.aio.AioRpcError(status.code, grpc.aio.Metadata(), trailers, status.message)


def details(refusal: Refusal) -> dict[str, Any]:
    """The details of a refusal's status, by their kind."""
    status = to_status(refusal, "a-request")
    ((name, packed),) = status.trailers
    assert name == DETAILS_TRAILER
    found: dict[str, Any] = {}
    message = status_pb2.Status.FromString(packed)
    assert (message.code, message.message) == (status.code.value[0], refusal.message)
    for detail in message.details:
        kind = getattr(error_details_pb2, detail.type_url.rpartition(".")[2])
        unpacked = kind()
        assert detail.Unpack(unpacked)
        found[kind.DESCRIPTOR.name] = unpacked
    return found


def test_the_table_covers_every_kind_of_refusal() -> None:
    assert chassis.interceptors.errors.Errors.name == "errors"
    assert len(KINDS) >= 11
    direct = set(Refusal.__subclasses__())
    assert direct == set(TABLE)
    assert all(any(base in TABLE for base in kind.__mro__) for kind in KINDS)


def test_no_two_kinds_share_a_status() -> None:
    assert len(set(TABLE.values())) == len(TABLE)
    assert grpc.StatusCode.UNKNOWN not in TABLE.values()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_refusal_arrives_with_its_reason_and_what_goes_with_it(kind: type[Refusal]) -> None:
    refusal = made(kind)
    found = details(refusal)
    assert (found["ErrorInfo"].reason, found["ErrorInfo"].domain) == (refusal.reason, DOMAIN)
    assert found["RequestInfo"].request_id == "a-request"
    assert ("BadRequest" in found) is isinstance(refusal, rules.Invalid)
    assert ("RetryInfo" in found) is isinstance(refusal, rules.Exhausted | rules.Unavailable)
    assert reason_of(failed(refusal)) == refusal.reason


def test_metadata_and_fields_arrive_as_they_were_given() -> None:
    info = details(rules.NotFound("gone", metadata={"type": "customer", "id": "7"}))["ErrorInfo"]
    assert dict(info.metadata) == {"type": "customer", "id": "7"}
    bad = details(made(Violations))["BadRequest"]
    assert [(v.field, v.description) for v in bad.field_violations] == [("a.b", "wrong"), ("c", "missing")]
    retry = details(rules.Exhausted("full", retry_after=1.25))["RetryInfo"].retry_delay
    assert (retry.seconds, retry.nanos) == (1, 250_000_000)


@pytest.mark.parametrize("kind", [k for k in KINDS if k in TABLE], ids=lambda kind: kind.__name__)
def test_a_refusal_by_another_service_is_passed_on_or_answered_for(kind: type[Refusal]) -> None:
    refusal = made(kind)
    passed = from_status(failed(refusal))
    if isinstance(refusal, rules.Invalid) or TABLE[kind] is grpc.StatusCode.INTERNAL:
        # What this service asked was wrong, or the other one broke: not its caller's fault.
        assert not isinstance(passed, rules.Invalid)
        assert TABLE[type(passed)] in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL)
    else:
        assert type(passed) is kind


def test_an_error_without_our_details_is_known_by_its_code() -> None:
    bare = grpc.aio.AioRpcError(grpc.StatusCode.UNIMPLEMENTED, grpc.aio.Metadata(), grpc.aio.Metadata(), "no")
    assert reason_of(bare) == "UNIMPLEMENTED"
    noise = grpc.aio.Metadata((DETAILS_TRAILER, b"\xff\xff"))
    broken = grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, grpc.aio.Metadata(), noise, "no")
    assert reason_of(broken) == "INTERNAL"


def literals(tree: ast.Module) -> Iterator[str]:
    """The reasons that a source names: `reason="…"`, `reason: str = "…"`, `default_reason = "…"`."""
    for node in ast.walk(tree):
        value: ast.expr | None = None
        if (isinstance(node, ast.keyword) and node.arg == "reason") or (
            isinstance(node, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id in ("reason", "default_reason") for t in node.targets)
        ):
            value = node.value
        for part in ast.walk(value) if value is not None else ():
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.isupper():
                yield part.value


def test_every_reason_that_the_source_names_stands_in_the_contract() -> None:
    found = {(reason, path.name) for path in SOURCES for reason in literals(ast.parse(path.read_text()))}
    assert {"ETAG_MISMATCH", "FORBIDDEN_TRANSITION", "INVALID_QUERY", "EXPIRED_TOKEN"} <= {
        reason for reason, _ in found
    }
    assert {(reason, name) for reason, name in found if reason not in REASONS} == set()


def test_every_reason_is_upper_case_text_of_the_enum_also_by_default() -> None:
    assert {kind.default_reason for kind in KINDS} <= REASONS
    assert COMMON_REASONS <= REASONS
