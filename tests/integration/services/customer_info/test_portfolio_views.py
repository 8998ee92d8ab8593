"""The views of a portfolio through a real process, a real socket and a real MongoDB."""

import itertools
import time

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1 import query_pb2, types_pb2
from holdfast.customer_info.v1 import customers_pb2, hierarchy_pb2, merges_pb2
from holdfast.customer_info.v1 import portfolio_pb2 as pb
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from holdfast.customer_info.v1.merges_pb2_grpc import MergesServiceStub
from holdfast.customer_info.v1.portfolio_pb2_grpc import PortfolioServiceStub

from chassis.errors import reason_of
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import (
    bad_fields,
    metadata_of,
    new_uuid,
    person,
    product,
    product_batches,
)
from tests.support.service import Keys

DAY = 86_400


class House:
    """A customer with a tree of departments, of which one is below another."""

    def __init__(self, channel: grpc.aio.Channel, agent: Metadata) -> None:
        self.customers, self.trees = CustomersServiceStub(channel), HierarchyServiceStub(channel)
        self.portfolio, self.agent = PortfolioServiceStub(channel), agent
        self.sales, self.berlin, self.lab = new_uuid(), new_uuid(), new_uuid()
        self.owner = self.tree = ""

    async def build(self) -> "House":
        request = customers_pb2.CreateCustomerRequest(customer=person())
        self.owner = (await self.customers.CreateCustomer(request, metadata=self.agent)).customer.id
        self.tree = await self.grow(
            hierarchy_pb2.Node(id=self.sales, name="Sales", kind=hierarchy_pb2.NODE_KIND_DEPARTMENT),
            hierarchy_pb2.Node(id=self.berlin, name="Berlin", parent_id=self.sales),
            hierarchy_pb2.Node(id=self.lab, name="Laboratory"),
        )
        return self

    async def grow(self, *nodes: hierarchy_pb2.Node) -> str:
        """A new tree of this customer with these nodes; its id."""
        wish = hierarchy_pb2.Tree(customer_id=self.owner, name=new_uuid())
        made = (await self.trees.CreateTree(hierarchy_pb2.CreateTreeRequest(tree=wish), metadata=self.agent)).tree
        request = hierarchy_pb2.AddNodesRequest(tree_id=made.id, nodes=nodes)
        await self.trees.AddNodes(request, metadata=self.agent)
        return str(made.id)

    async def add(self, *node_ids: str, euros: int = 1, **changes: object) -> pb.Product:
        """A product of this customer, placed at these nodes."""
        price = types_pb2.Money(currency_code="EUR", micros=euros * 1_000_000)
        wish = product(self.owner, node_ids=node_ids, monthly_price=price, **changes)
        return (await self.portfolio.AddProduct(pb.AddProductRequest(product=wish), metadata=self.agent)).product

    async def seen(self, metadata: Metadata | None = None, **changes: str) -> pb.GetHierarchyPortfolioResponse:
        wanted = {"customer_id": self.owner, "tree_id": self.tree, **changes}
        request = pb.GetHierarchyPortfolioRequest(**wanted)
        return await self.portfolio.GetHierarchyPortfolio(request, metadata=metadata or self.agent)


@pytest.fixture
async def house(channel: grpc.aio.Channel, agent: Metadata) -> House:
    return await House(channel, agent).build()


def euros(figures: pb.PortfolioSum) -> tuple[int, int]:
    """How many products, and their price in euros."""
    return figures.products, sum(m.micros for m in figures.monthly_total) // 1_000_000


