"""The contract of the store of products, what they are known by: the fake and the real one keep the same promises."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from chassis.mongo.client import Store
from chassis.rules import AlreadyExists
from chassis.vault.vault import Vault
from services.customer_info.customers.looking_up import Holding
from services.customer_info.portfolio.identifier_rules import ServiceIdentifier, key
from services.customer_info.portfolio.rules import Product, Status
from services.customer_info.portfolio.usecases import added_event, changed_event
from tests.integration.services.customer_info.product_subjects import keep, of_products
from tests.integration.services.customer_info.subjects import Subject
from tests.unit.services.customer_info.builders import new_uuid, product

pytestmark = pytest.mark.parametrize("subject", ["fake", "real"], indirect=True)


@pytest.fixture
def subject(request: pytest.FixtureRequest, store: Store, vault: Vault) -> Subject[Any]:
    return of_products(request.param, store, vault)


async def test_an_identifier_of_its_own_is_taken_once_and_free_again_after_the_end(subject: Subject[Any]) -> None:
    own = (ServiceIdentifier("circuit", new_uuid()), ServiceIdentifier("pbx_slot", "4"))
    holder = product(identifiers=own)
    await keep(subject.store, holder, product(identifiers=own[1:]))
    other = product(identifiers=own)

    async def insert(transaction: Any) -> Product:
        await subject.store.insert(transaction, other, added_event(other))
        return other

    bare = product()
    await keep(subject.store, bare)
    after = replace(bare, identifiers=own, version=2)

    async def change(transaction: Any) -> Product:
        await subject.store.replace(transaction, after, changed_event(after))
        return after

    for attempt in (
        subject.store.transact(insert),
        subject.store.transact(change),
        keep(subject.store, other),
        subject.store.load([], [after], []),
    ):
        with pytest.raises(AlreadyExists) as refused:
            await attempt
        assert refused.value.reason == "IDENTIFIER_TAKEN"
        assert refused.value.metadata == {"kind": "circuit", "type": "product", "id": holder.id}
        assert own[0].value not in refused.value.message
    assert await subject.store.many([other.id, bare.id]) == {bare.id: bare}
    await subject.store.load([], [replace(holder, status=Status.CEASED, version=2)], [])
    assert await subject.store.transact(insert) == other
    kept = await subject.store.many([holder.id, other.id])
    assert [kept[i].identifiers for i in (holder.id, other.id)] == [own, own]


async def test_a_circuit_is_one_in_small_letters_and_in_capitals(subject: Subject[Any]) -> None:
    name = f"cir-{new_uuid()}"
    small, capitals = ((ServiceIdentifier("circuit", text),) for text in (name, name.upper()))
    first = product(identifiers=small)
    await keep(subject.store, first)
    assert (await subject.store.many([first.id]))[first.id].identifiers == small
    assert [h.id for h in await subject.store.holders([key(capitals[0])])] == [first.id]
    with pytest.raises(AlreadyExists) as refused:
        await keep(subject.store, product(identifiers=capitals))
    assert refused.value.reason == "IDENTIFIER_TAKEN"


async def test_two_new_products_of_one_identifier_are_told_apart(subject: Subject[Any]) -> None:
    own = (ServiceIdentifier("circuit", new_uuid()),)
    first, second = product(identifiers=own), product(identifiers=own)
    with pytest.raises(AlreadyExists) as refused:
        await keep(subject.store, first, second)
    assert refused.value.metadata == {"kind": "circuit", "type": "product", "id": first.id}
    assert await subject.store.many([first.id, second.id]) == {}


async def test_products_are_found_by_what_they_are_known_by_until_they_cease(subject: Subject[Any]) -> None:
    line = ServiceIdentifier("e164", f"+4930{int(new_uuid()[:7], 16)}")
    circuit = ServiceIdentifier("circuit", new_uuid())
    owners = [new_uuid() for _ in range(3)]
    voice, fax = product(owners[0], identifiers=(line, circuit)), product(owners[1], identifiers=(line,))
    ended = product(owners[2], status=Status.CEASED, identifiers=(line, circuit))
    await keep(subject.store, voice, fax, ended)

    async def found(*identifiers: ServiceIdentifier) -> list[Holding]:
        holders: Sequence[Holding] = await subject.store.holders([key(i) for i in identifiers])
        return sorted(holders, key=lambda h: h.id)

    both = sorted((Holding("product", p.id, p.customer_id) for p in (voice, fax)), key=lambda h: h.id)
    assert await found(line) == both
    assert await found(circuit) == [Holding("product", voice.id, owners[0])]
    assert await found(ServiceIdentifier("circuit", "?"), ServiceIdentifier("e164", circuit.value)) == []
    await keep(subject.store, product(owners[0], identifiers=(line,)))
    assert {h.customer_id for h in await found(line)} == set(owners[:2])


async def test_what_is_forgotten_leaves_the_product_and_frees_its_identifiers(subject: Subject[Any]) -> None:
    own = (ServiceIdentifier("circuit", new_uuid()),)
    told = (("user", "Ada"), ("technology", "fibre"))
    kept = product(identifiers=own, characteristics=told, unlisted=frozenset({"user"}))
    await keep(subject.store, kept)

    async def work(transaction: Any) -> Product:
        await subject.store.forget(transaction, [kept.customer_id])
        return kept

    await subject.store.transact(work)
    left = replace(kept, identifiers=(), characteristics=told[1:], unlisted=frozenset())
    assert await subject.store.many([kept.id]) == {kept.id: left}
    assert await subject.store.holders([key(own[0])]) == []
    await keep(subject.store, product(identifiers=own))
