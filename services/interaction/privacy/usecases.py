"""What happens to what is held on a person: it is shown as a whole, and, when the person is erased, its texts go."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from holdfast.interaction.v1 import interactions_pb2

from chassis.exporting import PAGE, Pages, walk
from chassis.following import Ids
from chassis.log import logger
from chassis.query.selection import Selection
from chassis.times import now
from services.interaction.privacy.rules import MARGIN, SETTLE
from services.interaction.tickets import wire
from services.interaction.tickets.rules import Ticket

PAUSE_SECONDS = 1.0
# A ticket's notes may weigh megabytes.
TICKETS_AT_ONCE = 20
EVER = datetime(1970, 1, 1, tzinfo=UTC)
_log = logger("erasing")


@dataclass(frozen=True, slots=True)
class Erasure:
    """An id of somebody who was erased; `redact_time` is when its texts were taken out first, None: not yet."""

    customer_id: str
    erase_time: datetime
    redact_time: datetime | None


class Erasures(Protocol):
    """What the use cases ask of a store; `ErasureStore` says more of each."""

    async def since(self, at: datetime) -> list[tuple[str, datetime]]: ...

    async def due(self, at: datetime) -> Erasure | None: ...

    async def passed(self, customer_id: str, at: datetime, again: datetime | None) -> None: ...


class Texts(Protocol):
    """Where texts are."""

    async def redact(self, customer_id: str, at: datetime) -> int: ...


class Erased(set[str]):
    """The ids of the erased, in memory (130 bytes each): those who log contacts cannot ask a store each time."""

    def __init__(self, store: Erasures) -> None:
        super().__init__()
        self._store = store
        self._newest = EVER

    async def refresh(self) -> None:
        """Learns of those who were erased since it was called last."""
        for customer_id, at in await self._store.since(max(EVER, self._newest - MARGIN)):
            self.add(customer_id)
            self._newest = max(self._newest, at)

    async def follow(self) -> None:
        """Stays up to date, for ever."""
        while True:
            await self.refresh()
            await asyncio.sleep(PAUSE_SECONDS)


class Erasing:
    """Takes the texts of the erased out, twice: at once, and when nobody is left who did not know of the erasure."""

    def __init__(self, store: Erasures, texts: Sequence[Texts]) -> None:
        self._store = store
        self._texts = texts

    async def run(self) -> None:
        """For ever; nothing is lost when it is cut off."""
        while True:
            if not await self.step():
                await asyncio.sleep(PAUSE_SECONDS)

    async def step(self) -> bool:
        """Makes one pass over the texts of one id; False when there is nothing to do."""
        erasure = await self._store.due(now())
        if erasure is None:
            return False
        at = now()
        done = [await texts.redact(erasure.customer_id, at) for texts in self._texts]
        last = erasure.redact_time is not None
        await self._store.passed(erasure.customer_id, at, None if last else at + SETTLE)
        _log.info("redacted", customer_id=erasure.customer_id, records=sum(done), last=last)
        return True


Page = Callable[[Sequence[str], Selection], Awaitable[tuple[Sequence[interactions_pb2.Interaction], str]]]
TicketPage = Callable[[Sequence[str], Selection], Awaitable[tuple[Sequence[Ticket], str]]]


class Exporting:
    """Shows everything that is held on a customer."""

    def __init__(self, lineage: Ids, interactions: Page, tickets: TicketPage) -> None:
        self._lineage = lineage
        self._interactions = interactions
        self._tickets = tickets

    async def export(self, customer_id: str) -> Mapping[str, Pages]:
        """All records under whichever of a customer's ids, kind by kind, each in the form that callers know it in."""
        ids = await self._lineage.of(customer_id)
        return {"interactions": self._all_interactions(ids), "tickets": self._all_tickets(ids)}

    async def _all_interactions(self, ids: Sequence[str]) -> Pages:
        async for page in walk(lambda selection: self._interactions(ids, selection), Selection(), PAGE):
            yield page

    async def _all_tickets(self, ids: Sequence[str]) -> Pages:
        async for page in walk(lambda selection: self._tickets(ids, selection), Selection(), TICKETS_AT_ONCE):
            yield [wire.message(ticket) for ticket in page]
