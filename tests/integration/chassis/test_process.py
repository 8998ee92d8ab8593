"""A process of the mesh from its start to its end: settings, port, workers, overload, drain."""

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import grpc
import httpx
import psutil
import pytest
from google.rpc import error_details_pb2, status_pb2
from holdfast.customer_info.v1 import customers_pb2
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.events.v1 import events_pb2
from holdfast.events.v1.events_pb2_grpc import EventsServiceStub

from chassis.errors import DETAILS_TRAILER, reason_of
from tests.support.polling import eventually
from tests.support.service import Keys, environment, free_port, healthy, serving

MODULE = "services.customer_info"


def run(settings: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Runs the service with exactly these settings until it gives up."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    return subprocess.run(
        [sys.executable, "-m", MODULE],
        env={**clean, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def uri(mongo_uri: Callable[[str], str]) -> str:
    return mongo_uri("customer_info")


def test_settings_that_are_missing_or_malformed_are_named_one_a_line(keys: Keys) -> None:
    ended = run({"HOLDFAST_LISTEN": "nowhere", "HOLDFAST_JWKS": str(keys.instance.jwks), "HOLDFAST_WORKERS": "none"})
    assert ended.returncode == 2
    lines = ended.stderr.strip().splitlines()
    assert {line.split(":")[1].split()[1] for line in lines} == {
        "HOLDFAST_LISTEN",
        "HOLDFAST_JWT_ISSUER",
        "HOLDFAST_WORKERS",
        "HOLDFAST_CUSTOMER_INFO_MONGO_URI",
        "HOLDFAST_CUSTOMER_INFO_KEYS_MONGO_URI",
        "HOLDFAST_CUSTOMER_INFO_MASTER_KEY",
    }


def test_a_port_that_is_taken_is_named(keys: Keys, uri: str, tmp_path: Path) -> None:
    with serving(MODULE, keys, tmp_path, customer_info_mongo_uri=uri) as first:
        port = int(first.address.rpartition(":")[2])
        ended = run(environment(keys, port, customer_info_mongo_uri=uri))
    assert ended.returncode == 1
    assert ended.stderr.strip().splitlines()[-1].startswith("holdfast: customer_info cannot start: HOLDFAST_LISTEN")


def test_a_store_that_does_not_answer_is_told_in_one_line_without_its_password(keys: Keys) -> None:
    gone = f"mongodb://user:secret-word@127.0.0.1:{free_port()}/customer_info"
    settings = environment(keys, free_port(), customer_info_mongo_uri=gone, mongo_timeout_seconds="0.5")
    ended = run(settings)
    assert ended.returncode == 1
    assert "MongoDB does not answer" in ended.stderr
    assert "secret-word" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_keys_that_cannot_be_read_are_told_in_one_line(keys: Keys, uri: str) -> None:
    ended = run(environment(keys, free_port(), customer_info_mongo_uri=uri, jwks="/nowhere/jwks.json"))
    assert ended.returncode == 1
    assert "HOLDFAST_JWKS" in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_one_call_too_many_is_refused_at_once_with_when_to_retry(keys: Keys, uri: str, tmp_path: Path) -> None:
    with serving(MODULE, keys, tmp_path, customer_info_mongo_uri=uri, max_in_flight="1") as service:
        async with grpc.aio.insecure_channel(service.address) as channel:
            stub = CustomersServiceStub(channel)
            request = customers_pb2.GetCustomerRequest(customer_id=str(uuid.uuid4()))
            metadata = keys.metadata("agent")
            answers = await asyncio.gather(
                *(stub.GetCustomer(request, metadata=metadata) for _ in range(64)), return_exceptions=True
            )
    errors = [a for a in answers if isinstance(a, grpc.aio.AioRpcError)]
    assert len(errors) == 64
    shed = [e for e in errors if e.code() is grpc.StatusCode.RESOURCE_EXHAUSTED]
    assert shed
    assert {reason_of(e) for e in shed} == {"OVERLOADED"}
    trailer = dict(shed[0].trailing_metadata() or ())[DETAILS_TRAILER]
    retry = error_details_pb2.RetryInfo()
    assert any(d.Unpack(retry) for d in status_pb2.Status.FromString(trailer).details)
    assert retry.retry_delay.nanos > 0
    # The others were served, and say that there is no such customer.
    assert {e.code() for e in errors} == {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.NOT_FOUND}


async def test_a_process_told_to_stop_says_so_ends_its_streams_and_exits_clean(
    keys: Keys, uri: str, tmp_path: Path
) -> None:
    with serving(MODULE, keys, tmp_path, customer_info_mongo_uri=uri, drain_seconds="20") as service:
        async with grpc.aio.insecure_channel(service.address) as channel:
            stream = EventsServiceStub(channel).Subscribe(
                events_pb2.SubscribeRequest(), metadata=keys.metadata("service")
            )
            await stream.read()
            assert service.child is not None
            service.child.send_signal(signal.SIGTERM)
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                while await stream.read() is not grpc.aio.EOF:
                    pass
            assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
        # Far less than it may take: nothing holds it up.
        assert await asyncio.to_thread(service.child.wait, 10) == 0


def test_a_process_whose_end_is_held_up_ends_all_the_same_and_says_what_held_it_up(keys: Keys, tmp_path: Path) -> None:
    with serving("tests.support.stubborn", keys, tmp_path, drain_seconds="0", drain_delay_seconds="0") as service:
        assert service.child is not None
        service.child.send_signal(signal.SIGTERM)
        assert service.child.wait(30) == 1
        log = (tmp_path / "tests.support.stubborn.log").read_text()
    assert "stop_overdue" in log
    assert "held_up" in log


async def test_workers_share_one_port_are_replaced_when_they_die_and_leave_with_their_supervisor(
    keys: Keys, uri: str, tmp_path: Path
) -> None:
    with serving(MODULE, keys, tmp_path, customer_info_mongo_uri=uri, workers="2") as service:
        assert service.child is not None
        supervisor = psutil.Process(service.child.pid)

        async def two() -> bool:
            return len(supervisor.children()) == 2

        await eventually(two, "two workers")
        victim = supervisor.children()[0]
        victim.kill()

        async def replaced() -> bool:
            alive = [c.pid for c in supervisor.children() if c.status() != psutil.STATUS_ZOMBIE]
            return len(alive) == 2 and victim.pid not in alive

        await eventually(replaced, "a new worker")
        workers = supervisor.children()
        service.kill()

        async def gone() -> bool:
            return not any(w.is_running() and w.status() != psutil.STATUS_ZOMBIE for w in workers)

        await eventually(gone, "the end of the workers", seconds=60)
    assert not healthy(service.address)


async def test_a_deadline_that_has_passed_is_told_as_such(keys: Keys, uri: str, tmp_path: Path) -> None:
    with serving(MODULE, keys, tmp_path, customer_info_mongo_uri=uri) as service:
        async with grpc.aio.insecure_channel(service.address) as channel:
            stub = CustomersServiceStub(channel)
            request = customers_pb2.GetCustomerRequest(customer_id=str(uuid.uuid4()))
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.GetCustomer(request, metadata=keys.metadata("agent"), timeout=0.00001)
    assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_metrics_are_served_as_prometheus_text(keys: Keys, uri: str, tmp_path: Path) -> None:
    metrics = f"127.0.0.1:{free_port()}"
    with serving(MODULE, keys, tmp_path, customer_info_mongo_uri=uri, metrics_listen=metrics) as service:
        async with grpc.aio.insecure_channel(service.address) as channel:
            stub = CustomersServiceStub(channel)
            request = customers_pb2.GetCustomerRequest(customer_id=str(uuid.uuid4()))
            with pytest.raises(grpc.aio.AioRpcError):
                await stub.GetCustomer(request, metadata=keys.metadata("agent"))
        async with httpx.AsyncClient() as http:
            text = (await http.get(f"http://{metrics}/metrics")).text
    counted = [line for line in text.splitlines() if line.startswith("rpc_server_duration") and "_count" in line]
    assert any("GetCustomer" in line and "NOT_FOUND" in line and line.endswith(" 1.0") for line in counted), text
