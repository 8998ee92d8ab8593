"""What happens when a person is erased."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from holdfast.customer_info.v1 import privacy_pb2 as pb

from chassis import etag
from chassis.call import subject
from chassis.events.outbox import Happening
from chassis.log import logger
from chassis.rules import missing
from chassis.times import now
from services.customer_info.customers import rules as customer_rules
from services.customer_info.customers.rules import Customer
from services.customer_info.customers.usecases import updated_event
from services.customer_info.privacy.rules import Erasure

T = TypeVar("T")
# Longer than any call lives: what is not done by then was left by a process that died.
LEFT_BEHIND = timedelta(seconds=60)
ERASED_FIELDS = frozenset(customer_rules.UPDATABLE | {"status"})
_log = logger("privacy")


class Erasures(Protocol):
    """What the use cases ask of a store; `ErasureStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T: ...

    async def find(self, transaction: Any, customer_id: str) -> Erasure | None: ...

    async def insert(self, transaction: Any, erasure: Erasure) -> None: ...

    async def finish(self, transaction: Any, erasure: Erasure, at: datetime, *happenings: Happening) -> None: ...

    async def unfinished(self, asked_before: datetime) -> list[Erasure]: ...

    def everybody(self) -> AsyncIterator[list[str]]: ...


class Customers(Protocol):
    """What they ask of the store of customers."""

    async def read(self, transaction: Any, customer_id: str) -> Customer | None: ...

    async def replace(self, transaction: Any, customer: Customer, *happenings: Happening) -> None: ...


class Members(Protocol):
    """What they ask of the lineage."""

    async def read(self, transaction: Any, customer_id: str) -> tuple[str, ...]: ...


class Keys(Protocol):
    """What they ask of the vault."""

    async def destroy(self, owners: Collection[str]) -> None: ...


class Forgetful(Protocol):
    """A store that holds something personal, or something by which a person is found."""

    async def forget(self, transaction: Any, customer_ids: Sequence[str]) -> None:
        """Takes out all of it."""


async def keep_erased(erasures: "ErasureUseCases") -> None:
    """Carries out what others have left, for ever; first of all, what was done, once more."""
    await erasures.destroy_again()
    while True:
        await erasures.finish_left_behind()
        await asyncio.sleep(LEFT_BEHIND.total_seconds() / 4)


class ErasureUseCases:
    """Erases people, and sees to it that they stay erased."""

    def __init__(
        self, store: Erasures, customers: Customers, lineage: Members, keys: Keys, others: Sequence[Forgetful]
    ) -> None:
        """`others` are the stores of the other nouns."""
        self._store = store
        self._customers = customers
        self._lineage = lineage
        self._keys = keys
        self._others = others

    async def erase(self, customer_id: str, given_etag: str, reason: str) -> Erasure:
        """Erases the person who has this id, under all ids they have; who is erased already is left so.

        First it is kept that they are to be erased, then their keys are destroyed, then the records are emptied and
        the others told: whatever process dies in between, `finish_left_behind` takes it to the end.

        Raises:
            NotFound: there is no such customer; Conflict (etag).
        """

        async def ask(transaction: Any) -> Erasure:
            if known := await self._store.find(transaction, customer_id):
                return known
            customer = await self._customers.read(transaction, customer_id)
            if customer is None:
                raise missing("customer", customer_id)
            etag.check(given_etag, customer.version)
            members = await self._lineage.read(transaction, customer_id)
            erasure = Erasure(members, reason, subject(), now())
            await self._store.insert(transaction, erasure)
            return erasure

        erasure = await self._store.transact(ask)
        return erasure if erasure.done_time else await self._carry_out(erasure)

    async def finish_left_behind(self) -> int:
        """Carries out what a process that died has left; how many erasures it was."""
        left = await self._store.unfinished(now() - LEFT_BEHIND)
        for erasure in left:
            await self._carry_out(erasure)
        return len(left)

    async def destroy_again(self) -> None:
        """Destroys once more the keys of all who were ever erased: a store of keys may have been restored since."""
        async for members in self._store.everybody():
            await self._keys.destroy(members)

    async def _carry_out(self, erasure: Erasure) -> Erasure:
        await self._keys.destroy(erasure.members)

        async def empty(transaction: Any) -> Erasure:
            known = await self._store.find(transaction, erasure.members[0])
            if known is not None and known.done_time:
                return known
            at = now()
            for member in erasure.members:
                customer = await self._customers.read(transaction, member)
                if customer is not None and customer.erase_time is None:
                    after = customer_rules.erased(customer, at)
                    await self._customers.replace(transaction, after, updated_event(after, ERASED_FIELDS))
            for other in self._others:
                await other.forget(transaction, erasure.members)
            told = Happening(
                erasure.members[0], 1, pb.CustomerErased(member_ids=erasure.members), at, erasure.members[0]
            )
            await self._store.finish(transaction, erasure, at, told)
            return replace(erasure, done_time=at)

        done = await self._store.transact(empty)
        _log.info("person_erased", members=len(done.members))
        return done
