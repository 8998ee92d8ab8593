"""Starts customer information: settings, store, use cases, handlers."""

from typing import cast

from holdfast.customer_info.v1 import customers_pb2, customers_pb2_grpc
from holdfast.events.v1 import events_pb2, events_pb2_grpc

from chassis import serve
from chassis.app import App
from chassis.events.feed import Feed
from chassis.events.handlers import EventsHandlers
from chassis.events.outbox import OUTBOX, outbox_source
from chassis.mongo.requests import REQUESTS
from services.customer_info.customers.handlers import CustomersHandlers
from services.customer_info.customers.store import CUSTOMERS, CustomerStore
from services.customer_info.customers.usecases import CustomerUseCases
from services.customer_info.settings import CustomerInfoSettings

EVENTS = (customers_pb2.CustomerCreated, customers_pb2.CustomerUpdated)


async def build(app: App) -> None:
    """Puts the service together."""
    settings = cast("CustomerInfoSettings", app.settings)
    store = await app.store(settings.customer_info_mongo_uri, [CUSTOMERS, OUTBOX, REQUESTS])
    customers = CustomersHandlers(CustomerUseCases(CustomerStore(store)))
    feed = Feed("customer_info", store, [outbox_source(EVENTS)])
    app.serve(
        customers_pb2_grpc.add_CustomersServiceServicer_to_server,
        customers,
        customers_pb2.DESCRIPTOR.services_by_name["CustomersService"],
    )
    app.serve(
        events_pb2_grpc.add_EventsServiceServicer_to_server,
        EventsHandlers(feed),
        events_pb2.DESCRIPTOR.services_by_name["EventsService"],
    )


if __name__ == "__main__":
    serve.run("customer_info", CustomerInfoSettings, build)
