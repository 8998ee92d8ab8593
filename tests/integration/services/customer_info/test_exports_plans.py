"""What loads and exports ask is answered by an index, in its own order, however little of it is wanted."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from chassis.mongo.client import Store
from chassis.query.selection import Selection
from chassis.vault.vault import Vault
from services.customer_info.customers.rules import Status
from services.customer_info.customers.store import CustomerStore
from services.customer_info.history.store import History
from services.customer_info.loads.rules import Counts, Fault, Load, moved_on
from services.customer_info.loads.store import LoadStore
from services.customer_info.portfolio.store import ProductStore
from tests.support.explain import SLOW, Overheard, overheard, stages
from tests.unit.services.customer_info.builders import NOON, company, later, new_uuid, person, product

PEOPLE = 400
RARE = Selection().where("status", "CUSTOMER_STATUS_SUSPENDED")


class Bench:
    """Stores with something in them, and what they ask of MongoDB."""

    def __init__(self, store: Store, heard: Overheard, vault: Vault) -> None:
        self.store, self.heard = store, heard
        self.customers = CustomerStore(store, vault, History(store))
        self.products = ProductStore(store, vault, History(store))
        self.loads = LoadStore(store)
        self.parent = company()
        below = [person(parent_id=self.parent.id) for _ in range(4)]
        rare = [person(status=Status.SUSPENDED) for _ in range(4)]
        self.people = [self.parent, *below, *rare, *(person() for _ in range(PEOPLE))]

    async def fill(self) -> None:
        await self.customers.load(self.people, [], [])
        await self.products.load([product(c.id) for c in self.people], [], [])


@pytest.fixture(scope="module")
async def bench(mongo_uri: Callable[[str], str], store: Store, vault: Vault) -> AsyncIterator[Bench]:
    async with overheard(mongo_uri("customer_info")) as (watched, heard):
        made = Bench(watched, heard, vault)
        await made.fill()
        yield made


async def move(bench: Bench) -> None:
    load = await bench.loads.begin(Load(new_uuid(), "customers", "me", create_time=NOON, update_time=NOON))
    await bench.loads.begin(load)
    # MongoDB explains no more than one write.
    faults = [Fault(1, "NOT_FOUND", "", "")]
    await bench.loads.move(None, load, moved_on(load, 1, Counts(created=1), [], later()), faults)
    assert await bench.loads.faults(load.id, 0, 20)
    await bench.loads.complete(load, later())


QUESTIONS: dict[str, Callable[[Bench], Awaitable[Any]]] = {
    "all customers": lambda b: b.customers.following(Selection(), "", 50),
    "customers from an id on": lambda b: b.customers.following(Selection(), b.people[200].id, 50),
    "the few customers in a state": lambda b: b.customers.following(RARE, "", 50),
    "the few customers of a parent": lambda b: b.customers.following(
        Selection().where("parent_id", b.parent.id), "", 50
    ),
    "all products": lambda b: b.products.following(Selection(), "", 50),
    "the few products of a customer": lambda b: b.products.following(
        Selection().where("customer_id", b.people[0].id), "", 50
    ),
    "a load": move,
}


@pytest.mark.parametrize("name", QUESTIONS)
async def test_no_question_reads_everything_or_sorts_in_memory(bench: Bench, name: str) -> None:
    bench.heard.commands.clear()
    await QUESTIONS[name](bench)
    assert bench.heard.commands
    for command in bench.heard.commands:
        found = await stages(bench.store, command)
        assert found, "the plan was found"
        assert not found & SLOW, command


async def test_an_export_passes_over_what_is_left_out_in_the_order_of_ids(bench: Bench) -> None:
    bench.heard.commands.clear()
    found = await bench.customers.following(RARE, "", 3)
    assert [c.status for c in found] == [Status.SUSPENDED] * 3
    assert [c.id for c in found] == sorted(c.id for c in bench.people if c.status is Status.SUSPENDED)[:3]
    (command,) = (c for c in bench.heard.commands if "find" in c and c["find"] == "customers")
    assert command["hint"] == {"_id": 1}
