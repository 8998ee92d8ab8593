"""Who has the responsibilities of an enterprise, and who is missing: as of now, or of any time."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from chassis.query.selection import Selection
from chassis.rules import missing
from chassis.times import now
from services.customer_info.customers.as_of import survivors_as_of
from services.customer_info.customers.rules import Customer
from services.customer_info.hierarchy.rules import Placement, Tree
from services.customer_info.responsibilities import paging_rules, rules, tree_rules
from services.customer_info.responsibilities.rules import Assignment, Catalogue, Contact, Standing
from services.customer_info.responsibilities.tree_rules import Gap, Held
from services.customer_info.responsibilities.usecases import no_node

# As many trees as a page holds; hardly any customer has more.
TREES = Selection(page_size=1000)


class Assignments(Protocol):
    """What is asked of the store of responsibilities; `ResponsibilityStore` says more of each."""

    async def catalogue(self, transaction: Any) -> Catalogue: ...

    async def catalogue_as_of(self, at: datetime) -> Catalogue: ...

    async def holding(
        self, node_ids: Sequence[str], responsibilities: Sequence[str], at: datetime
    ) -> list[Assignment]: ...

    async def begun(self, customer_ids: Sequence[str], tree_id: str, at: datetime) -> list[Assignment]: ...


class Customers(Protocol):
    """What is asked of the store of customers."""

    async def present(self, customer_ids: Sequence[str]) -> set[str]: ...

    async def many(self, customer_ids: Sequence[str]) -> dict[str, Customer]: ...

    async def many_as_of(self, customer_ids: Sequence[str], at: datetime) -> dict[str, Customer]:
        """Those of the customers that were there at `at`, as they stood then, by id."""


class Trees(Protocol):
    """What is asked of the store of hierarchies."""

    async def path(self, node_id: str, at: datetime) -> Sequence[Placement]: ...

    async def nodes(self, tree_id: str, at: datetime) -> Sequence[Placement]: ...

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Tree], str]: ...


class Lineage(Protocol):
    """Whose records belong to a customer, its survivor's first."""

    async def of(self, customer_id: str) -> Sequence[str]: ...

    async def of_many(self, customer_ids: Sequence[str]) -> Mapping[str, Sequence[str]]: ...


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a responsibility: by which assignment, who that is, and whether they are there."""

    assignment: Assignment
    contact: Contact
    standing: Standing


@dataclass(frozen=True, slots=True)
class Holders:
    """Those who have a responsibility, and the node where they have it; nobody, and none."""

    responsibility: str
    holders: tuple[Holder, ...] = ()
    place: Placement | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What is not looked after in the `trees` of an enterprise, which had so many nodes at `as_of`.

    `count` says how many gaps there are, `gaps` has those that come after the page before.
    """

    gaps: list[Gap]
    count: int
    trees: dict[str, Tree]
    nodes: int
    as_of: datetime


