"""The call being served: who makes it, how long it may take, and what ties its traces and logs together."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextvars import Context, ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import grpc

from chassis.policy import Method


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as a verified token says.

    `subject` is the token's `sub`; `roles` are lower case; `customer_id` is set for a customer, `partner_id` for a
    partner; `token` is the bearer token itself, to be passed on downstream; `expires` is its `exp` in epoch seconds.
    """

    subject: str
    roles: frozenset[str]
    customer_id: str
    partner_id: str
    token: str
    expires: float


@dataclass(slots=True)
class Call:
    """One call, from its first byte to its status. Interceptors fill it in their order."""

    method: Method
    context: grpc.aio.ServicerContext[Any, Any]
    metadata: Mapping[str, str | bytes]
    started: float = field(default_factory=time.perf_counter)
    request_id: str = ""
    traceparent: str = ""
    caller: Caller | None = None
    # Monotonic time at which the caller stops waiting; None: it waits for ever.
    deadline: float | None = None
    code: grpc.StatusCode = grpc.StatusCode.OK
    message: str = ""
    trailers: tuple[tuple[str, str | bytes], ...] = ()
    # What interceptors keep between start and end, by their name.
    scratch: dict[str, Any] = field(default_factory=dict)


CUSTOMER = "customer"
CHANNEL_HEADER = "x-holdfast-channel"
CHANNEL = re.compile(r"[a-z][a-z0-9_-]{0,31}")
CURRENT: ContextVar[Call | None] = ContextVar("holdfast_call", default=None)


def current() -> Call | None:
    """The call being served in this task; None outside of one."""
    return CURRENT.get()


def subject() -> str:
    """The subject of the caller in this task; "system" outside of a call."""
    call = CURRENT.get()
    return call.caller.subject if call and call.caller else "system"


def as_customer() -> bool:
    """Whether the caller in this task is let in as a customer, who may see what is its own, and as nothing else."""
    call = CURRENT.get()
    return bool(call and call.caller and call.caller.roles & call.method.roles == {CUSTOMER})


def channel() -> str:
    """The channel through which this task's caller works ("call", "store", "web" …), as it says; empty: unknown."""
    call = CURRENT.get()
    said = call.metadata.get(CHANNEL_HEADER, "") if call else ""
    return said if isinstance(said, str) and CHANNEL.fullmatch(said) else ""


def traceparent() -> str:
    """The W3C trace context of this task, to be kept with what it causes; empty: none."""
    call = CURRENT.get()
    return call.traceparent if call else ""


def remaining() -> float | None:
    """Seconds left before this task's caller stops waiting, never below 0; None: for ever."""
    call = CURRENT.get()
    if call is None or call.deadline is None:
        return None
    return max(0.0, call.deadline - time.monotonic())


def detached() -> Context:
    """A context for work that goes on when its caller has gone: the same call with its ids and its caller, but without
    its deadline, here and in the store.
    """
    context = Context()
    if call := CURRENT.get():
        context.run(CURRENT.set, replace(call, deadline=None))
    return context
