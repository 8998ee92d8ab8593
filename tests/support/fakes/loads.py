"""`LoadStore` in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.customer_info.loads.rules import Fault, Load, overtaken


class FakeLoads:
    """Behaves as `LoadStore` does, but for transactions: what a load got to stays, whatever becomes of one."""

    def __init__(self) -> None:
        self.kept: dict[str, Load] = {}
        self.faulty: dict[str, dict[int, Fault]] = {}
        self.moves: list[tuple[bool, int]] = []
        """Whether in a transaction, and to which position."""

    async def get(self, load_id: str) -> Load | None:
        return self.kept.get(load_id)

    async def begin(self, load: Load) -> Load:
        return self.kept.setdefault(load.id, load)

    async def move(self, transaction: Any, before: Load, after: Load, faults: Sequence[Fault] = ()) -> None:
        if self.kept[before.id].position != before.position:
            raise overtaken()
        self.kept[before.id] = after
        self.faulty.setdefault(before.id, {}).update({fault.row: fault for fault in faults})
        self.moves.append((transaction is not None, after.position))

    async def faults(self, load_id: str, after_row: int, most: int) -> list[Fault]:
        found = self.faulty.get(load_id, {})
        return [found[row] for row in sorted(found) if row > after_row][:most]

    async def complete(self, load: Load, at: datetime) -> None:
        self.kept[load.id] = replace(self.kept[load.id], complete_time=at)
