"""Puts together what all services hold on a customer: everything, or an error; no part that looks like the whole."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chassis.rules import Unavailable
from chassis.tasks import end
from chassis.times import now

SERVICES = ("customer_info", "interaction", "retention", "sla")
# Pieces of the document are sent when they hold so much: enough that a piece costs little, and little to hold.
PIECE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """Some records of one kind, each as JSON."""

    kind: str
    records: Sequence[bytes]


class Services(Protocol):
    """The services behind the gateway."""

    def export(self, service: str, customer_id: str) -> AsyncGenerator[Part, None]:
        """What a service holds on a customer, kind by kind; of each kind at least one part.

        Raises:
            Refusal: there is no such customer, or the caller may not know, or the service does not answer.
        """


class Export:
    """Everything on a customer in one document (C9)."""

    def __init__(self, services: Services, silence_seconds: float, clock: Callable[[], datetime] = now) -> None:
        """Asks `services`; one that is silent for so many seconds does not answer."""
        self._services = services
        self._silence = silence_seconds
        self._clock = clock

    async def tell(self, customer_id: str) -> AsyncIterator[bytes]:
        """The document, in pieces. The first one comes when all services have begun to answer.

        Raises:
            NotFound, Refused: there is no such customer, or the person was erased.
            Unavailable: a service does not answer, or breaks off; what was sent until then is no JSON document.
        """
        async with AsyncExitStack() as streams:
            told = {name: self._services.export(name, customer_id) for name in SERVICES}
            for stream in told.values():
                streams.push_async_callback(stream.aclose)
            firsts = await self._begun(told)
            piece = bytearray(b'{"customer_id":%b,"exported_at":%b,"services":{' % (_text(customer_id), self._moment()))
            for n, (name, stream) in enumerate(told.items()):
                piece += b"%b%b:{" % (b"," if n else b"", _text(name))
                async for more in self._members(name, firsts[name], stream):
                    piece += more
                    if len(piece) >= PIECE_BYTES:
                        yield bytes(piece)
                        piece.clear()
                piece += b"]}"
            yield bytes(piece) + b"}}"

    async def _begun(self, streams: Mapping[str, AsyncGenerator[Part, None]]) -> dict[str, Part]:
        """The first part of each; the first refusal of one is that of all."""
        tasks = {name: asyncio.create_task(self._next(name, stream)) for name, stream in streams.items()}
        try:
            await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_EXCEPTION)
            for task in tasks.values():
                if task.done() and (error := task.exception()) is not None:
                    raise error
            firsts = {name: task.result() for name, task in tasks.items()}
        finally:
            await end(tasks.values())
        for name, part in firsts.items():
            if part is None:
                raise Unavailable(f"{name} told nothing: an export without it would not be complete")
        return {name: part for name, part in firsts.items() if part is not None}

    async def _members(self, name: str, first: Part, stream: AsyncGenerator[Part, None]) -> AsyncIterator[bytes]:
        """The members of a service's object: an array for each kind, the last one still open."""
        kinds: list[str] = []
        part: Part | None = first
        empty = True
        while part is not None:
            if not kinds or part.kind != kinds[-1]:
                if part.kind in kinds:
                    raise Unavailable(f"{name} told of {part.kind} twice: nobody could read both")
                yield b"%b%b:[" % (b"]," if kinds else b"", _text(part.kind))
                kinds.append(part.kind)
                empty = True
            if part.records:
                yield b"%b%b" % (b"" if empty else b",", b",".join(part.records))
                empty = False
            part = await self._next(name, stream)

    async def _next(self, name: str, stream: AsyncGenerator[Part, None]) -> Part | None:
        try:
            async with asyncio.timeout(self._silence):
                return await anext(stream, None)
        except TimeoutError as error:
            raise silent(name) from error

    def _moment(self) -> bytes:
        return _text(self._clock().isoformat().replace("+00:00", "Z"))


def silent(service: str) -> Unavailable:
    """The refusal of an export that a service has no part in."""
    return Unavailable(f"{service} does not answer: an export without it would not be complete")


def _text(value: str) -> bytes:
    return json.dumps(value).encode()
