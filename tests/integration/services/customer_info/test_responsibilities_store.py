"""The contract of the store of responsibilities: the fake and the real one keep the same promises."""

from dataclasses import replace
from typing import Any

import pytest

from chassis.mongo.client import Store
from chassis.query.selection import Operator, Selection
from chassis.rules import AlreadyExists, Conflict, Refusal
from chassis.vault.vault import Vault
from services.customer_info.hierarchy.rules import Placement
from services.customer_info.history.store import History
from services.customer_info.responsibilities import rules
from services.customer_info.responsibilities.rules import Assignment, Contact, Responsibility
from services.customer_info.responsibilities.store import ASSIGNMENTS, ResponsibilityStore
from services.customer_info.responsibilities.usecases import (
    Responsibilities,
    assigned_event,
    defined_event,
    ended_event,
)
from tests.integration.services.customer_info.subjects import Subject, told_by_fake, told_by_outbox
from tests.support.fakes.responsibilities import FakeResponsibilities
from tests.unit.services.customer_info.builders import NOON, later, new_uuid
from tests.unit.services.customer_info.responsibility_builders import assignment, duty
from tests.unit.services.customer_info.trees import placement, tree

both = pytest.mark.parametrize("subject", ["fake", "real"], indirect=True)


@pytest.fixture
def duties(store: Store, vault: Vault) -> ResponsibilityStore:
    return ResponsibilityStore(store, vault, History(store))


@pytest.fixture
def subject(request: pytest.FixtureRequest, store: Store, duties: ResponsibilityStore) -> Subject[Any]:
    if request.param == "fake":
        fake = FakeResponsibilities()
        return Subject(fake, told_by_fake(fake))
    return Subject(duties, told_by_outbox(store))


def place(*above: str) -> Placement:
    return placement(tree(), *above, new_uuid())


def name() -> str:
    """The name of a responsibility that nobody else has."""
    return f"r{new_uuid().replace('-', '')}"


async def keep(store: Responsibilities, *kept: Assignment | Responsibility) -> None:
    async def work(transaction: Any) -> None:
        for one in kept:
            if isinstance(one, Assignment):
                await store.put(transaction, one)
            else:
                await store.define(transaction, one)

    await store.transact(work)


@both
async def test_what_is_missing_is_added_and_what_is_there_stays(subject: Subject[Any]) -> None:
    there, missing = duty(name(), "a", "b", several=True), duty(name(), required=True)
    await keep(subject.store, there)
    await subject.store.add_missing([replace(there, description="other"), missing])
    await subject.store.add_missing([there, missing])
    catalogue = await subject.store.catalogue(None)
    assert [catalogue[there.name], catalogue[missing.name]] == [there, missing]
    assert list(catalogue) == sorted(catalogue)


@both
async def test_a_definition_follows_the_one_before(subject: Subject[Any]) -> None:
    first = duty(name())
    second = replace(first, required=True, version=2, update_time=later())

    async def work(transaction: Any) -> None:
        await subject.store.define(transaction, first, defined_event(first))
        await subject.store.hold_definitions(transaction, [first.name])
        await subject.store.define(transaction, second, defined_event(second))
        assert (await subject.store.catalogue(transaction))[first.name] == second

    await subject.store.transact(work)
    assert (await subject.store.catalogue(None))[first.name] == second
    assert await subject.told([first.name]) == [(first.name, n, "ResponsibilityDefined") for n in (1, 2)]
    with pytest.raises(AlreadyExists) as refused:
        await keep(subject.store, first)
    assert refused.value.metadata == {"type": "responsibility", "id": first.name}


