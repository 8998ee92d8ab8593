"""What happens when a person is erased."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

from holdfast.customer_info.v1 import privacy_pb2 as pb

from chassis import etag
from chassis.call import subject
from chassis.events.outbox import Happening
from chassis.log import logger
from chassis.rules import missing
from chassis.times import now
from services.customer_info.customers import rules as customer_rules
from services.customer_info.customers.rules import Customer
from services.customer_info.customers.standing_rules import Standing
from services.customer_info.customers.usecases import updated_event
from services.customer_info.privacy import rules
from services.customer_info.privacy.rules import Erasure

T = TypeVar("T")
# Longer than any call lives: what is not done by then was left by a process that died, or is larger than a call.
LEFT_BEHIND = timedelta(seconds=60)
ERASED_FIELDS = frozenset(customer_rules.UPDATABLE | {"status"})
RESTORED: Final = "the key was destroyed before: a store was restored"
_log = logger("privacy")


class Erasures(Protocol):
    """What the use cases ask of a store; `ErasureStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T: ...

    async def read(self, transaction: Any, customer_id: str) -> Erasure | None: ...

    async def find(self, transaction: Any, customer_ids: Sequence[str]) -> Erasure | None: ...

    async def keep(self, transaction: Any, erasure: Erasure) -> None: ...

    async def latest(self, transaction: Any, customer_id: str, version: int) -> int: ...

    async def finish(self, transaction: Any, erasure: Erasure, at: datetime, *happenings: Happening) -> None: ...

    async def unfinished(self, asked_before: datetime) -> list[Erasure]: ...

    def everybody(self) -> AsyncIterator[list[str]]: ...


class Customers(Protocol):
    """What they ask of the store of customers."""

    async def read(self, transaction: Any, customer_id: str) -> Customer | None: ...

    async def replace(self, transaction: Any, customer: Customer, *happenings: Happening) -> None: ...

    async def standings(self, customer_ids: Sequence[str]) -> Mapping[str, Standing]: ...


class Members(Protocol):
    """What they ask of the lineage."""

    async def read(self, transaction: Any, customer_id: str) -> tuple[str, ...]: ...


class Keys(Protocol):
    """What they ask of the vault."""

    async def destroy(self, owners: Collection[str]) -> None: ...

    def destroyed(self) -> AsyncIterator[list[str]]: ...


class Forgetful(Protocol):
    """A store that holds something personal, or something by which a person is found."""

    async def forget(self, transaction: Any, customer_ids: Sequence[str]) -> None:
        """Takes out all of it; once more, whatever is left of it.

        Without a transaction what is done stays done, so that whoever takes it up again goes on from there.
        """


async def keep_erased(erasures: "ErasureUseCases") -> None:
    """Carries out what others have left, for ever; first of all, what was done, once more."""
    await erasures.destroy_again()
    await erasures.erase_again()
    while True:
        await erasures.finish_left_behind()
        await asyncio.sleep(LEFT_BEHIND.total_seconds() / 4)


class ErasureUseCases:
    """Erases people, and sees to it that they stay erased."""

    def __init__(
        self,
        store: Erasures,
        customers: Customers,
        lineage: Members,
        keys: Keys,
        others: Sequence[Forgetful],
        *,
        large: Sequence[Forgetful] = (),
    ) -> None:
        """`others` are the stores of the other nouns; `large` those that may hold more than a transaction can change.

        The large ones are emptied before the transaction in which the others are, and in which the erasure ends.
        """
        self._store = store
        self._customers = customers
        self._lineage = lineage
        self._keys = keys
        self._others = others
        self._large = large

    async def erase(self, customer_id: str, given_etag: str, reason: str) -> Erasure:
        """Erases the person who has this id, under all ids they have; who is erased already is left so.

        In one transaction it is kept that they are to be erased, and their records are emptied: who writes of them
        meanwhile, merges or parts them, is in its way, looks again, and is refused. Then their keys are destroyed, all
        else is forgotten and the others are told: whatever process dies in between, `finish_left_behind` takes it to
        the end.

        Raises:
            NotFound: there is no such customer; Conflict (etag).
        """

        async def ask(transaction: Any) -> Erasure:
            members = await self._lineage.read(transaction, customer_id)
            customer = await self._customers.read(transaction, customer_id)
            if customer is None:
                if known := await self._store.find(transaction, members):
                    return known
                raise missing("customer", customer_id)
            if customer.erase_time is None:
                etag.check(given_etag, customer.version)
            return await self._begin(transaction, Erasure(members, reason, subject(), now()))

        erasure = await self._store.transact(ask)
        return erasure if erasure.done_time else await self._carry_out(erasure)

    async def finish_left_behind(self) -> int:
        """Carries out what was left undone; how many erasures it was."""
        left = await self._store.unfinished(now() - LEFT_BEHIND)
        return sum([await self._taken_up(erasure) for erasure in left])

    async def destroy_again(self) -> None:
        """Destroys once more the keys of all who were ever erased: a store of keys may have been restored since."""
        async for members in self._store.everybody():
            await self._keys.destroy(members)

    async def erase_again(self) -> int:
        """Erases once more whoever has a record and a key that was destroyed; how many records it was.

        The records, and the erasures with them, may have been restored from before: without their keys they can neither
        be read nor changed, and yet be found. Only who has the mark is erased, whoever they were one with at that time.
        """
        found = 0
        async for ids in self._keys.destroyed():
            standings = await self._customers.standings(ids)
            for who in [i for i in ids if i in standings and standings[i].erase_time is None]:
                found += await self._taken_up(Erasure((who,), RESTORED, subject(), now()))
        return found

    async def _taken_up(self, erasure: Erasure) -> bool:
        """Carries an erasure out, or tells that it failed: those after it must not wait for it."""
        try:
            begun = await self._store.transact(lambda transaction: self._begin(transaction, erasure))
            await self._carry_out(begun)
        except Exception as error:  # noqa: BLE001 - whatever it was, it is tried again
            _log.warning("erasure_failed", customer_id=erasure.members[0], type=type(error).__name__)
            return False
        return True

    async def _begin(self, transaction: Any, asked: Erasure) -> Erasure:
        """Keeps that an erasure is to be carried out, and empties the records of the person's ids."""
        known = await self._store.find(transaction, asked.members)
        erasure, at = rules.begun(known, asked), now()
        left = [await self._empty(transaction, member, at) for member in erasure.members]
        if any(left):
            # Also of one that was done: the record was restored, or merged into one that was erased.
            erasure = replace(erasure, done_time=None)
        if erasure != known:
            await self._store.keep(transaction, erasure)
        return erasure

    async def _empty(self, transaction: Any, customer_id: str, at: datetime) -> bool:
        """Takes everything personal out of a record; whether there was any."""
        customer = await self._customers.read(transaction, customer_id)
        if customer is None or customer.erase_time is not None:
            return False
        # As late as any that was told of, also where the record was restored: who listens passes over earlier ones.
        latest = await self._store.latest(transaction, customer_id, customer.version)
        after = customer_rules.erased(replace(customer, version=latest), at)
        await self._customers.replace(transaction, after, updated_event(after, ERASED_FIELDS))
        return True

    async def _carry_out(self, erasure: Erasure) -> Erasure:
        """Takes a begun erasure to its end; one that was extended meanwhile, to the end of that."""
        members = erasure.members
        await self._keys.destroy(members)
        for store in self._large:
            await store.forget(None, members)

        async def finish(transaction: Any) -> Erasure:
            known = await self._store.read(transaction, members[0])
            if known is not None and (known.done_time or known.members != members):
                return known
            for other in self._others:
                await other.forget(transaction, members)
            at = now()
            first = await self._customers.read(transaction, members[0])
            version = 1 if first is None else first.version
            told = Happening(members[0], version, pb.CustomerErased(member_ids=members), at, members[0])
            await self._store.finish(transaction, erasure, at, told)
            return replace(erasure, done_time=at)

        done = await self._store.transact(finish)
        if done.done_time is None:
            return await self._carry_out(done)
        _log.info("person_erased", members=len(done.members))
        return done
