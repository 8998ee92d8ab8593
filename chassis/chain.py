"""Runs every call through the interceptors: one chain, adapted once to each of the four shapes of call.

Composed when the process starts, so that a call costs the hooks and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextvars import Token
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message

from chassis.call import CURRENT, Call
from chassis.interceptors.base import Interceptor
from chassis.policy import Method
from chassis.rules import Invalid

Behaviour = Callable[[Any, Any], Any]
MessageHook = Callable[[Call, Message], None]


class Chain:
    """The interceptors around one method."""

    def __init__(self, interceptors: Sequence[Interceptor], method: Method, behaviour: Behaviour) -> None:
        """Wraps `behaviour`, the handler of `method`."""
        self._interceptors = interceptors
        self._starts = [i for i in interceptors if type(i).on_start is not Interceptor.on_start]
        self._messages: list[MessageHook] = [
            i.on_message for i in interceptors if type(i).on_message is not Interceptor.on_message
        ]
        self._ends = [i for i in reversed(interceptors) if type(i).on_end is not Interceptor.on_end]
        self._method = method
        self._behaviour = behaviour

    def handler(self, serialize: Callable[[Any], bytes]) -> grpc.RpcMethodHandler[Any, Any]:
        """The method's handler for grpc. It takes bytes: what does not parse is refused here, with its reason."""
        method = self._method
        if method.client_streaming:
            if method.server_streaming:
                return grpc.stream_stream_rpc_method_handler(self._stream_stream, None, serialize)
            return grpc.stream_unary_rpc_method_handler(self._stream_unary, None, serialize)
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(self._unary_stream, None, serialize)
        return grpc.unary_unary_rpc_method_handler(self._unary_unary, None, serialize)

    async def _unary_unary(self, raw: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        call, token = self._begin(context)
        try:
            self._start(call)
            response = await self._behaviour(self._receive(call, raw), context)
        except BaseException as error:
            await self._fail(call, token, error)
            raise
        self._end(call, token, None)
        return response

    async def _stream_unary(self, raws: AsyncIterator[bytes], context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        call, token = self._begin(context)
        try:
            self._start(call)
            response = await self._behaviour(self._received(call, raws), context)
        except BaseException as error:
            await self._fail(call, token, error)
            raise
        self._end(call, token, None)
        return response

    async def _unary_stream(self, raw: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        call, token = self._begin(context)
        try:
            self._start(call)
            async for response in self._behaviour(self._receive(call, raw), context):
                yield response
        except BaseException as error:
            await self._fail(call, token, error)
            raise
        self._end(call, token, None)

    async def _stream_stream(
        self, raws: AsyncIterator[bytes], context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[Any]:
        call, token = self._begin(context)
        try:
            self._start(call)
            async for response in self._behaviour(self._received(call, raws), context):
                yield response
        except BaseException as error:
            await self._fail(call, token, error)
            raise
        self._end(call, token, None)

    def _begin(self, context: grpc.aio.ServicerContext[Any, Any]) -> tuple[Call, Token[Call | None]]:
        call = Call(self._method, context, dict(context.invocation_metadata() or ()))
        return call, CURRENT.set(call)

    def _start(self, call: Call) -> None:
        for interceptor in self._starts:
            interceptor.on_start(call)

    def _receive(self, call: Call, raw: bytes) -> Message:
        try:
            message = self._method.request.FromString(raw)
        except DecodeError as error:
            # upb says which field holds invalid UTF-8, but never its content.
            raise Invalid(
                f"the request is not a valid {self._method.request.DESCRIPTOR.full_name}: {error}", field=""
            ) from error
        for hook in self._messages:
            hook(call, message)
        return message

    async def _received(self, call: Call, raws: AsyncIterator[bytes]) -> AsyncIterator[Message]:
        async for raw in raws:
            yield self._receive(call, raw)

    def _end(self, call: Call, token: Token[Call | None], error: BaseException | None) -> None:
        for interceptor in self._ends:
            interceptor.on_end(call, error)
        try:
            CURRENT.reset(token)
        except ValueError:
            # A stream that its client abandons is closed in another context than it was begun in.
            CURRENT.set(None)

    async def _fail(self, call: Call, token: Token[Call | None], error: BaseException) -> None:
        """Ends the call with its status; a cancelled call has nobody left to tell."""
        self._end(call, token, error)
        if not isinstance(error, asyncio.CancelledError | GeneratorExit):
            await call.context.abort(call.code, call.message, call.trailers)


class Capture:
    """Stands in for a server, so that generated `add_…_to_server` functions hand over their handlers."""

    def __init__(self) -> None:
        self.handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    def add_generic_rpc_handlers(self, _: object) -> None:
        """Not needed: the registered handlers are the same ones, by name."""

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Any]) -> None:
        """Takes over the handlers of `service`."""
        self.handlers.update({f"/{service}/{name}": handler for name, handler in handlers.items()})


Registrar = Callable[[Any, Any], None]
