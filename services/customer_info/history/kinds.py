"""The kinds of records whose changes are told: where each is kept, and how one is read. A new kind is one more row."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from google.protobuf.message import Message

from chassis.vault.sealing import DataKey
from services.customer_info.accounts import documents as account_documents
from services.customer_info.accounts import wire as account_wire
from services.customer_info.accounts.store import ACCOUNT_REQUESTS, ACCOUNTS
from services.customer_info.accounts.store import KIND as ACCOUNT
from services.customer_info.accounts.store import REQUEST_KIND as ACCOUNT_REQUEST
from services.customer_info.consents import store as consent_store
from services.customer_info.consents import wire as consent_wire
from services.customer_info.consents.store import CONSENTS
from services.customer_info.customers import documents as customer_documents
from services.customer_info.customers import wire as customer_wire
from services.customer_info.customers.store import CUSTOMERS
from services.customer_info.customers.store import KIND as CUSTOMER
from services.customer_info.hierarchy import documents as tree_documents
from services.customer_info.hierarchy import wire as tree_wire
from services.customer_info.hierarchy.store import KIND as TREE
from services.customer_info.hierarchy.store import NODE, NODES, TREES
from services.customer_info.history.rules import Content, without
from services.customer_info.history.store import Kept
from services.customer_info.history.wire import content
from services.customer_info.portfolio import documents as product_documents
from services.customer_info.portfolio import wire as product_wire
from services.customer_info.portfolio.store import KIND as PRODUCT
from services.customer_info.portfolio.store import PRODUCTS
from services.customer_info.profiles import documents as profile_documents
from services.customer_info.profiles import wire as profile_wire
from services.customer_info.profiles.store import KIND as PROFILE
from services.customer_info.profiles.store import PROFILES
from services.customer_info.responsibilities import documents as assignment_documents
from services.customer_info.responsibilities import wire as assignment_wire
from services.customer_info.responsibilities.store import ASSIGNMENTS
from services.customer_info.responsibilities.store import KIND as ASSIGNMENT

Document = dict[str, Any]
CONSENT = "consent"
# Reads a record as it is kept; without its customer's key, without what is personal.
Read = Callable[[Document, DataKey | None], Content]


def customer(document: Document, key: DataKey | None) -> Content:
    """A customer, as `CustomersService` tells of it."""
    return content(customer_wire.message(customer_documents.from_document(document, key)))


def product(document: Document, key: DataKey | None) -> Content:
    """A product, as `PortfolioService` tells of it; what depends on the day on which one asks is not its own."""
    message = product_wire.message(product_documents.from_document(document, key), document["update_time"])
    return without(content(message), ["in_commitment"])


def account(document: Document, key: DataKey | None) -> Content:
    """An account, as `AccountsService` tells of it, with each field of its content for itself."""
    message: Message = account_wire.message(account_documents.account(document, key))
    found = content(message)
    return {**without(found, ["content"]), **found.get("content", {})}


def account_request(document: Document, key: DataKey | None) -> Content:
    """A request about an account with the steps it took, as `AccountsService` tells of it: these are its history."""
    return content(account_wire.request_message(account_documents.request(document, key)))


def consent(document: Document, key: DataKey | None) -> Content:
    """What was agreed to, withdrawn or asked not to be done, as `ConsentsService` tells of it; it never changes."""
    return content(consent_wire.record(consent_store.from_document(document, key)))


def tree(document: Document, key: DataKey | None) -> Content:
    """A tree of the hierarchy, as `HierarchyService` tells of it, without its nodes, which are records themselves."""
    keys = {} if key is None else {document["customer_id"]: key}
    return content(tree_wire.tree_message(tree_documents.tree_of_document(document, keys)))


def node(document: Document, key: DataKey | None) -> Content:
    """A node and its tree, as `HierarchyService` tells of it; how deep it stands is the doing of those above it."""
    keys = {} if key is None else {document["customer_id"]: key}
    found = content(tree_wire.node_message(tree_documents.node_of_document(document, keys)))
    return {**without(found, ["depth"]), "tree_id": document["tree_id"]}


def assignment(document: Document, key: DataKey | None) -> Content:
    """Who has a responsibility, as `ResponsibilitiesService` tells of it."""
    return content(assignment_wire.message(assignment_documents.assignment(document, key)))


def profile(document: Document, key: DataKey | None) -> Content:
    """A profile, as `ProfilesService` tells of it."""
    return content(profile_wire.message(profile_documents.from_document(document, key)))


KEPT: Final[Mapping[str, Kept]] = {
    CUSTOMER: Kept(CUSTOMERS.name, owner="_id"),
    PRODUCT: Kept(PRODUCTS.name, many=True),
    ACCOUNT: Kept(ACCOUNTS.name, many=True),
    ACCOUNT_REQUEST: Kept(ACCOUNT_REQUESTS.name, many=True),
    CONSENT: Kept(CONSENTS.name, many=True, time="time"),
    TREE: Kept(TREES.name),
    NODE: Kept(NODES.name, many=True),
    ASSIGNMENT: Kept(ASSIGNMENTS.name, many=True),
    PROFILE: Kept(PROFILES.name),
}
READ: Final[Mapping[str, Read]] = {
    CUSTOMER: customer,
    PRODUCT: product,
    ACCOUNT: account,
    ACCOUNT_REQUEST: account_request,
    CONSENT: consent,
    TREE: tree,
    NODE: node,
    ASSIGNMENT: assignment,
    PROFILE: profile,
}
