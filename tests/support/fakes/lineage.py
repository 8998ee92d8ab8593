"""`Lineage` in memory."""

from collections.abc import Sequence
from typing import Any


class FakeLineage:
    """Behaves as `Lineage` does; `groups` are there from the start."""

    def __init__(self, *groups: Sequence[str]) -> None:
        self.kept: dict[str, tuple[str, ...]] = {who: tuple(group) for group in groups for who in group}

    async def of(self, customer_id: str) -> tuple[str, ...]:
        return self.kept.get(customer_id, (customer_id,))

    async def of_many(self, customer_ids: Sequence[str], transaction: Any = None) -> dict[str, tuple[str, ...]]:
        return {who: await self.of(who) for who in customer_ids}

    async def read(self, transaction: Any, customer_id: str) -> tuple[str, ...]:
        return await self.of(customer_id)

    async def put(self, transaction: Any, groups: Sequence[Sequence[str]]) -> None:
        for group in groups:
            for who in group:
                self.kept.pop(who, None)
                if len(group) > 1:
                    self.kept[who] = tuple(group)
