"""`InteractionStore` in memory."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from holdfast.interaction.v1 import interactions_pb2 as pb

from chassis.bulk import Outcome
from chassis.query.selection import Selection
from chassis.rules import Refusal
from chassis.times import from_timestamp, to_timestamp
from services.interaction.interactions import wire
from services.interaction.interactions.rules import Times
from services.interaction.interactions.store import LISTING
from tests.support.fakes.listing import page

GETTERS: dict[str, Callable[[pb.Interaction], Any]] = {
    "id": lambda e: e.id,
    "channel": lambda e: e.channel,
    "direction": lambda e: e.direction,
    "stage": lambda e: e.stage,
    "category": lambda e: e.category,
    "occur_time": lambda e: from_timestamp(e.occur_time),
}


class FakeInteractions:
    """Behaves as `InteractionStore` does."""

    def __init__(self) -> None:
        self.kept: dict[str, pb.Interaction] = {}

    async def add(self, entry: pb.Interaction, times: Times) -> pb.Interaction | None:
        original = self._original(entry)
        if original is None:
            kept = pb.Interaction()
            kept.CopyFrom(entry)
            wire.stamp(kept, entry.id, times)
            self.kept[kept.id] = kept
        return original

    async def add_all(self, entries: Sequence[tuple[pb.Interaction, Times]]) -> list[Outcome | Refusal]:
        found = [await self.add(entry, times) for entry, times in entries]
        return [Outcome.CREATED if original is None else Outcome.UNCHANGED for original in found]

    async def get(self, entry_id: str) -> pb.Interaction | None:
        return self.kept.get(entry_id)

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[pb.Interaction], str]:
        own = [entry for entry in self.kept.values() if entry.customer_id in customer_ids]
        return page(own, selection, LISTING, GETTERS)

    async def redact(self, customer_id: str, at: datetime) -> int:
        done = 0
        for entry in self.kept.values():
            before = entry.SerializeToString(deterministic=True)
            if entry.customer_id == customer_id:
                wire.redact(entry)
            if entry.SerializeToString(deterministic=True) != before:
                entry.redact_time.CopyFrom(to_timestamp(at))
                done += 1
        return done

    def _original(self, entry: pb.Interaction) -> pb.Interaction | None:
        key = (entry.source, entry.message_id)
        same = (e for e in self.kept.values() if (e.source, e.message_id) == key)
        return next(same, None) if entry.message_id else None
