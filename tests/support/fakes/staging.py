"""Transactions in memory: one at a time, on a copy, kept only when the work ends well."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from chassis.events.outbox import Happening
from chassis.rules import Invalid

V = TypeVar("V")
R = TypeVar("R")


@dataclass
class Staged(Generic[V]):
    """What a transaction of `stage` sees: everything by id, and what it has to tell."""

    stage: "Stage[V]"
    kept: dict[str, V]
    events: list[Happening] = field(default_factory=list)


class Stage(Generic[V]):
    """Things by id, changed in transactions."""

    def __init__(self) -> None:
        self.kept: dict[str, V] = {}
        self.events: list[Happening] = []
        self._answers: dict[str, tuple[bytes, V]] = {}
        self._lock = asyncio.Lock()

    async def transact(self, work: Callable[[Staged[V]], Awaitable[R]]) -> R:
        async with self._lock:
            staged = Staged(self, dict(self.kept))
            result = await work(staged)
            self.kept = staged.kept
            self.events += staged.events
            return result

    async def once(self, request_id: str, content: bytes, work: Callable[[Staged[V]], Awaitable[V]]) -> V:
        if request_id in self._answers:
            known, answer = self._answers[request_id]
            if known != content:
                raise Invalid("used for another request", field="request_id", reason="REQUEST_ID_REUSED")
            return answer
        answer = await self.transact(work)
        if request_id:
            self._answers[request_id] = (content, answer)
        return answer

    def sees(self, transaction: Staged[V] | None) -> dict[str, V]:
        """What there is in `transaction`, or outside of any; one of another noun changes nothing here."""
        return transaction.kept if transaction is not None and transaction.stage is self else self.kept
