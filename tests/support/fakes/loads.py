"""`LoadStore` in memory."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.customer_info.loads.rules import Load, overtaken


class FakeLoads:
    """Behaves as `LoadStore` does, but for transactions: what a load got to stays, whatever becomes of one."""

    def __init__(self) -> None:
        self.kept: dict[str, Load] = {}
        self.moves: list[tuple[bool, int]] = []
        """Whether in a transaction, and to which position."""

    async def get(self, load_id: str) -> Load | None:
        return self.kept.get(load_id)

    async def begin(self, load: Load) -> Load:
        return self.kept.setdefault(load.id, load)

    async def move(self, transaction: Any, before: Load, after: Load) -> None:
        if self.kept[before.id].position != before.position:
            raise overtaken()
        self.kept[before.id] = after
        self.moves.append((transaction is not None, after.position))

    async def complete(self, load: Load, at: datetime) -> None:
        self.kept[load.id] = replace(self.kept[load.id], complete_time=at)
