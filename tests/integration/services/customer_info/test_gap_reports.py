"""What is not looked after in an enterprise, through a real process, a real socket and a real MongoDB."""

import asyncio
from itertools import pairwise

import grpc
import pytest
from holdfast.customer_info.v1 import customers_pb2, hierarchy_pb2
from holdfast.customer_info.v1 import responsibilities_pb2 as pb
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from holdfast.customer_info.v1.responsibilities_pb2_grpc import ResponsibilitiesServiceStub

from chassis.errors import reason_of
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import bad_fields, company, new_uuid, person
from tests.integration.services.customer_info.office import REQUIRED, assigned, created, grown, planted, who_is, wish

BATCH, BATCHES = 1000, 10


@pytest.fixture
def duties(channel: grpc.aio.Channel) -> ResponsibilitiesServiceStub:
    return ResponsibilitiesServiceStub(channel)


@pytest.fixture
def trees(channel: grpc.aio.Channel) -> HierarchyServiceStub:
    return HierarchyServiceStub(channel)


@pytest.fixture
async def owner(customers: CustomersServiceStub, agent: Metadata) -> str:
    """The id of an enterprise without trees."""
    return await created(customers, agent, company())


async def test_a_report_tells_each_gap_once_where_it_begins(
    duties: ResponsibilitiesServiceStub,
    trees: HierarchyServiceStub,
    customers: CustomersServiceStub,
    agent: Metadata,
    owner: str,
) -> None:
    tree = await planted(trees, agent, owner)
    top, sales, field = await grown(trees, agent, tree.id)
    leaving = await created(customers, agent, person())
    for name in REQUIRED:
        await assigned(duties, agent, wish(owner, top, name))
    lost = await assigned(duties, agent, wish(owner, sales, REQUIRED[0], contact=pb.HolderContact(name="Pat")))
    gone = await assigned(duties, agent, wish(owner, field, REQUIRED[1], holder_id=leaving))
    await assigned(duties, agent, wish(owner, field, "order_approver"))
    closed = customers_pb2.ChangeCustomerStatusRequest(customer_id=leaving, status=customers_pb2.CUSTOMER_STATUS_CLOSED)
    await customers.ChangeCustomerStatus(closed, metadata=agent)
    await assigned(duties, agent, wish(owner, sales, "cost_centre_owner"))
    report = await duties.GapReport(pb.GapReportRequest(customer_id=owner), metadata=agent)
    assert (report.node_count, report.gap_count) == (3, len(report.gaps))
    told = {(g.node_id, g.responsibility, g.kind, g.nodes, tuple(g.assignment_ids)) for g in report.gaps}
    needed = {"invoice_distributor", "invoice_sorter", "invoice_collector"} - set(REQUIRED)
    assert told == {
        (sales, REQUIRED[0], pb.GAP_KIND_UNREACHABLE, 2, (lost.id,)),
        (field, REQUIRED[1], pb.GAP_KIND_LEFT, 1, (gone.id,)),
        *((sales, name, pb.GAP_KIND_NO_HOLDER, 2, ()) for name in needed),
    }
    of_sales = next(g for g in report.gaps if g.responsibility == "invoice_sorter")
    assert list(of_sales.path) == ["Head office", "Sales"]
    assert list(of_sales.needed_by) == ["cost_centre_owner"]
    with pytest.raises(grpc.aio.AioRpcError) as missing:
        await duties.GapReport(pb.GapReportRequest(customer_id=owner, tree_id=new_uuid()), metadata=agent)
    assert missing.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_tree_of_ten_thousand_nodes_is_reported_in_one_call(
    duties: ResponsibilitiesServiceStub, trees: HierarchyServiceStub, agent: Metadata, owner: str
) -> None:
    tree = await planted(trees, agent, owner)
    heads = [new_uuid() for _ in range(BATCHES)]
    for head in heads:
        nodes = [hierarchy_pb2.Node(id=head, name="Site")]
        nodes += [hierarchy_pb2.Node(id=new_uuid(), name="Desk", parent_id=head) for _ in range(BATCH - 1)]
        await trees.AddNodes(hierarchy_pb2.AddNodesRequest(tree_id=tree.id, nodes=nodes), metadata=agent, timeout=30)
    await assigned(duties, agent, wish(owner, heads[0], REQUIRED[0]))
    request = pb.GapReportRequest(customer_id=owner, tree_id=tree.id)
    report = await duties.GapReport(request, metadata=agent, timeout=30)
    assert report.node_count == BATCH * BATCHES
    of_tree = {(g.responsibility, g.nodes) for g in report.gaps if not g.node_id}
    assert of_tree == {(name, BATCH * BATCHES) for name in REQUIRED[1:]}
    by_site = {(g.node_id, g.responsibility, g.nodes) for g in report.gaps if g.node_id}
    assert by_site == {(head, REQUIRED[0], BATCH) for head in heads[1:]}


