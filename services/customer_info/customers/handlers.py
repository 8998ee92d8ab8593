"""`CustomersService`: protobuf in, protobuf out."""

from collections.abc import AsyncIterator, Iterator
from operator import attrgetter
from typing import Any

from holdfast.common.v1 import query_pb2, types_pb2
from holdfast.customer_info.v1 import customers_pb2 as pb
from holdfast.customer_info.v1 import customers_pb2_grpc

from chassis.app import App
from chassis.call import as_customer
from chassis.query.selection import Selection, selection
from chassis.times import from_timestamp
from services.customer_info.customers import wire
from services.customer_info.customers.csv_wire import COLUMNS
from services.customer_info.customers.import_rules import Row
from services.customer_info.customers.looking_up import CUSTOMER, Holding, LookUp
from services.customer_info.customers.usecases import CustomerUseCases, Write
from services.customer_info.exporting import pieces
from services.customer_info.loads import streams
from services.customer_info.loads import wire as loads_wire
from services.customer_info.loads.usecases import LoadUseCases
from services.customer_info.wire import asked_for


class CustomersHandlers(customers_pb2_grpc.CustomersServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: CustomerUseCases, look_up: LookUp, loads: LoadUseCases) -> None:
        self._usecases = usecases
        self._look_up = look_up
        self._loads = loads
        self._rows = streams.Kind("customers", attrgetter("customers"), wire.reader, _needs, usecases.load, wire.untold)

    async def CreateCustomer(self, request: pb.CreateCustomerRequest, _: Any) -> pb.CreateCustomerResponse:
        """Makes a customer."""
        content = request.customer.SerializeToString(deterministic=True)
        made = await self._usecases.create(wire.customer(request.customer), request.request_id, content)
        return pb.CreateCustomerResponse(customer=wire.message(made))

    async def GetCustomer(self, request: pb.GetCustomerRequest, _: Any) -> pb.GetCustomerResponse:
        """Reads one customer."""
        if request.HasField("as_of"):
            at = from_timestamp(request.as_of, "as_of")
            found = await self._usecases.get_as_of(request.customer_id, at, own=as_customer())
        else:
            found = await self._usecases.get(request.customer_id)
        return pb.GetCustomerResponse(customer=wire.message(found))

    async def LookupCustomer(self, request: pb.LookupCustomerRequest, _: Any) -> pb.LookupCustomerResponse:
        """Finds the customer an identifier belongs to."""
        if request.WhichOneof("identifier") == "customer_id":
            customer, matched = await self._usecases.get(request.customer_id), None
        else:
            customer, matched = await self._look_up.customer(wire.wanted(request))
        reference = matched or Holding(CUSTOMER, customer.id, customer.id)
        return pb.LookupCustomerResponse(
            customer=wire.message(customer), matched=types_pb2.Reference(type=reference.type, id=reference.id)
        )

    async def ListCustomers(self, request: pb.ListCustomersRequest, _: Any) -> pb.ListCustomersResponse:
        """Reads a page of customers."""
        customers, token = await self._usecases.page(selection(request.query))
        return pb.ListCustomersResponse(
            customers=[wire.message(c) for c in customers], page=query_pb2.PageResponse(next_page_token=token)
        )

    async def UpdateCustomer(self, request: pb.UpdateCustomerRequest, _: Any) -> pb.UpdateCustomerResponse:
        """Changes the fields of a mask."""
        names = wire.names(request.update_mask, request.customer)
        # With a mask, what it does not name does not count.
        says_status = bool(request.customer.status) and not request.update_mask.paths
        after = await self._usecases.update(
            wire.customer(request.customer),
            names,
            request.customer.etag,
            Write(request.request_id, asked_for(request)),
            says_status=says_status,
        )
        return pb.UpdateCustomerResponse(customer=wire.message(after))

    async def ChangeCustomerStatus(
        self, request: pb.ChangeCustomerStatusRequest, _: Any
    ) -> pb.ChangeCustomerStatusResponse:
        """Moves a customer along its lifecycle."""
        status = wire.status(request.status)
        write = Write(request.request_id, asked_for(request))
        after = await self._usecases.change_status(request.customer_id, status, request.etag, write)
        return pb.ChangeCustomerStatusResponse(customer=wire.message(after))

    async def ImportCustomers(
        self, requests: AsyncIterator[pb.ImportCustomersRequest], _: Any
    ) -> pb.ImportCustomersResponse:
        """Loads customers in bulk."""
        done = await streams.run(self._rows, self._loads, requests)
        return pb.ImportCustomersResponse(summary=loads_wire.summary(done))

    async def ExportCustomers(
        self, request: pb.ExportCustomersRequest, _: Any
    ) -> AsyncIterator[pb.ExportCustomersResponse]:
        """Writes customers as a file."""

        async def read(chosen: Selection, after: str, most: int) -> list[pb.Customer]:
            return [wire.message(c) for c in await self._usecases.following(chosen, after, most)]

        async for piece in pieces(request, read, COLUMNS, pb.Customer.DESCRIPTOR):
            yield pb.ExportCustomersResponse(data=piece.data, rows=piece.rows, position=piece.position)


def _needs(row: Row) -> Iterator[str]:
    yield row.wish.id
    if row.wish.parent_id:
        yield row.wish.parent_id


def install(app: App, usecases: CustomerUseCases, look_up: LookUp, loads: LoadUseCases) -> None:
    """Serves `CustomersService`."""
    descriptor = pb.DESCRIPTOR.services_by_name["CustomersService"]
    handlers = CustomersHandlers(usecases, look_up, loads)
    app.serve(customers_pb2_grpc.add_CustomersServiceServicer_to_server, handlers, descriptor)
