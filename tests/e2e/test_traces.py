"""Who calls whom, as real traces tell; and that nothing personal is in them or in the logs."""

from holdfast.gateway.v1 import experience_pb2

from cli.client import Client
from tests.e2e import samples
from tests.support.collector import Collector
from tests.support.mesh import LiveMesh
from tests.support.polling import eventually

SECTIONS = {
    ("holdfast.gateway", f"holdfast.{method}")
    for method in (
        "customer_info.v1.CustomersService/GetCustomer",
        "customer_info.v1.PortfolioService/GetPortfolio",
        "interaction.v1.InteractionsService/ListInteractions",
        "interaction.v1.TicketsService/ListCustomerTickets",
        "sla.v1.ClocksService/GetCustomerSla",
        "sla.v1.MeasurementsService/GetAvailability",
        "retention.v1.ScoresService/GetScore",
    )
}
LISTENERS = {
    (f"holdfast.{service}", "holdfast.events.v1.EventsService/Subscribe")
    for service in ("customer_info", "interaction", "retention", "sla")
}
# What another test may have asked for on the same mesh.
EXPORTS = {
    ("holdfast.gateway", f"holdfast.{service}.v1.PrivacyService/ExportCustomer")
    for service in ("customer_info", "interaction", "retention", "sla")
}


async def test_the_gateway_calls_services_and_services_only_listen_to_each_other(
    mesh: LiveMesh, collector: Collector, agent: Client
) -> None:
    customer_id = await samples.customer(agent)
    request = experience_pb2.GetCustomer360Request(customer_id=customer_id)
    await agent.experience.GetCustomer360(request, metadata=agent.metadata)
    # A subscription is one call that lasts: its span ends with the service that serves it.
    mesh.stop("interaction")
    mesh.restart("interaction")

    async def told() -> bool:
        return collector.calls() >= SECTIONS | LISTENERS

    await eventually(told, "a trace of every call", seconds=60)
    assert collector.calls() - EXPORTS == SECTIONS | LISTENERS


async def test_names_addresses_and_notes_are_in_no_trace_and_in_no_log(
    mesh: LiveMesh, collector: Collector, agent: Client
) -> None:
    customer_id = await samples.customer(agent)
    request = samples.interaction(customer_id)
    request.interaction.note = "Confidential-Remark"
    await agent.interactions.LogInteraction(request, metadata=agent.metadata)
    opened = await samples.ticket(agent, customer_id)
    assert opened.title == "No dial tone"

    async def traced() -> bool:
        return any("LogInteraction" in s.span.name for s in collector.spans())

    await eventually(traced, "a trace of the call")
    told = " ".join(str(s.span) for s in collector.spans())
    logs = " ".join(p.read_text(errors="replace") for p in mesh.instance.data.rglob("*.log") if "mongod" not in p.name)
    for secret in ("Confidential-Remark", "No dial tone", "Ada", mesh.token("agent").split(".")[0]):
        assert secret not in told
        assert secret not in logs
