"""What happens to consents, one function per method."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from chassis.events.outbox import Happening
from chassis.ids import new_id
from chassis.query.selection import Selection
from chassis.rules import missing
from chassis.times import now
from services.customer_info.consents import contact_rules, rules, wire
from services.customer_info.consents.contact_rules import Decision, Question, Reason
from services.customer_info.consents.rules import Change, Channel, Lifted, Record, Source
from services.customer_info.customers.as_of import survivors_as_of
from services.customer_info.customers.holding import survivor_held
from services.customer_info.customers.rules import Customer
from services.customer_info.customers.standing_rules import Standing
from services.customer_info.profiles.rules import Profile, Window, of_customer

# All ids of a customer, the survivor's first.
Line = tuple[str, ...]


class Consents(Protocol):
    """What the use cases ask of a store; `ConsentStore` says more of each."""

    async def once(
        self, method: str, request_id: str, content: bytes, work: Callable[[Any], Awaitable[Record]]
    ) -> Record: ...

    async def read(self, transaction: Any, customer_ids: Sequence[str]) -> list[Record]: ...

    async def insert(self, transaction: Any, record: Record, *happenings: Happening) -> None: ...

    async def known(self, customer_id: str) -> list[Record]: ...

    async def known_of_many(self, customer_ids: Sequence[str]) -> dict[str, list[Record]]: ...

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Record], str]: ...


class Owners(Protocol):
    """What the use cases ask of the store of customers."""

    async def get(self, customer_id: str) -> Customer | None: ...

    async def read(self, transaction: Any, customer_id: str) -> Customer | None: ...

    async def many(self, customer_ids: Sequence[str]) -> dict[str, Customer]: ...

    async def many_as_of(self, customer_ids: Sequence[str], at: datetime) -> dict[str, Customer]: ...

    async def standings(self, customer_ids: Sequence[str]) -> dict[str, Standing]: ...

    async def hold(self, transaction: Any, customer_ids: Sequence[str]) -> None: ...


class Profiles(Protocol):
    """What they ask of the store of profiles."""

    async def of(self, transaction: Any, customer_ids: Sequence[str]) -> dict[str, Profile]: ...

    async def as_of(self, customer_ids: Sequence[str], at: datetime) -> dict[str, Profile]: ...


class Lineage(Protocol):
    """Tells which ids' records belong to a customer, the survivor's first."""

    async def of(self, customer_id: str) -> tuple[str, ...]: ...

    async def of_many(self, customer_ids: Sequence[str]) -> dict[str, tuple[str, ...]]: ...

    async def read(self, transaction: Any, customer_id: str) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Write:
    """A write as it was asked for: the method, the caller's id for it, and its content in bytes."""

    method: str
    request_id: str
    content: bytes


