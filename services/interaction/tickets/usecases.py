"""What happens to tickets, one function per method."""

from collections.abc import Awaitable, Callable, Container, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from holdfast.interaction.v1 import tickets_pb2 as pb

from chassis import etag
from chassis.bulk import Outcome
from chassis.events.outbox import Happening
from chassis.following import Ids, resolved
from chassis.ids import new_id
from chassis.query.selection import Selection
from chassis.rules import AlreadyExists, Refusal, missing
from chassis.times import now
from services.interaction.tickets import rules, wire
from services.interaction.tickets.rules import Change, Draft, Ticket

# Steps of history that one transaction of a bulk load writes events for: it takes well under a second.
MOST_STEPS = 1000


class Tickets(Protocol):
    """What the use cases ask of a store; `TicketStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[Ticket]]) -> Ticket: ...

    async def once(self, request_id: str, content: bytes, work: Callable[[Any], Awaitable[Ticket]]) -> Ticket: ...

    async def get(self, ticket_id: str) -> Ticket | None: ...

    async def read(self, transaction: Any, ticket_id: str) -> Ticket | None: ...

    async def known(self, ticket_ids: Sequence[str]) -> set[str]: ...

    async def page(self, selection: Selection) -> tuple[list[Ticket], str]: ...

    async def page_of_customer(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Ticket], str]: ...

    async def insert(self, transaction: Any, ticket: Ticket, *happenings: Happening) -> None: ...

    async def replace(self, transaction: Any, ticket: Ticket, *happenings: Happening) -> None: ...

    async def load(self, tickets: Sequence[Ticket], happenings: Sequence[Happening]) -> None: ...

    async def redact(self, customer_id: str, at: datetime) -> int: ...


class TicketUseCases:
    """Opens, reads, changes and loads tickets."""

    def __init__(self, store: Tickets, lineage: Ids, erased: Container[str]) -> None:
        """Keeps tickets in `store`; resolves ids by `lineage`, and keeps no text of those who are `erased`."""
        self._store = store
        self._lineage = lineage
        self._erased = erased

    async def open(self, draft: Draft, request_id: str, content: bytes) -> Ticket:
        """Opens a ticket; a retry with the same `request_id` gets the same one. Of the erased, without texts.

        Raises:
            Invalid: it cannot begin so; AlreadyExists: its id is taken.
        """

        async def work(transaction: Any) -> Ticket:
            ticket = self._without_text(rules.opened(draft, draft.id or new_id(), now(), "ticket."))
            await self._store.insert(transaction, ticket, opened_event(ticket))
            return ticket

        return await self._store.once(request_id, content, work)

    async def get(self, ticket_id: str) -> Ticket:
        """One ticket.

        Raises:
            NotFound: there is none.
        """
        ticket = await self._store.get(ticket_id)
        if ticket is None:
            raise missing("ticket", ticket_id)
        return ticket

    async def page(self, selection: Selection) -> tuple[list[Ticket], str]:
        """A page of all tickets, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.page(await resolved(selection, self._lineage))

    async def page_of_customer(self, customer_id: str, selection: Selection) -> tuple[list[Ticket], str]:
        """A page of a customer's tickets, under whichever of its ids, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.page_of_customer(await self._lineage.of(customer_id), selection)

    async def change(self, ticket_id: str, change: Change, author: str, given_etag: str) -> Ticket:
        """Changes a ticket on behalf of `author`. A note alone changes the etag, but is no event; on the ticket of a
        person who was erased it is dropped.

        Raises:
            NotFound, Conflict (etag), Refused (no such arrow), Invalid (no room for the note).
        """

        async def work(transaction: Any) -> Ticket:
            before = await self._store.read(transaction, ticket_id)
            if before is None:
                raise missing("ticket", ticket_id)
            etag.check(given_etag, before.version)
            wanted = replace(change, note="") if before.customer_id in self._erased else change
            after = rules.changed(before, wanted, author, now())
            if after is not before:
                await self._store.replace(transaction, after, *_told(before, after))
            return after

        return await self._store.transact(work)

    async def load(self, drafts: Sequence[Draft]) -> list[Outcome | Refusal]:
        """Makes each ticket with its past, or leaves the one with its id as it is; answers for each in order."""
        known = await self._store.known([draft.id for draft in drafts])
        outcomes: list[Outcome | Refusal] = [Outcome.UNCHANGED] * len(drafts)
        made: list[tuple[int, list[Ticket]]] = []
        at = now()
        for place, draft in enumerate(drafts):
            if draft.id in known:
                continue
            try:
                *before, last = rules.replayed(draft, at)
                made.append((place, [*before, self._without_text(last)]))
                known.add(draft.id)
                outcomes[place] = Outcome.CREATED
            except Refusal as refusal:
                outcomes[place] = refusal
        for part in _parts(made):
            await self._insert(part, outcomes)
        return outcomes

    def _without_text(self, ticket: Ticket) -> Ticket:
        return rules.redacted(ticket, now()) if ticket.customer_id in self._erased else ticket

    async def _insert(self, part: Sequence[tuple[int, list[Ticket]]], outcomes: list[Outcome | Refusal]) -> None:
        """Loads one transaction's worth. If another load was first with one of them, each goes by itself."""
        happenings = [happening for _, versions in part for happening in _past(versions)]
        try:
            await self._store.load([versions[-1] for _, versions in part], happenings)
        except AlreadyExists:
            if len(part) == 1:
                outcomes[part[0][0]] = Outcome.UNCHANGED
                return
            for one in part:
                await self._insert([one], outcomes)


def opened_event(ticket: Ticket) -> Happening:
    """Tells that a ticket was opened."""
    data = pb.TicketOpened(ticket=wire.facts(ticket))
    return Happening(ticket.id, ticket.version, data, ticket.open_time, ticket.customer_id)


def changed_event(ticket: Ticket) -> Happening:
    """Tells that a ticket changed state, impact or urgency."""
    data = pb.TicketChanged(ticket=wire.facts(ticket))
    return Happening(ticket.id, ticket.version, data, ticket.update_time, ticket.customer_id)


def _told(before: Ticket, after: Ticket) -> Iterator[Happening]:
    if (before.state, before.impact, before.urgency) != (after.state, after.impact, after.urgency):
        yield changed_event(after)


def _past(versions: Sequence[Ticket]) -> Iterator[Happening]:
    yield opened_event(versions[0])
    yield from map(changed_event, versions[1:])


def _parts(made: Sequence[tuple[int, list[Ticket]]]) -> Iterator[list[tuple[int, list[Ticket]]]]:
    """Splits a batch so that each part has at most `MOST_STEPS` versions, or is a single ticket."""
    part: list[tuple[int, list[Ticket]]] = []
    steps = 0
    for one in made:
        if part and steps + len(one[1]) > MOST_STEPS:
            yield part
            part, steps = [], 0
        part.append(one)
        steps += len(one[1])
    if part:
        yield part
