"""`AccountsService`: protobuf in, protobuf out."""

from typing import Any

from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import accounts_pb2 as pb
from holdfast.customer_info.v1 import accounts_pb2_grpc

from chassis.app import App
from chassis.call import current
from chassis.query.selection import selection
from services.customer_info.accounts import wire
from services.customer_info.accounts.request_rules import Actor
from services.customer_info.accounts.usecases import AccountUseCases
from services.customer_info.wire import asked_for


class AccountsHandlers(accounts_pb2_grpc.AccountsServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: AccountUseCases) -> None:
        self._usecases = usecases

    async def RequestAccount(self, request: pb.RequestAccountRequest, _: Any) -> pb.RequestAccountResponse:
        """Takes a request."""
        made = await self._usecases.ask(wire.wish(request), actor(), request.request_id, asked_for(request))
        return pb.RequestAccountResponse(request=wire.request_message(made))

    async def ApproveRequest(self, request: pb.ApproveRequestRequest, _: Any) -> pb.ApproveRequestResponse:
        """Approves a request and applies it."""
        after, account = await self._usecases.approve(
            request.customer_id, request.account_request_id, request.etag, request.note, actor()
        )
        return pb.ApproveRequestResponse(request=wire.request_message(after), account=wire.message(account))

    async def RejectRequest(self, request: pb.RejectRequestRequest, _: Any) -> pb.RejectRequestResponse:
        """Turns a request down."""
        after = await self._usecases.reject(
            request.customer_id, request.account_request_id, request.etag, request.note, actor()
        )
        return pb.RejectRequestResponse(request=wire.request_message(after))

    async def WithdrawRequest(self, request: pb.WithdrawRequestRequest, _: Any) -> pb.WithdrawRequestResponse:
        """Takes a request back."""
        after = await self._usecases.withdraw(
            request.customer_id, request.account_request_id, request.etag, request.note, actor()
        )
        return pb.WithdrawRequestResponse(request=wire.request_message(after))

    async def GetRequest(self, request: pb.GetRequestRequest, _: Any) -> pb.GetRequestResponse:
        """Reads one request."""
        found = await self._usecases.get_request(request.customer_id, request.account_request_id)
        return pb.GetRequestResponse(request=wire.request_message(found))

    async def ListRequests(self, request: pb.ListRequestsRequest, _: Any) -> pb.ListRequestsResponse:
        """Reads a page of requests."""
        found, token = await self._usecases.requests(request.customer_id, selection(request.query))
        return pb.ListRequestsResponse(
            requests=[wire.request_message(r) for r in found], page=query_pb2.PageResponse(next_page_token=token)
        )

    async def GetAccount(self, request: pb.GetAccountRequest, _: Any) -> pb.GetAccountResponse:
        """Reads one account."""
        return pb.GetAccountResponse(
            account=wire.message(await self._usecases.get(request.customer_id, request.account_id))
        )

    async def ListAccounts(self, request: pb.ListAccountsRequest, _: Any) -> pb.ListAccountsResponse:
        """Reads a page of accounts."""
        found, token = await self._usecases.page(request.customer_id, selection(request.query))
        return pb.ListAccountsResponse(
            accounts=[wire.message(a) for a in found], page=query_pb2.PageResponse(next_page_token=token)
        )


def actor() -> Actor:
    """Who makes the call that is being served."""
    call = current()
    assert call is not None, "a handler serves a call"
    assert call.caller is not None, "authentication stands before every handler"
    return Actor(call.caller.subject, call.caller.roles, call.caller.customer_id)


def install(app: App, usecases: AccountUseCases) -> None:
    """Serves `AccountsService`."""
    descriptor = pb.DESCRIPTOR.services_by_name["AccountsService"]
    app.serve(accounts_pb2_grpc.add_AccountsServiceServicer_to_server, AccountsHandlers(usecases), descriptor)
