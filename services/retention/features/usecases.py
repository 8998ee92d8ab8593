"""What happens to features: facts arrive, outcomes are recorded, models learn from both."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from chassis import bulk
from chassis.times import now
from services.retention.features.facts_of_events import Event, facts
from services.retention.features.kept import FeatureKeeper, Kept, Outcome
from services.retention.features.rules import (
    Fact,
    OutcomeRecorded,
    Reading,
    State,
    Value,
    apply,
    fold,
    prune,
    read,
    vector,
)

GATHERED = 200
"""Customers read at once for a training: a few hundredths of a second of work between two turns of the event loop."""


class Rescore(Protocol):
    """Scores customers anew in the transaction that changed their features."""

    async def __call__(self, transaction: Any, readings: Mapping[str, Reading], at: datetime) -> None: ...


class FeatureUseCases:
    """Keeps features and outcomes."""

    def __init__(self, store: FeatureKeeper, rescore: Rescore) -> None:
        self._store = store
        self._rescore = rescore

    async def apply(self, events: Sequence[Event], transaction: Any) -> None:
        """Applies events of the other services, in order, and scores whom they are about anew.

        Raises:
            Invalid: an event holds what cannot be; Unavailable: another listener changed the same customer first.
        """
        told: dict[str, list[Fact]] = {}
        for event in events:
            customer_id, found = facts(event)
            if customer_id and found:
                told.setdefault(customer_id, []).extend(found)
        if not told:
            return
        at = now()
        known = await self._store.states(transaction, list(told))
        changes = [_changed(known.get(who) or Kept(who, State(), 0), found, at) for who, found in told.items()]
        await self._store.keep(transaction, changes, at)
        await self._rescore(transaction, {kept.customer_id: reading for kept, reading in changes}, at)

    async def record(self, outcomes: Sequence[Outcome]) -> list[bulk.Outcome]:
        """Records who left and who stayed; of each customer the newest outcome counts. Answers for each in order."""

        async def work(transaction: Any) -> list[bulk.Outcome]:
            known = await self._store.outcomes(transaction, [one.customer_id for one in outcomes])
            done: list[bulk.Outcome] = []
            changed: dict[str, OutcomeRecorded] = {}
            for one in outcomes:
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

        In the order of ids. An outcome of a customer of whom nothing else was heard teaches nothing, and is left out.
        """
        last = ""
        while found := await self._store.labelled_after(last, GATHERED):
            last = found[-1].outcome.customer_id
            yield [
                (one.outcome.customer_id, vector(one.state, one.outcome.fact.at), one.outcome.fact.churned)
                for one in found
                if one.state is not None
            ]
            await asyncio.sleep(0)


def _changed(kept: Kept, told: Iterable[Fact], at: datetime) -> tuple[Kept, Reading]:
    state = prune(fold(told, kept.state), at)
    return replace(kept, state=state), read(state, at)


def _told(before: OutcomeRecorded | None, after: OutcomeRecorded | None) -> bulk.Outcome:
    if before is None:
        return bulk.Outcome.CREATED
    return bulk.Outcome.UNCHANGED if after == before else bulk.Outcome.UPDATED
