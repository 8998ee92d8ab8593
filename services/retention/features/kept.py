"""What the use cases of features exchange with a store, and what they ask of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from services.retention.features.rules import OutcomeRecorded, Reading, State

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept under an id; `revision` counts the changes, 0 says that nothing is kept yet.

    Of somebody who was `erased` nothing is kept, and nothing will be.
    """

    customer_id: str
    state: State
    revision: int
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a customer left."""

    customer_id: str
    fact: OutcomeRecorded


@dataclass(frozen=True, slots=True)
class Labelled:
    """A customer whose outcome is known; no state: nothing was ever heard of it."""

    outcome: Outcome
    state: State | None


class FeatureKeeper(Protocol):
    """What the use cases ask of a store; `FeatureStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T: ...

    async def state(self, customer_id: str) -> State | None: ...

    async def reading(self, customer_id: str) -> Reading | None: ...

    async def states(self, transaction: Any, customer_ids: Sequence[str]) -> dict[str, Kept]: ...

    async def keep(self, transaction: Any, changes: Sequence[tuple[Kept, Reading | None]], at: datetime) -> None: ...

    async def readings(self, transaction: Any, customer_ids: Sequence[str]) -> dict[str, Reading]: ...

    async def due(self, at: datetime, most: int) -> list[str]: ...

    async def outcomes(self, transaction: Any, customer_ids: Sequence[str]) -> dict[str, OutcomeRecorded]: ...

    async def keep_outcomes(self, transaction: Any, outcomes: Mapping[str, OutcomeRecorded]) -> None: ...

    async def forget(self, transaction: Any, customer_ids: Sequence[str]) -> None: ...

    async def erased(self, transaction: Any, customer_ids: Sequence[str]) -> set[str]: ...

    async def outcome_count(self) -> int: ...

    async def labelled_after(self, last: str, most: int) -> list[Labelled]: ...
