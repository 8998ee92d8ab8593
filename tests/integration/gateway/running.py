"""The experience API as its own process, and a client of it."""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from holdfast.gateway.v1 import experience_pb2 as pb
from holdfast.gateway.v1 import experience_pb2_grpc, privacy_pb2, privacy_pb2_grpc

from chassis.errors import reason_of
from cli.mesh.issuer import AUDIENCE, ISSUER, Issuer
from tests.integration.gateway.fakes import FakeService
from tests.support.service import free_port

ROOT = Path(__file__).resolve().parents[3]
SECTION_SECONDS = 2.0
SECTIONS = ("customer", "portfolio", "interactions", "tickets", "sla", "score")
FRESH, STALE, MISSING, ABSENT = (
    pb.SectionStatus.FRESHNESS_FRESH,
    pb.SectionStatus.FRESHNESS_STALE,
    pb.SectionStatus.FRESHNESS_MISSING,
    pb.SectionStatus.FRESHNESS_ABSENT,
)


def freshness(answer: pb.GetCustomer360Response) -> dict[str, "pb.SectionStatus.Freshness.ValueType"]:
    """How far each section of an answer can be trusted."""
    return {name: getattr(answer, name).status.freshness for name in SECTIONS}


@dataclass
class Gateway:
    """A running experience API in front of fake services."""

    process: asyncio.subprocess.Process
    channel: grpc.aio.Channel
    services: Mapping[str, FakeService]
    issuer: Issuer

    def token(self, role: str = "agent", customer_id: str = "", subject: str = "") -> str:
        """A bearer token; each is another one."""
        return self.issuer.token([role], subject or uuid.uuid4().hex, customer_id=customer_id)

    async def ask(
        self, customer_id: str, token: str = "", *, interactions: int = 0, seconds: float = 10.0
    ) -> pb.GetCustomer360Response:
        """The story of a customer; the default caller is an agent."""
        stub = experience_pb2_grpc.ExperienceServiceStub(self.channel)
        request = pb.GetCustomer360Request(customer_id=customer_id, interactions=interactions)
        metadata = grpc.aio.Metadata(("authorization", f"Bearer {token or self.token()}"))
        return await stub.GetCustomer360(request, timeout=seconds, metadata=metadata)

    async def export(self, customer_id: str, token: str = "", *, seconds: float = 20.0) -> bytes:
        """Everything on a customer; the default caller is a supervisor."""
        call = self.exporting(customer_id, token, seconds=seconds)
        return b"".join([piece.data async for piece in call])

    def exporting(
        self, customer_id: str, token: str = "", *, seconds: float = 20.0
    ) -> "grpc.aio.UnaryStreamCall[privacy_pb2.ExportCustomerRequest, Any]":
        """The call that exports it."""
        stub = privacy_pb2_grpc.PrivacyServiceStub(self.channel)
        metadata = grpc.aio.Metadata(("authorization", f"Bearer {token or self.token('supervisor')}"))
        request = privacy_pb2.ExportCustomerRequest(customer_id=customer_id)
        return stub.ExportCustomer(request, timeout=seconds, metadata=metadata)

    async def all_fresh(self) -> bool:
        """Whether every service is reached."""
        return set(freshness(await self.ask(str(uuid.uuid4()))).values()) == {FRESH}

    async def refused(self, customer_id: str, token: str = "", *, interactions: int = 0) -> tuple[grpc.StatusCode, str]:
        """With which status and reason the call is refused."""
        try:
            await self.ask(customer_id, token, interactions=interactions)
        except grpc.aio.AioRpcError as error:
            return error.code(), reason_of(error)
        raise AssertionError("the call was not refused")


def environment(services: Mapping[str, FakeService], jwks: Path) -> dict[str, str]:
    """Settings of an experience API in front of `services`, on a free port."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    return {
        **inherited,
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "gen"))),
        "HOLDFAST_LISTEN": f"127.0.0.1:{free_port()}",
        "HOLDFAST_JWKS": str(jwks),
        "HOLDFAST_JWT_ISSUER": ISSUER,
        "HOLDFAST_JWT_AUDIENCE": AUDIENCE,
        "HOLDFAST_SECTION_SECONDS": str(SECTION_SECONDS),
        "HOLDFAST_EXPORT_SILENCE_SECONDS": str(SECTION_SECONDS),
        **{f"HOLDFAST_{name.upper()}_TARGET": service.target for name, service in services.items()},
    }


async def start(settings: Mapping[str, str], log: Path) -> asyncio.subprocess.Process:
    """Starts `python -m gateway`; what it logs goes to `log`."""
    with log.open("wb") as errors:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-W", "error", "-m", "gateway", cwd=ROOT, env=dict(settings), stderr=errors
        )


@asynccontextmanager
async def running(
    services: Mapping[str, FakeService], issuer: Issuer, jwks: Path, log: Path, **extra: str
) -> AsyncIterator[Gateway]:
    """A gateway that serves; it must not have logged a fault by the time it ends. `extra` adds to its environment."""
    settings = environment(services, jwks) | extra
    process = await start(settings, log)
    options = [("grpc.max_reconnect_backoff_ms", 100), ("grpc.initial_reconnect_backoff_ms", 50)]
    try:
        async with grpc.aio.insecure_channel(settings["HOLDFAST_LISTEN"], options=options) as channel:
            await _serving(process, channel, log)
            yield Gateway(process, channel, services, issuer)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    text = logged(log)
    assert "Traceback" not in text, text
    assert "never retrieved" not in text, text
    assert '"call_failed"' not in text, text


def logged(log: Path) -> str:
    """What a process has logged so far."""
    return log.read_text()


async def _serving(process: asyncio.subprocess.Process, channel: grpc.aio.Channel, log: Path) -> None:
    service = "holdfast.gateway.v1.ExperienceService"
    check = health_pb2_grpc.HealthStub(channel).Check(
        health_pb2.HealthCheckRequest(service=service), wait_for_ready=True, timeout=30
    )
    ended = asyncio.ensure_future(process.wait())
    answer = asyncio.ensure_future(_answer(check))
    await asyncio.wait((ended, answer), return_when=asyncio.FIRST_COMPLETED)
    if ended.done():
        answer.cancel()
        raise AssertionError(f"the gateway ended at start: {logged(log)}")
    ended.cancel()
    assert (await answer).status == health_pb2.HealthCheckResponse.SERVING


async def _answer(
    check: "grpc.aio.UnaryUnaryCall[object, health_pb2.HealthCheckResponse]",
) -> health_pb2.HealthCheckResponse:
    return await check
