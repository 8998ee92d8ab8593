"""`CustomersService`: protobuf in, protobuf out."""

from collections.abc import AsyncIterator
from typing import Any

from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import customers_pb2 as pb
from holdfast.customer_info.v1 import customers_pb2_grpc

from chassis.bulk import Tally
from chassis.query.selection import selection
from services.customer_info.customers import wire
from services.customer_info.customers.rules import MediumKind, external_key, medium_key
from services.customer_info.customers.usecases import CustomerUseCases
from services.customer_info.loading import note


class CustomersHandlers(customers_pb2_grpc.CustomersServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: CustomerUseCases) -> None:
        self._usecases = usecases

    async def CreateCustomer(self, request: pb.CreateCustomerRequest, _: Any) -> pb.CreateCustomerResponse:
        """Makes a customer."""
        content = request.customer.SerializeToString(deterministic=True)
        made = await self._usecases.create(wire.customer(request.customer), request.request_id, content)
        return pb.CreateCustomerResponse(customer=wire.message(made))

    async def GetCustomer(self, request: pb.GetCustomerRequest, _: Any) -> pb.GetCustomerResponse:
        """Reads one customer."""
        return pb.GetCustomerResponse(customer=wire.message(await self._usecases.get(request.customer_id)))

    async def LookupCustomer(self, request: pb.LookupCustomerRequest, _: Any) -> pb.LookupCustomerResponse:
        """Finds the customer an identifier belongs to."""
        which = request.WhichOneof("identifier")
        if which == "customer_id":
            found = await self._usecases.get(request.customer_id)
        elif which == "external_id":
            found = await self._usecases.look_up(external_key(request.external_id.issuer, request.external_id.value))
        elif which == "email":
            found = await self._usecases.look_up(medium_key(MediumKind.EMAIL, request.email.lower()))
        else:
            found = await self._usecases.look_up(medium_key(MediumKind.PHONE, request.phone))
        return pb.LookupCustomerResponse(customer=wire.message(found))

    async def ListCustomers(self, request: pb.ListCustomersRequest, _: Any) -> pb.ListCustomersResponse:
        """Reads a page of customers."""
        customers, token = await self._usecases.page(selection(request.query))
        return pb.ListCustomersResponse(
            customers=[wire.message(c) for c in customers], page=query_pb2.PageResponse(next_page_token=token)
        )

    async def UpdateCustomer(self, request: pb.UpdateCustomerRequest, _: Any) -> pb.UpdateCustomerResponse:
        """Changes the fields of a mask."""
        names = wire.names(request.update_mask, request.customer)
        after = await self._usecases.update(wire.customer(request.customer), names, request.customer.etag)
        return pb.UpdateCustomerResponse(customer=wire.message(after))

    async def ChangeCustomerStatus(
        self, request: pb.ChangeCustomerStatusRequest, _: Any
    ) -> pb.ChangeCustomerStatusResponse:
        """Moves a customer along its lifecycle."""
        status = wire.status(request.status)
        after = await self._usecases.change_status(request.customer_id, status, request.etag)
        return pb.ChangeCustomerStatusResponse(customer=wire.message(after))

    async def ImportCustomers(
        self, requests: AsyncIterator[pb.ImportCustomersRequest], _: Any
    ) -> pb.ImportCustomersResponse:
        """Loads customers in bulk."""
        tally = Tally()
        async for request in requests:
            await note(tally, request.customers, wire.row, self._usecases.load)
        return pb.ImportCustomersResponse(summary=tally.summary())
