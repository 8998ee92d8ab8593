"""The views of a portfolio as messages: part of the handlers' door, kept apart for its length."""

from datetime import datetime

from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import portfolio_pb2 as pb

from chassis.times import to_timestamp
from services.customer_info.portfolio.view_rules import Figures, LineView, NodeSums, Sum
from services.customer_info.portfolio.view_usecases import FamilyPortfolio, HierarchyPortfolio, Portfolio
from services.customer_info.portfolio.wire import STATUSES, message
from services.customer_info.wire import totals_messages


def portfolio(found: Portfolio, at: datetime) -> pb.GetPortfolioResponse:
    """The provider's view."""
    return pb.GetPortfolioResponse(
        products=[message(p, at) for p in found.products],
        monthly_total=totals_messages(found.monthly_total),
        page=query_pb2.PageResponse(next_page_token=found.next_page_token) if found.next_page_token else None,
    )


def hierarchy(found: HierarchyPortfolio) -> pb.GetHierarchyPortfolioResponse:
    """The customer's view."""
    return pb.GetHierarchyPortfolioResponse(
        nodes=[_node(node, found) for node in found.nodes],
        elsewhere=None if found.elsewhere is None else _sum(found.elsewhere),
        as_of_time=to_timestamp(found.at),
    )


def families(found: FamilyPortfolio) -> pb.GetFamilyPortfolioResponse:
    """The view across all products."""
    return pb.GetFamilyPortfolioResponse(
        lines=[_line(line) for line in found.lines], total=_figures(found.total), as_of_time=to_timestamp(found.at)
    )


def _node(node: NodeSums, found: HierarchyPortfolio) -> pb.NodePortfolio:
    place = node.place
    return pb.NodePortfolio(
        node_id=place.node_id,
        parent_id=place.parent_id,
        name=place.name,
        kind=place.kind.value,
        products=[message(p, found.at) for p in found.products.get(place.node_id, ())],
        own=_sum(node.own),
        subtree=_sum(node.subtree),
    )


def _line(view: LineView) -> pb.LinePortfolio:
    return pb.LinePortfolio(
        line=view.line,
        families=[
            pb.FamilyPortfolio(family=f.family, title=f.title, figures=_figures(f.figures)) for f in view.families
        ],
        figures=_figures(view.figures),
    )


def _figures(figures: Figures) -> pb.PortfolioFigures:
    return pb.PortfolioFigures(
        counts=[pb.StatusCount(status=STATUSES[s], products=n) for s, n in figures.counts.items()],
        monthly_total=totals_messages(figures.monthly_total),
        commitment_ends=[pb.CommitmentEnds(days=days, products=n) for days, n in figures.ends.items()],
    )


def _sum(figures: Sum) -> pb.PortfolioSum:
    return pb.PortfolioSum(products=figures.count, monthly_total=totals_messages(figures.monies))
