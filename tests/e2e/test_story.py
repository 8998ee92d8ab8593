"""One customer's story through the whole mesh: what one service writes, the others learn, and the 360 tells."""

import contextlib

import grpc
import httpx
import pytest
from holdfast.gateway.v1 import experience_pb2
from holdfast.interaction.v1 import tickets_pb2
from holdfast.retention.v1 import features_pb2
from holdfast.sla.v1 import clocks_pb2

from cli.client import Client
from tests.e2e import samples
from tests.support.mesh import LiveMesh
from tests.support.polling import eventually

FRESH = experience_pb2.SectionStatus.FRESHNESS_FRESH


async def customer_sla(client: Client, customer_id: str) -> clocks_pb2.GetCustomerSlaResponse:
    request = clocks_pb2.GetCustomerSlaRequest(customer_id=customer_id)
    return await client.clocks.GetCustomerSla(request, metadata=client.metadata)


async def feature(client: Client, customer_id: str, name: str) -> float | None:
    request = features_pb2.GetFeaturesRequest(customer_id=customer_id)
    with contextlib.suppress(grpc.aio.AioRpcError):
        found = (await client.features.GetFeatures(request, metadata=client.metadata)).features
        return next((f.number for f in found if f.name == name and f.HasField("fact_time")), None)
    return None


async def test_a_ticket_starts_a_clock_that_breaches_in_time_and_feeds_the_features(
    system: Client, agent: Client
) -> None:
    customer_id = await samples.customer(agent)
    await samples.agreement(system, customer_id, seconds=2)
    opened = await samples.ticket(agent, customer_id)

    async def started() -> bool:
        return bool((await customer_sla(agent, customer_id)).running)

    await eventually(started, "a running clock")

    async def breached() -> bool:
        return (await customer_sla(agent, customer_id)).breached == 1

    await eventually(breached, "a breach")

    async def learned() -> bool:
        return await feature(agent, customer_id, "sla_breaches_90d") == 1

    await eventually(learned, "the breach among the features")
    assert await feature(agent, customer_id, "open_tickets") == 1
    change = tickets_pb2.ChangeTicketRequest(ticket_id=opened.id, state=tickets_pb2.TICKET_STATE_RESOLVED)
    await agent.tickets.ChangeTicket(change, metadata=agent.metadata)

    async def closed() -> bool:
        return (await customer_sla(agent, customer_id)).missed == 1

    await eventually(closed, "a missed clock")


async def test_the_360_tells_everything_over_grpc_and_over_rest(mesh: LiveMesh, agent: Client) -> None:
    customer_id = await samples.customer(agent)
    await samples.ticket(agent, customer_id)
    await agent.interactions.LogInteraction(samples.interaction(customer_id), metadata=agent.metadata)
    request = experience_pb2.GetCustomer360Request(customer_id=customer_id)
    story = await agent.experience.GetCustomer360(request, metadata=agent.metadata)
    assert story.customer.customer.id == customer_id
    assert len(story.interactions.interactions) == 1
    assert [t.title for t in story.tickets.open_tickets] == ["No dial tone"]
    sections = (story.customer, story.portfolio, story.interactions, story.tickets, story.sla)
    assert {s.status.freshness for s in sections} == {FRESH}
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=dict(mesh.bearer("agent"))) as http:
        answer = (await http.get(f"/v1/customers/{customer_id}/360")).json()
    assert answer["customer"]["customer"]["id"] == customer_id
    assert answer["interactions"]["status"]["freshness"] == "FRESHNESS_FRESH"


@pytest.mark.parametrize(
    ("member", "section"),
    [("interaction", "interactions"), ("sla", "sla"), ("retention", "score"), ("customer_info", "portfolio")],
)
async def test_a_service_that_is_down_leaves_its_section_marked_and_the_rest_fresh(
    mesh: LiveMesh, agent: Client, member: str, section: str
) -> None:
    known, new = await samples.customer(agent), await samples.customer(agent)

    async def told(customer_id: str) -> experience_pb2.GetCustomer360Response:
        request = experience_pb2.GetCustomer360Request(customer_id=customer_id)
        return await agent.experience.GetCustomer360(request, metadata=agent.metadata, timeout=5)

    async def whole() -> bool:
        # Channels to what an earlier test killed may still pause before they try again.
        story = await told(known)
        return {getattr(story, s).status.freshness for s in ("portfolio", "tickets", "sla")} == {FRESH}

    await eventually(whole, "a whole story")
    mesh.kill(member)
    try:
        # Each within its deadline of five seconds, or the call fails.
        of_the_new, of_the_known = await told(new), await told(known)
    finally:
        mesh.recover()
    assert getattr(of_the_new, section).status.freshness == experience_pb2.SectionStatus.FRESHNESS_MISSING
    remembered = getattr(of_the_known, section).status
    if member != "retention":  # which had nothing to say of a customer nobody has trained a model for
        assert remembered.freshness == experience_pb2.SectionStatus.FRESHNESS_STALE
        assert remembered.HasField("as_of")
    other = of_the_new.tickets if member != "interaction" else of_the_new.portfolio
    assert other.status.freshness == FRESH
