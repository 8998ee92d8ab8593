"""What the use cases of verification ask of others, and what they answer with."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from chassis.events.outbox import Happening
from chassis.query.selection import Selection
from services.customer_info.customers.rules import Customer
from services.customer_info.verification.lock_rules import Lock, Whose
from services.customer_info.verification.rules import Attempt, Challenge, Code, Factor, Standing, Verification

T = TypeVar("T")


class Verifications(Protocol):
    """What the use cases ask of a store; `VerificationStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T: ...

    async def factors(self, transaction: Any, customer_ids: Sequence[str]) -> list[Factor]: ...

    async def put_factor(self, transaction: Any, factor: Factor) -> None: ...

    async def drop_factor(self, transaction: Any, customer_ids: Sequence[str], challenge: Challenge) -> bool: ...

    async def put_code(self, transaction: Any, code: Code) -> None: ...

    async def try_code(self, customer_id: str, contact_id: str, at: datetime) -> str | None: ...

    async def spend_code(self, transaction: Any, customer_id: str, contact_id: str, kept: str) -> bool: ...

    async def lock(self, whose: Whose, subject: str) -> Lock: ...

    async def locks_of(self, whose: Whose, subjects: Sequence[str]) -> list[Lock]: ...

    async def swap(self, before: Lock, after: Lock) -> bool: ...

    async def verifications(
        self, transaction: Any, customer_ids: Sequence[str], contact_id: str
    ) -> list[Verification]: ...

    async def keep(self, transaction: Any, verification: Verification) -> None: ...

    async def note(self, transaction: Any, attempt: Attempt, *happenings: Happening) -> None: ...

    async def page(self, selection: Selection) -> tuple[list[Attempt], str]: ...


class Owners(Protocol):
    """What the use cases ask of the store of customers."""

    async def get(self, customer_id: str) -> Customer | None: ...

    async def read(self, transaction: Any, customer_id: str) -> Customer | None: ...

    async def hold(self, transaction: Any, customer_ids: Sequence[str]) -> None: ...


class Lineage(Protocol):
    """Tells which ids' records belong to a customer, the survivor's first."""

    async def of(self, customer_id: str) -> tuple[str, ...]: ...

    async def of_many(self, customer_ids: Sequence[str], transaction: Any = None) -> Mapping[str, tuple[str, ...]]: ...

    async def read(self, transaction: Any, customer_id: str) -> tuple[str, ...]: ...


class Hashes(Protocol):
    """Makes and compares hashes of answers; `Hasher` says more."""

    async def hash(self, *parts: str) -> str: ...

    async def matches(self, kept: str | None, *parts: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Spans:
    """How long a challenge that was passed counts, and how long a one-time code is good."""

    verification: timedelta
    code: timedelta


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a try: the standing after it, failures left, and until when it has led to a lock-out."""

    passed: bool
    standing: Standing
    left: int
    locked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A one-time code, to be delivered."""

    code: str
    delivery_id: str
    expire_time: datetime
