"""What it costs to find a customer among a million: by an identifier, against by its id; and by name."""

import asyncio
import random
import statistics
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pymongo
from holdfast.customer_info.v1 import customers_pb2 as pb
from holdfast.customer_info.v1 import search_pb2

from bench.name_search.crowds import CROWDS
from bench.name_search.evaluation import people
from bench.name_search.queries import COMPANY, PERSON
from bench.result import Result
from bench.rows.calls import READ
from bench.stand import Stand
from chassis.mongo.client import open_store
from chassis.mongo.schema import bring_up
from chassis.vault.master import FileMasterKey
from chassis.vault.vault import open_vault
from services.customer_info.customers.documents import to_document
from services.customer_info.customers.rules import (
    ContactMedium,
    Customer,
    ExternalId,
    Individual,
    MediumKind,
    Organization,
)
from services.customer_info.customers.store import CUSTOMERS
from tests.support.service import Process
from tests.support.settings import settings_of

LOOK_UP = "/holdfast.customer_info.v1.CustomersService/LookupCustomer"
SEARCH = "/holdfast.customer_info.v1.SearchService/SearchCustomers"
CUSTOMERS_IN_ALL = 1_000_000
BATCH = 2_000
CALLS = 4_000
# Of each kind of query: what is typed exactly, half, wrong, in another order …
SEARCHES = 40
ROUNDS = 5
IN_FLIGHT = 4
# What a search may take, in microseconds: longer than that, and who types waits.
PATIENCE = 150_000.0
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def among_a_million(stand: Stand) -> list[Result]:
    """99th percentiles of LookupCustomer by external id, email and number in turn, of GetCustomer, and of a search."""
    crowds = [names for crowd in CROWDS for names in crowd.names()]
    names = [*people(CUSTOMERS_IN_ALL - len(crowds), seed=1), *crowds]
    with stand.large_cache(), stand.service("customer_info") as service:
        asyncio.run(_fill(service, names))
        token = stand.keys.token("agent")
        chance = random.Random(1)
        chosen = chance.sample(range(CUSTOMERS_IN_ALL), CALLS)
        asked = {
            READ: [pb.GetCustomerRequest(customer_id=_id(n)).SerializeToString() for n in chosen],
            LOOK_UP: [_identifier(n).SerializeToString() for n in chosen],
            SEARCH: [search_pb2.SearchCustomersRequest(text=t).SerializeToString() for t in _typed(names, chance)],
        }
        figures: dict[str, float] = {}
        for method, requests in asked.items():
            in_flight = 1 if method == SEARCH else IN_FLIGHT
            rounds = [
                stand.drive(service, method, requests, count=len(requests), in_flight=in_flight, token=token)["p99"]
                for _ in range(ROUNDS)
            ]
            figures[method] = statistics.median(rounds) * 1000
    return [
        Result("look up by identifier among 1,000,000 customers", "µs p99", figures[LOOK_UP], figures[READ], "<=", 3.0),
        Result("search by name among 1,000,000 customers", "µs p99", figures[SEARCH], PATIENCE, "<=", 1.0),
    ]


async def _fill(service: Process, names: Sequence[Sequence[str]]) -> None:
    """Puts a million customers into the store, past the service: loading is not what is measured."""
    settings: Mapping[str, str] = service.environment
    common = settings_of(settings)
    store = await open_store(settings["HOLDFAST_CUSTOMER_INFO_MONGO_URI"], common, "bench")
    keys = await open_store(settings["HOLDFAST_CUSTOMER_INFO_KEYS_MONGO_URI"], common, "bench")
    vault = await open_vault(keys, FileMasterKey(settings["HOLDFAST_CUSTOMER_INFO_MASTER_KEY"]))
    collection = store.collection(CUSTOMERS.name)
    # Indexes are made when all is there: a tenth of the time that keeping them up on the way takes.
    await collection.drop_indexes()
    for first in range(0, len(names), BATCH):
        batch = [_customer(n, names[n]) for n in range(first, min(first + BATCH, len(names)))]
        made = await vault.make([c.id for c in batch])
        documents = [to_document(c, made[c.id], vault) for c in batch]
        await collection.insert_many(documents, ordered=False)
    with pymongo.timeout(600):
        await bring_up(store.database, [CUSTOMERS])
    await store.close()
    await keys.close()


def _id(n: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"bench {n}"))


def _customer(n: int, names: Sequence[str]) -> Customer:
    party = Individual(*names) if len(names) > 1 else Organization(names[0])
    return Customer(
        id=_id(n),
        party=party,
        external_ids=(ExternalId("billing", f"B{n:08d}"),),
        contact_media=(
            ContactMedium(MediumKind.EMAIL, f"c{n}@example.com", preferred=True),
            ContactMedium(MediumKind.PHONE, f"+49301{n:07d}"),
        ),
        since=NOON,
        create_time=NOON,
        update_time=NOON,
    )


def _identifier(n: int) -> pb.LookupCustomerRequest:
    if n % 3 == 0:
        return pb.LookupCustomerRequest(external_id=pb.LookupExternalId(issuer="billing", value=f"B{n:08d}"))
    if n % 3 == 1:
        return pb.LookupCustomerRequest(email=f"c{n}@example.com")
    return pb.LookupCustomerRequest(phone=f"+49301{n:07d}")


def _typed(names: Sequence[Sequence[str]], chance: random.Random) -> list[str]:
    """Texts that somebody may type who looks for one of them, of every kind, in a mixed order."""
    companies = [n for n in names if len(n) == 1]
    persons = [n for n in names if len(n) > 1]
    typed = [
        query(whom, chance)
        for kinds, some in ((PERSON, persons), (COMPANY, companies))
        for query in kinds.values()
        for whom in chance.sample(some, SEARCHES)
    ]
    typed += [crowd.typed for crowd in CROWDS for _ in range(SEARCHES)]
    chance.shuffle(typed)
    return [text for text in typed if len(text.replace(" ", "")) > 1]
