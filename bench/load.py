"""The load generator: a process of its own, so that what it costs is not taken for what the server costs.

    python -m bench.load ADDRESS METHOD FILE COUNT IN_FLIGHT [TOKEN]

FILE holds requests, each behind its length as four bytes; they are sent round and round, raw, until COUNT calls are
answered, IN_FLIGHT at a time. Prints one JSON object: calls, failures, seconds, and latencies in milliseconds.
"""

import asyncio
import itertools
import json
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import grpc


def pack(requests: Sequence[bytes]) -> bytes:
    """What FILE holds for `requests`."""
    return b"".join(struct.pack(">I", len(r)) + r for r in requests)


def unpack(raw: bytes) -> Iterator[bytes]:
    """The requests that FILE holds."""
    at = 0
    while at < len(raw):
        (size,) = struct.unpack_from(">I", raw, at)
        yield raw[at + 4 : at + 4 + size]
        at += 4 + size


async def drive(address: str, method: str, requests: Sequence[bytes], *, count: int, in_flight: int, token: str) -> str:
    """Makes the calls; the JSON to print."""
    latencies: list[float] = []
    failures: Counter[str] = Counter()
    metadata = (("authorization", f"Bearer {token}"),) if token else None
    turn = itertools.cycle(requests)
    left = iter(range(count))
    async with grpc.aio.insecure_channel(address) as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)

        async def caller() -> None:
            for _ in left:
                started = time.perf_counter()
                try:
                    await call(next(turn), metadata=metadata)
                except grpc.aio.AioRpcError as error:
                    failures[error.code().name] += 1
                latencies.append((time.perf_counter() - started) * 1000)

        began = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(in_flight)))
        seconds = time.perf_counter() - began
    latencies.sort()
    cut = {f"p{p}": latencies[min(len(latencies) - 1, len(latencies) * p // 100)] for p in (50, 90, 99)}
    return json.dumps({"calls": count, "failures": dict(failures), "seconds": seconds, **cut})


if __name__ == "__main__":
    _address, _method, _file, _count, _in_flight = sys.argv[1:6]
    _requests = list(unpack(Path(_file).read_bytes()))
    _token = sys.argv[6] if len(sys.argv) > 6 else ""
    print(asyncio.run(drive(_address, _method, _requests, count=int(_count), in_flight=int(_in_flight), token=_token)))
