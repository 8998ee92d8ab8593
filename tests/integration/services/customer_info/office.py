"""Enterprises with trees and responsibilities, as callers make them."""

from typing import Any

from holdfast.customer_info.v1 import customers_pb2, hierarchy_pb2
from holdfast.customer_info.v1 import responsibilities_pb2 as pb
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from holdfast.customer_info.v1.responsibilities_pb2_grpc import ResponsibilitiesServiceStub

from services.customer_info.responsibilities.rules import DEFAULTS
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import new_uuid

PAT = pb.HolderContact(name="Pat Example", email="PAT@example.com", phone="+49 30 123456")
REQUIRED = sorted(r.name for r in DEFAULTS if r.required)


async def created(customers: CustomersServiceStub, agent: Metadata, wish: customers_pb2.Customer) -> str:
    request = customers_pb2.CreateCustomerRequest(customer=wish)
    return str((await customers.CreateCustomer(request, metadata=agent)).customer.id)


async def planted(trees: HierarchyServiceStub, agent: Metadata, customer_id: str) -> hierarchy_pb2.Tree:
    """A tree without nodes."""
    tree = hierarchy_pb2.Tree(customer_id=customer_id, name=f"Tree {new_uuid()}")
    return (await trees.CreateTree(hierarchy_pb2.CreateTreeRequest(tree=tree), metadata=agent)).tree


async def grown(trees: HierarchyServiceStub, agent: Metadata, tree_id: str) -> list[str]:
    """The ids of a head office, a department below it, and a team below that."""
    ids = [new_uuid() for _ in range(3)]
    names = ("Head office", "Sales", "Field sales")
    nodes = [
        hierarchy_pb2.Node(id=node_id, name=name, parent_id=parent)
        for node_id, name, parent in zip(ids, names, ["", *ids], strict=False)
    ]
    request = hierarchy_pb2.AddNodesRequest(tree_id=tree_id, nodes=nodes)
    await trees.AddNodes(request, metadata=agent)
    return ids


def wish(customer_id: str, node_id: str, responsibility: str = "portfolio_manager", **changes: Any) -> pb.Assignment:
    if "holder_id" not in changes:
        changes.setdefault("contact", PAT)
    return pb.Assignment(customer_id=customer_id, node_id=node_id, responsibility=responsibility, **changes)


async def assigned(duties: ResponsibilitiesServiceStub, agent: Metadata, wanted: pb.Assignment) -> pb.Assignment:
    return (await duties.Assign(pb.AssignRequest(assignment=wanted), metadata=agent)).assignment


async def who_is(
    duties: ResponsibilitiesServiceStub, who: Metadata, node_id: str, responsibility: str, **more: Any
) -> pb.WhoIsResponse:
    return await duties.WhoIs(pb.WhoIsRequest(node_id=node_id, responsibility=responsibility, **more), metadata=who)
