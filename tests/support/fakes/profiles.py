"""`ProfileStore` in memory."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from chassis.events.outbox import Happening
from services.customer_info.profiles.rules import Profile
from services.customer_info.profiles.usecases import Place
from services.customer_info.profiles.view_rules import Told
from tests.support.fakes.staging import Stage, Staged

T = TypeVar("T")
EMPTY: dict[str, Any] = {
    "language": "",
    "channels": (),
    "cleared": frozenset(),
    "contact_window": None,
    "accessibility_needs": (),
    "interests": (),
    "newsletter_topics": (),
}


class FakeProfiles:
    """Behaves as `ProfileStore` does. `heard_times` are those of the services that were heard from."""

    def __init__(self) -> None:
        self._stage: Stage[Profile] = Stage()
        self.former: list[Profile] = []
        self.facts: dict[Place, Told | None] = {}
        self.heard_times: dict[str, datetime] = {}

    @property
    def events(self) -> list[Happening]:
        return self._stage.events

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T:
        return await self._stage.transact(work)

    async def of(self, transaction: Any, customer_ids: Sequence[str]) -> dict[str, Profile]:
        seen = self._stage.sees(transaction)
        return {i: seen[i] for i in customer_ids if i in seen}

    async def as_of(self, customer_ids: Sequence[str], at: datetime) -> dict[str, Profile]:
        versions = [*self.former, *(await self.of(None, customer_ids)).values()]
        there = (p for p in versions if p.customer_id in customer_ids and p.update_time and p.update_time <= at)
        return {p.customer_id: p for p in sorted(there, key=lambda p: p.version)}

    async def put(self, transaction: Staged[Profile], profile: Profile, *happenings: Happening) -> None:
        if profile.version > 1:
            self.former.append(transaction.kept[profile.customer_id])
        transaction.kept[profile.customer_id] = profile
        transaction.events += happenings

    async def told(self, transaction: Any, places: Sequence[Place]) -> dict[Place, Told | None]:
        return {place: self.facts[place] for place in places if place in self.facts}

    async def tell(self, transaction: Any, facts: Mapping[Place, Told]) -> None:
        self.facts.update(facts)

    async def heard(self, services: Sequence[str]) -> dict[str, datetime]:
        return {name: self.heard_times[name] for name in services if name in self.heard_times}

    async def forget(self, transaction: Staged[Profile], customer_ids: Sequence[str]) -> None:
        for customer_id in customer_ids:
            if known := transaction.kept.get(customer_id):
                transaction.kept[customer_id] = replace(known, **EMPTY)
            for section in ("contacts", "tickets", "promises", "risk", "value"):
                self.facts[customer_id, section] = None
