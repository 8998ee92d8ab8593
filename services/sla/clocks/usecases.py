"""What happens to clocks: tickets start and stop them, alarms raise what time alone brings, callers read them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from chassis.events.outbox import Happening
from chassis.following import Ids, resolved
from chassis.log import logger
from chassis.query.selection import Selection
from chassis.rules import NotFound, Refusal
from chassis.times import now
from services.sla.agreements.rules import AgreementRef, in_force_of_any
from services.sla.agreements.usecases import Agreements
from services.sla.agreements.version_rules import AgreementVersion
from services.sla.clocks import wire
from services.sla.clocks.explanation_rules import ExplainedInterval, explain
from services.sla.clocks.record_rules import Clock, Standing, judge, judged, news
from services.sla.clocks.rules import HitRate, Status
from services.sla.clocks.terms_usecases import ByMetric, TermsBook
from services.sla.clocks.ticket_rules import Ticket, is_promised, newest

_log = logger("clocks")


class Clocks(Protocol):
    """What the use cases ask of a store; `ClockStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[int]]) -> int: ...

    async def get(self, clock_id: str) -> Clock | None: ...

    async def page(self, selection: Selection) -> tuple[list[Clock], str]: ...

    async def standing(self, customer_ids: Sequence[str]) -> Standing: ...

    async def of_tickets(self, transaction: Any, ticket_ids: Sequence[str]) -> list[Clock]: ...

    async def read(self, transaction: Any, clock_ids: Sequence[str]) -> list[Clock]: ...

    async def save(
        self, transaction: Any, new: Sequence[Clock], changed: Sequence[Clock], happenings: Sequence[Happening]
    ) -> None: ...

    async def alarms(self, until: datetime, most: int, *, latest_first: bool = False) -> list[tuple[str, datetime]]: ...


@dataclass(frozen=True, slots=True)
class CustomerSla:
    """Whether the promises to a customer are kept, and by which agreement they are made now."""

    standing: Standing
    agreement: AgreementVersion | None

    @property
    def hits(self) -> HitRate:
        """Kept and broken; a clock that is breached and still runs counts as broken."""
        counts = self.standing.counts
        return HitRate(
            met=counts.get(Status.MET, 0),
            missed=counts.get(Status.MISSED, 0) + counts.get(Status.BREACHED, 0),
            undecided=counts.get(Status.RUNNING, 0) + counts.get(Status.PAUSED, 0),
            cancelled=counts.get(Status.CANCELLED, 0),
        )


class ClockUseCases:
    """Runs and reads clocks."""

    def __init__(self, store: Clocks, agreements: Agreements, lineage: Ids) -> None:
        self._store = store
        self._agreements = agreements
        self._lineage = lineage
        self._book = TermsBook(agreements)

    async def get(self, clock_id: str) -> tuple[Clock, tuple[ExplainedInterval, ...]]:
        """One clock as it stands now, and every interval of its life.

        Raises:
            NotFound: there is none.
        """
        kept = await self._store.get(clock_id)
        if kept is None:
            raise NotFound("there is no such clock", metadata={"type": "clock", "id": clock_id})
        terms = (await self._book.read([kept.agreement]))[kept.agreement][kept.metric]
        at = now()
        clock = judged(kept.ticket, kept.agreement, terms, at, kept.version)
        return clock, explain(judge(kept.ticket, kept.agreement, terms, at))

    async def page(self, selection: Selection) -> tuple[list[Clock], str]:
        """A page of clocks as last evaluated, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.page(await resolved(selection, self._lineage))

    async def customer_sla(self, customer_id: str) -> CustomerSla:
        """Whether the promises to a customer, under whichever of its ids, are kept; an unknown customer has none."""
        ids = await self._lineage.of(customer_id)
        standing, candidates = await asyncio.gather(self._store.standing(ids), self._agreements.covering(ids))
        by_ref = {version.ref: version for version in candidates}
        chosen = in_force_of_any((v.agreement for v in candidates), customer_ids=ids, product=None, at=now())
        return CustomerSla(standing, by_ref[chosen.ref] if chosen else None)

    async def hear(self, transaction: Any, tickets: Iterable[Ticket]) -> None:
        """Starts or re-evaluates the clocks of tickets, in the transaction of the events that told of them.

        The agreement is the one in force when the ticket was opened, and stays with its clocks; where there was none,
        there are no clocks. What was heard before, or is older than what is known, changes nothing.
        """
        heard = newest(tickets)
        known: dict[str, list[Clock]] = {ticket_id: [] for ticket_id in heard}
        for clock in await self._store.of_tickets(transaction, list(heard)):
            known[clock.ticket.id].append(clock)
        fresh = [t for t in heard.values() if all(clock.ticket.age < t.age for clock in known[t.id])]
        governed = await self._governed(fresh, known)
        at = now()
        pairs = [
            pair
            for ticket in fresh
            if ticket.id in governed
            for pair in _evaluated(ticket, known[ticket.id], *governed[ticket.id], at)
        ]
        await self._save(transaction, pairs)

    async def alarms(self, until: datetime, most: int, *, latest_first: bool = False) -> list[tuple[str, datetime]]:
        """Clocks whose alarm is due until then, and when; the earliest first unless told."""
        return await self._store.alarms(until, most, latest_first=latest_first)

    async def ring(self, clock_ids: Sequence[str], at: datetime) -> int:
        """Evaluates those of the clocks whose alarm is due, and tells what time alone has brought; how many there were.

        What another replica was faster with is no longer due, so nothing is told twice.
        """

        async def work(transaction: Any) -> int:
            clocks = await self._store.read(transaction, clock_ids)
            due = [clock for clock in clocks if clock.next_alarm is not None and clock.next_alarm <= at]
            terms = await self._book.read({clock.agreement for clock in due})
            await self._save(transaction, [(clock, _rung(clock, terms, at)) for clock in due])
            return len(due)

        return await self._store.transact(work)

    async def _governed(
        self, tickets: Sequence[Ticket], known: dict[str, list[Clock]]
    ) -> dict[str, tuple[AgreementRef, ByMetric]]:
        """The agreement of each ticket that has one, with its terms."""
        refs = {ticket.id: known[ticket.id][0].agreement for ticket in tickets if known[ticket.id]}
        orphans = [ticket for ticket in tickets if ticket.id not in refs]
        if orphans:
            whose = await self._lineage.of_many([ticket.customer_id for ticket in orphans])
            candidates = await self._agreements.covering({who for ids in whose.values() for who in ids})
            agreements = [version.agreement for version in candidates]
            for ticket in orphans:
                # The id under which it was opened speaks before the customer's others.
                ids = (ticket.customer_id, *whose[ticket.customer_id])
                chosen = in_force_of_any(agreements, customer_ids=ids, product=None, at=ticket.open_time)
                if chosen is not None:
                    refs[ticket.id] = chosen.ref
        terms = await self._book.read(set(refs.values()))
        return {ticket_id: (ref, terms[ref]) for ticket_id, ref in refs.items()}

    async def _save(self, transaction: Any, pairs: Sequence[tuple[Clock | None, Clock]]) -> None:
        happenings = [wire.happening(after, told) for before, after in pairs for told in news(before, after)]
        new = [after for before, after in pairs if before is None]
        changed = [after for before, after in pairs if before is not None]
        if pairs:
            await self._store.save(transaction, new, changed, happenings)


def _evaluated(
    ticket: Ticket, known: Sequence[Clock], agreement: AgreementRef, by_metric: ByMetric, at: datetime
) -> list[tuple[Clock | None, Clock]]:
    """The clocks of a ticket, before (None: a new one) and after."""
    before = {clock.metric: clock for clock in known}
    return [
        (kept, judged(ticket, agreement, terms, at, kept.version + 1 if kept else 1))
        for metric, terms in by_metric.items()
        for kept in [before.get(metric)]
        if kept or is_promised(ticket, agreement, terms)
    ]


def _rung(clock: Clock, terms: dict[AgreementRef, ByMetric], at: datetime) -> Clock:
    """The clock after its alarm. One that cannot be judged loses the alarm: it must not hold up all that follow."""
    try:
        return judged(clock.ticket, clock.agreement, terms[clock.agreement][clock.metric], at, clock.version + 1)
    except (Refusal, KeyError) as error:
        _log.error("alarm_refused", clock=clock.id, type=type(error).__name__)
        return replace(clock, next_alarm=None, version=clock.version + 1)
