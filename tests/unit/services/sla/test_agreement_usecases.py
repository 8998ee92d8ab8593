"""Agreements: versions are made when the content differs, and never lost."""

import asyncio

import pytest

from chassis.query.selection import Selection
from chassis.rules import NotFound
from services.sla.agreements.usecases import AgreementUseCases
from tests.support.fakes.agreements import FakeAgreements
from tests.support.fakes.lineage import FakeLineage
from tests.unit.services.sla.builders import ADA, agreement, objective, version

LONGER = [objective("RESOLUTION", {"LOW": 99})]


@pytest.fixture
def agreements() -> AgreementUseCases:
    return AgreementUseCases(FakeAgreements(), FakeLineage())


async def test_a_put_with_other_content_makes_the_next_version(agreements: AgreementUseCases) -> None:
    first = await agreements.put(version(agreement()))
    second = await agreements.put(version(agreement(objectives=LONGER)))
    assert [first.ref.version, second.ref.version] == [1, 2]
    assert await agreements.get("standard", 1) == first
    assert await agreements.get("standard", 0) == second


async def test_the_same_content_again_changes_nothing(agreements: AgreementUseCases) -> None:
    puts = [await agreements.put(version(agreement())) for _ in range(3)]
    assert [put.ref.version for put in puts] == [1, 1, 1]


async def test_going_back_to_an_earlier_content_is_a_new_version(agreements: AgreementUseCases) -> None:
    for wish in (agreement(), agreement(objectives=LONGER), agreement()):
        last = await agreements.put(version(wish))
    assert last.ref.version == 3


async def test_puts_at_once_lose_none(agreements: AgreementUseCases) -> None:
    names = [f"Name {n}" for n in range(5)]
    await asyncio.gather(*(agreements.put(version(agreement(name=name))) for name in names))
    kept = [await agreements.get("standard", n + 1) for n in range(5)]
    assert sorted(v.name for v in kept) == names


@pytest.mark.parametrize("wanted", [("nothing", 0), ("standard", 2)])
async def test_an_unknown_agreement_or_version_is_not_found(
    agreements: AgreementUseCases, wanted: tuple[str, int]
) -> None:
    await agreements.put(version(agreement()))
    with pytest.raises(NotFound):
        await agreements.get(*wanted)


async def test_the_list_shows_newest_versions_and_can_be_asked_by_customer(agreements: AgreementUseCases) -> None:
    for wish in (agreement(), agreement(objectives=LONGER), agreement("ada", ADA)):
        await agreements.put(version(wish))
    found, _ = await agreements.page(Selection())
    assert [(v.ref.id, v.ref.version) for v in found] == [("ada", 1), ("standard", 2)]
    own, _ = await agreements.page(Selection().where("customer_id", ADA))
    assert [v.ref.id for v in own] == ["ada"]
