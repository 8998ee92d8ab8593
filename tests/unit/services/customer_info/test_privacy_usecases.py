"""Erasures, step by step: what is kept first, what is taken up again, and what one that fails holds up."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import timedelta
from typing import Any

import pytest
from holdfast.customer_info.v1 import privacy_pb2 as pb

from chassis.rules import Conflict, NotFound, Refused
from chassis.times import now
from services.customer_info.customers.rules import Customer, check_open
from services.customer_info.privacy.rules import Erasure, begun
from services.customer_info.privacy.usecases import LEFT_BEHIND, ErasureUseCases
from tests.support.fakes.customers import FakeCustomers
from tests.support.fakes.lineage import FakeLineage
from tests.support.fakes.person_erasures import FakePersonErasures
from tests.unit.services.customer_info.builders import email, new_uuid, person

LONG_AGO = now() - LEFT_BEHIND - timedelta(seconds=1)


class FakeKeys:
    """The marks of the vault."""

    def __init__(self) -> None:
        self.marks: dict[str, None] = {}
        self.times = 0

    async def destroy(self, owners: Collection[str]) -> None:
        self.times += 1
        self.marks |= dict.fromkeys(owners)

    async def destroyed(self) -> AsyncIterator[list[str]]:
        for owner in list(self.marks):
            yield [owner]


class Noun:
    """A store of another noun, which says what it was asked to forget, and may fail at some of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[bool, tuple[str, ...]]] = []
        self.fails_for: set[str] = set()

    async def forget(self, transaction: Any, customer_ids: Sequence[str]) -> None:
        self.asked.append((transaction is not None, tuple(customer_ids)))
        if not self.fails_for.isdisjoint(customer_ids):
            raise TimeoutError


class World:
    """Customers, and what erases them."""

    def __init__(self, *groups: Sequence[Customer]) -> None:
        self.customers = FakeCustomers(*(c for group in groups for c in group))
        self.store, self.keys = FakePersonErasures(self.customers), FakeKeys()
        self.lineage = FakeLineage(*([c.id for c in group] for group in groups))
        self.small, self.large = Noun(), Noun()
        self.usecases = ErasureUseCases(
            self.store, self.customers, self.lineage, self.keys, [self.small], large=[self.large]
        )

    def is_empty(self, customer: Customer) -> bool:
        left = self.customers.kept[customer.id]
        return left.erase_time is not None and not left.contact_media


def somebody() -> Customer:
    return person(contact_media=(email(f"{new_uuid()}@example.com"),))


async def test_a_person_is_erased_under_all_ids_and_the_event_carries_the_version_of_the_emptied_record() -> None:
    ada, twin = somebody(), somebody()
    world = World([ada, twin])
    erasure = await world.usecases.erase(twin.id, "", "asked")
    assert erasure.members == (ada.id, twin.id)
    assert erasure.done_time is not None
    assert world.is_empty(ada)
    assert world.is_empty(twin)
    assert set(world.keys.marks) == {ada.id, twin.id}
    (told,) = world.store.events
    assert isinstance(told.data, pb.CustomerErased)
    assert (told.subject, list(told.data.member_ids)) == (ada.id, [ada.id, twin.id])
    assert told.sequence == world.customers.kept[ada.id].version == ada.version + 1


async def test_what_may_be_large_is_forgotten_before_the_last_transaction_and_the_rest_in_it() -> None:
    ada = somebody()
    world = World([ada])
    await world.usecases.erase(ada.id, "", "asked")
    assert world.large.asked == [(False, (ada.id,))]
    assert world.small.asked == [(True, (ada.id,))]


async def test_from_the_moment_an_erasure_is_kept_the_records_are_closed() -> None:
    ada = somebody()
    world = World([ada])
    world.large.fails_for = {ada.id}
    with pytest.raises(TimeoutError):
        await world.usecases.erase(ada.id, "", "asked")
    with pytest.raises(Refused) as refused:
        check_open(world.customers.kept[ada.id])
    assert refused.value.reason == "ERASED"
    assert world.store.kept[ada.id].done_time is None
    assert world.store.events == []