async def test_a_customer_sees_its_products_where_they_stand(house: House, keys: Keys) -> None:
    sales, berlin = await house.add(house.sales), await house.add(house.berlin, euros=2)
    await house.add(euros=4)
    ended = await house.add(house.lab, euros=8)
    ceased = pb.ChangeProductStatusRequest(product_id=ended.id, status=pb.PRODUCT_STATUS_CEASED)
    await house.portfolio.ChangeProductStatus(ceased, metadata=house.agent)
    found = await house.seen(keys.metadata("customer", customer_id=house.owner))
    assert [(n.node_id, n.parent_id, n.name, n.kind) for n in found.nodes] == [
        (house.sales, "", "Sales", "department"),
        (house.berlin, house.sales, "Berlin", "other"),
    ]
    assert [list(n.products) for n in found.nodes] == [[sales], [berlin]]
    assert [(euros(n.own), euros(n.subtree)) for n in found.nodes] == [((1, 1), (2, 3)), ((1, 2), (1, 2))]
    assert euros(found.elsewhere) == (1, 4)
    part = await house.seen(node_id=house.berlin)
    assert [n.node_id for n in part.nodes] == [house.berlin]
    assert not part.HasField("elsewhere")
    query = query_pb2.Query(predicates=[query_pb2.Predicate(field="node_id", values=[house.berlin])])
    listed = await house.portfolio.ListProducts(pb.ListProductsRequest(query=query), metadata=house.agent)
    assert list(listed.products) == [berlin]


async def test_a_moved_node_takes_its_products_along(house: House) -> None:
    await house.add(house.berlin)
    move = hierarchy_pb2.MoveNodeRequest(tree_id=house.tree, node_id=house.berlin, parent_id=house.lab)
    await house.trees.MoveNode(move, metadata=house.agent)
    found = await house.seen()
    assert {n.node_id: euros(n.subtree) for n in found.nodes} == {house.lab: (1, 1), house.berlin: (1, 1)}


async def test_a_node_that_ends_leaves_its_products_elsewhere(house: House) -> None:
    await house.add(house.lab)
    end = hierarchy_pb2.EndNodeRequest(tree_id=house.tree, node_id=house.lab)
    await house.trees.EndNode(end, metadata=house.agent)
    found = await house.seen()
    assert not found.nodes
    assert euros(found.elsewhere) == (1, 1)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await house.seen(node_id=house.lab)
    assert metadata_of(refused.value) == {"type": "node", "id": house.lab}
    with pytest.raises(grpc.aio.AioRpcError) as late:
        await house.add(house.lab)
    assert reason_of(late.value) == "NOT_FOUND"


async def test_a_product_stands_at_one_node_of_each_tree(house: House, channel: grpc.aio.Channel) -> None:
    site = new_uuid()
    sites = await house.grow(hierarchy_pb2.Node(id=site, name="Site"))
    kept = await house.add(house.lab, site)
    assert [euros(n.own) for n in (await house.seen(tree_id=sites)).nodes] == [(1, 1)]
    wish = pb.Product(id=kept.id, node_ids=[house.lab, house.sales])
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await house.portfolio.UpdateProduct(pb.UpdateProductRequest(product=wish), metadata=house.agent)
    assert bad_fields(refused.value) == ["product.node_ids[1]"]
    other = await House(channel, house.agent).build()
    for attempt in (other.add(house.lab), other.seen(tree_id=house.tree)):
        with pytest.raises(grpc.aio.AioRpcError) as foreign:
            await attempt
        assert reason_of(foreign.value) == "NOT_FOUND"


async def test_a_portfolio_that_no_message_takes_is_told_page_by_page_and_in_the_tree_as_far_as_one_does(
    house: House, loader: Metadata
) -> None:
    rows = [product(house.owner, id=new_uuid(), family="voice", node_ids=[house.lab]) for _ in range(300)]
    for row, n in itertools.product(rows, range(40)):
        row.characteristics.add(name=f"note_{n}", value="x" * 500)
    done = await house.portfolio.ImportProducts(product_batches(rows, 100), metadata=loader)
    assert done.summary.created == 300
    seen, token = [], ""
    while True:
        wanted = pb.GetPortfolioRequest(customer_id=house.owner, page=query_pb2.PageRequest(page_token=token))
        found = await house.portfolio.GetPortfolio(wanted, metadata=house.agent)
        seen += [p.id for p in found.products]
        assert [m.micros for m in found.monthly_total] == [300 * 29_850_000]
        token = found.page.next_page_token
        if not token:
            break
    assert sorted(seen) == sorted(row.id for row in rows)
    (lab,) = (await house.seen()).nodes
    assert 50 < len(lab.products) < 300
    assert lab.own.products == 300


