"""Channels to other services: what is left of the deadline, the trace and a token travel with every call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import grpc
import orjson
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from chassis import tracing
from chassis.auth.own import OwnToken
from chassis.call import current, remaining

Channel = grpc.aio.Channel

# gRPC retries what surely did no harm, or what its receiver makes harmless; nothing else in the mesh retries calls.
SERVICE_CONFIG = orjson.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "0.5s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
        "retryThrottling": {"maxTokens": 50, "tokenRatio": 0.1},
    }
).decode()
OPTIONS = (
    ("grpc.service_config", SERVICE_CONFIG),
    ("grpc.enable_retries", 1),
    # A proxy for the way out of the house (http_proxy) is none for the way between its rooms, and must see no token.
    ("grpc.enable_http_proxy", 0),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
)


def connect(target: str, own: OwnToken) -> Channel:
    """A channel to `target`. A call made while serving a caller carries the caller's token; any other carries `own`."""
    travel = _Travel(target, own)
    return grpc.aio.insecure_channel(
        target,
        options=OPTIONS,
        interceptors=[_Unary(travel), _ServerStream(travel), _ClientStream(travel), _Both(travel)],
    )


class _Travel:
    """What travels with a call."""

    def __init__(self, target: str, own: OwnToken) -> None:
        self._target = target
        self._own = own
        self._tracer = trace.get_tracer("holdfast.client")

    def prepare(self, details: grpc.aio.ClientCallDetails) -> tuple[grpc.aio.ClientCallDetails, trace.Span | None]:
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        call = current()
        token = call.caller.token if call and call.caller else self._own.get()
        if token and metadata.get("authorization") is None:
            metadata.add("authorization", f"Bearer {token}")
        if call and call.request_id:
            metadata.add("x-request-id", call.request_id)
        span = self._span(_method(details), call.traceparent if call else "", metadata)
        timeout = details.timeout
        left = remaining()
        if left is not None:
            timeout = left if timeout is None else min(timeout, left)
        prepared = grpc.aio.ClientCallDetails(
            details.method, timeout, metadata, details.credentials, details.wait_for_ready
        )
        return prepared, span

    def _span(self, method: str, header: str, metadata: grpc.aio.Metadata) -> trace.Span | None:
        parent = tracing.parse(header)
        if not tracing.sampled(parent):
            if header:
                metadata.add(tracing.HEADER, header)
            return None
        span = self._tracer.start_span(
            method.lstrip("/"),
            tracing.context_of(parent),
            SpanKind.CLIENT,
            {"rpc.system": "grpc", "rpc.method": method},
        )
        metadata.add(tracing.HEADER, tracing.header_of(span))
        return span


def _method(details: grpc.aio.ClientCallDetails) -> str:
    method: str | bytes = details.method  # the C core hands over bytes, whatever the stubs say
    return method.decode() if isinstance(method, bytes) else method


def _end(span: trace.Span) -> Callable[[Any], None]:
    async def finish(call: Any, at: int) -> None:
        if await call.code() is not grpc.StatusCode.OK:
            span.set_status(StatusCode.ERROR)
        span.end(at)

    def done(call: Any) -> None:
        task = asyncio.ensure_future(finish(call, time.time_ns()))
        _ENDING.add(task)
        task.add_done_callback(_ENDING.discard)

    return done


# Spans about to end; the event loop alone would not keep their tasks.
_ENDING: set[asyncio.Task[None]] = set()


class _Unary(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, travel: _Travel) -> None:
        self._travel = travel

    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        details, span = self._travel.prepare(client_call_details)
        call = await continuation(details, request)
        if span is not None:
            call.add_done_callback(_end(span))
        return call


class _ServerStream(grpc.aio.UnaryStreamClientInterceptor):
    def __init__(self, travel: _Travel) -> None:
        self._travel = travel

    async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        details, span = self._travel.prepare(client_call_details)
        call = await continuation(details, request)
        if span is not None:
            call.add_done_callback(_end(span))
        return call


class _ClientStream(grpc.aio.StreamUnaryClientInterceptor):
    def __init__(self, travel: _Travel) -> None:
        self._travel = travel

    async def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        details, span = self._travel.prepare(client_call_details)
        call = await continuation(details, request_iterator)
        if span is not None:
            call.add_done_callback(_end(span))
        return call


class _Both(grpc.aio.StreamStreamClientInterceptor):
    def __init__(self, travel: _Travel) -> None:
        self._travel = travel

    async def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        details, span = self._travel.prepare(client_call_details)
        call = await continuation(details, request_iterator)
        if span is not None:
            call.add_done_callback(_end(span))
        return call
