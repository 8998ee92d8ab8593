"""`ResponsibilityStore` in memory."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from chassis.events.outbox import Happening
from chassis.query.selection import Selection
from chassis.rules import AlreadyExists
from services.customer_info.history.rules import Made
from services.customer_info.responsibilities.rules import Assignment, Catalogue, Responsibility, undated
from services.customer_info.responsibilities.store import LISTING, RESPONSIBILITY_LISTING
from tests.support.fakes.listing import page
from tests.support.fakes.staging import Stage, Staged

T = TypeVar("T")
GETTERS: dict[str, Callable[[Assignment], Any]] = {
    "id": lambda a: a.id,
    "responsibility": lambda a: a.responsibility,
    "tree_id": lambda a: a.tree_id,
    "node_id": lambda a: a.node_id,
    "holder_id": lambda a: a.holder_id,
    "start": lambda a: a.start,
    "end": lambda a: a.end,
    "update_time": lambda a: a.update_time,
}
DEFINITION_GETTERS: dict[str, Callable[[Responsibility], Any]] = {
    "id": lambda r: r.name,
    "required": lambda r: r.required,
}


class FakeResponsibilities:
    """Behaves as `ResponsibilityStore` does."""

    def __init__(self, *kept: Responsibility | Assignment) -> None:
        self._stage: Stage[Any] = Stage()
        self._stage.kept = {_key(k): k for k in kept}
        self.former: dict[str, list[Responsibility]] = {}
        self.held: list[str] = []

    @property
    def kept(self) -> dict[str, Any]:
        return self._stage.kept

    @property
    def events(self) -> list[Happening]:
        return self._stage.events

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T:
        return await self._stage.transact(work)

    async def once(self, request_id: str, content: bytes, work: Callable[[Any], Awaitable[Assignment]]) -> Assignment:
        made: Assignment = await self._stage.once(request_id, content, work)
        return made

    async def add_missing(self, responsibilities: Sequence[Responsibility]) -> None:
        for responsibility in responsibilities:
            self.kept.setdefault(responsibility.name, responsibility)

    async def catalogue(self, transaction: Any) -> Catalogue:
        there = self._stage.sees(transaction)
        return {k: there[k] for k in sorted(there) if isinstance(there[k], Responsibility)}

    async def catalogue_as_of(self, at: datetime) -> Catalogue:
        return {name: self._then(present, at) for name, present in (await self.catalogue(None)).items()}

    async def define(self, transaction: Staged[Any], responsibility: Responsibility, *happenings: Happening) -> None:
        if responsibility.version == 1 and responsibility.name in transaction.kept:
            known = {"type": "responsibility", "id": responsibility.name}
            raise AlreadyExists("there is a responsibility of this name", metadata=known)
        if before := transaction.kept.get(responsibility.name):
            self.former.setdefault(responsibility.name, []).append(before)
        transaction.kept[responsibility.name] = responsibility
        transaction.events += happenings

    async def hold_definitions(self, transaction: Any, names: Sequence[str]) -> None:
        self.held += names

    async def listed(self, selection: Selection) -> tuple[list[Responsibility], str]:
        catalogue = await self.catalogue(None)
        return page(catalogue.values(), selection, RESPONSIBILITY_LISTING, DEFINITION_GETTERS)

    async def versions(self, name: str, before: int, most: int) -> list[Made[Responsibility]]:
        present = (await self.catalogue(None)).get(name)
        made = [*self.former.get(name, ()), *([present] if present else ())]
        return [Made(r) for r in reversed(made) if r.version < before][:most]

    async def read(self, transaction: Any, assignment_id: str) -> Assignment | None:
        found = self._stage.sees(transaction).get(assignment_id)
        return found if isinstance(found, Assignment) else None

    async def hold_place(self, transaction: Any, node_id: str, responsibility: str) -> None:
        self.held.append(f"{node_id}:{responsibility}")

    async def at_place(self, transaction: Any, node_id: str, responsibility: str) -> list[Assignment]:
        there = self._assignments(transaction)
        return [a for a in there if (a.node_id, a.responsibility) == (node_id, responsibility)]

    async def holding(self, node_ids: Sequence[str], responsibilities: Sequence[str], at: datetime) -> list[Assignment]:
        there = self._assignments(None)
        return [a for a in there if a.node_id in node_ids and a.responsibility in responsibilities and a.holds(at)]

    async def begun(self, customer_ids: Sequence[str], tree_id: str, at: datetime) -> list[Assignment]:
        there = [a for a in self._assignments(None) if a.customer_id in customer_ids and a.start <= at]
        return [a for a in there if tree_id in ("", a.tree_id)]

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Assignment], str]:
        shown = [a for a in self._assignments(None) if not customer_ids or a.customer_id in customer_ids]
        return page(shown, selection, LISTING, GETTERS)

    async def put(self, transaction: Staged[Any], assignment: Assignment, *happenings: Happening) -> None:
        if assignment.version == 1 and assignment.id in transaction.kept:
            known = {"type": "assignment", "id": assignment.id}
            raise AlreadyExists("there is an assignment with this id", field="assignment.id", metadata=known)
        transaction.kept[assignment.id] = assignment
        transaction.events += happenings

    def _then(self, present: Responsibility, at: datetime) -> Responsibility:
        made = [*self.former.get(present.name, ()), present]
        by_then = [r for r in made if r.update_time is None or r.update_time <= at]
        return by_then[-1] if by_then else undated(made[0])

    def _assignments(self, transaction: Any) -> list[Assignment]:
        return [a for a in self._stage.sees(transaction).values() if isinstance(a, Assignment)]


def _key(kept: Responsibility | Assignment) -> str:
    return kept.name if isinstance(kept, Responsibility) else kept.id