async def test_a_customer_sees_nobody_elses_views(house: House, keys: Keys) -> None:
    other = keys.metadata("customer", customer_id=new_uuid())
    request = pb.GetFamilyPortfolioRequest(customer_id=house.owner)
    for attempt in (house.seen(other), house.portfolio.GetFamilyPortfolio(request, metadata=other)):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await attempt
        assert reason_of(refused.value) == "NOT_OWN_CUSTOMER"


async def test_all_products_are_counted_by_line_and_family(house: House, keys: Keys) -> None:
    soon = Timestamp(seconds=int(time.time()) + 60 * DAY)
    term = pb.ContractTerm(months=24, commitment=types_pb2.Period(end=soon))
    await house.add(family="internet", euros=5, term=term)
    await house.add(family="broadband", euros=7, status=pb.PRODUCT_STATUS_ORDERED)
    await house.add(family="mobile", euros=9)
    request = pb.GetFamilyPortfolioRequest(customer_id=house.owner)
    own = keys.metadata("customer", customer_id=house.owner)
    found = await house.portfolio.GetFamilyPortfolio(request, metadata=own)
    assert [(v.line, [(f.family, f.title) for f in v.families]) for v in found.lines] == [
        ("broadband", [("broadband", "Broadband"), ("internet", "Internet access")]),
        ("mobile", [("mobile", "Mobile")]),
    ]
    broadband = found.lines[0].figures
    assert [(c.status, c.products) for c in broadband.counts] == [
        (pb.PRODUCT_STATUS_ORDERED, 1),
        (pb.PRODUCT_STATUS_ACTIVE, 1),
    ]
    assert [m.micros for m in broadband.monthly_total] == [12_000_000]
    assert [(e.days, e.products) for e in broadband.commitment_ends] == [(30, 0), (90, 1), (180, 1)]
    assert [m.micros for m in found.total.monthly_total] == [21_000_000]
    assert sum(c.products for c in found.total.counts) == 3


async def test_what_came_under_a_merged_record_is_in_every_view_of_both_until_they_are_parted(
    house: House, channel: grpc.aio.Channel, keys: Keys
) -> None:
    other, merges = await House(channel, house.agent).build(), MergesServiceStub(channel)
    supervisor = keys.metadata("supervisor")
    own, theirs = await house.add(house.lab), await other.add(other.lab, euros=2)

    async def shown(customer_id: str) -> tuple[set[str], int, int]:
        """The products of the first view, the euros in the other's tree in the second, the products of the third."""
        wanted = pb.GetPortfolioRequest(customer_id=customer_id)
        whole = await house.portfolio.GetPortfolio(wanted, metadata=house.agent)
        placed = await other.seen(customer_id=customer_id)
        families = await house.portfolio.GetFamilyPortfolio(
            pb.GetFamilyPortfolioRequest(customer_id=customer_id), metadata=house.agent
        )
        counted = sum(c.products for c in families.total.counts)
        return {p.id for p in whole.products}, euros(placed.nodes[0].subtree)[1], counted

    request = merges_pb2.MergeRequest(survivor_id=house.owner, duplicate_id=other.owner)
    await merges.Merge(request, metadata=supervisor)
    for customer_id in (house.owner, other.owner):
        assert await shown(customer_id) == ({own.id, theirs.id}, 2, 2)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await other.add()
    assert (reason_of(refused.value), metadata_of(refused.value)) == ("MERGED", {"survivor_id": house.owner})
    # A node of either tree is the customer's own.
    await house.add(other.lab, house.lab, euros=4)
    assert (await shown(house.owner))[1:] == (6, 3)
    await merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=other.owner), metadata=supervisor)
    assert await shown(other.owner) == ({theirs.id}, 2, 1)
