"""Everything on a customer over real sockets: complete, or an error."""

import asyncio
import json
import uuid
from datetime import datetime
from typing import Any

import grpc
import pytest
from holdfast.interaction.v1 import privacy_pb2

from chassis.errors import reason_of
from chassis.rules import NotFound, Refusal, Refused, Unavailable
from tests.integration.gateway.fakes import exported
from tests.integration.gateway.running import SECTION_SECONDS, Gateway
from tests.support.polling import until

EXPORT = "ExportCustomer"
TOLD = privacy_pb2.ExportCustomerResponse
SERVICES = ("customer_info", "interaction", "retention", "sla")


def somebody() -> str:
    return str(uuid.uuid4())


async def refusal(gateway: Gateway, customer_id: str, token: str = "") -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await gateway.export(customer_id, token)
    return refused.value


async def test_what_all_services_hold_is_one_json_document(gateway: Gateway) -> None:
    ann = somebody()
    document = json.loads(await gateway.export(ann))
    assert document["customer_id"] == ann
    assert datetime.fromisoformat(document["exported_at"]).tzinfo is not None
    assert document["services"] == {
        "customer_info": {"customers": [{"language": "en"}], "products": []},
        "interaction": {
            "interactions": [{"note": '„Grüße“ "quoted"', "duration_seconds": 7}] * 3,
            "tickets": [{"title": "fault"}],
        },
        "retention": {"features": [{"days": [{"contacts": 1}]}], "scores": [], "outcomes": []},
        "sla": {"clocks": [{"state": "CLOCK_STATE_MET"}], "agreements": [], "outages": []},
    }
    for service in gateway.services.values():
        assert service.last(EXPORT).request.customer_id == ann


async def test_a_history_larger_than_a_message_comes_whole(gateway: Gateway) -> None:
    note = "x" * 4000
    parts = exported(privacy_pb2.ExportCustomerResponse, interactions=[{"n": n, "note": note} for n in range(50)])
    gateway.services["interaction"].scripts[EXPORT] = [
        *parts * 120,
        *exported(privacy_pb2.ExportCustomerResponse, tickets=[]),
    ]
    call = gateway.exporting(somebody(), seconds=60)
    pieces = [piece.data async for piece in call]
    document = b"".join(pieces)
    assert len(document) > 20_000_000
    assert max(len(piece) for piece in pieces) < 1_000_000
    entries = json.loads(document)["services"]["interaction"]["interactions"]
    assert [entry["n"] for entry in entries] == [*range(50)] * 120


@pytest.mark.parametrize("name", SERVICES)
async def test_a_service_that_is_down_fails_the_whole_and_is_named(gateway: Gateway, name: str) -> None:
    await gateway.services[name].stop()
    error = await refusal(gateway, somebody())
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")
    assert str(error.details()).startswith(f"{name} does not answer")


@pytest.mark.parametrize("name", SERVICES)
async def test_a_service_that_is_silent_fails_the_whole_and_is_named(gateway: Gateway, name: str) -> None:
    gateway.services[name].hold(EXPORT)
    error = await asyncio.wait_for(refusal(gateway, somebody()), 5 * SECTION_SECONDS)
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert str(error.details()).startswith(f"{name} does not answer")
    await until(lambda: gateway.services[name].cancelled == [EXPORT])


@pytest.mark.parametrize("name", SERVICES)
async def test_a_service_that_breaks_off_leaves_no_document_that_looks_whole(gateway: Gateway, name: str) -> None:
    service = gateway.services[name]
    # All of them are the same on the wire.
    service.scripts[EXPORT] = exported(TOLD, first=[{"note": "x" * 100_000}], second=[])
    service.breaks_after[EXPORT] = 1
    got = b""
    with pytest.raises(grpc.aio.AioRpcError) as broken:
        async for piece in gateway.exporting(somebody()):
            got += piece.data
    assert broken.value.code() is grpc.StatusCode.UNAVAILABLE
    assert str(broken.value.details()).startswith(f"{name} does not answer")
    assert len(got) > 100_000
    with pytest.raises(json.JSONDecodeError):
        json.loads(got)


@pytest.mark.parametrize("script", [[], exported(TOLD, a=[], b=[]) * 2], ids=["empty", "twice"])
async def test_what_cannot_be_whole_is_refused(gateway: Gateway, script: list[Any]) -> None:
    gateway.services["interaction"].scripts[EXPORT] = script
    error = await refusal(gateway, somebody())
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert str(error.details()).startswith("interaction told")


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (NotFound("there is no such customer"), grpc.StatusCode.NOT_FOUND),
        (Refused("the person was erased", reason="ERASED"), grpc.StatusCode.FAILED_PRECONDITION),
    ],
)
async def test_what_customer_information_declines_is_told(
    gateway: Gateway, refused: Refusal, code: grpc.StatusCode
) -> None:
    gateway.services["customer_info"].refusals[EXPORT] = refused
    error = await refusal(gateway, somebody())
    assert (error.code(), reason_of(error)) == (code, refused.reason)


async def test_a_fault_of_a_service_is_no_answer(gateway: Gateway) -> None:
    gateway.services["sla"].bare_codes[EXPORT] = grpc.StatusCode.INTERNAL
    gateway.services["retention"].refusals[EXPORT] = Unavailable("the store does not answer")
    error = await refusal(gateway, somebody())
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert str(error.details()).partition(" ")[0] in ("sla", "retention")


async def test_an_export_is_for_whom_it_concerns(gateway: Gateway) -> None:
    ann = somebody()
    for token in (gateway.token("service"), gateway.token("admin"), gateway.token("customer", ann)):
        assert json.loads(await gateway.export(ann, token))["customer_id"] == ann
        for service in gateway.services.values():
            assert service.last(EXPORT).metadata["authorization"] == f"Bearer {token}"
    for token in (gateway.token("agent"), gateway.token("auditor"), gateway.token("customer", somebody())):
        assert (await refusal(gateway, ann, token)).code() is grpc.StatusCode.PERMISSION_DENIED


async def test_who_leaves_ends_the_calls_to_the_services(gateway: Gateway) -> None:
    sla = gateway.services["sla"]
    sla.hold(EXPORT)
    call = gateway.exporting(somebody())
    reading = asyncio.ensure_future(call.read())
    await until(lambda: sla.count(EXPORT) == 1)
    call.cancel()
    await until(lambda: sla.cancelled == [EXPORT])
    with pytest.raises(asyncio.CancelledError):
        await reading
