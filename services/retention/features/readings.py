"""Reads what features say now: from the reading that is kept while it holds, else from the state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chassis.rules import NotFound
from chassis.times import now
from services.retention.features.kept import FeatureKeeper
from services.retention.features.rules import Reading, Vector, ages, prune, read, vector


@dataclass(frozen=True, slots=True)
class Aged:
    """A customer's features as of a moment; `ages` in seconds, None where no fact was ever heard."""

    as_of: datetime
    values: Vector
    ages: Mapping[str, float | None]
    heard: Mapping[str, datetime]


class Readings:
    """What is known of customers, for those who score them."""

    def __init__(self, store: FeatureKeeper) -> None:
        self._store = store

    async def get(self, customer_id: str, at: datetime) -> Reading:
        """A customer's features at `at`, which is now.

        Raises:
            NotFound: nothing was ever heard of the customer.
        """
        reading = await self._store.reading(customer_id)
        if reading is None:
            raise missing(customer_id)
        if reading.until > at:
            return reading
        state = await self._store.state(customer_id)
        if state is None:
            raise missing(customer_id)
        return read(state, at)

    async def as_of(self, customer_id: str, as_of: datetime | None) -> Aged:
        """A customer's features as of a moment (None: now), with their ages.

        Raises:
            NotFound: nothing was ever heard of the customer.
        """
        as_of = as_of or now()
        state = await self._store.state(customer_id)
        if state is None:
            raise missing(customer_id)
        return Aged(as_of, vector(state, as_of), ages(state, as_of), state.heard)

    async def many(self, transaction: Any, customer_ids: Sequence[str], at: datetime) -> dict[str, Reading]:
        """Those of the customers that are known, as they are at `at`; what no longer held is kept as it is now."""
        found = await self._store.readings(transaction, customer_ids)
        stale = [who for who, reading in found.items() if reading.until <= at]
        return found | await self._renewed(transaction, stale, at)

    async def due(self, at: datetime, most: int) -> list[str]:
        """Up to `most` customers whose reading has ceased to hold."""
        return await self._store.due(at, most)

    async def _renewed(self, transaction: Any, customer_ids: list[str], at: datetime) -> dict[str, Reading]:
        if not customer_ids:
            return {}
        states = await self._store.states(transaction, customer_ids)
        pruned = [replace(kept, state=prune(kept.state, at)) for kept in states.values()]
        changes = [(kept, read(kept.state, at)) for kept in pruned]
        await self._store.keep(transaction, changes, at)
        return {kept.customer_id: reading for kept, reading in changes}


def missing(customer_id: str) -> NotFound:
    """The refusal of a customer of whom nothing was ever heard."""
    return NotFound("nothing is known of this customer", metadata={"type": "customer", "id": customer_id})
