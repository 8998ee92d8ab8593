"""The timers: raises jeopardy and breach when they are due, with any number of replicas, each once.

One replica holds a lease and is on time. The others look only for alarms that it has left lying for a moment, so that
its death delays nothing by more than that; they begin at the other end, to keep out of its way. Correctness does not
hang on the lease: an alarm is taken in a transaction that finds it gone when somebody else was faster.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

from chassis.log import logger
from chassis.times import now
from services.sla.clocks.usecases import ClockUseCases

# The longest time between two looks: no alarm waits longer for one that was set meanwhile.
LOOK = timedelta(milliseconds=200)
# With one look more it stays well within the second in which a breach must be raised.
LATE = timedelta(milliseconds=400)
MOST_AT_ONCE = 200
_log = logger("alarms")


class Turn(Protocol):
    """A lease; `chassis.events.lease.Lease` says more."""

    async def run(self, work: Callable[[], Awaitable[None]]) -> None: ...


class Alarms:
    """Rings what is due, for as long as the process lives."""

    def __init__(self, clocks: ClockUseCases, turn: Turn) -> None:
        self._clocks = clocks
        self._turn = turn
        self._leads = False

    async def run(self) -> None:
        """Looks for due alarms, for ever; a store that is away for a moment only delays the next look."""
        while True:
            try:
                pause = await self.look()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next look may find it gone
                _log.warning("look_failed", type=type(error).__name__)
                pause = LOOK
            await asyncio.sleep(pause.total_seconds())

    async def stand(self) -> None:
        """Stands in line for the lead, again and again."""
        while True:
            await self._turn.run(self._lead)

    async def look(self) -> timedelta:
        """Rings one batch of what is due; how long nothing else will be."""
        at = now()
        if self._leads:
            found = await self._clocks.alarms(at + LOOK, MOST_AT_ONCE)
        else:
            found = await self._clocks.alarms(at - LATE, MOST_AT_ONCE, latest_first=True)
        due = [clock_id for clock_id, time in found if time <= at]
        if due:
            await self._clocks.ring(due, now())
            return timedelta(0)
        return min([LOOK, *(time - at for _, time in found)])

    async def _lead(self) -> None:
        self._leads = True
        try:
            await asyncio.Event().wait()
        finally:
            self._leads = False
