"""`ErasureStore` of customer information, in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from chassis.events.outbox import Happening
from services.customer_info.privacy.rules import Erasure

T = TypeVar("T")


class FakePersonErasures:
    """Behaves as `ErasureStore` does; its transactions are those of `stage`, which keeps the customers."""

    def __init__(self, stage: Any) -> None:
        self._stage = stage
        self.kept: dict[str, Erasure] = {}
        self.events: list[Happening] = []

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T:
        before, told = dict(self.kept), list(self.events)
        try:
            done: T = await self._stage.transact(work)
        except BaseException:
            self.kept, self.events = before, told
            raise
        return done

    async def read(self, transaction: Any, customer_id: str) -> Erasure | None:
        return self.kept.get(customer_id)

    async def find(self, transaction: Any, customer_ids: Sequence[str]) -> Erasure | None:
        return next((e for e in self.kept.values() if not set(e.members).isdisjoint(customer_ids)), None)

    async def keep(self, transaction: Any, erasure: Erasure) -> None:
        self.kept[erasure.members[0]] = erasure

    async def latest(self, transaction: Any, customer_id: str, version: int) -> int:
        # The history of a customer is with the customers; one that was restored is not told apart here.
        return version

    async def finish(self, transaction: Any, erasure: Erasure, at: datetime, *happenings: Happening) -> None:
        if known := self.kept.get(erasure.members[0]):
            self.kept[erasure.members[0]] = replace(known, done_time=at)
        self.events += happenings

    async def unfinished(self, asked_before: datetime) -> list[Erasure]:
        left = [e for e in self.kept.values() if e.done_time is None and e.ask_time < asked_before]
        return sorted(left, key=lambda e: e.ask_time)

    async def everybody(self) -> AsyncIterator[list[str]]:
        if members := [member for e in self.kept.values() for member in e.members]:
            yield members