@both
async def test_the_catalogue_is_known_as_it_was_and_what_is_younger_as_it_began(subject: Subject[Any]) -> None:
    old, young = duty(name(), required=True), duty(name(), required=True, update_time=later(5))
    await keep(subject.store, old, young)
    await keep(subject.store, replace(old, depends_on=(young.name,), version=2, update_time=later(4)))
    changed = replace(young, description="other", version=2, update_time=later(7))
    await keep(subject.store, changed, replace(old, required=False, version=3, update_time=later(9)))

    async def known(at: int) -> list[Responsibility]:
        catalogue = await subject.store.catalogue_as_of(later(at))
        assert list(catalogue) == sorted(catalogue)
        return [catalogue[old.name], catalogue[young.name]]

    assert await known(-1) == [replace(old, required=False), replace(young, required=False)]
    assert await known(3) == [old, replace(young, required=False)]
    assert [(r.version, r.required) for r in await known(6)] == [(2, True), (1, True)]
    assert [(r.version, r.required) for r in await known(8)] == [(2, True), (2, True)]
    assert [r.version for r in await known(9)] == [3, 2]
    made = await subject.store.versions(old.name, 3, 5)
    assert [m.record for m in made] == [replace(old, depends_on=(young.name,), version=2, update_time=later(4)), old]
    assert [m.record.version for m in await subject.store.versions(old.name, 9, 2)] == [3, 2]
    assert await subject.store.versions(name(), 9, 2) == []


@both
async def test_responsibilities_are_listed_by_name(subject: Subject[Any]) -> None:
    made = [duty(f"{name()}", required=n % 2 == 0) for n in range(4)]
    await keep(subject.store, *made)
    seen: list[str] = []
    selection = Selection(page_size=3).where("required", "true")
    while True:
        page, token = await subject.store.listed(selection)
        seen += [r.name for r in page]
        if not token:
            break
        selection = replace(selection, page_token=token)
    assert seen == sorted(seen)
    assert {r.name for r in made if r.required} <= set(seen)
    assert not {r.name for r in made if not r.required} & set(seen)


@both
async def test_assignments_are_kept_whole_with_either_kind_of_holder(subject: Subject[Any]) -> None:
    where = place()
    outside = assignment(where, end=later())
    ours = assignment(where, "other", holder_id=new_uuid())
    await keep(subject.store, outside, ours)
    assert [await subject.store.read(None, i) for i in (outside.id, ours.id, new_uuid())] == [outside, ours, None]
    with pytest.raises(AlreadyExists) as refused:
        await keep(subject.store, outside)
    assert refused.value.metadata == {"type": "assignment", "id": outside.id}


@both
async def test_a_transaction_keeps_all_its_writes_or_none(subject: Subject[Any]) -> None:
    first = assignment(place())
    ended = rules.ended(first, later(), later())

    async def work(transaction: Any) -> Assignment:
        await subject.store.hold_place(transaction, first.node_id, first.responsibility)
        await subject.store.put(transaction, first, assigned_event(first))
        assert await subject.store.at_place(transaction, first.node_id, first.responsibility) == [first]
        await subject.store.put(transaction, ended, ended_event(ended))
        assert await subject.store.read(transaction, first.id) == ended
        return ended

    async def broken(transaction: Any) -> None:
        await work(transaction)
        raise Conflict("no")

    with pytest.raises(Conflict):
        await subject.store.transact(broken)
    assert await subject.store.read(None, first.id) is None
    assert await subject.told([first.id]) == []
    key = new_uuid()
    assert await subject.store.once(key, b"content", work) == ended
    assert await subject.store.once(key, b"content", work) == ended
    assert await subject.told([first.id]) == [(first.id, 1, "ResponsibilityAssigned"), (first.id, 2, "AssignmentEnded")]


