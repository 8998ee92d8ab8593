"""The experience API as a process: its settings, its start, its end."""

import asyncio
import signal
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest

from cli.mesh.instance import Instance
from cli.mesh.issuer import Issuer
from tests.integration.gateway.fakes import FakeService
from tests.integration.gateway.running import FRESH, Gateway, environment, freshness, logged, running, start
from tests.support.polling import until
from tests.support.service import free_port


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("HOLDFAST_SLA_TARGET", "is not set"),
        ("HOLDFAST_RETENTION_TARGET=somewhere", 'must be "host:port"'),
        ("HOLDFAST_SECTION_SECONDS=0", "Input should be greater than 0"),
        ("HOLDFAST_REMEMBER_MEGABYTES=-1", "Input should be greater than or equal to 0"),
    ],
)
async def test_a_wrong_setting_ends_the_process_with_one_line_that_names_it(
    services: Mapping[str, FakeService], instance: Instance, tmp_path: Path, setting: str, sentence: str
) -> None:
    name, _, value = setting.partition("=")
    settings = environment(services, instance.jwks) | {name: value}
    if not value:
        del settings[name]
    process = await start(settings, tmp_path / "log")
    assert await asyncio.wait_for(process.wait(), 30) == 2
    assert logged(tmp_path / "log") == f"holdfast: setting {name}: {sentence}\n"


async def test_a_call_in_flight_ends_well_when_the_process_is_told_to_stop(
    gateway: Gateway, issuer: Issuer, instance: Instance, tmp_path: Path
) -> None:
    retention, customer = gateway.services["retention"], str(uuid.uuid4())
    gate = retention.hold("GetScore")
    async with running(gateway.services, issuer, instance.jwks, tmp_path / "log") as other:
        call = asyncio.create_task(other.ask(customer))
        await until(lambda: retention.count("GetScore") == 1)
        other.process.send_signal(signal.SIGTERM)
        await until(lambda: "draining" in logged(tmp_path / "log"))
        gate.set()
        assert freshness(await call)["score"] == FRESH
        assert await asyncio.wait_for(other.process.wait(), 30) == 0


async def test_a_proxy_for_the_way_out_is_not_used_between_services(
    gateway: Gateway, issuer: Issuer, instance: Instance, tmp_path: Path
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    outside = {"http_proxy": nobody, "grpc_proxy": nobody, "no_proxy": "", "no_grpc_proxy": "", "NO_PROXY": ""}
    async with running(gateway.services, issuer, instance.jwks, tmp_path / "log", **outside) as other:
        assert await other.all_fresh()
