"""What happens to features: facts arrive, outcomes are recorded, models learn from both."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from chassis import bulk
from chassis.following import KINDS, Groups, Ids, decided
from chassis.rules import Refusal, Refused
from chassis.times import now
from services.retention.features.facts_of_events import Event, facts
from services.retention.features.kept import FeatureKeeper, Kept, Labelled, Outcome
from services.retention.features.rules import (
    Fact,
    OutcomeRecorded,
    Reading,
    State,
    Value,
    apply,
    combined,
    fold,
    prune,
    read,
    vector,
)

GATHERED = 200
"""Customers read at once for a training: a few hundredths of a second of work between two turns of the event loop."""


class Scores(Protocol):
    """Follows features, in the transaction that changed them; `ScoreUseCases` says more of each."""

    async def rescore(self, transaction: Any, readings: Mapping[str, Reading], at: datetime) -> None: ...

    async def retire(self, transaction: Any, customer_ids: Sequence[str]) -> None: ...

    async def forget(self, transaction: Any, customer_ids: Sequence[str]) -> None: ...


class Lineage(Groups, Ids, Protocol):
    """The lineage, read and written."""


class FeatureUseCases:
    """Keeps features and outcomes."""

    def __init__(self, store: FeatureKeeper, lineage: Lineage, scores: Scores) -> None:
        self._store = store
        self._lineage = lineage
        self._scores = scores

    async def apply(self, events: Sequence[Event], transaction: Any) -> None:
        """Applies events of the other services, in order, and scores whom they are about anew.

        What is told is kept under the id it is told of, for ever; which ids are one customer decides only how it is
        read. Of the erased nothing is kept, whether it comes before or after.

        Raises:
            Invalid: an event holds what cannot be; Unavailable: another listener changed the same customer first.
        """
        at = now()
        news = decided(events)
        for groups in news.groups:
            await self._lineage.put(transaction, groups)
        if news.erased:
            await self._erase(transaction, news.erased, at)
        told: dict[str, list[Fact]] = {}
        for event in events:
            customer_id, found = ("", []) if isinstance(event.data, KINDS) else facts(event)
            if customer_id and found:
                told.setdefault(customer_id, []).extend(found)
        if told or news.groups:
            await self._fold(transaction, told, news.touched, at)

    async def _fold(
        self, transaction: Any, told: Mapping[str, Iterable[Fact]], regrouped: Sequence[str], at: datetime
    ) -> None:
        groups = await self._lineage.of_many([*told, *regrouped], transaction)
        everybody = list({who for group in groups.values() for who in group})
        known = await self._store.states(transaction, everybody)
        kept = {who: known.get(who) or Kept(who, State(), 0) for who in everybody}
        for who, found in told.items():
            if not kept[who].erased:
                kept[who] = replace(kept[who], state=prune(fold(found, kept[who].state), at))
        changed = {*regrouped, *(who for who in told if not kept[who].erased)}
        # The survivor's document is written at each change of the customer: two at once cannot miss each other.
        changes = [pair for group in dict.fromkeys(groups.values()) for pair in _changes(group, kept, changed, at)]
        await self._store.keep(transaction, changes, at)
        readings = {one.customer_id: reading for one, reading in changes if reading is not None}
        if silent := [who for who in regrouped if who not in readings]:
            await self._scores.retire(transaction, silent)
        await self._scores.rescore(transaction, readings, at)

    async def _erase(self, transaction: Any, customer_ids: Sequence[str], at: datetime) -> None:
        """Leaves of a person nothing but the ids, and that they are not to be taken up again."""
        known = await self._store.states(transaction, customer_ids)
        kept = [known.get(who) or Kept(who, State(), 0) for who in customer_ids]
        await self._store.keep(transaction, [(replace(one, state=State(), erased=True), None) for one in kept], at)
        await self._store.forget(transaction, customer_ids)
        await self._scores.forget(transaction, customer_ids)

    async def record(self, outcomes: Sequence[Outcome]) -> list[bulk.Outcome | Refusal]:
        """Records who left and who stayed; of each customer the newest outcome counts. Answers for each in order."""

        async def work(transaction: Any) -> list[bulk.Outcome | Refusal]:
            ids = [one.customer_id for one in outcomes]
            known = await self._store.outcomes(transaction, ids)
            erased = await self._store.erased(transaction, ids)
            done: list[bulk.Outcome | Refusal] = []
            changed: dict[str, OutcomeRecorded] = {}
            for one in outcomes:
                if one.customer_id in erased:
                    done.append(_erased(one.customer_id))
                    continue
                before = known.get(one.customer_id)
                after = apply(State(outcome=before), one.fact).outcome
                done.append(_told(before, after))
                if after is not None and after != before:
                    known[one.customer_id] = changed[one.customer_id] = after
            await self._store.keep_outcomes(transaction, changed)
            return done

        return await self._store.transact(work)

    async def outcome_count(self) -> int:
        """About how many outcomes are known."""
        return await self._store.outcome_count()

    async def labelled(self) -> AsyncIterator[list[tuple[str, dict[str, Value], bool]]]:
        """Customers whose outcome is known: id, features as of when it was observed, whether it left.

        Each once, whatever the number of its ids. An outcome of a customer of whom nothing else was heard teaches
        nothing, and is left out.
        """
        last = ""
        while found := await self._store.labelled_after(last, GATHERED):
            last = found[-1].outcome.customer_id
            yield [
                (one.outcome.customer_id, vector(one.state, one.outcome.fact.at), one.outcome.fact.churned)
                for one in await self._whole(found)
                if one.state is not None and one.state.is_known
            ]
            await asyncio.sleep(0)

    async def _whole(self, labelled: Sequence[Labelled]) -> list[Labelled]:
        """Labelled ids as customers: of several the first with an outcome stands for all, the rest for none."""
        groups = await self._lineage.of_many([one.outcome.customer_id for one in labelled])
        several = list({who for group in groups.values() if len(group) > 1 for who in group})
        if not several:
            return list(labelled)
        states = await self._store.states(None, several)
        outcomes = await self._store.outcomes(None, several)
        whole: list[Labelled] = []
        for one in labelled:
            who, group = one.outcome.customer_id, groups[one.outcome.customer_id]
            if len(group) == 1:
                whole.append(one)
            elif who == min(member for member in group if member in outcomes):
                found = fold(outcomes[member] for member in group if member in outcomes).outcome or one.outcome.fact
                state = combined(states[member].state for member in group if member in states)
                whole.append(Labelled(Outcome(group[0], found), state))
        return whole


def _changes(
    group: Sequence[str], kept: Mapping[str, Kept], changed: Collection[str], at: datetime
) -> Iterator[tuple[Kept, Reading | None]]:
    """What is to be kept of a customer of whom something changed: the whole reading with the survivor of its ids."""
    if any(who in changed for who in group):
        whole = combined(kept[who].state for who in group)
        yield kept[group[0]], read(whole, at) if whole.is_known else None
        yield from ((kept[who], None) for who in group[1:] if who in changed)


def _erased(customer_id: str) -> Refused:
    return Refused("the person was erased", reason="ERASED", metadata={"type": "customer", "id": customer_id})


def _told(before: OutcomeRecorded | None, after: OutcomeRecorded | None) -> bulk.Outcome:
    if before is None:
        return bulk.Outcome.CREATED
    return bulk.Outcome.UNCHANGED if after == before else bulk.Outcome.UPDATED
