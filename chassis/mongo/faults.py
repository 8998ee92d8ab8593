"""What the driver's errors mean: an outage the caller may wait out, a deadline, or a fault of ours."""

from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WTimeoutError,
)

from chassis.call import remaining
from chassis.rules import Refusal, TooSlow, Unavailable

DUPLICATE_KEY = 11000
HISTORY_LOST = frozenset({280, 286})
# Refusals of a resume token that this server cannot read: not hexadecimal, cut off, or of another format.
INVALID_TOKEN = frozenset({9, 15, 260, 50811})


def refusal_of(error: BaseException) -> Refusal | None:
    """What `error` means for a caller; None if it is not the driver's, or a fault of ours."""
    if not isinstance(error, PyMongoError):
        return None
    if isinstance(error, ExecutionTimeout | NetworkTimeout | WTimeoutError) or error.timeout:
        if remaining() == 0 or isinstance(error, ExecutionTimeout):
            return TooSlow("the deadline ended before the store answered")
        return Unavailable("the store does not answer")
    if isinstance(error, ConnectionFailure | ServerSelectionTimeoutError | AutoReconnect):
        return Unavailable("the store does not answer")
    if error.has_error_label("TransientTransactionError") or error.has_error_label("RetryableWriteError"):
        return Unavailable("the store is busy with another change of the same thing")
    return None


def duplicate(error: BaseException) -> bool:
    """Whether a unique index refused a write, or one write of many."""
    if isinstance(error, BulkWriteError):
        return any(fault["code"] == DUPLICATE_KEY for fault in error.details["writeErrors"])
    return isinstance(error, DuplicateKeyError) or getattr(error, "code", None) == DUPLICATE_KEY


def position_lost(error: BaseException) -> bool:
    """Whether a change stream cannot resume because the oplog has forgotten its position, or cannot read it."""
    if not isinstance(error, OperationFailure):
        return False
    return error.code in HISTORY_LOST | INVALID_TOKEN


def outage(error: PyMongoError) -> str:
    """One line for an operator on why the store cannot be used; never the URI with its password."""
    if isinstance(error, ServerSelectionTimeoutError):
        return f"MongoDB does not answer ({str(error).partition(',')[0]})"
    if isinstance(error, OperationFailure) and error.code in (13, 18):
        return f"MongoDB refuses the user ({'authentication failed' if error.code == 18 else 'not authorized'})"
    return f"MongoDB: {str(error).partition(', full error')[0]}"