class ConsentUseCases:
    """Records what may be done, and answers what may."""

    def __init__(self, store: Consents, owners: Owners, profiles: Profiles, lineage: Lineage) -> None:
        self._store = store
        self._owners = owners
        self._profiles = profiles
        self._lineage = lineage

    async def record(self, customer_id: str, change: Change, source: Source, by: str, write: Write) -> Record:
        """Adds a record, which counts for the customer under all its ids; a retry of the same write gets the same one.

        Raises:
            NotFound: no such customer, or no such entry to lift; Invalid: it makes no sense; Refused: the customer was
                erased, the entry was lifted before, or there are too many records.
        """

        async def work(transaction: Any) -> Record:
            # Records of one customer are made one after the other, each later than the one before; and while one is
            # made, the customer is neither merged nor erased. It is kept under the id that was named: whoever said it
            # has said it, also if the merge turns out to be a mistake.
            _, ids = await survivor_held(self._owners, self._lineage, transaction, customer_id)
            before = await self._store.read(transaction, ids)
            rules.check(change, source, before)
            lifted = _lifted(change, before)
            # What lifts an entry stays with the entry.
            whose = lifted.customer_id if lifted else customer_id
            record = Record(new_id(), whose, change, rules.record_time(before, now()), source, by)
            about = lifted.change if lifted else change
            await self._store.insert(transaction, record, wire.changed_event(record, about))
            return record

        return await self._store.once(write.method, write.request_id, write.content, work)

    async def page(self, customer_id: str, selection: Selection) -> tuple[list[Record], str]:
        """A page of a customer's records, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.page(await self._lineage.of(customer_id), selection)

    async def may_contact(
        self, customer_id: str, purpose: str, channel: Channel | None, at: datetime | None
    ) -> tuple[Decision, datetime]:
        """Whether a customer may be contacted, and the time that the answer is for.

        Raises:
            NotFound: there is no such customer.
        """
        if at is None:
            # Side by side, for what nearly everybody is: a customer that was never merged.
            ids, customer, records, profiles = await asyncio.gather(
                self._lineage.of(customer_id),
                self._owners.get(customer_id),
                self._store.known(customer_id),
                self._profiles.of(None, [customer_id]),
            )
            if customer is not None and ids == (customer_id,):
                window = of_customer(ids, profiles).contact_window
                return _answer(customer, records, window, purpose=purpose, channel=channel, at=at)
        answers = await self._answers([customer_id], purpose, channel, at)
        if customer_id not in answers:
            raise missing("customer", customer_id)
        return answers[customer_id]

    async def may_contact_many(
        self, customer_ids: Sequence[str], purpose: str, channel: Channel | None, at: datetime | None
    ) -> list[tuple[Decision, datetime]]:
        """The same for many, in order; of an id that is nobody's, that it is."""
        answers = await self._answers(customer_ids, purpose, channel, at)
        nobody = Decision(Reason.NO_SUCH_CUSTOMER), at or now()
        return [answers.get(customer_id, nobody) for customer_id in customer_ids]

    async def _answers(
        self, customer_ids: Sequence[str], purpose: str, channel: Channel | None, at: datetime | None
    ) -> dict[str, tuple[Decision, datetime]]:
        """The answers by id, of those that are somebody's."""
        if at is None:
            lines = await self._lineage.of_many(customer_ids)
            customers, (records, profiles) = await asyncio.gather(self._survivors(lines), self._told(lines, at))
        else:
            customers, lines = await self._then(customer_ids, at)
            records, profiles = await self._told(lines, at)
        answers = {}
        for customer_id, customer in customers.items():
            line = lines[customer_id]
            known = [r for member in line for r in records[member]]
            window = of_customer(line, profiles).contact_window
            answers[customer_id] = _answer(customer, known, window, purpose=purpose, channel=channel, at=at)
        return answers

    async def _survivors(self, lines: Mapping[str, Line]) -> dict[str, Customer]:
        """The customers whose ids the lines are, by the same keys."""
        found = await self._owners.many(list({line[0] for line in lines.values()}))
        return {i: found[line[0]] for i, line in lines.items() if line[0] in found}

    async def _then(self, customer_ids: Sequence[str], at: datetime) -> tuple[dict[str, Customer], dict[str, Line]]:
        """Those who had the ids at `at`, as they stood then, and all ids that each of them had, by id.

        Who was not there yet is as it is now, and had no other id. Who is erased is so at every time.
        """
        standings, customers = await asyncio.gather(
            self._owners.standings(customer_ids), survivors_as_of(self._owners, customer_ids, at)
        )
        lines = {i: (c.id, *c.sources) for i, c in customers.items()}
        if young := [i for i in standings if i not in customers]:
            customers |= await self._survivors(await self._lineage.of_many(young))
            lines |= {i: (i,) for i in young}
        erased = {i: replace(c, erase_time=standings[i].erase_time) for i, c in customers.items()}
        return erased, lines

    async def _told(
        self, lines: Mapping[str, Line], at: datetime | None
    ) -> tuple[dict[str, list[Record]], dict[str, Profile]]:
        """What was recorded under all ids, and what was told of themselves: now, or as of `at`."""
        everyone = list({member for line in lines.values() for member in line})
        told = self._profiles.of(None, everyone) if at is None else self._profiles.as_of(everyone, at)
        return await asyncio.gather(self._store.known_of_many(everyone), told)


def _lifted(change: Change, before: Sequence[Record]) -> Record | None:
    """The entry that a change lifts."""
    return next(r for r in before if r.id == change.record_id) if isinstance(change, Lifted) else None


def _answer(
    customer: Customer,
    records: Sequence[Record],
    window: Window | None,
    *,
    purpose: str,
    channel: Channel | None,
    at: datetime | None,
) -> tuple[Decision, datetime]:
    # Now is not before what was just recorded, whatever the clocks of two replicas say.
    time = at or max([now(), *(r.time for r in records)])
    question = Question(purpose, channel, time)
    erased = customer.erase_time is not None
    return contact_rules.decide(records, customer.status, erased=erased, question=question, window=window), time
