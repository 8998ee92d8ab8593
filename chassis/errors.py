"""The one table that turns a refusal into a gRPC status. Nobody else builds a status.

Every error carries `google.rpc.ErrorInfo` (domain "holdfast", a reason from `holdfast.common.v1.ErrorReason`), and,
where they fit, `BadRequest`, `RetryInfo` and `RequestInfo`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from chassis import rules

DOMAIN = "holdfast"
DETAILS_TRAILER = "grpc-status-details-bin"

TABLE: dict[type[rules.Refusal], grpc.StatusCode] = {
    rules.Invalid: grpc.StatusCode.INVALID_ARGUMENT,
    rules.NotFound: grpc.StatusCode.NOT_FOUND,
    rules.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    rules.Refused: grpc.StatusCode.FAILED_PRECONDITION,
    rules.Conflict: grpc.StatusCode.ABORTED,
    rules.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    rules.Forbidden: grpc.StatusCode.PERMISSION_DENIED,
    rules.Exhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    rules.Unavailable: grpc.StatusCode.UNAVAILABLE,
    rules.TooSlow: grpc.StatusCode.DEADLINE_EXCEEDED,
}
# Reasons that any method may answer with, whatever it documents of its own.
COMMON_REASONS = frozenset(
    {
        "INVALID_FIELD",
        "UNAUTHENTICATED",
        "INVALID_TOKEN",
        "EXPIRED_TOKEN",
        "WRONG_AUDIENCE",
        "PERMISSION_DENIED",
        "NOT_OWN_CUSTOMER",
        "OVERLOADED",
        "UNAVAILABLE",
        "DRAINING",
        "DEADLINE_EXCEEDED",
        "INTERNAL",
    }
)


class Violations(rules.Invalid):
    """Several fields of one request that break rules; `fields` holds a path and a sentence for each."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        path, sentence = fields[0]
        super().__init__(f"{path}: {sentence}" if path else sentence, field=path)
        self.fields = list(fields)


@dataclass(frozen=True, slots=True)
class Status:
    """What goes to the caller: a code, a sentence, and trailing metadata that carries the details."""

    code: grpc.StatusCode
    message: str
    trailers: tuple[tuple[str, str | bytes], ...]


def to_status(refusal: rules.Refusal, request_id: str) -> Status:
    """The status for `refusal`, in a call known as `request_id`."""
    code = next(TABLE[kind] for kind in type(refusal).__mro__ if kind in TABLE)
    info = error_details_pb2.ErrorInfo(reason=refusal.reason, domain=DOMAIN, metadata=refusal.metadata)
    details: list[Message] = [info]
    if isinstance(refusal, rules.Invalid):
        details.append(_bad_request(refusal))
    if isinstance(refusal, rules.Exhausted | rules.Unavailable):
        retry = error_details_pb2.RetryInfo()
        nanos = math.ceil(refusal.retry_after * 1e9)
        retry.retry_delay.seconds, retry.retry_delay.nanos = divmod(nanos, 1_000_000_000)
        details.append(retry)
    if request_id:
        details.append(error_details_pb2.RequestInfo(request_id=request_id))
    status = status_pb2.Status(code=code.value[0], message=refusal.message)
    for detail in details:
        packed = Any()
        packed.Pack(detail)
        status.details.append(packed)
    return Status(code, refusal.message, ((DETAILS_TRAILER, status.SerializeToString()),))


def _bad_request(refusal: rules.Invalid) -> error_details_pb2.BadRequest:
    bad = error_details_pb2.BadRequest()
    fields = refusal.fields if isinstance(refusal, Violations) else [(refusal.field or "", refusal.message)]
    for path, sentence in fields:
        bad.field_violations.add(field=path, description=sentence, reason=refusal.reason)
    return bad


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The `ErrorReason` that a failed call came with; its code's name where it came with none."""
    info = _info_of(error)
    return error.code().name if info is None else str(info.reason)


def metadata_of(error: grpc.aio.AioRpcError) -> dict[str, str]:
    """What the documents promise with the reason of a failed call; empty where it came with none."""
    info = _info_of(error)
    return {} if info is None else dict(info.metadata)


def _info_of(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo | None:
    found = (_info(v) for k, v in error.trailing_metadata() or () if k == DETAILS_TRAILER and isinstance(v, bytes))
    return next((info for info in found if info is not None), None)


def from_status(error: grpc.aio.AioRpcError) -> rules.Refusal:
    """The refusal that a failed call to another service stands for, to be passed on to our own caller."""
    code, reason = error.code(), reason_of(error)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return rules.TooSlow("a service behind this one did not answer in time")
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
        return rules.Unavailable("a service behind this one does not answer")
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return rules.Exhausted("a service behind this one serves as many calls as it can", retry_after=1.0)
    for kind, its in TABLE.items():
        if its is code and kind not in (rules.Invalid, rules.Exhausted, rules.Unavailable):
            return kind(error.details() or "refused", reason=reason)
    # What this service asked was wrong: its own fault, not its caller's.
    return rules.Unavailable("a service behind this one could not make sense of the request")


def _info(trailer: bytes) -> error_details_pb2.ErrorInfo | None:
    """Our own `ErrorInfo` of a details trailer; a proxy in between may have sent something else, or nothing sound."""
    info = error_details_pb2.ErrorInfo()
    try:
        details = status_pb2.Status.FromString(trailer).details
    except DecodeError:
        return None
    return next((info for d in details if d.Unpack(info) and info.domain == DOMAIN), None)
