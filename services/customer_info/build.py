"""Puts customer information together: stores, use cases, handlers, events."""

from typing import cast

from holdfast.customer_info.v1 import customers_pb2, customers_pb2_grpc, portfolio_pb2, portfolio_pb2_grpc
from holdfast.events.v1 import events_pb2, events_pb2_grpc

from chassis.app import App
from chassis.events.feed import Feed
from chassis.events.handlers import EventsHandlers
from chassis.events.outbox import OUTBOX, outbox_source
from chassis.mongo.requests import REQUESTS
from services.customer_info.customers.handlers import CustomersHandlers
from services.customer_info.customers.store import CUSTOMERS, CustomerStore
from services.customer_info.customers.usecases import CustomerUseCases
from services.customer_info.portfolio.handlers import PortfolioHandlers
from services.customer_info.portfolio.store import PRODUCTS, ProductStore
from services.customer_info.portfolio.usecases import PortfolioUseCases
from services.customer_info.settings import CustomerInfoSettings

COLLECTIONS = (CUSTOMERS, PRODUCTS, OUTBOX, REQUESTS)
EVENTS = (
    customers_pb2.CustomerCreated,
    customers_pb2.CustomerUpdated,
    portfolio_pb2.ProductAdded,
    portfolio_pb2.ProductChanged,
)


async def build(app: App) -> None:
    """Fills `app`."""
    settings = cast("CustomerInfoSettings", app.settings)
    store = await app.store(settings.customer_info_mongo_uri, COLLECTIONS)
    customers = CustomerStore(store)
    app.serve(
        customers_pb2_grpc.add_CustomersServiceServicer_to_server,
        CustomersHandlers(CustomerUseCases(customers)),
        customers_pb2.DESCRIPTOR.services_by_name["CustomersService"],
    )
    app.serve(
        portfolio_pb2_grpc.add_PortfolioServiceServicer_to_server,
        PortfolioHandlers(PortfolioUseCases(ProductStore(store), customers)),
        portfolio_pb2.DESCRIPTOR.services_by_name["PortfolioService"],
    )
    app.serve(
        events_pb2_grpc.add_EventsServiceServicer_to_server,
        EventsHandlers(Feed("customer_info", store, [outbox_source(EVENTS)])),
        events_pb2.DESCRIPTOR.services_by_name["EventsService"],
    )
