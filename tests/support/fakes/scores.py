"""`ScoreStore` in memory, and a champion that is what the test says."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from chassis.events.outbox import Happening
from chassis.query.selection import Selection
from services.retention.scores.assessment_rules import BANDS, Champion, Scored
from services.retention.scores.store import LISTING
from services.retention.scores.usecases import NEVER, Told
from tests.support.fakes.listing import page

T = TypeVar("T")
GETTERS: dict[str, Callable[[Scored], Any]] = {
    "id": lambda one: one.customer_id,
    "probability": lambda one: one.probability,
    "band": lambda one: BANDS.index(one.band) + 1,
}


class FakeScores:
    """Behaves as `ScoreStore` does; a transaction is the whole store."""

    def __init__(self) -> None:
        self.kept: dict[str, Scored | None] = {}
        self.events: list[Happening] = []
        self.retired: set[str] = set()
        # What was told of those who came back, and wait for a score.
        self.again: dict[str, Told] = {}

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T:
        before = dict(self.kept), list(self.events), set(self.retired), dict(self.again)
        try:
            return await work(self)
        except BaseException:
            self.kept, self.events, self.retired, self.again = before
            raise

    async def told(self, transaction: Any, customer_ids: Sequence[str]) -> dict[str, Told]:
        return {who: self._told(who) for who in customer_ids if who in self.kept}

    async def keep(self, transaction: Any, scores: Sequence[Scored], happenings: Sequence[Happening]) -> None:
        self.kept |= {one.customer_id: one for one in scores}
        self.retired -= {one.customer_id for one in scores}
        self.events += happenings

    async def expect(self, transaction: Any, customer_ids: Sequence[str], at: datetime) -> None:
        for who in customer_ids:
            if who in self.retired:
                self.retired.discard(who)
                self.again[who] = self._told(who)
                self.kept[who] = None
            self.kept.setdefault(who, None)

    async def retire(self, transaction: Any, customer_ids: Sequence[str]) -> None:
        self.retired |= {who for who in customer_ids if who in self.kept}

    async def forget(self, transaction: Any, customer_ids: Sequence[str]) -> None:
        for who in customer_ids:
            self.kept.pop(who, None)
            self.retired.discard(who)
        self.events = [one for one in self.events if one.customer_id not in customer_ids]

    async def many(self, customer_ids: Sequence[str]) -> list[Scored]:
        return [one for who in customer_ids if who not in self.retired for one in [self.kept.get(who)] if one]

    async def page(self, selection: Selection) -> tuple[list[Scored], str]:
        shown = [one for who, one in self.kept.items() if one and one.listed and who not in self.retired]
        return page(shown, selection, LISTING, GETTERS)

    async def outdated(self, transaction: Any, model_id: str, most: int) -> list[str]:
        other = [who for who, one in self.kept.items() if one is None or one.model_id != model_id]
        return [who for who in other if who not in self.retired][:most]

    async def count_outdated(self, model_id: str) -> int:
        return len(await self.outdated(None, model_id, len(self.kept)))

    def _told(self, who: str) -> Told:
        one = self.kept[who]
        return Told(one.version, one.announced) if one else self.again.get(who, NEVER)


class FakeChampions:
    """Behaves as `Champions` does."""

    def __init__(self, *models: Champion) -> None:
        self.models = {one.id: one for one in models}
        self.champion = models[0] if models else None

    def promote(self, champion: Champion) -> None:
        self.models[champion.id] = champion
        self.champion = champion

    def current(self) -> Champion | None:
        return self.champion

    async def of(self, transaction: Any) -> Champion | None:
        return self.champion

    async def model(self, model_id: str) -> Champion | None:
        return self.models.get(model_id)