async def test_who_asks_again_takes_an_erasure_that_failed_to_its_end_whatever_etag_it_has() -> None:
    ada = somebody()
    world = World([ada])
    seen = str(ada.version)
    world.large.fails_for = {ada.id}
    with pytest.raises(TimeoutError):
        await world.usecases.erase(ada.id, "", "asked")
    world.large.fails_for = set()
    done = await world.usecases.erase(ada.id, seen, "asked again")
    assert (done.reason, len(world.store.events)) == ("asked", 1)
    assert await world.usecases.erase(ada.id, seen, "and again") == done
    assert len(world.store.events) == 1


async def test_an_erasure_is_refused_for_another_version_or_nobody() -> None:
    ada = somebody()
    world = World([ada])
    with pytest.raises(Conflict):
        await world.usecases.erase(ada.id, "7", "asked")
    with pytest.raises(NotFound):
        await world.usecases.erase(new_uuid(), "", "asked")
    assert world.store.kept == {}
    assert world.keys.marks == {}


async def test_one_erasure_that_fails_keeps_no_other_from_being_carried_out() -> None:
    ada, bob = somebody(), somebody()
    world = World([ada], [bob])
    for who, before in ((ada, 1), (bob, 0)):
        world.store.kept[who.id] = Erasure((who.id,), "asked", "me", LONG_AGO - timedelta(seconds=before))
    world.large.fails_for = {ada.id}
    assert await world.usecases.finish_left_behind() == 1
    assert world.is_empty(bob)
    assert world.store.kept[bob.id].done_time is not None
    assert world.store.kept[ada.id].done_time is None
    world.large.fails_for = set()
    assert await world.usecases.finish_left_behind() == 1
    assert await world.usecases.finish_left_behind() == 0


async def test_whoever_was_merged_into_an_erased_record_is_erased_with_it() -> None:
    ada, twin = somebody(), somebody()
    world = World([ada], [twin])
    first = await world.usecases.erase(ada.id, "", "asked")
    world.lineage.kept = dict.fromkeys((ada.id, twin.id), (ada.id, twin.id))
    done = await world.usecases.erase(twin.id, "", "asked too")
    assert (done.members, done.reason) == ((ada.id, twin.id), first.reason)
    assert world.is_empty(twin)
    assert len(world.store.events) == 2


@pytest.mark.parametrize("with_erasures", [True, False])
async def test_a_record_that_was_restored_is_erased_once_more(with_erasures: bool) -> None:
    ada, bob = somebody(), somebody()
    world = World([ada], [bob])
    await world.usecases.erase(ada.id, "", "asked")
    assert await world.usecases.erase_again() == 0
    world.customers.kept[ada.id] = ada
    if not with_erasures:
        world.store.kept.clear()
    assert await world.usecases.erase_again() == 1
    assert world.is_empty(ada)
    assert not world.is_empty(bob)
    assert world.store.kept[ada.id].done_time is not None
    assert await world.usecases.erase_again() == 0


async def test_who_was_one_with_a_restored_record_and_not_erased_is_left_alone() -> None:
    ada, bob = somebody(), somebody()
    world = World([bob, ada])
    await world.keys.destroy([ada.id])
    assert await world.usecases.erase_again() == 1
    assert world.is_empty(ada)
    assert not world.is_empty(bob)
    assert set(world.keys.marks) == {ada.id}


def test_an_erasure_that_is_known_stands_for_those_that_follow_unless_it_did_not_know_all_ids() -> None:
    known = Erasure(("a", "b"), "asked", "me", LONG_AGO, now())
    asked = Erasure(("b",), "again", "you", now())
    assert begun(None, asked) == asked
    assert begun(known, asked) == known
    wider = begun(known, Erasure(("b", "c"), "again", "you", now()))
    assert (wider.members, wider.reason, wider.done_time) == (("a", "b", "c"), "asked", None)
