"""`ModelStore` in memory."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

from chassis.events.outbox import Happening
from chassis.query.selection import Selection
from services.retention.models.registry import Entry, Stage
from services.retention.models.store import LISTING
from tests.support.fakes.listing import page

T = TypeVar("T")
GETTERS: dict[str, Callable[[Entry], Any]] = {
    "id": lambda one: one.id,
    "stage": lambda one: one.stage.value,
    "create_time": lambda one: one.create_time,
}


class FakeModels:
    """Behaves as `ModelStore` does; a transaction is the whole store, put back when its work fails."""

    def __init__(self) -> None:
        self.kept: dict[str, Entry] = {}
        self.events: list[Happening] = []
        self.pem = b""

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T:
        before = dict(self.kept), list(self.events)
        try:
            return await work(self)
        except BaseException:
            self.kept, self.events = before
            raise

    async def get(self, transaction: Any, model_id: str) -> Entry | None:
        return self.kept.get(model_id)

    async def champion(self, transaction: Any) -> Entry | None:
        return next((one for one in self.kept.values() if one.stage is Stage.CHAMPION), None)

    async def champion_id(self, transaction: Any) -> str:
        champion = await self.champion(transaction)
        return champion.id if champion else ""

    async def page(self, selection: Selection) -> tuple[list[Entry], str]:
        return page(self.kept.values(), selection, LISTING, GETTERS)

    async def insert(self, transaction: Any, entry: Entry) -> None:
        self.kept[entry.id] = entry

    async def replace(self, transaction: Any, entry: Entry, *happenings: Happening) -> None:
        self.kept[entry.id] = entry
        self.events += happenings

    async def signing_key(self, fresh: Callable[[], bytes], at: datetime) -> bytes:
        self.pem = self.pem or fresh()
        return self.pem
