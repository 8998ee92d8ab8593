"""`TicketStore` in memory."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chassis.events.outbox import Happening
from chassis.query.selection import Selection
from chassis.rules import AlreadyExists
from services.interaction.tickets.rules import Ticket, redacted
from services.interaction.tickets.store import CUSTOMER_LISTING, LISTING
from tests.support.fakes.listing import page
from tests.support.fakes.staging import Stage, Staged

GETTERS: dict[str, Callable[[Ticket], Any]] = {
    "id": lambda t: t.id,
    "customer_id": lambda t: t.customer_id,
    "state": lambda t: t.state,
    "type": lambda t: t.kind,
    "priority": lambda t: t.priority,
    "open_time": lambda t: t.open_time,
    "update_time": lambda t: t.update_time,
}


class FakeTickets:
    """Behaves as `TicketStore` does. `rivals` are put in place by somebody else before the next load."""

    def __init__(self) -> None:
        self._stage: Stage[Ticket] = Stage()
        self.rivals: list[Ticket] = []
        self.loads: list[int] = []

    @property
    def kept(self) -> dict[str, Ticket]:
        return self._stage.kept

    @property
    def events(self) -> list[Happening]:
        return self._stage.events

    async def transact(self, work: Callable[[Any], Awaitable[Ticket]]) -> Ticket:
        return await self._stage.transact(work)

    async def once(self, request_id: str, content: bytes, work: Callable[[Any], Awaitable[Ticket]]) -> Ticket:
        return await self._stage.once(request_id, content, work)

    async def get(self, ticket_id: str) -> Ticket | None:
        return self.kept.get(ticket_id)

    async def read(self, transaction: Any, ticket_id: str) -> Ticket | None:
        return self._stage.sees(transaction).get(ticket_id)

    async def known(self, ticket_ids: Sequence[str]) -> set[str]:
        return set(ticket_ids) & set(self.kept)

    async def page(self, selection: Selection) -> tuple[list[Ticket], str]:
        return page(self.kept.values(), selection, LISTING, GETTERS)

    async def page_of_customer(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Ticket], str]:
        own = [ticket for ticket in self.kept.values() if ticket.customer_id in customer_ids]
        return page(own, selection, CUSTOMER_LISTING, GETTERS)

    async def insert(self, transaction: Staged[Ticket], ticket: Ticket, *happenings: Happening) -> None:
        if ticket.id in transaction.kept:
            known = {"type": "ticket", "id": ticket.id}
            raise AlreadyExists("there is a ticket with this id", field="ticket.id", metadata=known)
        transaction.kept[ticket.id] = ticket
        transaction.events += happenings

    async def replace(self, transaction: Staged[Ticket], ticket: Ticket, *happenings: Happening) -> None:
        transaction.kept[ticket.id] = ticket
        transaction.events += happenings

    async def redact(self, customer_id: str, at: datetime) -> int:
        changed = {
            ticket.id: replace(without, version=ticket.version + 1)
            for ticket in self.kept.values()
            for without in [redacted(ticket, at)]
            if ticket.customer_id == customer_id and replace(without, redact_time=ticket.redact_time) != ticket
        }
        self._stage.kept |= changed
        return len(changed)

    async def load(self, tickets: Sequence[Ticket], happenings: Sequence[Happening]) -> None:
        self.loads.append(len(tickets))
        self._stage.kept |= {rival.id: rival for rival in self.rivals}
        self.rivals = []

        async def work(transaction: Staged[Ticket]) -> None:
            for ticket in tickets:
                await self.insert(transaction, ticket)
            transaction.events += happenings

        await self._stage.transact(work)
