"""`FeatureStore` in memory."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from chassis.rules import Unavailable
from services.retention.features.kept import Kept, Labelled, Outcome
from services.retention.features.rules import NAMES, OutcomeRecorded, Reading, State
from services.retention.features.store import NEVER
from tests.support.fakes.lineage import FakeLineage

T = TypeVar("T")
# What reads as a reading of another feature table: it never holds.
NONE = Reading((None,) * len(NAMES), "", is_customer=False, until=NEVER)


class FakeFeatures:
    """Behaves as `FeatureStore` does; a transaction is the whole store, put back when its work fails."""

    def __init__(self, lineage: FakeLineage | None = None) -> None:
        self.lineage = lineage or FakeLineage()
        self.kept: dict[str, Kept] = {}
        self.read: dict[str, Reading] = {}
        self.known: dict[str, OutcomeRecorded] = {}

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T:
        before = dict(self.kept), dict(self.read), dict(self.known)
        groups = dict(self.lineage.kept)
        try:
            return await work(self)
        except BaseException:
            self.kept, self.read, self.known = before
            self.lineage.kept = groups
            raise

    async def state(self, customer_id: str) -> State | None:
        kept = self.kept.get(customer_id)
        return None if kept is None else kept.state

    async def reading(self, customer_id: str) -> Reading | None:
        return self.read.get(customer_id)

    async def states(self, transaction: Any, customer_ids: Sequence[str]) -> dict[str, Kept]:
        return {who: self.kept[who] for who in customer_ids if who in self.kept}

    async def erased(self, transaction: Any, customer_ids: Sequence[str]) -> set[str]:
        return {who for who in customer_ids if who in self.kept and self.kept[who].erased}

    async def keep(self, transaction: Any, changes: Sequence[tuple[Kept, Reading | None]], at: datetime) -> None:
        for kept, reading in changes:
            there = self.kept.get(kept.customer_id)
            if (there.revision if there else 0) != kept.revision:
                raise Unavailable("the features of a customer changed in between")
            self.kept[kept.customer_id] = replace(kept, revision=kept.revision + 1)
            self.read[kept.customer_id] = reading or NONE

    async def readings(self, transaction: Any, customer_ids: Sequence[str]) -> dict[str, Reading]:
        return {who: self.read[who] for who in customer_ids if who in self.read}

    async def due(self, at: datetime, most: int) -> list[str]:
        own = {who: reading for who, reading in self.read.items() if reading is not NONE}
        ended = sorted((reading.until, who) for who, reading in own.items() if reading.until <= at)
        return [who for _, who in ended[:most]]

    async def outcomes(self, transaction: Any, customer_ids: Sequence[str]) -> dict[str, OutcomeRecorded]:
        return {who: self.known[who] for who in customer_ids if who in self.known}

    async def keep_outcomes(self, transaction: Any, outcomes: Mapping[str, OutcomeRecorded]) -> None:
        self.known |= outcomes

    async def forget(self, transaction: Any, customer_ids: Sequence[str]) -> None:
        for who in customer_ids:
            self.known.pop(who, None)

    async def outcome_count(self) -> int:
        return len(self.known)

    async def labelled_after(self, last: str, most: int) -> list[Labelled]:
        after = sorted(who for who in self.known if who > last)[:most]
        return [Labelled(Outcome(who, self.known[who]), await self.state(who)) for who in after]
