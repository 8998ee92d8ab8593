"""Turns whatever ended the call into its status."""

import asyncio

import grpc

from chassis import errors
from chassis.call import Call, remaining
from chassis.interceptors.base import Interceptor
from chassis.log import logger
from chassis.mongo.faults import refusal_of
from chassis.rules import Refusal, TooSlow

_log = logger("errors")


class Errors(Interceptor):
    """Fills in the call's code and details; a fault that is nobody's refusal becomes INTERNAL, without its text."""

    name = "errors"
    why = "outside of everything that refuses, inside of everything that reports"

    def on_end(self, call: Call, error: BaseException | None) -> None:
        if error is None:
            return
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            call.code = grpc.StatusCode.DEADLINE_EXCEEDED if remaining() == 0 else grpc.StatusCode.CANCELLED
            return
        refusal = _refusal(error)
        if refusal.reason not in errors.COMMON_REASONS and refusal.reason not in call.method.errors:
            # The contract promises which reasons a method answers with; a caller met one it could not know of.
            _log.warning("undocumented_reason", method=call.method.path, reason=refusal.reason)
        status = errors.to_status(refusal, call.request_id)
        call.code, call.message, call.trailers = status.code, status.message, status.trailers


def _refusal(error: BaseException) -> Refusal:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, TimeoutError):
        return TooSlow("the deadline ended before the work did")
    found = refusal_of(error) or _downstream(error)
    if found is not None:
        return found
    return _Internal("something went wrong here; the request id finds it in the logs")


class _Internal(Refusal):
    default_reason = "INTERNAL"


errors.TABLE[_Internal] = grpc.StatusCode.INTERNAL


def _downstream(error: BaseException) -> Refusal | None:
    """What a failed call to another service means for this one's caller."""
    if not isinstance(error, grpc.aio.AioRpcError):
        return None
    return errors.from_status(error)
