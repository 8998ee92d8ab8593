"""Reads what features say now: from the reading that is kept while it holds, else from the state."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chassis.following import Ids
from chassis.rules import NotFound
from chassis.times import now
from services.retention.features.kept import FeatureKeeper, Kept
from services.retention.features.rules import Reading, State, Vector, ages, combined, prune, read, vector


@dataclass(frozen=True, slots=True)
class Aged:
    """A customer's features as of a moment; `ages` in seconds, None where no fact was ever heard."""

    as_of: datetime
    values: Vector
    ages: Mapping[str, float | None]
    heard: Mapping[str, datetime]


class Readings:
    """What is known of customers, for those who score them."""

    def __init__(self, store: FeatureKeeper, lineage: Ids) -> None:
        self._store = store
        self._lineage = lineage

    async def get(self, customer_id: str, at: datetime) -> tuple[str, Reading]:
        """The id that a customer goes by, and its features, under whichever of its ids, at `at`, which is now.

        Raises:
            NotFound: nothing was ever heard of the customer.
        """
        reading = await self._store.reading(customer_id)
        if reading is not None and reading.until > at:
            return customer_id, reading
        survivor, state = await self._whole(customer_id)
        return survivor, read(state, at)

    async def as_of(self, customer_id: str, as_of: datetime | None) -> Aged:
        """A customer's features as of a moment (None: now), with their ages.

        Raises:
            NotFound: nothing was ever heard of the customer.
        """
        as_of = as_of or now()
        _, state = await self._whole(customer_id)
        return Aged(as_of, vector(state, as_of), ages(state, as_of), state.heard)

    async def many(self, transaction: Any, customer_ids: Sequence[str], at: datetime) -> dict[str, Reading]:
        """Those of the customers that are known, as they are at `at`; what no longer held is kept as it is now."""
        found = await self._store.readings(transaction, customer_ids)
        hold = {who: reading for who, reading in found.items() if reading.until > at}
        return hold | await self._renewed(transaction, [who for who in found if who not in hold], at)

    async def due(self, at: datetime, most: int) -> list[str]:
        """Up to `most` customers whose reading has ceased to hold."""
        return await self._store.due(at, most)

    async def _renewed(self, transaction: Any, customer_ids: list[str], at: datetime) -> dict[str, Reading]:
        if not customer_ids:
            return {}
        groups = await self._lineage.of_many(customer_ids, transaction)
        states = await self._store.states(transaction, list({who for group in groups.values() for who in group}))
        kept = {who: replace(one, state=prune(one.state, at)) for who, one in states.items()}
        changes: list[tuple[Kept, Reading | None]] = []
        for who in customer_ids:
            whole = combined(kept[member].state for member in groups[who] if member in kept)
            own = who == groups[who][0] and whole.is_known
            changes.append((kept[who], read(whole, at) if own else None))
        await self._store.keep(transaction, changes, at)
        return {one.customer_id: reading for one, reading in changes if reading is not None}

    async def _whole(self, customer_id: str) -> tuple[str, State]:
        ids = await self._lineage.of(customer_id)
        states = await asyncio.gather(*(self._store.state(who) for who in ids))
        whole = combined(state for state in states if state is not None)
        if not whole.is_known:
            raise missing(customer_id)
        return ids[0], whole


def missing(customer_id: str) -> NotFound:
    """The refusal of a customer of whom nothing was ever heard."""
    return NotFound("nothing is known of this customer", metadata={"type": "customer", "id": customer_id})
