"""The trees of a customer, read whole."""

from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1.query_pb2 import PageRequest, Query
from holdfast.customer_info.v1.customers_pb2 import GetCustomerRequest
from holdfast.customer_info.v1.hierarchy_pb2 import GetSubtreeRequest, GetSubtreeResponse, ListTreesRequest, Tree

from cli.asking import answer
from cli.client import BULK_SECONDS, Client
from cli.console import CommandError

MOST: int = 1000
"""Trees of a customer that are listed."""


async def trees(
    client: Client, customer_id: str, wanted: str | None, as_of: Timestamp | None, levels: int
) -> list[GetSubtreeResponse]:
    """The trees of a customer, or the one of that name or id; each with all of its nodes.

    Raises:
        CommandError: there is no such tree.
        grpc.aio.AioRpcError: there is no such customer.
    """
    request = ListTreesRequest(customer_id=customer_id, query=Query(page=PageRequest(page_size=MOST)))
    listed = (await answer(client, client.hierarchy.ListTrees, request)).trees
    if not listed:
        # Nobody has no trees, too: who is not there is told as such.
        await answer(client, client.customers.GetCustomer, GetCustomerRequest(customer_id=customer_id))
    chosen = [one for one in listed if wanted in (None, one.name, one.id)]
    if wanted is not None and not chosen:
        names = ", ".join(one.name for one in listed) or "none"
        raise CommandError(f"--tree: the customer has no such tree; there are {names}")
    return [await _whole(client, one, as_of, levels) for one in chosen]


async def _whole(client: Client, tree: Tree, as_of: Timestamp | None, levels: int) -> GetSubtreeResponse:
    request = GetSubtreeRequest(customer_id=tree.customer_id, tree_id=tree.id, as_of=as_of, levels=levels)
    whole = GetSubtreeResponse()
    async for piece in client.hierarchy.GetSubtree(request, metadata=client.metadata, timeout=BULK_SECONDS):
        whole.MergeFrom(piece)
    return whole
