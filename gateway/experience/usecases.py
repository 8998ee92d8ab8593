"""Tells the whole story of a customer: asks every service at once, and marks what each came to."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from chassis.rules import Forbidden, NotFound
from chassis.times import now
from gateway.experience.memory import Memory
from gateway.experience.ports import Ask, Sections
from gateway.experience.rules import (
    Answered,
    Declined,
    Failed,
    Freshness,
    Remembered,
    Section,
    Told,
    judge,
    section_seconds,
)

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Timed(Generic[C]):
    """A section, and how long its service took, in milliseconds."""

    told: Told[C]
    milliseconds: float


class Customer360(Generic[C]):
    """The whole story of a customer in one call (G2)."""

    def __init__(
        self, sections: Sections[C], memory: Memory[C], section_seconds: float, clock: Callable[[], datetime] = now
    ) -> None:
        """Gives each section of `sections` at most `section_seconds`; falls back on `memory`."""
        self._sections = sections
        self._memory = memory
        self._most_seconds = section_seconds
        self._clock = clock

    async def tell(self, ask: Ask, left: float | None) -> Mapping[Section, Timed[C]]:
        """Every section, for a caller who waits `left` more seconds (None: for ever).

        Raises:
            NotFound: there is no such customer.
            Forbidden: the caller may not see this customer.
        """
        seconds = section_seconds(left, self._most_seconds)
        tasks = {section: asyncio.create_task(self._tell(section, ask, seconds)) for section in Section}
        try:
            self._let_in(ask, (await tasks[Section.CUSTOMER]).told)
            return dict(zip(tasks, await asyncio.gather(*tasks.values()), strict=True))
        finally:
            for task in tasks.values():
                task.cancel()

    async def _tell(self, section: Section, ask: Ask, seconds: float) -> Timed[C]:
        began = time.perf_counter()
        outcome = await self._sections.tell(section, ask, seconds)
        milliseconds = (time.perf_counter() - began) * 1000
        moment = self._clock()
        remembered = None
        match outcome:
            case Answered(content):
                self._memory.keep(section, ask, Remembered(content, moment))
            case Declined():
                self._memory.drop(section, ask)
            case Failed():
                remembered = self._memory.recall(section, ask, moment)
        return Timed(judge(outcome, remembered, moment), milliseconds)

    def _let_in(self, ask: Ask, customer: Told[C]) -> None:
        if customer.freshness is not Freshness.ABSENT:
            return
        if customer.reason == "NOT_FOUND":
            self._memory.forget(ask.customer_id)
            raise NotFound(
                f"there is no customer {ask.customer_id}", metadata={"type": "customer", "id": ask.customer_id}
            )
        if customer.reason in ("PERMISSION_DENIED", "NOT_OWN_CUSTOMER"):
            raise Forbidden("the caller may not see this customer", reason=customer.reason)
