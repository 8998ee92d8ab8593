"""The pure vocabulary that every noun's rules share: the ways in which a request can be refused.

Rules and use cases raise these and nothing else. `chassis.errors` holds the one table that turns them into a
gRPC status with `google.rpc` details; nobody else builds a status. `reason` is the name of a value of the enum
`holdfast.common.v1.ErrorReason` (a test holds every literal against the enum).
"""

from collections.abc import Mapping


class Refusal(Exception):
    """A request that cannot be served as asked; the base of all typed refusals.

    Args:
        message: one sentence for the caller. It never carries personal data.
        reason: name of the `ErrorReason`, stable and documented.
        field: path of the offending field as the caller wrote it, where one field is to blame.
        metadata: what documents the reason promises to arrive with it, as text.
    """

    default_reason = "INTERNAL"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        field: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.field = field
        self.metadata = dict(metadata or {})


class Invalid(Refusal):
    """The request itself is wrong, whatever the state of the system; `field` names what to mend."""

    default_reason = "INVALID_FIELD"

    def __init__(
        self,
        message: str,
        *,
        field: str,
        reason: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, reason=reason, field=field, metadata=metadata)


class NotFound(Refusal):
    """What the request names does not exist, or the caller may not know that it does."""

    default_reason = "NOT_FOUND"


class AlreadyExists(Refusal):
    """What the request would create is there already; metadata names it."""

    default_reason = "ALREADY_EXISTS"


class Refused(Refusal):
    """The request is well formed, but the state it meets forbids it (a failed precondition)."""

    default_reason = "FAILED_PRECONDITION"


class Conflict(Refusal):
    """Somebody changed the thing first: read it again and retry with its new etag."""

    default_reason = "ETAG_MISMATCH"


class Unauthenticated(Refusal):
    """No token, or one that cannot be trusted."""

    default_reason = "UNAUTHENTICATED"


class Forbidden(Refusal):
    """A trusted token whose roles do not cover the request."""

    default_reason = "PERMISSION_DENIED"


class Exhausted(Refusal):
    """Too much at once; the same request may pass after `retry_after` seconds."""

    default_reason = "OVERLOADED"

    def __init__(self, message: str, *, retry_after: float, reason: str | None = None) -> None:
        super().__init__(message, reason=reason)
        self.retry_after = retry_after


class Unavailable(Refusal):
    """Something this service needs does not answer now; the same request may pass after `retry_after` seconds."""

    default_reason = "UNAVAILABLE"

    def __init__(self, message: str, *, retry_after: float = 1.0, reason: str | None = None) -> None:
        super().__init__(message, reason=reason)
        self.retry_after = retry_after


class TooSlow(Refusal):
    """The caller's deadline ended before the work did."""

    default_reason = "DEADLINE_EXCEEDED"


def missing(kind: str, what: str, field: str | None = None) -> NotFound:
    """The refusal of a thing of `kind` ("customer", "account_request") that is not there, or not the caller's."""
    return NotFound(f"there is no such {kind.replace('_', ' ')}", field=field, metadata={"type": kind, "id": what})


def erased(customer_id: str) -> Refused:
    """The refusal to write anything of a person that was erased."""
    return Refused(
        "the person was erased: nothing can be written any more",
        reason="ERASED",
        metadata={"type": "customer", "id": customer_id},
    )
