"""`CatalogueStore` in memory."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from chassis.events.outbox import Happening
from chassis.query.selection import Selection
from chassis.rules import AlreadyExists
from services.customer_info.catalogue.rules import Families, Family
from services.customer_info.catalogue.store import LISTING
from services.customer_info.history.rules import Made
from tests.support.fakes.listing import page
from tests.support.fakes.staging import Stage, Staged

T = TypeVar("T")
GETTERS: dict[str, Callable[[Family], Any]] = {
    "id": lambda f: f.name,
    "line": lambda f: f.line,
    "status": lambda f: f.status,
}


class FakeCatalogue:
    """Behaves as `CatalogueStore` does. `rival` is put in place by somebody else right before the next insert."""

    def __init__(self, *families: Family) -> None:
        self._stage: Stage[Family] = Stage()
        self._stage.kept = {f.name: f for f in families}
        self.former: list[Family] = []
        self.rival: Family | None = None
        self.reads = 0

    @property
    def kept(self) -> dict[str, Family]:
        return self._stage.kept

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T:
        return await self._stage.transact(work)

    async def everything(self) -> Families:
        self.reads += 1
        return dict(self.kept)

    async def read(self, transaction: Any, name: str) -> Family | None:
        return self._stage.sees(transaction).get(name)

    async def page(self, selection: Selection) -> tuple[list[Family], str]:
        return page(self.kept.values(), selection, LISTING, GETTERS)

    @property
    def events(self) -> list[Happening]:
        return self._stage.events

    async def versions(self, name: str, before: int, most: int) -> list[Made[Family]]:
        mine = [f for f in (*self.kept.values(), *self.former) if f.name == name and f.version < before]
        return [Made(f) for f in sorted(mine, key=lambda f: f.version, reverse=True)[:most]]

    async def insert(self, transaction: Staged[Family], family: Family, *happenings: Happening) -> None:
        if self.rival:
            self.kept[self.rival.name], self.rival = self.rival, None
        if family.name in {**self.kept, **transaction.kept}:
            known = {"type": "family", "id": family.name}
            raise AlreadyExists("there is a family of this name", field="family.name", metadata=known)
        transaction.kept[family.name] = family
        transaction.events += happenings

    async def replace(self, transaction: Staged[Family], family: Family, *happenings: Happening) -> None:
        self.former.append(transaction.kept[family.name])
        transaction.kept[family.name] = family
        transaction.events += happenings

    async def add_missing(self, families: Sequence[Family]) -> int:
        missing = [f for f in families if f.name not in self.kept]
        self.kept.update({f.name: f for f in missing})
        return len(missing)