@both
async def test_who_holds_then_and_what_has_begun_by_then_are_found(subject: Subject[Any]) -> None:
    top, below, elsewhere = place(), place(), place()
    old = assignment(top, start=NOON, end=later(5))
    new = assignment(top, start=later(5))
    other = assignment(top, "other", start=NOON)
    under = assignment(below, start=NOON, customer_id=top.customer_id)
    await keep(subject.store, old, new, other, under, assignment(elsewhere))
    nodes = [top.node_id, below.node_id]

    async def holding(*names: str, minute: int) -> set[str]:
        return {a.id for a in await subject.store.holding(nodes, names, later(minute))}

    assert await holding("manager", minute=4) == {old.id, under.id}
    assert await holding("manager", "other", minute=5) == {new.id, other.id, under.id}
    assert await holding("manager", minute=-1) == set()

    async def begun(tree_id: str, minute: int) -> set[str]:
        return {a.id for a in await subject.store.begun([top.customer_id, new_uuid()], tree_id, later(minute))}

    assert await begun("", 4) == {old.id, other.id, under.id}
    assert await begun(top.tree_id, 5) == {old.id, new.id, other.id}


@both
async def test_assignments_are_listed_by_what_the_contract_offers(subject: Subject[Any]) -> None:
    where, holder = place(), new_uuid()
    kept = [
        assignment(where, start=later(n), end=later(n + 5), update_time=later(n), responsibility=("a", "b")[n % 2])
        for n in range(4)
    ]
    kept.append(assignment(where, holder_id=holder, update_time=later(4), node_id=new_uuid()))
    await keep(subject.store, *kept, assignment(place()))

    async def found(selection: Selection) -> list[int]:
        seen: list[int] = []
        selection = replace(selection, page_size=2)
        while True:
            page, token = await subject.store.page((where.customer_id,), selection)
            seen += [kept.index(a) for a in page]
            if not token:
                return seen
            selection = replace(selection, page_token=token)

    everything = Selection()
    assert await found(everything) == [4, 3, 2, 1, 0]
    assert await found(everything.where("responsibility", "b")) == [3, 1]
    assert await found(everything.where("node_id", where.node_id)) == [3, 2, 1, 0]
    assert await found(everything.where("tree_id", where.tree_id)) == [4, 3, 2, 1, 0]
    assert await found(everything.where("holder_id", holder)) == [4]
    at = later(6).isoformat()
    then = everything.where("start", at, operator=Operator.LESS_OR_EQUAL).where("end", at, operator=Operator.GREATER)
    assert await found(then) == [4, 3, 2]
    anybody, _ = await subject.store.page((), everything.where("holder_id", holder))
    assert anybody == [kept[4]]
    with pytest.raises(Refusal) as refused:
        await subject.store.page((), everything.where("contact", "x"))
    assert refused.value.reason == "INVALID_QUERY"


async def test_who_is_no_customer_is_sealed_with_the_enterprises_key(
    duties: ResponsibilityStore, store: Store, vault: Vault
) -> None:
    first = assignment(place(), contact=Contact("Ada Secret", "ada@secret.example", "+4930123456"))
    ended = rules.ended(first, later(), later())
    await keep(duties, first)
    await keep(duties, ended)
    kept = await store.collection(ASSIGNMENTS.name).find_one({"_id": first.id})
    former = [d async for d in store.collection("history").find({"subject": first.id})]
    assert [(d["kind"], d["version"]) for d in former] == [("assignment", 1)]
    assert not [d for d in (kept, *former) if "secret" in str(d).lower() or "4930123456" in str(d)]
    await vault.destroy([first.customer_id])
    assert await duties.read(None, first.id) == replace(ended, contact=Contact())
    with pytest.raises(Refusal) as refused:
        await keep(duties, rules.ended(ended, later(2), later(2)))
    assert refused.value.reason == "ERASED"


async def test_what_is_forgotten_cannot_be_read_again(duties: ResponsibilityStore, store: Store) -> None:
    first, other = assignment(place()), assignment(place())
    await keep(duties, first, other)

    async def work(transaction: Any) -> None:
        await duties.forget(transaction, [first.customer_id])

    await store.transact(work)
    assert await duties.read(None, first.id) == replace(first, contact=Contact())
    assert await duties.read(None, other.id) == other
