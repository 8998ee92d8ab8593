"""Several processes on one port: a supervisor that starts itself anew as workers, and keeps them alive."""

import asyncio
import os
import signal
import subprocess
import sys
import threading

# Holds the process id of the supervisor.
MARK = "HOLDFAST_SUPERVISOR"


def is_worker() -> bool:
    """Whether this process is one of several that share a port."""
    return MARK in os.environ


def supervise(count: int) -> int:
    """Runs `count` workers of this very command until told to stop; the exit code of the process.

    A worker that dies is started anew; one that says it cannot start (exit code 1 or 2) ends the whole.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    workers = {n: _start(n) for n in range(count)}
    code = 0
    while not stop.wait(0.2) and not code:
        for n, worker in list(workers.items()):
            status = worker.poll()
            if status is not None and not stop.is_set():
                if status in (1, 2):
                    code = status
                else:
                    workers[n] = _start(n)
    for worker in workers.values():
        if worker.poll() is None:
            worker.send_signal(signal.SIGTERM)
    for worker in workers.values():
        worker.wait()
    return code


def _start(n: int) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, MARK: str(os.getpid())}
    metrics = environment.get("HOLDFAST_METRICS_LISTEN", "")
    if metrics:
        # Each worker counts for itself, so each is scraped for itself: on the ports after the first one's.
        host, _, port = metrics.rpartition(":")
        environment["HOLDFAST_METRICS_LISTEN"] = f"{host}:{int(port) + n}"
    return subprocess.Popen([sys.executable, *sys.orig_argv[1:]], env=environment)


async def watch_parent(stop: asyncio.Event) -> None:
    """Sets `stop` when the supervisor is gone: its workers must not outlive it and hold the port."""
    # As the supervisor wrote it down: it may be gone before this worker has started.
    parent = int(os.environ[MARK])
    # The kernel tells nobody of a parent's death in a way that every platform has: one asks.
    while os.getppid() == parent:  # noqa: ASYNC110
        await asyncio.sleep(0.5)
    stop.set()
