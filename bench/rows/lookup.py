"""What it costs to find a customer among a million: by an identifier, against by its id."""

import random
import statistics
from typing import Any

import pymongo
from holdfast.customer_info.v1 import customers_pb2 as pb

from bench import samples
from bench.result import Result
from bench.rows.calls import READ
from bench.stand import Stand
from chassis.times import now
from services.customer_info.customers import rules, wire
from services.customer_info.customers.store import CUSTOMERS, to_document

LOOK_UP = "/holdfast.customer_info.v1.CustomersService/LookupCustomer"
CUSTOMERS_IN_ALL = 1_000_000
BATCH = 5_000
CALLS = 4_000
ROUNDS = 5
IN_FLIGHT = 4


def look_up_among_a_million(stand: Stand) -> Result:
    """99th percentile of LookupCustomer by external id, email and number in turn, and of GetCustomer."""
    with stand.service("customer_info") as service:
        _fill(service.environment["HOLDFAST_CUSTOMER_INFO_MONGO_URI"])
        chosen = random.Random(1).sample(range(CUSTOMERS_IN_ALL), CALLS)
        by_id = [pb.GetCustomerRequest(customer_id=samples.customer(n).id).SerializeToString() for n in chosen]
        by_key = [_request(n).SerializeToString() for n in chosen]
        token = stand.keys.token("agent")
        figures: dict[str, list[float]] = {READ: [], LOOK_UP: []}
        for _ in range(ROUNDS):
            for method, requests in ((READ, by_id), (LOOK_UP, by_key)):
                told = stand.drive(service, method, requests, count=CALLS, in_flight=IN_FLIGHT, token=token)
                figures[method].append(told["p99"] * 1000)
    figure, floor = statistics.median(figures[LOOK_UP]), statistics.median(figures[READ])
    return Result("look up by identifier among 1,000,000 customers", "µs p99", figure, floor, "<=", 3.0)


def _fill(uri: str) -> None:
    """Puts a million customers into the store, past the service: loading is not what is measured."""
    client: pymongo.MongoClient[dict[str, Any]]
    with pymongo.MongoClient(uri, w=1) as client:
        collection: Any = client.get_default_database()[CUSTOMERS.name]
        for first in range(0, CUSTOMERS_IN_ALL, BATCH):
            collection.insert_many([_document(n) for n in range(first, first + BATCH)], ordered=False)


def _document(n: int) -> dict[str, Any]:
    customer = wire.customer(samples.customer(n))
    return to_document(rules.loaded(customer, customer.id, now()))


def _request(n: int) -> pb.LookupCustomerRequest:
    if n % 3 == 0:
        return pb.LookupCustomerRequest(external_id=pb.LookupExternalId(issuer="billing", value=f"B{n:08d}"))
    if n % 3 == 1:
        return pb.LookupCustomerRequest(email=f"c{n}@example.com")
    return pb.LookupCustomerRequest(phone=f"+49301{n:07d}")
