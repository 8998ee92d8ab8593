"""Puts customer information together: stores, use cases, handlers, events; one function a noun."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from holdfast.customer_info.v1 import (
    accounts_pb2,
    accounts_pb2_grpc,
    customers_pb2,
    hierarchy_pb2,
    hierarchy_pb2_grpc,
    merges_pb2,
    portfolio_pb2,
    verification_pb2,
)
from holdfast.events.v1 import events_pb2, events_pb2_grpc

from chassis.app import App
from chassis.events.feed import Feed
from chassis.events.handlers import EventsHandlers
from chassis.events.outbox import OUTBOX, outbox_source
from chassis.lineage import LINEAGE, Lineage
from chassis.mongo.client import Store
from chassis.mongo.requests import REQUESTS
from chassis.vault.vault import Vault
from services.customer_info.accounts.handlers import AccountsHandlers
from services.customer_info.accounts.store import ACCOUNT_REQUESTS, ACCOUNTS, AccountStore
from services.customer_info.accounts.usecases import AccountUseCases
from services.customer_info.catalogue import handlers as catalogue_handlers
from services.customer_info.catalogue.defaults import default_families
from services.customer_info.catalogue.store import FAMILIES, CatalogueStore
from services.customer_info.catalogue.usecases import CatalogueUseCases
from services.customer_info.customers import handlers as customers_handlers
from services.customer_info.customers.looking_up import Holders, LookUp
from services.customer_info.customers.store import CUSTOMERS, CustomerStore
from services.customer_info.customers.usecases import CustomerUseCases
from services.customer_info.hierarchy.handlers import HierarchyHandlers
from services.customer_info.hierarchy.reading_usecases import HierarchyReading
from services.customer_info.hierarchy.store import HIERARCHY_COLLECTIONS, HierarchyStore
from services.customer_info.hierarchy.usecases import HierarchyUseCases
from services.customer_info.history.store import HISTORY, History
from services.customer_info.merges import handlers as merges_handlers
from services.customer_info.merges.store import MERGES, MergeStore
from services.customer_info.merges.usecases import MergeUseCases
from services.customer_info.portfolio import handlers as portfolio_handlers
from services.customer_info.portfolio.store import PRODUCTS, ProductStore
from services.customer_info.portfolio.usecases import PortfolioUseCases
from services.customer_info.portfolio.view_usecases import PortfolioViews
from services.customer_info.search import handlers as search_handlers
from services.customer_info.search.store import SearchStore
from services.customer_info.search.usecases import SearchUseCases
from services.customer_info.settings import CustomerInfoSettings
from services.customer_info.verification import handlers as verification_handlers
from services.customer_info.verification.hashing import Cost, Hasher
from services.customer_info.verification.ports import Spans
from services.customer_info.verification.store import VERIFICATION_COLLECTIONS, VerificationStore
from services.customer_info.verification.usecases import VerificationUseCases

COLLECTIONS = (
    ACCOUNTS,
    ACCOUNT_REQUESTS,
    CUSTOMERS,
    FAMILIES,
    PRODUCTS,
    HISTORY,
    LINEAGE,
    MERGES,
    OUTBOX,
    REQUESTS,
    *HIERARCHY_COLLECTIONS,
    *VERIFICATION_COLLECTIONS,
)
EVENTS = (
    accounts_pb2.AccountChanged,
    accounts_pb2.AccountRequestDecided,
    accounts_pb2.AccountRequested,
    customers_pb2.CustomerCreated,
    customers_pb2.CustomerUpdated,
    hierarchy_pb2.NodesChanged,
    hierarchy_pb2.TreeCreated,
    merges_pb2.CustomersMerged,
    merges_pb2.CustomersUnmerged,
    portfolio_pb2.ProductAdded,
    portfolio_pb2.ProductChanged,
    verification_pb2.CustomerVerified,
    verification_pb2.VerificationLocked,
)


@dataclass(frozen=True)
class Base:
    """What the nouns of this service stand on."""

    app: App
    settings: CustomerInfoSettings
    store: Store
    vault: Vault
    history: History
    lineage: Lineage


async def build(app: App) -> None:
    """Fills `app`."""
    base = await _base(app)
    customers = CustomerStore(base.store, base.vault, base.history)
    products = ProductStore(base.store, base.vault, base.history)
    accounts = AccountStore(base.store, base.vault, base.history)
    _customers(base, customers, {"product": products, "account": accounts})
    nodes = HierarchyStore(base.store, base.vault, base.history)
    await _portfolio(base, products, customers, nodes)
    _hierarchy(base, nodes, customers, products)
    _accounts(base, accounts, customers, nodes)
    _verification(base, customers)
    _events(base)


async def _base(app: App) -> Base:
    settings = cast("CustomerInfoSettings", app.settings)
    store = await app.store(settings.customer_info_mongo_uri, COLLECTIONS)
    vault = await app.vault(
        settings.customer_info_keys_mongo_uri,
        settings.customer_info_master_key,
        settings.customer_info_master_key_token_file,
    )
    return Base(app, settings, store, vault, History(store), Lineage(store))


def _customers(base: Base, customers: CustomerStore, holders: Mapping[str, Holders]) -> None:
    usecases = CustomerUseCases(customers)
    customers_handlers.install(base.app, usecases, LookUp(customers, usecases, holders))
    search_handlers.install(base.app, SearchUseCases(SearchStore(base.store, base.vault)))
    merges_handlers.install(base.app, MergeUseCases(MergeStore(base.store), customers, usecases, base.lineage))


async def _portfolio(base: Base, products: ProductStore, customers: CustomerStore, nodes: HierarchyStore) -> None:
    catalogue = CatalogueUseCases(CatalogueStore(base.store, base.history))
    await catalogue.start(default_families())
    catalogue_handlers.install(base.app, catalogue)
    usecases = PortfolioUseCases(products, customers, catalogue, nodes, base.lineage)
    portfolio_handlers.install(base.app, usecases, PortfolioViews(products, catalogue, nodes, base.lineage))


def _hierarchy(base: Base, nodes: HierarchyStore, customers: CustomerStore, products: ProductStore) -> None:
    reading = HierarchyReading(nodes, base.lineage, products)
    base.app.serve(
        hierarchy_pb2_grpc.add_HierarchyServiceServicer_to_server,
        HierarchyHandlers(HierarchyUseCases(nodes, customers), reading),
        hierarchy_pb2.DESCRIPTOR.services_by_name["HierarchyService"],
    )


def _accounts(base: Base, accounts: AccountStore, customers: CustomerStore, nodes: HierarchyStore) -> None:
    base.app.serve(
        accounts_pb2_grpc.add_AccountsServiceServicer_to_server,
        AccountsHandlers(AccountUseCases(accounts, customers, nodes, base.lineage)),
        accounts_pb2.DESCRIPTOR.services_by_name["AccountsService"],
    )


def _verification(base: Base, customers: CustomerStore) -> None:
    settings = base.settings
    cost = Cost(settings.argon2_memory_kib, settings.argon2_passes, settings.argon2_lanes)
    hasher = Hasher(cost, settings.argon2_at_once, base.vault.token)
    base.app.resources.callback(hasher.close)
    spans = Spans(timedelta(seconds=settings.verification_seconds), timedelta(seconds=settings.code_seconds))
    store = VerificationStore(base.store)
    usecases = VerificationUseCases(store, customers, base.lineage, hasher, spans)
    verification_handlers.install(base.app, usecases)


def _events(base: Base) -> None:
    base.app.serve(
        events_pb2_grpc.add_EventsServiceServicer_to_server,
        EventsHandlers(Feed("customer_info", base.store, [outbox_source(EVENTS)])),
        events_pb2.DESCRIPTOR.services_by_name["EventsService"],
    )
