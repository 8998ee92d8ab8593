"""The stand on which paths are measured: a real mongod, real services with everything on, a load generator."""

import contextlib
import http.server
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from bench import echo, load
from cli.mesh import mongod as mongods
from tests.support.mongo import Mongod, start_mongod
from tests.support.service import Keys, Process, free_port, new_keys, serving

ROUNDS = 5
CALLS = 3000
IN_FLIGHT = 32
CACHE_BYTES = 4 * 1024**3


class Stand:
    """What every row needs."""

    def __init__(self, folder: Path, mongod: Mongod, keys: Keys, collector: str) -> None:
        self.folder = folder
        self.mongod = mongod
        self.keys = keys
        self._collector = collector

    @contextlib.contextmanager
    def service(self, name: str, **settings: str) -> Iterator[Process]:
        """Runs service `name` on a fresh database with everything on: tokens, validation, metrics, sampled traces."""
        uri = self.mongod.fresh_database(name)
        usual = {
            f"{name}_mongo_uri": uri,
            "metrics_listen": f"127.0.0.1:{free_port()}",
            "otlp_endpoint": self._collector,
            "trace_sample_ratio": "0.01",
            # Nobody is there: what customers do meanwhile is not what is measured.
            "customer_info_target": f"127.0.0.1:{free_port()}",
        }
        with serving(f"services.{name}", self.keys, self.folder, **{**usual, **settings}) as process:
            yield process
        self.mongod.drop(uri)

    @contextlib.contextmanager
    def large_cache(self) -> Iterator[None]:
        """Gives mongod a cache as servers have it: that of the tests is always full of what is not written yet."""
        with self.mongod.admin() as client:
            before = client.admin.command("serverStatus")["wiredTiger"]["cache"]["maximum bytes configured"]
            _set_cache(client, CACHE_BYTES)
            yield
            _set_cache(client, before)

    @contextlib.contextmanager
    def echo(self, message: str) -> Iterator[Process]:
        """Runs the bare echo of `message` (`module:Name`)."""
        address = f"127.0.0.1:{free_port()}"
        child = subprocess.Popen([sys.executable, "-m", "bench.echo", address, message])
        yield Process("bench.echo", {}, self.folder / "echo.log", address, child)
        child.terminate()
        child.wait()

    def cost(self, process: Process, method: str, requests: Sequence[bytes], count: int, token: str = "") -> float:
        """Microseconds of CPU that `process` spends on one call, with 32 in flight."""
        assert process.child is not None
        before = _cpu(process.child.pid)
        self.drive(process, method, requests, count=count, in_flight=IN_FLIGHT, token=token)
        return (_cpu(process.child.pid) - before) / count * 1e6

    def drive(
        self, process: Process, method: str, requests: Sequence[bytes], *, count: int, in_flight: int, token: str = ""
    ) -> dict[str, float]:
        """Has the load generator make `count` calls; what it printed: seconds, and latencies in milliseconds.

        Raises:
            RuntimeError: a call failed: what is measured must work.
        """
        file = self.folder / "requests.bin"
        file.write_bytes(load.pack(requests))
        command = [sys.executable, "-m", "bench.load", process.address, method, str(file), str(count), str(in_flight)]
        answer = json.loads(subprocess.check_output([*command, token] if token else command))
        if answer.pop("failures"):
            raise RuntimeError(f"{method}: calls failed")
        return {name: float(value) for name, value in answer.items()}

    def beside(
        self,
        path: tuple[Process, str, Sequence[bytes], str],
        floor: tuple[Process, Sequence[bytes]],
    ) -> tuple[float, float]:
        """Median cost of a call of `path` and of the bare echo, in turns, so that a noisy neighbour hits both."""
        process, method, requests, token = path
        costs, floors = [], []
        self.cost(process, method, requests, CALLS // 3, token)
        self.cost(floor[0], echo.METHOD, floor[1], CALLS // 3)
        for _ in range(ROUNDS):
            floors.append(self.cost(floor[0], echo.METHOD, floor[1], CALLS))
            costs.append(self.cost(process, method, requests, CALLS, token))
        return statistics.median(costs), statistics.median(floors)


def _set_cache(client: mongods.Client, size: int) -> None:
    client.admin.command({"setParameter": 1, "wiredTigerEngineRuntimeConfig": f"cache_size={size}"})


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


@contextlib.contextmanager
def stand() -> Iterator[Stand]:
    """Sets up the stand, and takes everything down again."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name, _collector() as collector:
        folder = Path(name)
        mongod = start_mongod(folder / "mongod")
        try:
            yield Stand(folder, mongod, new_keys(folder / "keys"), collector)
        finally:
            mongod.stop()


@contextlib.contextmanager
def _collector() -> Iterator[str]:
    """Takes traces and metrics like a collector would, and forgets them."""

    class Sink(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()


def clock() -> float:
    """Seconds of wall time."""
    return time.perf_counter()


def quiet() -> bool:
    """Whether the machine looks idle enough for figures to mean something."""
    return os.getloadavg()[0] < 1.0
