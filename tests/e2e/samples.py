"""Things to make in end-to-end tests."""

import uuid

from holdfast.customer_info.v1 import customers_pb2
from holdfast.interaction.v1 import interactions_pb2, tickets_pb2
from holdfast.sla.v1 import agreements_pb2

from cli.client import Client


async def customer(client: Client) -> str:
    """A new customer's id."""
    message = customers_pb2.Customer(individual=customers_pb2.Individual(given_name="Ada", family_name="Example"))
    request = customers_pb2.CreateCustomerRequest(customer=message, request_id=str(uuid.uuid4()))
    return (await client.customers.CreateCustomer(request, metadata=client.metadata)).customer.id


def interaction(customer_id: str, message_id: str = "") -> interactions_pb2.LogInteractionRequest:
    """A call to be logged."""
    message = interactions_pb2.Interaction(
        customer_id=customer_id,
        channel=interactions_pb2.CHANNEL_CALL,
        direction=interactions_pb2.DIRECTION_INBOUND,
        source="e2e" if message_id else "",
        message_id=message_id,
    )
    return interactions_pb2.LogInteractionRequest(interaction=message)


async def ticket(client: Client, customer_id: str) -> tickets_pb2.Ticket:
    """A new critical ticket."""
    message = tickets_pb2.Ticket(
        customer_id=customer_id,
        title="No dial tone",
        impact=tickets_pb2.LEVEL_HIGH,
        urgency=tickets_pb2.LEVEL_HIGH,
    )
    request = tickets_pb2.OpenTicketRequest(ticket=message, request_id=str(uuid.uuid4()))
    return (await client.tickets.OpenTicket(request, metadata=client.metadata)).ticket


async def agreement(client: Client, customer_id: str, seconds: int) -> str:
    """An agreement round the clock for one customer: critical tickets are resolved within `seconds`."""
    target = agreements_pb2.PriorityTarget(priority="CRITICAL", seconds=seconds)
    message = agreements_pb2.Agreement(
        id=f"e2e-{customer_id}",
        name="End to end",
        customer_id=customer_id,
        calendar=agreements_pb2.Calendar(time_zone="Europe/Berlin"),
        objectives=[agreements_pb2.Objective(metric=agreements_pb2.METRIC_RESOLUTION, targets=[target])],
    )
    request = agreements_pb2.PutAgreementRequest(agreement=message)
    return (await client.agreements.PutAgreement(request, metadata=client.metadata)).agreement.id
