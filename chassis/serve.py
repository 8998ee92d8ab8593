"""Runs a service: start, serve, drain, stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import grpc
from google.protobuf.internal import api_implementation
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chassis import interceptors, log, stopping, telemetry
from chassis.app import App, Job
from chassis.auth.keys import KeysError, KeySet
from chassis.auth.own import OwnToken
from chassis.auth.tokens import Verifier
from chassis.interceptors.base import Interceptor
from chassis.interceptors.shedding import Shedding
from chassis.mongo.client import StoreError
from chassis.settings import Settings, load
from chassis.tasks import end
from chassis.vault.master import MasterKeyError
from chassis.workers import is_worker, supervise, watch_parent

Build = Callable[[App], Coroutine[Any, Any, None]]
LONGEST_PAUSE_SECONDS = 5.0
# What it may take, once calls in flight had their time, to give back leases and connections.
END_SECONDS = 10.0
# Objects made between two looks of the garbage collector.
GC_OBJECTS = 20_000
_log = log.logger("serve")


class StartError(Exception):
    """The process cannot serve; the message says why, in one line."""


def run(name: str, kind: type[Settings], build: Build) -> None:
    """The whole life of a process of service `name`, from its settings to its exit code.

    `build` puts the service together. Exit code 2: a setting is wrong; 1: the service could not start.
    """
    settings = load(kind)
    log.configure(name, settings.log_level)
    if api_implementation.Type() != "upb":
        # Pure Python parses fifty times slower; nothing else would tell.
        sys.exit("holdfast: protobuf runs without its upb implementation; install the protobuf wheel of this platform")
    if settings.workers > 1 and not is_worker():
        sys.exit(supervise(settings.workers))
    try:
        asyncio.run(_main(name, settings, build))
    except (StartError, KeysError, StoreError, MasterKeyError) as error:
        sys.exit(f"holdfast: {name} cannot start: {error}")


async def _main(name: str, settings: Settings, build: Build) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    bound = asyncio.create_task(_bound_the_end(stop, settings))
    try:
        telemetry.configure(name, settings)
    except OSError as error:
        raise StartError(f"HOLDFAST_METRICS_LISTEN {settings.metrics_listen} is taken ({error})") from error
    keys = KeySet(settings.jwks)
    await keys.refresh()
    chain = interceptors.ordered(settings, Verifier(keys, settings.jwt_issuer, settings.jwt_audience))
    async with contextlib.AsyncExitStack() as resources:
        # The first to come is the last to go: it bounds how long the others take.
        resources.callback(bound.cancel)
        app = App(name, settings, chain, resources, OwnToken(settings.token_file))
        if is_worker():
            watching = asyncio.create_task(watch_parent(stop))
            resources.callback(watching.cancel)
        if not await _unless(stop, build(app)):
            _log.info("stopped", when="starting")
            return
        _settle_memory()
        server, vitals = _server(app)
        await server.start()
        async with _jobs([("keys", keys.keep_fresh), *app.jobs]):
            await _mark(vitals, app.services, health_pb2.HealthCheckResponse.SERVING)
            _log.info("serving", address=settings.listen)
            await stop.wait()
            await _drain(server, vitals, chain, settings)
    telemetry.flush()
    _log.info("stopped")


async def _bound_the_end(stop: asyncio.Event, settings: Settings) -> None:
    """Ends the process when something holds up its end: a worker must not outlive its supervisor and hold the port.

    What was acknowledged is in the store by then; who watches the process starts another one.
    """
    await stop.wait()
    await asyncio.sleep(settings.drain_delay_seconds + settings.drain_seconds + END_SECONDS)
    _log.error("stop_overdue", waiting=sorted({f"{t.get_name()}: {t.get_coro()!r}" for t in asyncio.all_tasks()}))
    os._exit(1)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Whether `work` was done before somebody said stop: a start that waits for its store must not outlive that."""
    task, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not task.done():
        await end([task])
        return False
    await task
    return True


def _settle_memory() -> None:
    """Takes what start-up made, and what lives for ever, out of the collector's sight; then lets it look less often.

    A call leaves no cycles behind: at the usual 700 objects the collector runs several times a call in vain, and a
    batch of a thousand rows spends half of its time in it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_OBJECTS, 20, 50)


def _server(app: App) -> tuple[grpc.aio.Server, health.aio.HealthServicer]:
    settings = app.settings
    size = settings.max_message_bytes
    options = [
        ("grpc.max_receive_message_length", size),
        ("grpc.max_send_message_length", 4 * size),
        # Shared only by workers of one supervisor: otherwise two servers could share a port unseen.
        ("grpc.so_reuseport", int(is_worker())),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ]
    server = grpc.aio.server(options=options)
    server.add_generic_rpc_handlers((_Table(app.handlers),))
    vitals = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(vitals, server)
    reflection.enable_server_reflection([*app.services, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
    try:
        if server.add_insecure_port(settings.listen) == 0:
            raise RuntimeError("no port")
    except RuntimeError as error:
        raise StartError(f"HOLDFAST_LISTEN {settings.listen} is taken or not an address of this machine") from error
    return server, vitals


class _Table(grpc.GenericRpcHandler):
    """All of a service's methods, by path."""

    def __init__(self, handlers: dict[str, grpc.RpcMethodHandler[Any, Any]]) -> None:
        self._handlers = handlers

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        return self._handlers.get(handler_call_details.method)


async def _mark(vitals: health.aio.HealthServicer, services: Sequence[str], status: Any) -> None:
    for service in ("", *services):
        await vitals.set(service, status)


async def _drain(
    server: grpc.aio.Server,
    vitals: health.aio.HealthServicer,
    chain: Sequence[Interceptor],
    settings: Settings,
) -> None:
    """Says NOT_SERVING, gives balancers time to look, refuses what is new, lets what is in flight end."""
    _log.info("draining")
    await vitals.enter_graceful_shutdown()
    await asyncio.sleep(settings.drain_delay_seconds)
    for step in chain:
        if isinstance(step, Shedding):
            step.draining = True
    stopping.announce()
    await server.stop(settings.drain_seconds)


@contextlib.asynccontextmanager
async def _jobs(jobs: Sequence[tuple[str, Job]]) -> Any:
    tasks = [asyncio.create_task(_keep_running(name, job), name=name) for name, job in jobs]
    try:
        yield
    finally:
        await end(tasks)


async def _keep_running(name: str, job: Job) -> None:
    pause = 0.1
    while True:
        started = asyncio.get_running_loop().time()
        try:
            # A job that returns has lost its lease, or its other side: it stands in line again.
            await job()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the job is wanted
            _log.warning("job_failed", job=name, type=type(error).__name__, pid=os.getpid())
        if asyncio.get_running_loop().time() - started > LONGEST_PAUSE_SECONDS:
            pause = 0.1
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
