"""`VerificationStore` in memory."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from chassis.events.outbox import Happening
from chassis.query.selection import Selection
from services.customer_info.verification.lock_rules import Lock, Whose
from services.customer_info.verification.rules import CODE_TRIES, Attempt, Challenge, Code, Factor, Verification
from services.customer_info.verification.store import LISTING
from tests.support.fakes.listing import page
from tests.support.fakes.staging import Stage, Staged

T = TypeVar("T")
GETTERS: dict[str, Callable[[Attempt], Any]] = {
    "id": lambda a: a.id,
    "customer_id": lambda a: a.customer_id,
    "contact_id": lambda a: a.contact_id,
    "by": lambda a: a.by,
    "outcome": lambda a: a.outcome,
    "time": lambda a: a.time,
}


class FakeVerifications:
    """Behaves as `VerificationStore` does. Failures and tries of codes are kept outside of transactions, as there."""

    def __init__(self) -> None:
        self._stage: Stage[Any] = Stage()
        self._tries: dict[str, int] = {}
        self.locks: dict[tuple[Whose, str], Lock] = {}

    @property
    def events(self) -> list[Happening]:
        return self._stage.events

    @property
    def attempts(self) -> list[Attempt]:
        return [kept for kept in self._stage.kept.values() if isinstance(kept, Attempt)]

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T:
        return await self._stage.transact(work)

    async def factors(self, transaction: Any, customer_ids: Sequence[str]) -> list[Factor]:
        kept = self._stage.sees(transaction).values()
        return [f for f in kept if isinstance(f, Factor) and f.customer_id in customer_ids]

    async def put_factor(self, transaction: Staged[Any], factor: Factor) -> None:
        transaction.kept[f"factor {factor.customer_id} {factor.challenge}"] = factor

    async def drop_factor(self, transaction: Staged[Any], customer_ids: Sequence[str], challenge: Challenge) -> bool:
        found = [transaction.kept.pop(f"factor {i} {challenge}", None) for i in customer_ids]
        return any(found)

    async def put_code(self, transaction: Staged[Any], code: Code) -> None:
        transaction.kept[f"code {code.customer_id} {code.contact_id}"] = code

    async def try_code(self, customer_id: str, contact_id: str, at: datetime) -> str | None:
        code: Code | None = self._stage.kept.get(f"code {customer_id} {contact_id}")
        if code is None or code.expire_time <= at or self._tries.get(code.hash, 0) >= CODE_TRIES:
            return None
        self._tries[code.hash] = self._tries.get(code.hash, 0) + 1
        return code.hash

    async def spend_code(self, transaction: Staged[Any], customer_id: str, contact_id: str, kept: str) -> bool:
        key = f"code {customer_id} {contact_id}"
        if key not in transaction.kept or transaction.kept[key].hash != kept:
            return False
        del transaction.kept[key]
        return True

    async def lock(self, whose: Whose, subject: str) -> Lock:
        return self.locks.get((whose, subject), Lock(whose, subject))

    async def locks_of(self, whose: Whose, subjects: Sequence[str]) -> list[Lock]:
        return [await self.lock(whose, subject) for subject in subjects]

    async def swap(self, before: Lock, after: Lock) -> bool:
        if (await self.lock(after.whose, after.id)).version != before.version:
            return False
        self.locks[after.whose, after.id] = after
        return True

    async def verifications(self, transaction: Any, customer_ids: Sequence[str], contact_id: str) -> list[Verification]:
        kept = self._stage.sees(transaction).values()
        found = [v for v in kept if isinstance(v, Verification) and v.contact_id == contact_id]
        return [v for v in found if v.customer_id in customer_ids]

    async def keep(self, transaction: Staged[Any], verification: Verification) -> None:
        transaction.kept[f"verification {verification.customer_id} {verification.contact_id}"] = verification

    async def note(self, transaction: Staged[Any], attempt: Attempt, *happenings: Happening) -> None:
        transaction.kept[attempt.id] = attempt
        transaction.events += happenings

    async def page(self, selection: Selection) -> tuple[list[Attempt], str]:
        return page(self.attempts, selection, LISTING, GETTERS)

    async def forget(self, transaction: Staged[Any], customer_ids: Sequence[str]) -> None:
        gone = [
            key
            for key, kept in transaction.kept.items()
            if isinstance(kept, Factor | Code | Verification) and kept.customer_id in customer_ids
        ]
        for key in gone:
            del transaction.kept[key]
        for customer_id in customer_ids:
            self.locks.pop((Whose.CUSTOMER, customer_id), None)
