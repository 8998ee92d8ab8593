"""Puts customer information together: stores, use cases, handlers, events; one function a noun."""

import functools
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from holdfast.customer_info.v1 import (
    accounts_pb2,
    catalogue_pb2,
    consents_pb2,
    customers_pb2,
    hierarchy_pb2,
    merges_pb2,
    portfolio_pb2,
    privacy_pb2,
    profiles_pb2,
    responsibilities_pb2,
    verification_pb2,
)

from chassis.app import App
from chassis.events import handlers as events_handlers
from chassis.events.lease import Lease
from chassis.events.listener import LISTENER_COLLECTIONS, Listener
from chassis.events.outbox import OUTBOX, outbox_source
from chassis.lineage import LINEAGE, Lineage
from chassis.mongo.client import Store
from chassis.mongo.requests import REQUESTS
from chassis.vault.vault import Vault
from services.customer_info.accounts import handlers as accounts_handlers
from services.customer_info.accounts.store import ACCOUNT_REQUESTS, ACCOUNTS, AccountStore
from services.customer_info.accounts.usecases import AccountUseCases
from services.customer_info.catalogue import handlers as catalogue_handlers
from services.customer_info.catalogue.defaults import default_families
from services.customer_info.catalogue.store import FAMILIES, CatalogueStore
from services.customer_info.catalogue.usecases import CatalogueUseCases
from services.customer_info.consents import handlers as consents_handlers
from services.customer_info.consents.store import CONSENTS, ConsentStore
from services.customer_info.consents.usecases import ConsentUseCases
from services.customer_info.customers import handlers as customers_handlers
from services.customer_info.customers.looking_up import LookUp
from services.customer_info.customers.store import CUSTOMERS, CustomerStore
from services.customer_info.customers.turns import Turns
from services.customer_info.customers.usecases import CustomerUseCases
from services.customer_info.duplicates import handlers as duplicates_handlers
from services.customer_info.duplicates.store import DISTINCT, DuplicateStore
from services.customer_info.duplicates.usecases import DuplicateUseCases
from services.customer_info.hierarchy import handlers as hierarchy_handlers
from services.customer_info.hierarchy.reading_usecases import HierarchyReading
from services.customer_info.hierarchy.store import HIERARCHY_COLLECTIONS, HierarchyStore
from services.customer_info.hierarchy.usecases import HierarchyUseCases
from services.customer_info.history import handlers as history_handlers
from services.customer_info.history.kinds import KEPT, READ
from services.customer_info.history.store import HISTORY, History, Records
from services.customer_info.history.usecases import Archive, HistoryUseCases
from services.customer_info.loads import handlers as loads_handlers
from services.customer_info.loads.store import LOAD_FAULTS, LOADS, LoadStore
from services.customer_info.loads.usecases import LoadUseCases
from services.customer_info.merges import handlers as merges_handlers
from services.customer_info.merges.store import MERGES, MergeStore
from services.customer_info.merges.usecases import MergeUseCases
from services.customer_info.portfolio import handlers as portfolio_handlers
from services.customer_info.portfolio.store import PRODUCTS, ProductStore
from services.customer_info.portfolio.usecases import PortfolioUseCases
from services.customer_info.portfolio.view_usecases import PortfolioViews
from services.customer_info.privacy import handlers as privacy_handlers
from services.customer_info.privacy.exporting import Exporting
from services.customer_info.privacy.kinds import kinds
from services.customer_info.privacy.store import ERASURES, ErasureStore, Holdings
from services.customer_info.privacy.usecases import ErasureUseCases, Forgetful, keep_erased
from services.customer_info.profiles import handlers as profiles_handlers
from services.customer_info.profiles.facts import kinds_of
from services.customer_info.profiles.store import PROFILE_COLLECTIONS, ProfileStore
from services.customer_info.profiles.usecases import ProfileUseCases
from services.customer_info.responsibilities import handlers as responsibilities_handlers
from services.customer_info.responsibilities.reading_usecases import ResponsibilityReading
from services.customer_info.responsibilities.store import RESPONSIBILITY_COLLECTIONS, ResponsibilityStore
from services.customer_info.responsibilities.usecases import ResponsibilityUseCases
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
    CONSENTS,
    CUSTOMERS,
    DISTINCT,
    FAMILIES,
    PRODUCTS,
    ERASURES,
    HISTORY,
    LINEAGE,
    LOADS,
    LOAD_FAULTS,
    MERGES,
    OUTBOX,
    REQUESTS,
    *HIERARCHY_COLLECTIONS,
    *LISTENER_COLLECTIONS,
    *PROFILE_COLLECTIONS,
    *RESPONSIBILITY_COLLECTIONS,
    *VERIFICATION_COLLECTIONS,
)
EVENTS = (
    accounts_pb2.AccountChanged,
    accounts_pb2.AccountRequestDecided,
    accounts_pb2.AccountRequested,
    catalogue_pb2.FamilyDefined,
    catalogue_pb2.FamilyRetired,
    consents_pb2.ConsentChanged,
    customers_pb2.CustomerCreated,
    customers_pb2.CustomerUpdated,
    hierarchy_pb2.NodesChanged,
    hierarchy_pb2.TreeCreated,
    merges_pb2.CustomersMerged,
    merges_pb2.CustomersUnmerged,
    privacy_pb2.CustomerErased,
    portfolio_pb2.ProductAdded,
    portfolio_pb2.ProductChanged,
    profiles_pb2.ProfileUpdated,
    responsibilities_pb2.AssignmentEnded,
    responsibilities_pb2.ResponsibilityAssigned,
    responsibilities_pb2.ResponsibilityDefined,
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
    loads: LoadUseCases
    turns: Turns


@dataclass(frozen=True)
class Stores:
    """The stores that other nouns than their own read."""

    customers: CustomerStore
    products: ProductStore
    accounts: AccountStore
    nodes: HierarchyStore
    duties: ResponsibilityStore
    factors: VerificationStore
    consents: ConsentStore
    profiles: ProfileStore

    @property
    def forgetful(self) -> list[Forgetful]:
        """Those that hold something personal beside the customers themselves, of which a transaction can change all."""
        return [
            self.accounts,
            self.factors,
            self.consents,
            self.profiles,
        ]


async def build(app: App) -> None:
    """Fills `app`."""
    base = await _base(app)
    stores = _stores(base)
    _customers(base, stores)
    await _portfolio(base, stores)
    _hierarchy(base, stores)
    await _responsibilities(base, stores)
    _verification(base, stores)
    await _profiles(base, stores)
    _privacy(base, stores)
    events_handlers.install(app, base.store, [outbox_source(EVENTS)])


async def _base(app: App) -> Base:
    settings = cast("CustomerInfoSettings", app.settings)
    store = await app.store(settings.customer_info_mongo_uri, COLLECTIONS)
    vault = await app.vault(
        settings.customer_info_keys_mongo_uri,
        settings.customer_info_master_key,
        settings.customer_info_former_master_key,
        settings.customer_info_master_key_token_file,
    )
    loads = LoadUseCases(LoadStore(store), vault.fingerprint)
    return Base(app, settings, store, vault, History(store), Lineage(store), loads, Turns())


def _stores(base: Base) -> Stores:
    sealed = (base.store, base.vault, base.history)
    return Stores(
        CustomerStore(*sealed),
        ProductStore(*sealed),
        AccountStore(*sealed),
        HierarchyStore(*sealed),
        ResponsibilityStore(*sealed),
        VerificationStore(base.store),
        ConsentStore(base.store, base.vault),
        ProfileStore(*sealed),
    )


def _customers(base: Base, stores: Stores) -> None:
    customers = stores.customers
    usecases = CustomerUseCases(customers, base.lineage)
    look_up = LookUp(customers, usecases, {"product": stores.products, "account": stores.accounts})
    loads_handlers.install(base.app, base.loads)
    customers_handlers.install(base.app, usecases, look_up, base.loads)
    duplicates_handlers.install(base.app, DuplicateUseCases(DuplicateStore(base.store, base.vault), customers))
    search_handlers.install(base.app, SearchUseCases(SearchStore(base.store, base.vault)))
    merges_handlers.install(base.app, MergeUseCases(MergeStore(base.store), customers, usecases, base.lineage))


async def _portfolio(base: Base, stores: Stores) -> None:
    catalogue = CatalogueUseCases(CatalogueStore(base.store, base.history))
    await catalogue.start(default_families())
    catalogue_handlers.install(base.app, catalogue)
    usecases = PortfolioUseCases(
        stores.products,
        stores.customers,
        catalogue=catalogue,
        trees=stores.nodes,
        accounts=stores.accounts,
        lineage=base.lineage,
    )
    views = PortfolioViews(stores.products, catalogue, stores.nodes, base.lineage)
    portfolio_handlers.install(base.app, usecases, views, base.loads)


def _hierarchy(base: Base, stores: Stores) -> None:
    reading = HierarchyReading(stores.nodes, base.lineage, stores.products)
    hierarchy_handlers.install(base.app, HierarchyUseCases(stores.nodes, stores.customers, base.turns), reading)
    accounts = AccountUseCases(
        stores.accounts,
        stores.customers,
        nodes=stores.nodes,
        products=stores.products,
        lineage=base.lineage,
        turns=base.turns,
    )
    accounts_handlers.install(base.app, accounts)


async def _responsibilities(base: Base, stores: Stores) -> None:
    around = (stores.duties, stores.customers, stores.nodes, base.lineage)
    usecases = ResponsibilityUseCases(*around, turns=base.turns)
    await usecases.start()
    responsibilities_handlers.install(base.app, usecases, ResponsibilityReading(*around))


def _verification(base: Base, stores: Stores) -> None:
    settings = base.settings
    cost = Cost(settings.argon2_memory_kib, settings.argon2_passes, settings.argon2_lanes)
    hasher = Hasher(cost, settings.argon2_at_once, base.vault.token)
    base.app.resources.callback(hasher.close)
    spans = Spans(timedelta(seconds=settings.verification_seconds), timedelta(seconds=settings.code_seconds))
    usecases = VerificationUseCases(stores.factors, stores.customers, base.lineage, hasher, spans)
    verification_handlers.install(base.app, usecases)


async def _profiles(base: Base, stores: Stores) -> None:
    usecases = ProfileUseCases(stores.profiles, stores.customers, base.lineage)
    profiles_handlers.install(base.app, usecases)
    settings = base.settings
    targets = {
        "interaction": settings.interaction_target,
        "retention": settings.retention_target,
        "sla": settings.sla_target,
    }
    for name, target in targets.items():
        if target:
            channel = await base.app.channel(target)
            listener = Listener(name, base.store, channel, kinds_of(name), usecases.apply)
            base.app.background(f"listen_{name}", listener.run)


def _privacy(base: Base, stores: Stores) -> None:
    customers = stores.customers
    consents_handlers.install(base.app, ConsentUseCases(stores.consents, customers, stores.profiles, base.lineage))
    archive = Archive(base.history, Records(base.store, KEPT), READ)
    history_handlers.install(base.app, HistoryUseCases(archive, customers, base.lineage, base.vault))
    large: list[Forgetful] = [stores.products, stores.nodes, stores.duties, base.history]
    around = (customers, base.lineage, base.vault)
    erasures = ErasureUseCases(ErasureStore(base.store), *around, stores.forgetful, large=large)
    exporting = Exporting(customers, base.lineage, base.vault, kinds(Holdings(base.store)))
    privacy_handlers.install(base.app, erasures, exporting)
    lease = Lease(base.store, "erasing")
    base.app.background("erasing", functools.partial(lease.run, functools.partial(keep_erased, erasures)))
