"""Counts tries in the store, before anything is compared: of many at once, no more get through than are allowed.

A try of a customer of several ids counts under each of them. So a merge gives nobody fresh tries, since the id with the
most failures decides; nor does an un-merge, since each of the two keeps what was counted while they were one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from chassis.rules import Refused
from chassis.times import now
from services.customer_info.verification import lock_rules
from services.customer_info.verification.lock_rules import ALLOWED, Lock, Whose
from services.customer_info.verification.rules import Actor


class Locks(Protocol):
    """What counting asks of a store."""

    async def lock(self, whose: Whose, subject: str) -> Lock: ...

    async def locks_of(self, whose: Whose, subjects: Sequence[str]) -> list[Lock]: ...

    async def swap(self, before: Lock, after: Lock) -> bool: ...


@dataclass(frozen=True, slots=True)
class Tries:
    """One try, as it counts against the agent, if it does there, and the customer under each of its ids.

    Not `kept`, it tried nothing: these are the locks as they would be with it, and the store knows nothing of it.
    """

    counted: tuple[Lock, ...] = ()
    kept: bool = True

    def locked(self) -> list[Lock]:
        """The lock-outs that it leads to, if it was a failure: of the agent, of the customer, or of both."""
        each = [[lock for lock in self.counted if lock.whose is whose] for whose in Whose]
        longest = [lock_rules.longest(locks) for locks in each if locks]
        return [lock for lock in longest if lock.until is not None]

    def left(self, *, passed: bool, forgets: bool) -> int:
        """Failures left before the next lock-out, the fewest of all it counts against."""
        return min(
            ALLOWED[lock.whose].failures
            if forgets and lock.whose is Whose.CUSTOMER
            else lock_rules.left(lock) + int(passed)
            for lock in self.counted
        )


class Counting:
    """Counts tries and gives back those that were no failures."""

    def __init__(self, locks: Locks) -> None:
        self._locks = locks

    async def count(self, actor: Actor, customer_ids: Sequence[str], *, counts: bool) -> Tries:
        """Counts one try; one that tries nothing does not count, but is refused like any while locked out.

        Raises:
            Refused: the agent or the customer is locked out (LOCKED_OUT); then nothing is counted.
        """
        against: list[tuple[Whose, Sequence[str]]] = [(Whose.AGENT, (actor.subject,))] if actor.person else []
        against.append((Whose.CUSTOMER, customer_ids))
        counted: list[Lock] = []
        try:
            for whose, subjects in against:
                for lock in await self.unlocked(whose, subjects):
                    # One after the other, in the same order for all: of two at once, with one failure left, the first
                    # gets through. Otherwise each might stand in the other's way.
                    after = await self._changed(lock, _tried) if counts else _tried(lock)
                    counted.append(after)
        except Refused:
            await self.give_back(Tries(tuple(counted), kept=counts), forgets=False)
            raise
        return Tries(tuple(counted), kept=counts)

    async def unlocked(self, whose: Whose, subjects: Sequence[str]) -> list[Lock]:
        """The locks of an agent, or of a customer under each of its ids, none of which is locked.

        Raises:
            Refused: one of them is (LOCKED_OUT).
        """
        locks = await self._locks.locks_of(whose, subjects)
        lock_rules.check(lock_rules.longest(locks), now())
        return locks

    async def give_back(self, tries: Tries, *, forgets: bool) -> None:
        """Gives back a try that was no failure; with `forgets`, forgets all of the customer's."""
        for own in tries.counted if tries.kept else ():
            forgotten = forgets and own.whose is Whose.CUSTOMER
            await self._changed(own, lock_rules.forgotten if forgotten else partial(lock_rules.given_back, own=own))

    async def forget(self, whose: Whose, subjects: Sequence[str]) -> None:
        """Forgets all failures of an agent, or of a customer under each of its ids."""
        for lock in await self._locks.locks_of(whose, subjects):
            await self._changed(lock, lock_rules.forgotten)

    async def _changed(self, seen: Lock, change: Callable[[Lock], Lock]) -> Lock:
        """Changes a lock in one step: when it is not as it was seen any more, looks again. Each round, one succeeds."""
        while True:
            after = change(seen)
            if await self._locks.swap(seen, after):
                return after
            seen = await self._locks.lock(seen.whose, seen.id)


def _tried(lock: Lock) -> Lock:
    return lock_rules.tried(lock, now())
