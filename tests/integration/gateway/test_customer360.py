"""The whole story of a customer over real sockets: services that are up, down, slow, or say no."""

import asyncio
import time
import uuid

import grpc
import pytest
from holdfast.customer_info.v1 import customers_pb2

from chassis.rules import Forbidden, NotFound, Refused, Unavailable
from tests.integration.gateway.running import (
    ABSENT,
    FRESH,
    MISSING,
    SECTION_SECONDS,
    SECTIONS,
    STALE,
    Gateway,
    freshness,
)

SECTIONS_OF = {
    "customer_info": {"customer", "portfolio"},
    "interaction": {"interactions", "tickets"},
    "retention": {"score"},
    "sla": {"sla"},
}


@pytest.fixture
def customer() -> str:
    """A customer the gateway has never heard of."""
    return str(uuid.uuid4())


async def _mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Listens until the other side has had enough."""
    await reader.read()
    writer.close()


async def test_all_services_tell_their_part(gateway: Gateway, customer: str) -> None:
    before = time.time()
    answer = await gateway.ask(customer)
    assert freshness(answer) == dict.fromkeys(SECTIONS, FRESH)
    assert answer.customer_id == customer
    assert answer.customer.customer.etag == "7"
    assert [product.family for product in answer.portfolio.portfolio.products] == ["mobile", "voice"]
    assert [interaction.category for interaction in answer.interactions.interactions] == ["fault"]
    assert [ticket.category for ticket in answer.tickets.open_tickets] == ["fault"]
    assert answer.sla.sla.met == 3
    assert answer.sla.availability.products[0].availability == 0.999
    assert answer.score.score.value_tier == "gold"
    for name in SECTIONS:
        status = getattr(answer, name).status
        assert status.reason == ""
        assert 0 < status.milliseconds < 1000 * SECTION_SECONDS
        assert before - 1 < status.as_of.ToSeconds() < time.time() + 1


async def test_services_are_asked_in_the_callers_name_for_what_the_contract_says(
    gateway: Gateway, customer: str
) -> None:
    token = gateway.token()
    await gateway.ask(customer, token, interactions=3)
    calls = [call for service in gateway.services.values() for call in service.received]
    assert len(calls) == 7
    assert {call.request.customer_id for call in calls} == {customer}
    assert {call.metadata["authorization"] for call in calls} == {f"Bearer {token}"}
    assert len({call.metadata["x-request-id"] for call in calls}) == 1
    assert gateway.services["interaction"].last("ListInteractions").request.query.page.page_size == 3
    (predicate,) = gateway.services["interaction"].last("ListCustomerTickets").request.query.predicates
    assert (predicate.field, predicate.operator) == ("state", predicate.OPERATOR_NOT_EQUAL)
    assert set(predicate.values) == {"TICKET_STATE_CLOSED", "TICKET_STATE_CANCELLED", "TICKET_STATE_REJECTED"}


async def test_ten_interactions_are_asked_for_where_the_caller_names_no_number(gateway: Gateway, customer: str) -> None:
    await gateway.ask(customer)
    assert gateway.services["interaction"].last("ListInteractions").request.query.page.page_size == 10


@pytest.mark.parametrize("name", SECTIONS_OF)
async def test_a_service_that_is_down_leaves_the_other_sections_fresh(
    gateway: Gateway, customer: str, name: str
) -> None:
    await gateway.services[name].stop()
    answer = await gateway.ask(customer)
    expected = {section: MISSING if section in SECTIONS_OF[name] else FRESH for section in SECTIONS}
    assert freshness(answer) == expected
    assert {getattr(answer, section).status.reason for section in SECTIONS_OF[name]} == {"UNAVAILABLE"}


async def test_with_every_service_down_the_call_still_answers(gateway: Gateway, customer: str) -> None:
    for service in gateway.services.values():
        await service.stop()
    assert freshness(await gateway.ask(customer)) == dict.fromkeys(SECTIONS, MISSING)


async def test_a_service_that_hangs_does_not_keep_the_answer_beyond_the_callers_deadline(
    gateway: Gateway, customer: str
) -> None:
    retention = gateway.services["retention"]
    retention.hold("GetScore")
    answer = await gateway.ask(customer, seconds=1.5)
    expected = dict.fromkeys(SECTIONS, FRESH) | {"score": MISSING}
    assert freshness(answer) == expected
    assert answer.score.status.reason == "DEADLINE_EXCEEDED"
    left = retention.last("GetScore").seconds
    assert left is not None
    assert left < 0.95 * 1.5


async def test_a_section_takes_no_longer_than_its_bound_of_a_patient_caller(gateway: Gateway, customer: str) -> None:
    gateway.services["retention"].hold("GetScore")
    answer = await gateway.ask(customer, seconds=60)
    assert freshness(answer)["score"] == MISSING
    assert answer.score.status.milliseconds == pytest.approx(1000 * SECTION_SECONDS, abs=1000)


async def test_a_service_that_takes_connections_and_says_nothing_is_missing(gateway: Gateway, customer: str) -> None:
    sla = gateway.services["sla"]
    await sla.stop()
    mute = await asyncio.start_server(_mute, "127.0.0.1", sla.port)
    try:
        answer = await gateway.ask(customer, seconds=1.5)
    finally:
        mute.close()
    assert freshness(answer) == dict.fromkeys(SECTIONS, FRESH) | {"sla": MISSING}


async def test_half_an_answer_is_none(gateway: Gateway, customer: str) -> None:
    gateway.services["sla"].refusals["GetAvailability"] = Unavailable("the store does not answer")
    answer = await gateway.ask(customer)
    assert freshness(answer)["sla"] == MISSING
    assert not answer.sla.HasField("sla")


async def test_what_a_service_last_said_stands_in_for_it_once_it_is_down(gateway: Gateway, customer: str) -> None:
    fresh = await gateway.ask(customer)
    await gateway.services["customer_info"].stop()
    stale = await gateway.ask(customer)
    expected = {s: STALE if s in SECTIONS_OF["customer_info"] else FRESH for s in SECTIONS}
    assert freshness(stale) == expected
    assert stale.customer.customer == fresh.customer.customer
    assert stale.portfolio.portfolio == fresh.portfolio.portfolio
    assert stale.customer.status.as_of == fresh.customer.status.as_of
    assert stale.customer.status.reason == "UNAVAILABLE"


async def test_what_was_said_to_an_agent_is_not_shown_to_an_auditor_or_to_the_customer(
    gateway: Gateway, customer: str
) -> None:
    await gateway.ask(customer)
    await gateway.services["retention"].stop()
    for token in (gateway.token("auditor"), gateway.token("customer", customer)):
        answer = await gateway.ask(customer, token)
        assert freshness(answer)["score"] == MISSING
        assert not answer.score.HasField("score")
    assert freshness(await gateway.ask(customer, gateway.token("agent")))["score"] == STALE


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (Refused("train a model first", reason="NO_CHAMPION"), "NO_CHAMPION"),
        (NotFound("no features"), "NOT_FOUND"),
        (Forbidden("not for you"), "PERMISSION_DENIED"),
    ],
)
async def test_a_service_that_says_no_leaves_its_section_absent_with_its_reason(
    gateway: Gateway, customer: str, refusal: NotFound | Refused | Forbidden, reason: str
) -> None:
    await gateway.ask(customer)
    gateway.services["retention"].refusals["GetScore"] = refusal
    answer = await gateway.ask(customer)
    assert freshness(answer) == dict.fromkeys(SECTIONS, FRESH) | {"score": ABSENT}
    assert answer.score.status.reason == reason
    assert not answer.score.HasField("score")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"),
        (grpc.StatusCode.UNIMPLEMENTED, "UNAVAILABLE"),
        (grpc.StatusCode.ABORTED, "UNAVAILABLE"),
        (grpc.StatusCode.INTERNAL, "INTERNAL"),
    ],
)
async def test_a_status_without_our_details_still_gets_a_documented_reason(
    gateway: Gateway, customer: str, code: grpc.StatusCode, reason: str
) -> None:
    gateway.services["retention"].bare_codes["GetScore"] = code
    answer = await gateway.ask(customer)
    assert (answer.score.status.freshness, answer.score.status.reason) == (MISSING, reason)


async def test_a_customer_who_does_not_exist_is_not_found(gateway: Gateway, customer: str) -> None:
    gateway.services["customer_info"].refusals["GetCustomer"] = NotFound("no such customer")
    assert await gateway.refused(customer) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")


async def test_a_customer_reads_its_own_story_and_no_other(gateway: Gateway, customer: str) -> None:
    token = gateway.token("customer", customer)
    assert freshness(await gateway.ask(customer, token))["customer"] == FRESH
    other = str(uuid.uuid4())
    assert await gateway.refused(other, token) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_OWN_CUSTOMER")
    assert all(call.request.customer_id == customer for s in gateway.services.values() for call in s.received)


async def test_a_role_the_contract_does_not_name_is_refused(gateway: Gateway, customer: str) -> None:
    token = gateway.token("partner")
    assert await gateway.refused(customer, token) == (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")


@pytest.mark.parametrize(("customer_id", "interactions"), [("anna", 0), (str(uuid.UUID(int=1)), 101), ("", 0)])
async def test_a_request_that_breaks_a_rule_is_refused_before_anybody_is_asked(
    gateway: Gateway, customer_id: str, interactions: int
) -> None:
    refused = await gateway.refused(customer_id, interactions=interactions)
    assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert not any(service.received for service in gateway.services.values())


async def test_of_a_merged_customer_the_story_is_that_of_its_survivor(gateway: Gateway) -> None:
    merged, survivor = str(uuid.uuid4()), str(uuid.uuid4())
    answer = customers_pb2.GetCustomerResponse(customer=customers_pb2.Customer(id=survivor))
    gateway.services["customer_info"].scripts["GetCustomer"] = [answer]
    story = await gateway.ask(merged)
    assert (story.customer_id, story.customer.customer.id) == (survivor, survivor)
    assert set(freshness(story).values()) == {FRESH}
    # Each service knows for itself which ids are one customer.
    asked = [call.request.customer_id for service in gateway.services.values() for call in service.received]
    assert asked == [merged] * 7
