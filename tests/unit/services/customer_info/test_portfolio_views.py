"""The three views of one portfolio."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from holdfast.common.v1 import types_pb2
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Invalid, NotFound
from services.customer_info.catalogue.rules import Family
from services.customer_info.catalogue.usecases import CatalogueUseCases
from services.customer_info.customers.rules import Money
from services.customer_info.hierarchy.rules import Placement
from services.customer_info.portfolio import view_rules, view_wire, wire
from services.customer_info.portfolio.rules import HIGHEST_PRICE, MOST, Product, Status
from services.customer_info.portfolio.term_rules import Term
from services.customer_info.portfolio.view_rules import MOST_NODES, FamilyRow, Placed, Sum
from services.customer_info.portfolio.view_usecases import PortfolioViews
from tests.support.fakes.catalogue import FakeCatalogue
from tests.support.fakes.hierarchy import FakeHierarchy
from tests.support.fakes.lineage import FakeLineage
from tests.support.fakes.portfolio import FakeProducts
from tests.unit.services.customer_info import strategies
from tests.unit.services.customer_info.builders import NOON, new_uuid, product
from tests.unit.services.customer_info.trees import family, tree

# What a gRPC client takes unless it says otherwise.
LARGEST = 4 * 1024 * 1024
OWNER, MERGED = new_uuid(), new_uuid()
TREE, OTHER = tree(OWNER), tree(OWNER)
NODES = family(TREE, "head", "head/sales", "head/lab", "head/sales/berlin", "head/sales/bern")
FAMILIES = (
    Family("voice", "Fixed voice", "voice", open=True, update_time=NOON),
    Family("internet", "Internet access", "broadband", open=True, update_time=NOON),
    Family("leased_line", "Leased line", "broadband", open=True, update_time=NOON),
)


def views(*products: Product, lineage: tuple[str, ...] = ()) -> PortfolioViews:
    catalogue = CatalogueUseCases(FakeCatalogue(*FAMILIES))
    trees = FakeHierarchy(TREE, OTHER, *NODES, *family(OTHER, "site"))
    return PortfolioViews(FakeProducts(*products), catalogue, trees, FakeLineage(lineage))


def priced(amount: int, *node_ids: str, currency: str = "EUR", status: Status = Status.ACTIVE) -> Product:
    return product(OWNER, status, monthly_price=Money(currency, amount), node_ids=node_ids)


async def test_a_portfolio_is_in_order_and_leaves_out_what_ceased() -> None:
    shown = views(
        product(OWNER, family="voice", name="B"),
        product(OWNER, family="voice", name="A"),
        product(OWNER, family="mobile", name="C", status=Status.CEASED),
        product(OWNER, family="mobile", name="D", monthly_price=Money("USD", 5)),
        product(),
    )
    found = await shown.portfolio(OWNER, include_ceased=False)
    assert [p.name for p in found.products] == ["D", "A", "B"]
    assert found.monthly_total == [Money("EUR", 2 * 29_850_000), Money("USD", 5)]
    everything = await shown.portfolio(OWNER, include_ceased=True)
    assert [p.name for p in everything.products] == ["C", "D", "A", "B"]
    assert everything.monthly_total == found.monthly_total


async def test_a_portfolio_is_read_page_by_page_with_the_total_of_all_of_it() -> None:
    shown = views(*(product(OWNER, name=f"{n:02}", monthly_price=Money("EUR", 1)) for n in range(5)), product())
    names, token, totals = [], "", []
    while True:
        found = await shown.portfolio(OWNER, include_ceased=False, page_size=2, page_token=token)
        names.append([p.name for p in found.products])
        totals += found.monthly_total
        token = found.next_page_token
        if not token:
            break
    assert names == [["00", "01"], ["02", "03"], ["04"]]
    assert totals == [Money("EUR", 5)] * 3
    with pytest.raises(Invalid) as refused:
        await shown.portfolio(OWNER, include_ceased=False, page_token="foreign")
    assert (refused.value.field, refused.value.reason) == ("page.page_token", "INVALID_PAGE_TOKEN")


async def test_a_portfolio_of_nobody_is_empty() -> None:
    found = await views().portfolio(new_uuid(), include_ceased=True)
    assert (found.products, found.monthly_total) == ([], [])
    families = await views().by_family(new_uuid())
    assert (families.lines, families.total.counts) == ([], {})


async def test_the_totals_of_a_very_large_portfolio_count_what_it_does_not_show() -> None:
    shown = views(*(priced(1) for _ in range(MOST + 5)))
    found = await shown.portfolio(OWNER, include_ceased=False)
    assert len(found.products) == MOST
    assert found.monthly_total == [Money("EUR", MOST + 5)]
    rest = await shown.portfolio(OWNER, include_ceased=False, page_token=found.next_page_token)
    assert (len(rest.products), rest.next_page_token) == (5, "")


async def test_every_view_shows_what_came_under_a_record_that_was_merged_into_this_one() -> None:
    kept = [priced(1, "lab"), replace(priced(2, "lab"), customer_id=MERGED)]
    for customer_id in (OWNER, MERGED):
        shown = views(*kept, lineage=(OWNER, MERGED))
        whole = await shown.portfolio(customer_id, include_ceased=False)
        assert {p.id for p in whole.products} == {p.id for p in kept}
        (lab,) = [n for n in (await shown.by_hierarchy(customer_id, TREE.id, "")).nodes if n.own.count]
        assert (lab.place.node_id, lab.own) == ("lab", Sum(2, {"EUR": 3}))
        assert (await shown.by_family(customer_id)).total.counts == {Status.ACTIVE: 2}


async def test_products_stand_at_their_nodes_and_add_up_the_tree() -> None:
    kept = {
        "sales": priced(1, "sales", "site"),
        "berlin": priced(2, "berlin", currency="CHF"),
        "bern": priced(4, "bern"),
        "free": product(OWNER, monthly_price=None, node_ids=("bern",)),
        "site": priced(8, "site"),
        "nowhere": priced(16),
        "ceased": priced(32, "lab", status=Status.CEASED),
    }
    found = await views(*kept.values()).by_hierarchy(OWNER, TREE.id, "")
    sums = {n.place.node_id: (n.own, n.subtree) for n in found.nodes}
    assert sums == {
        "head": (Sum(), Sum(4, {"EUR": 5, "CHF": 2})),
        "sales": (Sum(1, {"EUR": 1}), Sum(4, {"EUR": 5, "CHF": 2})),
        "berlin": (Sum(1, {"CHF": 2}), Sum(1, {"CHF": 2})),
        "bern": (Sum(2, {"EUR": 4}), Sum(2, {"EUR": 4})),
    }
    shown = {node: {p.id for p in products} for node, products in found.products.items()}
    assert shown == {
        "sales": {kept["sales"].id},
        "berlin": {kept["berlin"].id},
        "bern": {kept["bern"].id, kept["free"].id},
    }
    assert found.elsewhere == Sum(2, {"EUR": 24})


async def test_a_part_of_a_tree_is_shown_by_itself() -> None:
    shown = views(priced(1, "sales"), priced(2, "berlin"), priced(4, "lab"))
    found = await shown.by_hierarchy(OWNER, TREE.id, "sales")
    assert [(n.place.node_id, n.subtree.totals) for n in found.nodes] == [("sales", {"EUR": 3}), ("berlin", {"EUR": 2})]
    assert found.elsewhere is None
    assert set(found.products) == {"sales", "berlin"}


async def test_a_customer_is_shown_its_own_trees_only_and_nodes_that_are_there() -> None:
    for customer_id, tree_id, node_id, kind in (
        (OWNER, new_uuid(), "", "tree"),
        (new_uuid(), TREE.id, "", "tree"),
        (OWNER, TREE.id, "site", "node"),
    ):
        with pytest.raises(NotFound) as refused:
            await views().by_hierarchy(customer_id, tree_id, node_id)
        assert refused.value.metadata["type"] == kind


async def test_a_node_that_was_just_added_is_shown_also_where_the_clock_is_behind() -> None:
    ahead = datetime.now(UTC) + timedelta(seconds=5)
    own = tree(OWNER, update_time=ahead)
    trees = FakeHierarchy(own, *family(own, "annex", start=ahead))
    shown = PortfolioViews(
        FakeProducts(priced(1, "annex")), CatalogueUseCases(FakeCatalogue(*FAMILIES)), trees, FakeLineage()
    )
    found = await shown.by_hierarchy(OWNER, own.id, "")
    assert [(n.place.node_id, n.own) for n in found.nodes] == [("annex", Sum(1, {"EUR": 1}))]
    assert (found.elsewhere, found.at) == (Sum(), ahead)


def test_of_a_very_large_tree_the_upper_nodes_are_shown_with_whole_sums() -> None:
    places = family(TREE, "head", *(f"head/n{n}" for n in range(MOST_NODES + 10)))
    shown = view_rules.rolled_up(places, [Placed((p.node_id,), "EUR", 1, 1) for p in places[1:]])
    assert len(shown) == MOST_NODES
    assert shown[0].subtree == Sum(MOST_NODES + 10, {"EUR": MOST_NODES + 10})


@st.composite
def trees(draw: st.DrawFn) -> list[Placement]:
    """A tree, parents before their children."""
    paths: list[tuple[str, ...]] = [("n0",)]
    for n in range(1, draw(st.integers(1, 12))):
        paths.append((*draw(st.sampled_from(paths)), f"n{n}"))
    return sorted(family(TREE, *("/".join(p) for p in paths)), key=lambda p: p.depth)


placed_somewhere = st.builds(
    Placed,
    st.lists(st.sampled_from([f"n{n}" for n in range(12)] + ["x", "y"]), max_size=1).map(tuple),
    st.sampled_from(["", "EUR", "USD"]),
    st.integers(1, 5),
    st.integers(0, 100),
)


@given(trees(), st.lists(placed_somewhere, max_size=10))
def test_all_that_a_customer_has_is_at_the_top_or_elsewhere(places: list[Placement], placed: list[Placed]) -> None:
    nodes = {n.place.node_id: n for n in view_rules.rolled_up(places, placed)}
    for node in nodes.values():
        below = [n for n in nodes.values() if n.place.parent_id == node.place.node_id]
        assert node.subtree.count == node.own.count + sum(n.subtree.count for n in below)
        totals = Counter(node.own.totals)
        for one in below:
            totals.update(one.subtree.totals)
        assert totals == Counter(node.subtree.totals)
    top = nodes["n0"].subtree if "n0" in nodes else Sum()
    rest, whole = view_rules.elsewhere(places, placed), view_rules.added_up(placed)
    assert top.count + rest.count == whole.count
    assert Counter(top.totals) + Counter(rest.totals) == Counter(whole.totals) + Counter()


async def test_an_answer_tells_of_no_more_products_than_a_message_takes_and_its_sums_of_all() -> None:
    told = tuple((f"note_{n}", "ж" * 512) for n in range(64))
    heavy = [replace(priced(1, "lab"), name=f"{n:02}", characteristics=told) for n in range(60)]
    found = await views(*heavy).by_hierarchy(OWNER, TREE.id, "")
    shown = [p.name for p in found.products["lab"]]
    assert 20 < len(shown) < 60
    assert shown == [f"{n:02}" for n in range(len(shown))]
    assert found.nodes[-1].own == Sum(60, {"EUR": 60})
    assert view_wire.hierarchy(found).ByteSize() < LARGEST


@given(strategies.kept_products)
def test_a_product_weighs_at_least_what_its_message_does(kept: Product) -> None:
    assert view_rules.weight(kept) >= wire.message(kept, NOON).ByteSize()


def test_a_product_that_is_too_large_by_itself_is_shown_by_itself() -> None:
    vast = product(characteristics=(("note", "x" * LARGEST),))
    assert view_rules.fitting([vast, vast]) == [vast]
    assert view_rules.fitting([]) == []


async def test_a_sum_that_no_message_holds_is_told_as_the_greatest_that_one_does() -> None:
    shown = views(*(priced(HIGHEST_PRICE, "lab", currency="IRR") for _ in range(9_300)))
    greatest = [types_pb2.Money(currency_code="IRR", micros=2**63 - 1)]
    whole = view_wire.portfolio(await shown.portfolio(OWNER, include_ceased=False), NOON)
    assert list(whole.monthly_total) == greatest
    placed = view_wire.hierarchy(await shown.by_hierarchy(OWNER, TREE.id, ""))
    assert [list(n.subtree.monthly_total) for n in placed.nodes] == [greatest] * 2
    found = view_wire.families(await shown.by_family(OWNER))
    assert list(found.total.monthly_total) == list(found.lines[0].figures.monthly_total) == greatest


async def test_families_stand_under_their_lines_with_counts_prices_and_ends() -> None:
    at = datetime.now(UTC)
    ends = [Term(12, at - timedelta(days=90), at + timedelta(days=days)) for days in (-1, 10, 50, 100, 300)]
    shown = views(
        *(product(OWNER, family="internet", term=term, monthly_price=Money("EUR", 1)) for term in ends),
        product(OWNER, Status.SUSPENDED, family="internet", term=ends[1], monthly_price=Money("USD", 7)),
        product(OWNER, Status.CEASED, family="internet", term=ends[1]),
        product(OWNER, Status.ORDERED, family="leased_line", term=Term(24), monthly_price=None),
        product(OWNER, family="voice", monthly_price=Money("EUR", 2)),
        product(OWNER, family="telex", monthly_price=None),
    )
    found = await shown.by_family(OWNER)
    assert [(v.line, [f.family for f in v.families]) for v in found.lines] == [
        ("broadband", ["internet", "leased_line"]),
        ("other", ["telex"]),
        ("voice", ["voice"]),
    ]
    internet, leased = found.lines[0].families
    assert (internet.title, leased.title) == ("Internet access", "Leased line")
    assert internet.figures.counts == {Status.ACTIVE: 5, Status.SUSPENDED: 1, Status.CEASED: 1}
    assert internet.figures.monthly_total == [Money("EUR", 5), Money("USD", 7)]
    assert internet.figures.ends == {30: 2, 90: 3, 180: 4}
    assert leased.figures.counts == {Status.ORDERED: 1}
    assert (leased.figures.monthly_total, leased.figures.ends) == ([], {30: 0, 90: 0, 180: 0})
    assert found.lines[0].figures.counts[Status.ORDERED] == 1
    assert found.total.counts == {Status.ORDERED: 1, Status.ACTIVE: 7, Status.SUSPENDED: 1, Status.CEASED: 1}
    assert found.total.monthly_total == [Money("EUR", 7), Money("USD", 7)]
    assert found.total.ends == {30: 2, 90: 3, 180: 4}


rows = st.builds(
    FamilyRow,
    st.sampled_from(["voice", "internet", "leased_line", "telex"]),
    st.sampled_from(Status),
    st.sampled_from(["", "EUR"]),
    st.integers(1, 9),
    st.integers(0, 99),
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)),
)


@given(st.lists(rows, max_size=12))
def test_lines_and_families_add_up_to_the_total(found: list[FamilyRow]) -> None:
    lines = view_rules.by_line(found, {f.name: f for f in FAMILIES})
    total = view_rules.figures(found)
    for parts in ([v.figures for v in lines], [f.figures for v in lines for f in v.families]):
        counts, ends, monies = Counter[Status](), Counter[int](), Counter[str]()
        for part in parts:
            counts.update(part.counts)
            ends.update(part.ends)
            monies.update({m.currency: m.micros for m in part.monthly_total})
        assert counts == Counter(total.counts)
        assert ends == Counter(total.ends)
        assert monies == Counter({m.currency: m.micros for m in total.monthly_total})
