"""What a bulk load of customers costs, sealed and indexed, against `insert_many` of the same documents."""

import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Any

import grpc
import pymongo
from holdfast.customer_info.v1 import customers_pb2 as pb
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub

from bench import samples
from bench.result import Result
from bench.stand import Stand, clock
from tests.support.service import Process

BATCH = 500
BATCHES = 24
ROUNDS = 5
TARGET = 3000.0
# What the documents of customer information are, apart from events and keys, which a load writes as well.
COLLECTION = "customers"


def bulk_import(stand: Stand) -> list[Result]:
    """Customers a second through ImportCustomers, beside insert_many of the same documents and what was asked for."""
    rates, floors = [], []
    with stand.large_cache(), stand.service("customer_info") as service:
        uri = service.environment["HOLDFAST_CUSTOMER_INFO_MONGO_URI"]
        token = stand.keys.token("service")
        asyncio.run(_import(service, _messages(0, 2), token))
        for number in range(1, ROUNDS + 1):
            messages = _messages(number, BATCHES)
            rates.append(asyncio.run(_import(service, messages, token)))
            floors.append(_insert(uri, [c.id for m in messages for c in m.customers]))
    figure, floor = statistics.median(rates), statistics.median(floors)
    return [
        Result("bulk import of customers", "rows/s", figure, floor, ">=", 0.25),
        Result("bulk import of customers, to its target", "rows/s", figure, TARGET, ">=", 1.0),
    ]


def _messages(load: int, batches: int) -> list[pb.ImportCustomersRequest]:
    """Messages of customers that no other load has."""
    first = load * BATCH * BATCHES
    return [
        pb.ImportCustomersRequest(customers=[samples.simple_customer(first + n * BATCH + i) for i in range(BATCH)])
        for n in range(batches)
    ]


async def _import(service: Process, messages: Sequence[pb.ImportCustomersRequest], token: str) -> float:
    """Rows a second of one load, from its first byte to its summary."""

    def requests() -> Iterator[pb.ImportCustomersRequest]:
        yield from messages

    count = sum(len(m.customers) for m in messages)
    async with grpc.aio.insecure_channel(service.address) as channel:
        started = clock()
        call = CustomersServiceStub(channel).ImportCustomers(
            requests(), metadata=(("authorization", f"Bearer {token}"),)
        )
        summary = (await call).summary
        took = clock() - started
    if summary.created != count:
        raise RuntimeError(f"{summary.created} of {count} customers were loaded")
    return count / took


def _insert(uri: str, ids: Sequence[str]) -> float:
    """Rows a second of the driver itself: the same documents into a collection with the same indexes."""
    concern = pymongo.WriteConcern("majority", j=True)
    with pymongo.MongoClient[dict[str, Any]](uri) as client:
        database = client.get_default_database()
        documents = list(database[COLLECTION].find({"_id": {"$in": list(ids)}}))
        floor = database.get_collection(f"floor_{time.time_ns()}", write_concern=concern)
        indexes = [i for i in database[COLLECTION].list_indexes() if i["name"] != "_id_"]
        floor.create_indexes([_index(i) for i in indexes])
        batches = [documents[n : n + BATCH] for n in range(0, len(documents), BATCH)]
        started = clock()
        for batch in batches:
            floor.insert_many(batch, ordered=False)
        took = clock() - started
        floor.drop()
    return len(documents) / took


def _index(known: Any) -> pymongo.IndexModel:
    options = {k: v for k, v in known.items() if k in ("unique", "partialFilterExpression")}
    return pymongo.IndexModel(list(known["key"].items()), **options)
