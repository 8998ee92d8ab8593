"""What bulk ingest of interactions costs against the driver's own `insert_many`."""

import asyncio
import statistics
import uuid
from collections.abc import Iterator

import grpc
import pymongo
from bson import ObjectId
from holdfast.interaction.v1 import interactions_pb2 as pb
from holdfast.interaction.v1.interactions_pb2_grpc import InteractionsServiceStub

from bench import samples
from bench.result import Result
from bench.stand import Stand, clock

BATCH = 1000
BATCHES = 20
ROUNDS = 5


def bulk_ingest(stand: Stand) -> Result:
    """Interactions a second through IngestInteractions, and through insert_many of the same documents."""
    customers = [str(uuid.UUID(int=n)) for n in range(1, BATCH + 1)]
    request = pb.IngestInteractionsRequest(interactions=[samples.interaction(c) for c in customers])
    database = stand.mongod.fresh_database("floor")
    rates, floors = [], []
    with stand.service("interaction") as service, _client(database) as client:
        uri = client.get_default_database().name
        asyncio.run(_ingest(service.address, request, 2, stand.keys.token("service")))
        document = _stored(service.environment["HOLDFAST_INTERACTION_MONGO_URI"])
        for _ in range(ROUNDS):
            floors.append(_insert(client, uri, document))
            rates.append(asyncio.run(_ingest(service.address, request, BATCHES, stand.keys.token("service"))))
    stand.mongod.drop(database)
    return Result(
        "bulk ingest of interactions", "items/s", statistics.median(rates), statistics.median(floors), ">=", 0.5
    )


def _client(uri: str) -> "pymongo.MongoClient[dict[str, object]]":
    return pymongo.MongoClient(uri)


def _stored(uri: str) -> dict[str, object]:
    """A document as the service keeps it."""
    with _client(uri) as client:
        found = client.get_default_database()["interactions"].find_one()
        assert found is not None
        return dict(found)


def _insert(client: "pymongo.MongoClient[dict[str, object]]", name: str, document: dict[str, object]) -> float:
    """Items a second of the driver itself, unordered, majority and journaled."""
    concern = pymongo.WriteConcern("majority", j=True)
    collection = client[name].get_collection("plain", write_concern=concern)
    batches = [[{**document, "_id": str(ObjectId())} for _ in range(BATCH)] for _ in range(BATCHES)]
    started = clock()
    for batch in batches:
        collection.insert_many(batch, ordered=False)
    return BATCH * BATCHES / (clock() - started)


async def _ingest(address: str, request: pb.IngestInteractionsRequest, batches: int, token: str) -> float:
    async with grpc.aio.insecure_channel(address) as channel:

        def requests() -> Iterator[pb.IngestInteractionsRequest]:
            for _ in range(batches):
                yield request

        started = clock()
        created = 0
        metadata = (("authorization", f"Bearer {token}"),)
        async for answer in InteractionsServiceStub(channel).IngestInteractions(requests(), metadata=metadata):
            created += answer.created
        if created != batches * BATCH:
            raise RuntimeError(f"{created} of {batches * BATCH} items were logged")
        return created / (clock() - started)
