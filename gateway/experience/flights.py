"""Callers who want the same at the same time share one call."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from gateway.experience.ports import Ask, Sections
from gateway.experience.rules import Answered, Declined, Failed, Section, worth_joining

C = TypeVar("C")
V = TypeVar("V")


class _Flight(Generic[V]):
    __slots__ = ("ends", "task", "waiting")

    def __init__(self, task: "asyncio.Task[V]", ends: float) -> None:
        self.task = task
        self.ends = ends
        self.waiting = 0


class Flights(Generic[V]):
    """Calls under way, by what they ask.

    A call belongs to all who wait for it: one who leaves disturbs nobody, and when the last one leaves it is cancelled.
    It runs in the context (deadline, token, trace) of whoever began it, so its key must hold all of that which matters.
    """

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[V]] = {}

    async def share(self, key: Hashable, seconds: float, begin: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """The result of the call for `key` that is under way, else of a new one that `begin` makes.

        Raises:
            TimeoutError: there is none after `seconds`.
            whatever the call itself raises, to each who waits for it.
        """
        flight = self._flights.get(key)
        if flight is None or not worth_joining(flight.ends - asyncio.get_running_loop().time(), seconds):
            flight = self._begin(key, seconds, begin)
        flight.waiting += 1
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                flight.task.cancel()
                self._forget(key, flight)

    def _begin(self, key: Hashable, seconds: float, begin: Callable[[], Coroutine[Any, Any, V]]) -> _Flight[V]:
        ends = asyncio.get_running_loop().time() + seconds
        flight = _Flight(asyncio.create_task(begin()), ends)
        self._flights[key] = flight
        flight.task.add_done_callback(lambda _: self._forget(key, flight))
        return flight

    def _forget(self, key: Hashable, flight: _Flight[V]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


class SharedSections(Generic[C]):
    """`Sections` in which the same question of the same token, asked while the first is under way, is asked once."""

    def __init__(self, sections: Sections[C]) -> None:
        """Asks `sections`."""
        self._sections = sections
        self._flights: Flights[Answered[C] | Declined | Failed] = Flights()

    async def tell(self, section: Section, ask: Ask, seconds: float) -> Answered[C] | Declined | Failed:
        """See `Sections.tell`."""
        key = (section, ask.customer_id, ask.interactions, ask.token)
        try:
            return await self._flights.share(key, seconds, lambda: self._sections.tell(section, ask, seconds))
        except TimeoutError:
            return Failed("DEADLINE_EXCEEDED")
