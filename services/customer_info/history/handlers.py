"""`HistoryService`: protobuf in, protobuf out."""

from typing import Any

from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import history_pb2 as pb
from holdfast.customer_info.v1 import history_pb2_grpc

from chassis.app import App
from chassis.call import as_customer, current
from chassis.query.selection import DEFAULT_PAGE_SIZE
from chassis.times import moment
from services.customer_info.history import wire
from services.customer_info.history.rules import TRUSTED, Sight
from services.customer_info.history.usecases import HistoryUseCases


class HistoryHandlers(history_pb2_grpc.HistoryServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: HistoryUseCases) -> None:
        self._usecases = usecases

    async def ListChanges(self, request: pb.ListChangesRequest, _: Any) -> pb.ListChangesResponse:
        """Tells a page of changes."""
        found, token = await self._usecases.changes(
            request.customer_id,
            request.kinds,
            request.page.page_size or DEFAULT_PAGE_SIZE,
            request.page.page_token,
            sight(),
        )
        return pb.ListChangesResponse(
            changes=[wire.change_message(c) for c in found], page=query_pb2.PageResponse(next_page_token=token)
        )

    async def GetRecord(self, request: pb.GetRecordRequest, _: Any) -> pb.GetRecordResponse:
        """Reads one record."""
        at = moment(request, "as_of", "as_of")
        found = await self._usecases.record(request.customer_id, request.kind, request.record_id, at, sight())
        return wire.record_message(found)


def sight() -> Sight:
    """What who makes the call that is being served may see of personal values."""
    call = current()
    assert call is not None, "a handler serves a call"
    assert call.caller is not None, "authentication stands before every handler"
    if as_customer():
        return Sight.OWN
    return Sight.NOTHING if TRUSTED.isdisjoint(call.caller.roles) else Sight.ALL


def install(app: App, usecases: HistoryUseCases) -> None:
    """Serves the noun."""
    app.serve(
        history_pb2_grpc.add_HistoryServiceServicer_to_server,
        HistoryHandlers(usecases),
        pb.DESCRIPTOR.services_by_name["HistoryService"],
    )