class ResponsibilityReading:
    """Tells who has responsibilities and who is missing."""

    def __init__(self, store: Assignments, customers: Customers, trees: Trees, lineage: Lineage) -> None:
        self._store = store
        self._customers = customers
        self._trees = trees
        self._lineage = lineage

    async def who_is(
        self, customer_id: str, name: str, node_id: str, as_of: datetime | None
    ) -> tuple[Holders, list[Holders]]:
        """Who has a responsibility at a node, and who has all that it depends on, the nearest dependency first.

        Raises:
            NotFound: there is no such responsibility, or no such node then, in this enterprise if one is named.
        """
        at = as_of or now()
        catalogue = await self._catalogue(at, dated=as_of is not None)
        if name not in catalogue:
            raise missing(rules.DEFINITION, name, "responsibility")
        path = await self._trees.path(node_id, at)
        if not path or (customer_id and path[-1].customer_id not in await self._lineage.of(customer_id)):
            raise no_node(node_id, "node_id")
        names = [name, *rules.dependencies(name, catalogue)]
        found = await self._store.holding([p.node_id for p in path], names, at)
        situation = tree_rules.on_path(path, found, at)
        shown = {h.assignment.id: h for h in await self._shown(found, at, dated=as_of is not None)}
        places = {p.node_id: p for p in path}
        told = [_holders(each, situation.get(each), shown, places) for each in names]
        return told[0], told[1:]

    async def gap_report(self, customer_id: str, tree_id: str, as_of: datetime | None, page_token: str = "") -> Report:
        """What is not looked after in all trees of an enterprise, or in one of them, from where a page token says.

        All pages of a report are as of the time of the first one.

        Raises:
            NotFound: there is no such customer, or it has no such tree; Invalid: the token is another report's.
        """
        mark = paging_rules.mark(page_token, customer_id, tree_id)
        if not await self._customers.present([customer_id]):
            raise missing("customer", customer_id, "customer_id")
        at = mark.as_of if mark else as_of or now()
        dated = mark is not None or as_of is not None
        ids = await self._lineage.of(customer_id)
        trees = await self._trees_of(ids, tree_id)
        catalogue = await self._catalogue(at, dated=dated)
        assignments = await self._store.begun(ids, tree_id, at)
        holding = [a for a in assignments if a.holds(at)]
        shown = await self._shown(holding, at, dated=dated)
        standings = {h.assignment.id: h.standing for h in shown}
        gaps: list[Gap] = []
        nodes = 0
        for tree in trees.values():
            places = await self._trees.nodes(tree.id, at)
            nodes += len(places)
            own = [a for a in assignments if a.tree_id == tree.id]
            # Some ten milliseconds, and half a second where every node has its own: other calls do not wait for it.
            gaps += await asyncio.to_thread(tree_rules.gaps, places, own, standings, catalogue, at)
        return Report(paging_rules.after(gaps, mark), len(gaps), trees, nodes, at)

    async def _catalogue(self, at: datetime, *, dated: bool) -> Catalogue:
        """What there is to look after or, where the caller `dated` the question, what there was at `at`."""
        return await self._store.catalogue_as_of(at) if dated else await self._store.catalogue(None)

    async def _trees_of(self, ids: Sequence[str], tree_id: str) -> dict[str, Tree]:
        page, token = await self._trees.page(ids, TREES)
        found = {t.id: t for t in page}
        while token:
            page, token = await self._trees.page(ids, replace(TREES, page_token=token))
            found |= {t.id: t for t in page}
        if not tree_id:
            return found
        if tree_id not in found:
            raise missing("tree", tree_id, "tree_id")
        return {tree_id: found[tree_id]}

    async def _shown(self, assignments: Sequence[Assignment], at: datetime, *, dated: bool) -> list[Holder]:
        """The holders as they are or, where the caller `dated` the question, as they were at `at`."""
        ids = list({a.holder_id for a in assignments if a.holder_id})
        customers = await self._holders(ids, at, dated=dated) if ids else {}
        found = []
        for assignment in assignments:
            customer = customers.get(assignment.holder_id)
            contact = rules.contact_of(customer, at) if customer else assignment.contact or Contact()
            found.append(Holder(assignment, contact, rules.standing_of(customer, contact)))
        return found

    async def _holders(self, ids: Sequence[str], at: datetime, *, dated: bool) -> dict[str, Customer]:
        """Customers of ours by their records, or by those of whom they were merged into; by the id they are held by."""
        lineage = await self._lineage.of_many(ids)
        present = await self._customers.many(list({lineage[i][0] for i in ids}))
        found = {i: present[lineage[i][0]] for i in ids if lineage[i][0] in present}
        if not dated:
            return found
        # Who was erased is gone at every time: nobody can tell any more who that was.
        asked = [i for i in found if not found[i].erase_time]
        survivors = await survivors_as_of(self._customers, asked, at)
        gone = await self._customers.many(list({c.id for c in survivors.values()} - present.keys()))
        return found | {i: gone[c.id] if c.id in gone and gone[c.id].erase_time else c for i, c in survivors.items()}


def _holders(name: str, held: Held | None, shown: Mapping[str, Holder], places: Mapping[str, Placement]) -> Holders:
    if held is None or not held.present:
        return Holders(name)
    return Holders(name, tuple(shown[a.id] for a in held.assignments), places[held.node_id])
