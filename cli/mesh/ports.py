"""Which port is whose. One table; everything else asks it."""

import errno
import itertools
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import psutil

from cli.console import CommandError

LOOPBACK: Final = "127.0.0.1"
DEFAULT_BASE: Final = 7400


@dataclass(frozen=True, slots=True)
class Port:
    name: str
    offset: int
    meaning: str


TABLE: Final = (
    Port("edge", 0, "the one door: gRPC, gRPC-Web and REST"),
    Port("edge-admin", 1, "Envoy's own statistics and health"),
    Port("mongod", 2, "MongoDB"),
    Port("gateway", 10, "experience API, gRPC"),
    Port("customer_info", 11, "customer information, gRPC"),
    Port("interaction", 12, "interaction, gRPC"),
    Port("retention", 13, "retention, gRPC"),
    Port("sla", 14, "SLA, gRPC"),
    Port("gateway-metrics", 20, "Prometheus text of the experience API"),
    Port("customer_info-metrics", 21, "Prometheus text of customer information"),
    Port("interaction-metrics", 22, "Prometheus text of interaction"),
    Port("retention-metrics", 23, "Prometheus text of retention"),
    Port("sla-metrics", 24, "Prometheus text of SLA"),
)
"""Every port of an instance as an offset from its base (7400 unless told)."""

SPAN: Final = 32
"""Distance of two bases that never collide."""

# Below the kernel's ephemeral range (from 32768), so that no outgoing connection takes a port between choice and use.
FREE_FIRST: Final = 20_000
FREE_LAST: Final = 32_000
_BLOCKS: Final = (FREE_LAST - FREE_FIRST) // SPAN
_turns = itertools.count()


def from_base(base: int) -> dict[str, int]:
    """Ports of an instance at `base`. Raises CommandError unless all of them are unprivileged ports."""
    if not 1024 <= base <= 65535 - SPAN:
        raise CommandError(f"--port-base must be 0 or between 1024 and {65535 - SPAN}, not {base}", exit_code=2)
    return {port.name: base + port.offset for port in TABLE}


def pick_base() -> int:
    """A base whose ports are all free now.

    The search starts at a place derived from the process id: test workers that search at the same moment must not
    find the same block.
    """
    start = os.getpid() * 7 + next(_turns)
    for turn in range(_BLOCKS):
        base = FREE_FIRST + (start + turn) % _BLOCKS * SPAN
        if all(is_free(port) for port in from_base(base).values()):
            return base
    raise CommandError(f"no block of {SPAN} free ports between {FREE_FIRST} and {FREE_LAST}; give --port-base")


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a closed connection that lingers in TIME_WAIT does not occupy the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def require_free(needed: Mapping[str, int]) -> None:
    """Raise CommandError naming every port that is taken, who needs it, and who has it where the system tells."""
    taken = [f"port {port}, which {name} needs, is in use{_holder(port)}" for name, port in _taken(needed)]
    if taken:
        raise CommandError("; ".join(taken) + ". Stop the other program, or choose other ports with --port-base")


def _taken(needed: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    return ((name, port) for name, port in needed.items() if not is_free(port))


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections(kind="tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr[1] == port
            if listens and connection.pid:
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        pass
    return ""
