"""`PrivacyService`: protobuf in, protobuf out."""

from collections.abc import AsyncIterator
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from holdfast.gateway.v1 import privacy_pb2 as pb
from holdfast.gateway.v1 import privacy_pb2_grpc

from gateway.privacy.usecases import Export


class PrivacyHandlers(privacy_pb2_grpc.PrivacyServiceServicer):
    """Translates between the contract and the use case."""

    def __init__(self, export: Export) -> None:
        self._export = export

    async def ExportCustomer(self, request: pb.ExportCustomerRequest, _: Any) -> AsyncIterator[HttpBody]:
        """Streams everything held on a customer."""
        async for piece in self._export.tell(request.customer_id):
            yield HttpBody(content_type="application/json", data=piece)
