"""The views of one portfolio: by the customer's own hierarchy, and across all products. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from chassis.rules import Invalid, NotFound
from services.customer_info.catalogue.rules import Families
from services.customer_info.customers.rules import Money
from services.customer_info.hierarchy.rules import Placement
from services.customer_info.portfolio.rules import CURRENT, MOST, Product, Status

# As many nodes as one answer tells of.
MOST_NODES = 1000
# What the products of one answer may take together: a gRPC client takes 4 MiB unless it says otherwise.
MOST_BYTES = 2 * 1024 * 1024
# What a product's message takes at most beside what may be long; each of its states and nodes; what is around a text.
ROOM, ROOM_OF_ITEM, ROOM_OF_TEXT = 512, 48, 8
# Within how many days ends of commitment are counted.
HORIZONS = (30, 90, 180)
# The line of a family that the catalogue does not know: one of an older installation's.
NO_LINE = "other"


@dataclass(frozen=True, slots=True)
class Sum:
    """How many products there are, and what they cost a month in millionths, by currency."""

    count: int = 0
    totals: Mapping[str, int] = field(default_factory=dict)

    @property
    def monies(self) -> list[Money]:
        """What they cost a month, a currency each, by its code."""
        return [Money(currency, micros) for currency, micros in sorted(self.totals.items())]


@dataclass(frozen=True, slots=True)
class Placed:
    """Products that stand at the same nodes and have their price in the same currency (empty: have none)."""

    node_ids: tuple[str, ...]
    currency: str
    count: int
    micros: int


@dataclass(frozen=True, slots=True)
class NodeSums:
    """What stands at a node, and what stands there and below."""

    place: Placement
    own: Sum
    subtree: Sum


def added_up(placed: Iterable[Placed]) -> Sum:
    """All of it together."""
    count, totals = 0, Counter[str]()
    for one in placed:
        count += one.count
        if one.currency:
            totals[one.currency] += one.micros
    return Sum(count, dict(totals))


def by_node(placed: Iterable[Placed]) -> dict[str, Sum]:
    """What stands at each node."""
    found: dict[str, list[Placed]] = {}
    for one in placed:
        for node_id in one.node_ids:
            found.setdefault(node_id, []).append(one)
    return {node_id: added_up(group) for node_id, group in found.items()}


def elsewhere(places: Iterable[Placement], placed: Iterable[Placed]) -> Sum:
    """What stands at none of these nodes."""
    ids = {place.node_id for place in places}
    return added_up(one for one in placed if ids.isdisjoint(one.node_ids))


def rolled_up(places: Sequence[Placement], placed: Iterable[Placed]) -> list[NodeSums]:
    """The sums of those nodes that have something at or below them, in the order of `places`, at most 1000.

    `places` has parents before their children; so do the sums, and the upper levels come first where the order is by
    depth.
    """
    own = by_node(placed)
    counts: Counter[str] = Counter()
    totals: dict[str, Counter[str]] = {}
    # From the bottom up: each node is complete before it is added to the one above.
    for place in reversed(places):
        mine = totals.setdefault(place.node_id, Counter())
        here = own.get(place.node_id, Sum())
        counts[place.node_id] += here.count
        mine.update(here.totals)
        if place.parent_id:
            counts[place.parent_id] += counts[place.node_id]
            totals.setdefault(place.parent_id, Counter()).update(mine)
    shown = [place for place in places if counts[place.node_id]][:MOST_NODES]
    return [NodeSums(p, own.get(p.node_id, Sum()), Sum(counts[p.node_id], dict(totals[p.node_id]))) for p in shown]


def below(places: Sequence[Placement], node_id: str) -> list[Placement]:
    """Those of the nodes that are `node_id` or below it; all of them where it is empty.

    Raises:
        NotFound: it is none of them.
    """
    if not node_id:
        return list(places)
    found = [place for place in places if node_id in place.path]
    if not found:
        raise NotFound("the tree has no such node now", metadata={"type": "node", "id": node_id})
    return found


def weight(product: Product) -> int:
    """How many bytes the message of a product takes at most."""
    texts = [product.name, *(text for pair in product.characteristics for text in pair)]
    texts += (text for i in product.identifiers for text in (i.kind, i.value))
    items = len(product.history) + len(product.node_ids)
    return ROOM + ROOM_OF_ITEM * items + sum(len(text.encode()) + ROOM_OF_TEXT for text in texts)


def fitting(products: Sequence[Product]) -> list[Product]:
    """The first of the products, as many as one message takes; at least one where there is one."""
    size = 0
    for n, product in enumerate(products):
        size += weight(product)
        if size > MOST_BYTES:
            return list(products[: max(n, 1)])
    return list(products)


def check_places(product: Product, owner_ids: Sequence[str], places: Mapping[str, Placement]) -> None:
    """Passes when the product stands where it may: at nodes of its customer's trees, at most one of each.

    `owner_ids` are all ids of its customer; `places` are those of the nodes that are there, now or later.

    Raises:
        NotFound: there is no such node among the customer's. Invalid: two nodes are of the same tree.
    """
    trees = set()
    for n, node_id in enumerate(product.node_ids):
        path, place = f"product.node_ids[{n}]", places.get(node_id)
        if place is None or place.customer_id not in owner_ids:
            known = {"type": "node", "id": node_id}
            raise NotFound("the customer has no such node", field=path, metadata=known)
        if place.tree_id in trees:
            raise Invalid("a product stands at one node of a tree", field=path)
        trees.add(place.tree_id)


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """Products of one family, in one state, with their price in one currency (empty: they have none).

    `ends` counts, for each of the horizons, how many commitments end until then.
    """

    family: str
    status: Status
    currency: str
    count: int
    micros: int
    ends: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """How many products in which states; what those that have not ceased cost; ends of commitment, by days."""

    counts: Mapping[Status, int]
    monthly_total: list[Money]
    ends: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class FamilyView:
    """The figures of a family."""

    family: str
    title: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class LineView:
    """The figures of a line, and of each of its families."""

    line: str
    families: list[FamilyView]
    figures: Figures


def figures(rows: Iterable[FamilyRow]) -> Figures:
    """All rows together."""
    counts: Counter[Status] = Counter()
    totals: Counter[str] = Counter()
    ends: Counter[int] = Counter(dict.fromkeys(HORIZONS, 0))
    for row in rows:
        counts[row.status] += row.count
        if row.status not in CURRENT:
            continue
        if row.currency:
            totals[row.currency] += row.micros
        ends.update(dict(zip(HORIZONS, row.ends, strict=True)))
    return Figures(
        {status: counts[status] for status in Status if counts[status]},
        [Money(currency, micros) for currency, micros in sorted(totals.items())],
        dict(ends),
    )


def merged(portfolios: Sequence[Sequence[Product]]) -> list[Product]:
    """Portfolios of one customer, each in its order, as one in the same order, as long as one may be."""
    together = [product for portfolio in portfolios for product in portfolio]
    # Texts compare by code point, and so do their UTF-8 bytes, by which the store orders them.
    return sorted(together, key=lambda p: (p.family, p.name, p.id))[:MOST]


def by_line(rows: Iterable[FamilyRow], families: Families) -> list[LineView]:
    """The rows by line and family, both by name."""
    lines: dict[str, dict[str, list[FamilyRow]]] = {}
    for row in rows:
        known = families.get(row.family)
        lines.setdefault(known.line if known else NO_LINE, {}).setdefault(row.family, []).append(row)
    return [_line(line, found, families) for line, found in sorted(lines.items())]


def _line(line: str, found: Mapping[str, Sequence[FamilyRow]], families: Families) -> LineView:
    views = [
        FamilyView(name, families[name].title if name in families else name, figures(rows))
        for name, rows in sorted(found.items())
    ]
    return LineView(line, views, figures(row for rows in found.values() for row in rows))
