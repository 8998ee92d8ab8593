"""Accounts of one customer, as callers ask for them and decide about them."""

from holdfast.customer_info.v1 import accounts_pb2 as pb
from holdfast.customer_info.v1.accounts_pb2_grpc import AccountsServiceStub

from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import new_uuid
from tests.support.service import Keys


class Books:
    """Calls the service about one customer's accounts: `tester` asks, and `sue` decides."""

    def __init__(self, stub: AccountsServiceStub, keys: Keys, customer_id: str) -> None:
        self.stub, self.customer_id = stub, customer_id
        self.agent = keys.metadata("agent")
        self.supervisor = keys.metadata("supervisor", subject="sue")

    async def asked(self, wish: pb.RequestAccountRequest, who: Metadata | None = None) -> pb.AccountRequest:
        wish.customer_id = self.customer_id
        return (await self.stub.RequestAccount(wish, metadata=who or self.agent)).request

    async def approved(self, request: pb.AccountRequest, who: Metadata | None = None) -> pb.Account:
        decision = pb.ApproveRequestRequest(customer_id=request.customer_id, account_request_id=request.id)
        return (await self.stub.ApproveRequest(decision, metadata=who or self.supervisor)).account

    async def opened(self) -> pb.Account:
        """A billing account in use."""
        content = pb.AccountContent(name="Head office", number=f"B-{new_uuid()}", currency_code="EUR")
        set_up = pb.AccountSetUp(kind=pb.ACCOUNT_KIND_BILLING_ACCOUNT, content=content)
        return await self.approved(await self.asked(pb.RequestAccountRequest(set_up=set_up)))

    async def read(self, request: pb.AccountRequest) -> pb.AccountRequest:
        found = pb.GetRequestRequest(account_request_id=request.id)
        return (await self.stub.GetRequest(found, metadata=self.agent)).request


def close(account: pb.Account) -> pb.RequestAccountRequest:
    return pb.RequestAccountRequest(close=pb.AccountClosure(account_id=account.id))
