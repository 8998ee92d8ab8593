"""`ErasureStore` in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chassis.times import now
from services.interaction.privacy.usecases import Erasure


class FakeErasures:
    """Behaves as `ErasureStore` does."""

    def __init__(self) -> None:
        self.kept: dict[str, Erasure] = {}
        self.due_times: dict[str, datetime] = {}

    async def add(self, transaction: Any, customer_ids: Sequence[str]) -> None:
        at = now()
        for who in customer_ids:
            if who not in self.kept:
                self.kept[who] = Erasure(who, at, None)
                self.due_times[who] = at

    async def since(self, at: datetime) -> list[tuple[str, datetime]]:
        found = [(one.erase_time, who) for who, one in self.kept.items() if one.erase_time >= at]
        return [(who, time) for time, who in sorted(found)]

    async def due(self, at: datetime) -> Erasure | None:
        found = sorted((time, who) for who, time in self.due_times.items() if time <= at)
        return self.kept[found[0][1]] if found else None

    async def passed(self, customer_id: str, at: datetime, again: datetime | None) -> None:
        self.kept[customer_id] = replace(self.kept[customer_id], redact_time=at)
        del self.due_times[customer_id]
        if again is not None:
            self.due_times[customer_id] = again
