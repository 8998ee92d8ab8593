"""What single calls cost: reading one customer, logging one interaction."""

import uuid

from holdfast.customer_info.v1 import customers_pb2
from holdfast.interaction.v1 import interactions_pb2

from bench import samples
from bench.result import Result
from bench.stand import Stand

READ = "/holdfast.customer_info.v1.CustomersService/GetCustomer"
IMPORT = "/holdfast.customer_info.v1.CustomersService/ImportCustomers"
LOG = "/holdfast.interaction.v1.InteractionsService/LogInteraction"


def read_one_customer(stand: Stand) -> Result:
    """Read one of 1,000 customers by id, everything on."""
    customers = [samples.customer(n) for n in range(1000)]
    with stand.service("customer_info") as service:
        samples.load(service, IMPORT, customers_pb2.ImportCustomersRequest(customers=customers), stand.keys)
        stored = samples.call(service, READ, _get(customers[0].id), stand.keys)
        requests = [_get(c.id) for c in customers]
        with stand.echo("holdfast.customer_info.v1.customers_pb2:GetCustomerResponse") as echo:
            token = stand.keys.token("agent")
            figure, floor = stand.beside((service, READ, requests, token), (echo, [stored]))
    return Result("read one customer, everything on, 32 in flight", "µs CPU", figure, floor, "<=", 2.0)


def log_one_interaction(stand: Stand) -> Result:
    """Log one interaction, majority and journaled, everything on."""
    customers = [str(uuid.UUID(int=n)) for n in range(1, 1001)]
    requests = [
        interactions_pb2.LogInteractionRequest(interaction=samples.interaction(c)).SerializeToString()
        for c in customers
    ]
    with (
        stand.service("interaction") as service,
        stand.echo("holdfast.interaction.v1.interactions_pb2:LogInteractionRequest") as echo,
    ):
        token = stand.keys.token("agent")
        figure, floor = stand.beside((service, LOG, requests, token), (echo, requests))
    return Result("log one interaction, majority and journaled, 32 in flight", "µs CPU", figure, floor, "<=", 2.2)


def _get(customer_id: str) -> bytes:
    return customers_pb2.GetCustomerRequest(customer_id=customer_id).SerializeToString()
