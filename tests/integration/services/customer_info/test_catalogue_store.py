"""The contract of the store of families: the fake and the real one keep the same promises."""

import asyncio
import uuid
from dataclasses import replace
from typing import Any

import pytest

from chassis.mongo.client import Store
from chassis.query.selection import Operator, Order, Selection
from chassis.rules import AlreadyExists, Conflict, Refusal
from services.customer_info.catalogue.rules import Characteristic, Family, Identifier, Kind, Status
from services.customer_info.catalogue.store import CatalogueStore
from services.customer_info.catalogue.usecases import Catalogue, CatalogueUseCases
from services.customer_info.history.store import HISTORY, History
from tests.support.fakes.catalogue import FakeCatalogue
from tests.unit.services.customer_info.builders import NOON, later


@pytest.fixture(params=["fake", "real"])
def families(request: pytest.FixtureRequest, store: Store) -> Any:
    return FakeCatalogue() if request.param == "fake" else CatalogueStore(store, History(store))


def named(line: str = "broadband", **changes: Any) -> Family:
    """A family of a name that nobody else has."""
    usual: dict[str, Any] = {"name": f"f_{uuid.uuid4().hex}", "title": "A family", "line": line, "update_time": NOON}
    return Family(**{**usual, **changes})


async def insert(families: Catalogue, *made: Family) -> None:
    async def work(transaction: Any) -> None:
        for family in made:
            await families.insert(transaction, family)

    await families.transact(work)


async def test_a_family_is_kept_whole(families: Any) -> None:
    full = named(
        characteristics=(
            Characteristic("speed_mbps", Kind.NUMBER, unit="Mbit/s", required=True, minimum=0.5, maximum=1000.0),
            Characteristic("protection", Kind.CHOICE, ("none", "diverse")),
            Characteristic("remark"),
        ),
        identifiers=(Identifier("circuit", required=True, most=2), Identifier("ip")),
        open=True,
        status=Status.RETIRED,
        version=3,
    )
    bare = named()
    await insert(families, full, bare)
    assert [await families.read(None, f.name) for f in (full, bare)] == [full, bare]
    assert await families.read(None, "nobody") is None
    everything = await families.everything()
    assert (everything[full.name], everything[bare.name]) == (full, bare)


async def test_a_name_is_taken_once(families: Any) -> None:
    there = named()
    await insert(families, there)
    with pytest.raises(AlreadyExists) as refused:
        await insert(families, named(), replace(there, title="Another"))
    assert refused.value.metadata == {"type": "family", "id": there.name}
    assert await families.read(None, there.name) == there


async def test_a_transaction_keeps_all_its_writes_or_none(families: Any) -> None:
    there = named()
    await insert(families, there)
    after = replace(there, title="Another", version=2, update_time=later())

    async def work(transaction: Any) -> None:
        await families.replace(transaction, after)
        assert await families.read(transaction, there.name) == after

    async def broken(transaction: Any) -> None:
        await work(transaction)
        raise Conflict("no")

    with pytest.raises(Conflict):
        await families.transact(broken)
    assert await families.read(None, there.name) == there
    await families.transact(work)
    assert await families.read(None, there.name) == after


async def test_only_what_is_missing_is_added_also_by_two_at_once(families: Any) -> None:
    there, missing = named(), [named() for _ in range(20)]
    await insert(families, there)
    wanted = [replace(there, title="Another"), *missing]
    await asyncio.gather(*(families.add_missing(wanted) for _ in range(4)))
    assert await families.add_missing(wanted) == 0
    everything = await families.everything()
    assert [everything[f.name] for f in (there, *missing)] == [there, *missing]


async def test_families_are_listed_by_name_line_and_state(families: Any) -> None:
    line = f"l_{uuid.uuid4().hex}"
    kept = sorted((named(line, status=list(Status)[n % 2]) for n in range(5)), key=lambda f: f.name)
    await insert(families, *kept, named())
    selection = Selection(page_size=2).where("line", line)
    seen: list[Family] = []
    while True:
        page, token = await families.page(selection)
        seen += page
        if not token:
            break
        selection = replace(selection, page_token=token)
    assert seen == kept
    active = Selection().where("line", line).where("status", "FAMILY_STATUS_ACTIVE")
    assert (await families.page(active))[0] == [f for f in kept if f.status is Status.ACTIVE]
    other = Selection().where("line", line).where("status", "FAMILY_STATUS_ACTIVE", operator=Operator.NOT_EQUAL)
    assert (await families.page(other))[0] == [f for f in kept if f.status is Status.RETIRED]
    for unknown in (Selection().where("title", "x"), Selection(order=(Order("line"),))):
        with pytest.raises(Refusal) as refused:
            await families.page(unknown)
        assert refused.value.reason == "INVALID_QUERY"


async def test_a_family_defined_by_many_at_once_has_one_first_version(families: Any) -> None:
    wish = named()
    replicas = [CatalogueUseCases(families) for _ in range(4)]
    made = await asyncio.gather(*(r.define(replace(wish, title=f"{n}"), "") for n, r in enumerate(replicas)))
    assert sorted(f.version for f in made) == [1, 2, 3, 4]
    assert (await families.read(None, wish.name)).version == 4


async def test_the_versions_of_a_family_come_latest_first_page_by_page(families: Any) -> None:
    catalogue = CatalogueUseCases(families)
    wish, other = named(), named()
    await catalogue.define(other, "")
    for n in range(12):
        await catalogue.define(replace(wish, title=f"{n}"), "")
    token, found = "", []
    while True:
        page, token = await catalogue.versions(wish.name, 5, token)
        found += page
        if not token:
            break
    assert [(m.record.name, m.record.version, m.record.title) for m in found] == [
        (wish.name, n + 1, f"{n}") for n in reversed(range(12))
    ]
    assert [m.record.version for m in await families.versions(wish.name, 4, 2)] == [3, 2]
    assert await families.versions(wish.name, 1, 2) == []


async def test_what_a_family_was_is_kept(store: Store) -> None:
    catalogue = CatalogueUseCases(CatalogueStore(store, History(store)))
    wish = named()
    await catalogue.define(wish, "")
    await catalogue.retire(wish.name, "v1")
    (entry,) = [d async for d in store.collection(HISTORY.name).find({"subject": wish.name})]
    assert (entry["kind"], entry["version"], entry["document"]["status"]) == ("family", 1, "active")
