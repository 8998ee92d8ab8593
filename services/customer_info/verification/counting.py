"""Counts tries in the store, before anything is compared: of many at once, no more get through than are allowed."""

from collections.abc import Callable
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

    async def swap(self, before: Lock, after: Lock) -> bool: ...


@dataclass(frozen=True, slots=True)
class Tries:
    """One try, as it counts against the agent, if it does there, and the customer.

    Not `kept`, it tried nothing: these are the locks as they would be with it, and the store knows nothing of it.
    """

    counted: tuple[Lock, ...] = ()
    kept: bool = True

    def locked(self) -> list[Lock]:
        """The lock-outs that it leads to, if it was a failure."""
        return [lock for lock in self.counted if lock.until is not None]

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

    async def count(self, actor: Actor, customer_id: str, *, counts: bool) -> Tries:
        """Counts one try; one that tries nothing does not count, but is refused like any while locked out.

        Raises:
            Refused: the agent or the customer is locked out (LOCKED_OUT); then nothing is counted.
        """
        subjects = [(Whose.AGENT, actor.subject)] if actor.person else []
        subjects.append((Whose.CUSTOMER, customer_id))
        counted: list[Lock] = []
        try:
            for whose, subject in subjects:
                if counts:
                    counted.append(await self._changed(whose, subject, lambda lock: lock_rules.tried(lock, now())))
                else:
                    counted.append(lock_rules.tried(await self._locks.lock(whose, subject), now()))
        except Refused:
            await self.give_back(Tries(tuple(counted), kept=counts), forgets=False)
            raise
        return Tries(tuple(counted), kept=counts)

    async def give_back(self, tries: Tries, *, forgets: bool) -> None:
        """Gives back a try that was no failure; with `forgets`, forgets all of the customer's."""
        for own in tries.counted if tries.kept else ():
            if forgets and own.whose is Whose.CUSTOMER:
                await self.forget(own.whose, own.id)
            else:
                await self._changed(own.whose, own.id, partial(lock_rules.given_back, own=own))

    async def forget(self, whose: Whose, subject: str) -> None:
        """Forgets all failures of a customer or an agent."""
        await self._changed(whose, subject, lock_rules.forgotten)

    async def _changed(self, whose: Whose, subject: str, change: Callable[[Lock], Lock]) -> Lock:
        """Changes a lock in one step: when somebody else was faster, looks again. Each round, somebody gets through."""
        while True:
            before = await self._locks.lock(whose, subject)
            after = change(before)
            if await self._locks.swap(before, after):
                return after
