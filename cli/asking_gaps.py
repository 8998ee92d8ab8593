"""The gap report of an enterprise, read whole."""

from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.customer_info.v1.responsibilities_pb2 import GapReportRequest, GapReportResponse

from cli.client import BULK_SECONDS, Client


async def gap_report(client: Client, customer_id: str, as_of: Timestamp | None) -> GapReportResponse:
    """All that is not looked after in the trees of a customer, from however many pages it takes."""
    request = GapReportRequest(customer_id=customer_id, as_of=as_of)
    method = client.responsibilities.GapReport
    whole = answer = await method(request, metadata=client.metadata, timeout=BULK_SECONDS)
    while answer.page.next_page_token:
        request.page.page_token = answer.page.next_page_token
        answer = await method(request, metadata=client.metadata, timeout=BULK_SECONDS)
        whole.gaps.extend(answer.gaps)
    whole.ClearField("page")
    return whole
