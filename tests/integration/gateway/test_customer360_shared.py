"""Callers of the experience API who ask the same at the same time share the calls behind it."""

import asyncio
import uuid

import grpc
import pytest

from tests.integration.gateway.fakes import FakeService
from tests.integration.gateway.running import FRESH, SECTIONS, Gateway, freshness
from tests.support.polling import until

FAR_AWAY = 60.0


@pytest.fixture
def retention(gateway: Gateway) -> FakeService:
    return gateway.services["retention"]


async def _on_its_way(gateway: Gateway, customer: str, token: str) -> "asyncio.Task[object]":
    """A call that waits for services, or for somebody else's call of them, by the time it is returned."""
    task: asyncio.Task[object] = asyncio.create_task(gateway.ask(customer, token, seconds=FAR_AWAY))
    await asyncio.sleep(0)
    # Calls of one connection begin in their order, so what is refused after this one tells that this one has begun.
    refused = await gateway.refused(customer, gateway.token("partner"))
    assert refused == (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")
    return task


async def test_one_token_asking_the_same_at_once_asks_the_service_once(
    gateway: Gateway, retention: FakeService
) -> None:
    customer, token, gate = str(uuid.uuid4()), gateway.token(), retention.hold("GetScore")
    calls = [await _on_its_way(gateway, customer, token) for _ in range(3)]
    gate.set()
    for answer in await asyncio.gather(*calls):
        assert freshness(answer) == dict.fromkeys(SECTIONS, FRESH)  # type: ignore[arg-type]
    assert retention.count("GetScore") == 1


async def test_tokens_and_customers_do_not_share(gateway: Gateway, retention: FakeService) -> None:
    customer, token, gate = str(uuid.uuid4()), gateway.token(), retention.hold("GetScore")
    calls = [
        await _on_its_way(gateway, customer, token),
        await _on_its_way(gateway, customer, gateway.token()),
        await _on_its_way(gateway, str(uuid.uuid4()), token),
    ]
    await until(lambda: retention.count("GetScore") == 3)
    gate.set()
    await asyncio.gather(*calls)
    assert retention.count("GetScore") == 3


async def test_a_first_caller_who_leaves_takes_nothing_from_the_others(
    gateway: Gateway, retention: FakeService
) -> None:
    customer, token, gate = str(uuid.uuid4()), gateway.token(), retention.hold("GetScore")
    first = await _on_its_way(gateway, customer, token)
    second = await _on_its_way(gateway, customer, token)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    third = await _on_its_way(gateway, customer, token)
    gate.set()
    for answer in await asyncio.gather(second, third):
        assert freshness(answer) == dict.fromkeys(SECTIONS, FRESH)  # type: ignore[arg-type]
    assert (retention.count("GetScore"), retention.cancelled) == (1, [])


async def test_the_service_is_told_when_nobody_waits_any_more(gateway: Gateway, retention: FakeService) -> None:
    customer, token = str(uuid.uuid4()), gateway.token()
    retention.hold("GetScore")
    calls = [await _on_its_way(gateway, customer, token) for _ in range(2)]
    await until(lambda: retention.count("GetScore") == 1)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await until(lambda: retention.cancelled == ["GetScore"], seconds=1.5)


async def test_a_hasty_caller_does_not_spoil_it_for_a_patient_one(gateway: Gateway, retention: FakeService) -> None:
    customer, token, gate = str(uuid.uuid4()), gateway.token(), retention.hold("GetScore")
    hasty = asyncio.create_task(gateway.ask(customer, token, seconds=0.4))
    await until(lambda: retention.count("GetScore") == 1)
    patient = asyncio.create_task(gateway.ask(customer, token, seconds=FAR_AWAY))
    await until(lambda: retention.count("GetScore") == 2)
    await asyncio.wait([hasty])
    gate.set()
    assert freshness(await patient) == dict.fromkeys(SECTIONS, FRESH)
    if (error := hasty.exception()) is not None:
        assert isinstance(error, grpc.aio.AioRpcError)
