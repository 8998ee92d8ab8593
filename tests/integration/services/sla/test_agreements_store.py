"""What every store of agreements does, the real one and the one in memory."""

import asyncio

import pytest

from chassis.mongo.client import Store
from chassis.query.selection import Operator, Selection
from chassis.rules import Invalid
from services.sla.agreements.rules import AgreementRef
from services.sla.agreements.store import AgreementStore
from services.sla.agreements.usecases import Agreements, AgreementUseCases
from tests.support.explain import SLOW, Overheard, stages
from tests.support.fakes.agreements import FakeAgreements
from tests.support.fakes.lineage import FakeLineage
from tests.unit.services.sla.builders import ADA, BOB, agreement, objective, valid, version

LONGER = [objective("RESOLUTION", {"LOW": 99})]


@pytest.fixture(params=["fake", "mongo"])
def agreements(request: pytest.FixtureRequest) -> Agreements:
    if request.param == "fake":
        return FakeAgreements()
    return AgreementStore(request.getfixturevalue("store"))


async def put(agreements: Agreements, *wishes: object) -> list[AgreementRef]:
    usecases = AgreementUseCases(agreements, FakeLineage())
    return [(await usecases.put(version(wish))).ref for wish in wishes]  # type: ignore[arg-type]


async def test_what_was_put_is_read_back_in_every_version(agreements: Agreements) -> None:
    first, second = agreement(valid=valid(0, 5)), agreement(customer_id=ADA, objectives=LONGER)
    assert await put(agreements, first, second) == [AgreementRef("standard", 1), AgreementRef("standard", 2)]
    one, two = [await agreements.get("standard", number) for number in (1, 2)]
    assert one is not None
    assert two is not None
    assert one.agreement == version(first).agreement
    assert one.calendar == version(first).calendar
    assert two.agreement.objectives == version(second).agreement.objectives
    assert await agreements.get("standard", 0) == two
    assert await agreements.get("standard", 3) is None
    assert await agreements.get("nothing", 0) is None


async def test_versions_are_read_many_at_a_time_and_again(agreements: Agreements) -> None:
    refs = await put(agreements, agreement(), agreement(objectives=LONGER), agreement("other"))
    for _ in range(2):
        found = await agreements.versions([*refs, AgreementRef("other", 9)])
        assert {ref: v.ref for ref, v in found.items()} == {ref: ref for ref in refs}


async def test_puts_at_once_make_as_many_versions_as_there_are_contents(agreements: Agreements) -> None:
    usecases = AgreementUseCases(agreements, FakeLineage())
    wishes = [version(agreement(name=f"Name {n % 4}")) for n in range(4)]
    made = await asyncio.gather(*(usecases.put(wish) for wish in wishes))
    assert sorted(m.ref.version for m in made) == [1, 2, 3, 4]
    kept = [await agreements.get("standard", number) for number in range(1, 5)]
    assert sorted(k.name for k in kept if k) == [f"Name {n}" for n in range(4)]


async def test_the_same_put_twice_at_once_makes_one_version(agreements: Agreements) -> None:
    usecases = AgreementUseCases(agreements, FakeLineage())
    made = await asyncio.gather(*(usecases.put(version(agreement())) for _ in range(6)))
    assert {m.ref.version for m in made} == {1}
    assert await agreements.get("standard", 2) is None


async def test_the_list_shows_each_agreement_once_and_pages(agreements: Agreements) -> None:
    await put(agreements, *(agreement(name) for name in "cab"), agreement("a", ADA))
    first, token = await agreements.page(Selection(page_size=2))
    assert [(v.ref.id, v.ref.version) for v in first] == [("a", 2), ("b", 1)]
    rest, end = await agreements.page(Selection(page_size=2, page_token=token))
    assert ([v.ref.id for v in rest], end) == (["c"], "")
    everybody, _ = await agreements.page(Selection().where("customer_id", ADA, operator=Operator.NOT_EQUAL))
    assert [v.ref.id for v in everybody] == ["b", "c"]
    with pytest.raises(Invalid):
        await agreements.page(Selection().where("name", "x"))


async def test_what_may_cover_a_customer_comes_with_all_its_versions(agreements: Agreements) -> None:
    await put(agreements, agreement("all"), agreement("moved", ADA), agreement("moved", BOB), agreement("bob", BOB))
    found = await agreements.covering([ADA])
    assert sorted(v.ref for v in found) == [
        AgreementRef("all", 1),
        AgreementRef("moved", 1),
        AgreementRef("moved", 2),
    ]


async def test_every_query_finds_its_index(spied: tuple[Store, Overheard]) -> None:
    store, listener = spied
    agreements = AgreementStore(store)
    await put(agreements, *(agreement(f"a{n}", customer_id=(ADA, BOB, "")[n % 3]) for n in range(9)), agreement("a1"))
    await agreements.get("a1", 0)
    await AgreementStore(store).get("a1", 1)
    await AgreementStore(store).covering([ADA])
    for selection in (Selection(), Selection().where("customer_id", ADA), Selection().where("customer_id", ADA, BOB)):
        _, token = await agreements.page(Selection(selection.predicates, page_size=1))
        await agreements.page(Selection(selection.predicates, page_size=1, page_token=token))
    asked = [command for command in listener.commands if command.keys() & {"find", "aggregate", "update"}]
    assert len(asked) > 15
    for command in asked:
        assert not await stages(store, command) & SLOW, command