async def test_a_holder_is_told_as_it_stood_at_the_time_asked_about(
    duties: ResponsibilitiesServiceStub,
    trees: HierarchyServiceStub,
    customers: CustomersServiceStub,
    agent: Metadata,
    owner: str,
) -> None:
    tree = await planted(trees, agent, owner)
    top, *_ = await grown(trees, agent, tree.id)
    ada = await created(customers, agent, person())
    kept = await assigned(duties, agent, wish(owner, top, holder_id=ada))
    closed = customers_pb2.ChangeCustomerStatusRequest(customer_id=ada, status=customers_pb2.CUSTOMER_STATUS_CLOSED)
    await customers.ChangeCustomerStatus(closed, metadata=agent)
    then = await who_is(duties, agent, top, "portfolio_manager", as_of=kept.start)
    today = await who_is(duties, agent, top, "portfolio_manager")
    standings = [answer.answer.holders[0].standing for answer in (then, today)]
    assert standings == [pb.HOLDER_STANDING_REACHABLE, pb.HOLDER_STANDING_LEFT]
    for as_of, gap in ((kept.start, False), (None, True)):
        report = await duties.GapReport(pb.GapReportRequest(customer_id=owner, as_of=as_of), metadata=agent)
        assert ("portfolio_manager" in {g.responsibility for g in report.gaps}) is gap


async def test_a_report_of_many_gaps_in_a_deep_tree_comes_in_pages_that_a_usual_client_takes(
    duties: ResponsibilitiesServiceStub, trees: HierarchyServiceStub, agent: Metadata, owner: str
) -> None:
    tree = await planted(trees, agent, owner)
    long = "Abteilung für Öffentlichkeit und Übriges " * 3
    chain = [hierarchy_pb2.Node(id=new_uuid(), name=long) for _ in range(31)]
    for above, node in pairwise(chain):
        node.parent_id = above.id
    leaves = [hierarchy_pb2.Node(id=new_uuid(), name=long, parent_id=chain[-1].id) for _ in range(BATCH)]
    for nodes in (chain, leaves):
        await trees.AddNodes(hierarchy_pb2.AddNodesRequest(tree_id=tree.id, nodes=nodes), metadata=agent, timeout=30)
    # Nobody can be reached in one of the leaves, and a hundred of them at a time: each is a gap of its own.
    silent = pb.HolderContact(name="Pat")
    for n in range(0, BATCH, 100):
        await asyncio.gather(
            *(assigned(duties, agent, wish(owner, leaf.id, contact=silent)) for leaf in leaves[n : n + 100])
        )
    request = pb.GapReportRequest(customer_id=owner)
    told: list[tuple[str, str]] = []
    pages = []
    while True:
        answer = await duties.GapReport(request, metadata=agent, timeout=30)
        assert answer.ByteSize() < 4 * 1024 * 1024
        pages.append(answer)
        told += [(g.node_id, g.responsibility) for g in answer.gaps]
        if not answer.page.next_page_token:
            break
        request.page.page_token = answer.page.next_page_token
    assert len(pages) > 1
    assert len({(p.gap_count, p.as_of.ToNanoseconds()) for p in pages}) == 1
    assert len(told) == len(set(told)) == pages[0].gap_count
    assert {node for node, name in told if name == "portfolio_manager"} == {chain[0].id, *(leaf.id for leaf in leaves)}
    request.tree_id = tree.id
    with pytest.raises(grpc.aio.AioRpcError) as foreign:
        await duties.GapReport(request, metadata=agent)
    assert (reason_of(foreign.value), bad_fields(foreign.value)) == ("INVALID_PAGE_TOKEN", ["page.page_token"])
