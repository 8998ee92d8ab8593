"""What a customer has, in the three views of one portfolio, one function per method."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chassis.query.selection import Selection
from chassis.rules import Invalid, NotFound
from chassis.times import now
from services.customer_info.customers.rules import Money
from services.customer_info.hierarchy.rules import Placement, Tree, read_time
from services.customer_info.portfolio import view_rules
from services.customer_info.portfolio.ports import Catalogue, Lineage
from services.customer_info.portfolio.rules import MOST, Product, totals
from services.customer_info.portfolio.view_rules import HORIZONS, FamilyRow, Figures, LineView, NodeSums, Placed, Sum


class Owned(Protocol):
    """What the views ask of the store of products; `ProductStore` says more of each."""

    async def current(self, customer_ids: tuple[str, ...]) -> list[Product]: ...

    async def all(self, customer_ids: tuple[str, ...]) -> list[Product]: ...

    async def portfolio(
        self, customer_ids: tuple[str, ...], selection: Selection, *, include_ceased: bool
    ) -> tuple[list[Product], str]: ...

    async def placed(self, customer_ids: Sequence[str]) -> list[Placed]: ...

    async def at_nodes(self, customer_ids: Sequence[str], node_ids: Sequence[str]) -> list[Product]: ...

    async def family_rows(self, customer_ids: Sequence[str], at: datetime, days: Sequence[int]) -> list[FamilyRow]: ...


class Trees(Protocol):
    """What they ask of the store of hierarchies."""

    async def tree(self, transaction: Any, tree_id: str) -> Tree | None: ...

    async def nodes(self, tree_id: str, at: datetime) -> list[Placement]:
        """All nodes of a tree as they are at `at`, parents before their children."""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What one customer has, by family and name, and what it costs a month, a currency each.

    `next_page_token` leads to what comes after; empty: nothing does.
    """

    products: list[Product]
    monthly_total: list[Money]
    next_page_token: str = ""


@dataclass(frozen=True, slots=True)
class HierarchyPortfolio:
    """Where in a tree products stand: the nodes that have any at or below them, and the products right at each.

    Of products that are too many, or too large, for a message the first are shown; all are counted. `elsewhere`
    is what stands at none of the tree's nodes; None where only a part of the tree was asked for.
    """

    nodes: list[NodeSums]
    products: Mapping[str, list[Product]]
    elsewhere: Sum | None
    at: datetime


@dataclass(frozen=True, slots=True)
class FamilyPortfolio:
    """What a customer has of each line and family, and over all of them."""

    lines: list[LineView]
    total: Figures
    at: datetime


class PortfolioViews:
    """Shows what customers have."""

    def __init__(self, store: Owned, catalogue: Catalogue, trees: Trees, lineage: Lineage) -> None:
        self._store = store
        self._catalogue = catalogue
        self._trees = trees
        self._lineage = lineage

    async def portfolio(
        self, customer_id: str, *, include_ceased: bool, page_size: int = 0, page_token: str = ""
    ) -> Portfolio:
        """A page of what a customer has, as long as `page_size`; 0: 1000. Nothing where there is no such customer.

        It is shorter where it would be too large for a message. The totals are of everything it has, also beyond it.

        Raises:
            Invalid: the token is not one of this portfolio.
        """
        ids = await self._lineage.of(customer_id)
        if not page_size and not page_token:
            # Nearly all are read at once, and share the way to the store with others.
            products = await (self._store.all(ids) if include_ceased else self._store.current(ids))
            if len(products) < MOST and len(view_rules.fitting(products)) == len(products):
                return Portfolio(products, totals(products))
        wanted = Selection(page_size=page_size or MOST, page_token=page_token)
        try:
            products, following = await self._store.portfolio(ids, wanted, include_ceased=include_ceased)
        except Invalid as refusal:
            refusal.field = "page.page_token"
            raise
        if not page_token and not following:
            return Portfolio(products, totals(products))
        return Portfolio(products, view_rules.added_up(await self._store.placed(ids)).monies, following)

    async def by_hierarchy(self, customer_id: str, tree_id: str, node_id: str) -> HierarchyPortfolio:
        """Where a customer's products stand now in one of its trees, or in the part of it below `node_id`.

        Raises:
            NotFound: it has no such tree, or the tree has no such node now.
        """
        ids, tree = await self._lineage.of(customer_id), await self._trees.tree(None, tree_id)
        if tree is None or tree.customer_id not in ids:
            raise NotFound("the customer has no such tree", metadata={"type": "tree", "id": tree_id})
        at = read_time(None, tree, now())
        places = view_rules.below(await self._trees.nodes(tree_id, at), node_id)
        placed = await self._store.placed(ids)
        nodes = view_rules.rolled_up(places, placed)
        having = {n.place.node_id for n in nodes if n.own.count}
        products: dict[str, list[Product]] = {}
        found = await self._store.at_nodes(ids, sorted(having)) if having else []
        for product in view_rules.fitting(found):
            for where in having.intersection(product.node_ids):
                products.setdefault(where, []).append(product)
        return HierarchyPortfolio(nodes, products, None if node_id else view_rules.elsewhere(places, placed), at)

    async def by_family(self, customer_id: str) -> FamilyPortfolio:
        """What a customer has of each line and family; nothing where there is no such customer."""
        at = now()
        rows = await self._store.family_rows(await self._lineage.of(customer_id), at, HORIZONS)
        families = await self._catalogue.families(*{row.family for row in rows})
        return FamilyPortfolio(view_rules.by_line(rows, families), view_rules.figures(rows), at)
