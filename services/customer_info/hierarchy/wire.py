"""Trees between protobuf and the rules' dataclasses: part of the handlers' door, kept apart for its length."""

from collections.abc import Sequence
from datetime import datetime

from google.protobuf.field_mask_pb2 import FieldMask
from holdfast.common.v1 import types_pb2
from holdfast.customer_info.v1 import hierarchy_pb2 as pb

from chassis.etag import etag
from chassis.times import to_timestamp
from services.customer_info.customers.rules import Money
from services.customer_info.hierarchy.figure_rules import Sums, too_many
from services.customer_info.hierarchy.rules import (
    FOREVER,
    UPDATABLE,
    Change,
    Kind,
    Node,
    Placement,
    Reference,
    Tree,
    View,
)
from services.customer_info.wire import masked, stamp, totals_messages

VIEWS = {v: pb.TreeView.Value(f"TREE_VIEW_{v.name}") for v in View}
KINDS = {k: pb.NodeKind.Value(f"NODE_KIND_{k.name}") for k in Kind}
CHANGES = {c: pb.NodesChanged.Change.Value(f"CHANGE_{c.name}") for c in Change}
# What an answer with figures may take: a gRPC client takes 4 MiB unless it says otherwise, and the edge as much JSON,
# which is about twice as long.
MOST_BYTES = 2 * 1024 * 1024
_VIEW = {number: view for view, number in VIEWS.items()}
_KIND = {number: kind for kind, number in KINDS.items()}


def tree(message: pb.Tree) -> Tree:
    """The tree that a validated message describes."""
    return Tree(message.id, message.customer_id, message.name, _VIEW.get(message.view, View.CUSTOMER))


def node(message: pb.Node) -> Node:
    """The node that a validated message describes."""
    reference = Reference(message.reference.type, message.reference.id) if message.HasField("reference") else None
    return Node(message.id, message.name, _KIND.get(message.kind, Kind.OTHER), message.parent_id, reference)


def tree_names(mask: FieldMask) -> None:
    """Passes a mask that names nothing but what a tree may change.

    Raises:
        Invalid: it names something else.
    """
    masked(mask, pb.Tree(), ("name",))


def node_names(mask: FieldMask, message: pb.Node) -> frozenset[str]:
    """The fields that an update is about: those of the mask or, without one, those that are set.

    Raises:
        Invalid: the mask names a field that cannot be updated.
    """
    return frozenset(masked(mask, message, UPDATABLE))


def tree_message(kept: Tree) -> pb.Tree:
    """A tree as it goes to a caller."""
    return pb.Tree(
        id=kept.id,
        etag=etag(kept.version),
        customer_id=kept.customer_id,
        name=kept.name,
        view=VIEWS[kept.view],
        create_time=stamp(kept.create_time),
        update_time=stamp(kept.update_time),
    )


def node_message(kept: Placement) -> pb.Node:
    """A node as it is in a span of time, as it goes to a caller."""
    out = pb.Node(
        id=kept.node_id,
        parent_id=kept.parent_id,
        name=kept.name,
        kind=KINDS[kept.kind],
        depth=kept.depth,
        valid=types_pb2.Period(
            start=to_timestamp(kept.start), end=to_timestamp(kept.end) if kept.end < FOREVER else None
        ),
    )
    if kept.reference:
        out.reference.type, out.reference.id = kept.reference.type, kept.reference.id
    return out


def sums_message(sums: Sums) -> pb.RolledUp:
    """What stands in a node and below it, as it goes to a caller."""
    return pb.RolledUp(
        node=node_message(sums.node) if sums.node else None,
        descendants=[pb.KindCount(kind=KINDS[k], count=sums.descendants[k]) for k in Kind if sums.descendants[k]],
        products=sums.products,
        monthly_total=totals_messages(Money(currency, micros) for currency, micros in sorted(sums.totals.items())),
    )


def roll_up_message(told: Sequence[Sums]) -> pb.RollUpResponse:
    """The sums of a part of a tree, then those of each node that is told of, as they go to a caller.

    Raises:
        Invalid: together they are more than a client takes.
    """
    total, *nodes = told
    answer = pb.RollUpResponse(total=sums_message(total), nodes=[sums_message(s) for s in nodes])
    if answer.ByteSize() > MOST_BYTES:
        raise too_many(len(nodes), f"{MOST_BYTES // 1024**2} MiB of them")
    return answer


def created_event(kept: Tree) -> pb.TreeCreated:
    """What is told of a new tree: not its name."""
    return pb.TreeCreated(tree_id=kept.id, customer_id=kept.customer_id, view=VIEWS[kept.view])


def changed_event(kept: Tree, change: Change, node_ids: Sequence[str], at: datetime) -> pb.NodesChanged:
    """What is told of nodes that changed: not their names."""
    return pb.NodesChanged(
        tree_id=kept.id,
        customer_id=kept.customer_id,
        change=CHANGES[change],
        node_ids=node_ids,
        effective_time=to_timestamp(at),
    )
