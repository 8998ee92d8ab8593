"""What billing accounts and cost centres are, and what may become of them. Pure: no I/O, no clock, no randomness."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chassis.rules import AlreadyExists, Invalid, NotFound, Refused
from services.customer_info.customers.rules import Status as CustomerStatus

# The store keeps milliseconds; two changes within one still happened one after the other.
TICK = timedelta(milliseconds=1)
# Customers of these states get no new accounts, and the ones they have only end.
LEFT = frozenset({CustomerStatus.CLOSED, CustomerStatus.ARCHIVED})


class Kind(StrEnum):
    """What an account is for (C3)."""

    BILLING_ACCOUNT = "billing_account"
    COST_CENTRE = "cost_centre"


class Status(StrEnum):
    """Whether an account is in use."""

    ACTIVE = "active"
    CLOSED = "closed"


class Role(StrEnum):
    """Roles that may decide about an account, as tokens name them."""

    SUPERVISOR = "supervisor"
    CUSTOMER = "customer"
    ADMIN = "admin"


class Billed(StrEnum):
    """What an account is billed for by others than itself, as a refusal's state tells it."""

    COST_CENTRES = "billed_to"
    PRODUCTS = "pays_for_products"


# What a customer is billed by is the operator's to decide; how it divides its own books, its own people may.
OWNERS: Mapping[Kind, frozenset[Role]] = {
    Kind.BILLING_ACCOUNT: frozenset({Role.SUPERVISOR, Role.ADMIN}),
    Kind.COST_CENTRE: frozenset(Role),
}


@dataclass(frozen=True, slots=True)
class Content:
    """What is kept of an account. Of those with `owner_role`, only the subject `owner` decides; empty: any of them."""

    name: str = ""
    number: str = ""
    currency: str = ""
    parent_id: str = ""
    node_id: str = ""
    owner_role: Role = Role.SUPERVISOR
    owner: str = ""


# The currency of an account is for its life: what it was billed in another one would make no sum.
CHANGEABLE = frozenset({"name", "number", "parent_id", "node_id", "owner_role", "owner"})


@dataclass(frozen=True, slots=True)
class Account:
    """A billing account or a cost centre. `version` counts its changes, from 1; `update_time` grows with each."""

    id: str
    customer_id: str
    kind: Kind
    content: Content
    create_time: datetime
    update_time: datetime
    status: Status = Status.ACTIVE
    version: int = 1


def set_up(account_id: str, customer_id: str, kind: Kind, content: Content, at: datetime) -> Account:
    """A new account, whose content was checked."""
    return Account(account_id, customer_id, kind, content, create_time=at, update_time=at)


def changed(account: Account, wanted: Content, names: Iterable[str], at: datetime) -> Account:
    """`account` with the fields `names` of what is wanted.

    Raises:
        Refused: it is closed.
    """
    check_active(account)
    return _next(replace(account, content=merged(account.content, wanted, names)), at)


def tidied(content: Content) -> Content:
    """`content` as it is kept: its name and its number without spaces around them, the number's inner ones single."""
    return replace(content, name=content.name.strip(), number=" ".join(content.number.split()))


def merged(content: Content, wanted: Content, names: Iterable[str]) -> Content:
    """`content` with the fields `names` of what is wanted."""
    return replace(content, **{name: getattr(wanted, name) for name in names})


def closed(account: Account, billed: Billed | None, at: datetime) -> Account:
    """`account` at its end; `billed` says what is still billed to it.

    Raises:
        Refused: it is closed already, or still billed to.
    """
    check_active(account)
    if billed is not None:
        what = "cost centres that are in use bill to" if billed is Billed.COST_CENTRES else "products are billed to"
        raise Refused(f"{what} this account", metadata={"state": billed})
    return _next(replace(account, status=Status.CLOSED), at)


def following(before: datetime, at: datetime) -> datetime:
    """The time of a change made at `at` to a thing that last changed at `before`: later, also when clocks differ."""
    return max(at, before + TICK)


def check(kind: Kind, content: Content, path: str) -> None:
    """Passes content that makes sense for an account of this kind; `path` is what the caller calls the content.

    Raises:
        Invalid: it has no name or no number, an owner's role that does not decide about its kind, a billing account's
            parent or no currency, or a cost centre's lack of a parent.
    """
    for name in ("name", "number"):
        if not getattr(content, name).strip():
            raise Invalid("an account has one", field=f"{path}.{name}")
    if content.owner_role not in OWNERS[kind]:
        allowed = ", ".join(sorted(OWNERS[kind]))
        raise Invalid(f"about a {_called(kind)} decides one of {allowed}", field=f"{path}.owner_role")
    if kind is Kind.COST_CENTRE and not content.parent_id:
        raise Invalid("a cost centre bills to a billing account", field=f"{path}.parent_id")
    if kind is Kind.BILLING_ACCOUNT and content.parent_id:
        raise Invalid("a billing account bills to no other", field=f"{path}.parent_id")
    if kind is Kind.BILLING_ACCOUNT and not content.currency:
        raise Invalid("a billing account is kept in a currency", field=f"{path}.currency_code")


def under(content: Content, parent: Account | None, customer_ids: Collection[str], path: str) -> Content:
    """The content of a cost centre below `parent`, the account it names: kept in the parent's currency.

    `customer_ids` are those whose accounts the customer's are.

    Raises:
        NotFound: there is no such account of this customer.
        Invalid: it is no billing account, or kept in another currency.
        Refused: it is closed.
    """
    if parent is None or parent.customer_id not in customer_ids:
        known = {"type": "account", "id": content.parent_id}
        raise NotFound("the customer has no such account", field=f"{path}.parent_id", metadata=known)
    if parent.kind is not Kind.BILLING_ACCOUNT:
        raise Invalid("a cost centre bills to a billing account", field=f"{path}.parent_id")
    if content.currency not in ("", parent.content.currency):
        raise Invalid("a cost centre is kept in the currency of its billing account", field=f"{path}.currency_code")
    if parent.status is Status.CLOSED:
        raise Refused("the billing account is closed", field=f"{path}.parent_id", metadata={"state": parent.status})
    return replace(content, currency=parent.content.currency)


def check_record(customer_id: str, parent: Account | None, path: str) -> None:
    """Passes a cost centre of the record `customer_id` below an account of the same record.

    Of records that were merged, each keeps its own when they are parted.

    Raises:
        Refused: `parent` belongs to another record of the same customer.
    """
    if parent is not None and parent.customer_id != customer_id:
        raise Refused(
            "the billing account belongs to another of the records that were merged",
            field=f"{path}.parent_id",
            metadata={"state": "of_another_record", "customer_id": customer_id},
        )


def check_active(account: Account) -> None:
    """Passes an account that is in use.

    Raises:
        Refused: it is closed.
    """
    if account.status is not Status.ACTIVE:
        raise Refused("the account is closed", metadata={"state": account.status})


def check_customer(status: CustomerStatus) -> None:
    """Passes a customer that may have accounts set up and changed.

    Raises:
        Refused: it has left.
    """
    if status in LEFT:
        raise Refused("the customer has left", field="customer_id", metadata={"state": status})


def number_taken(holder: str, field: str | None = None) -> AlreadyExists:
    """The refusal of a number that another account of the customer has."""
    return AlreadyExists(
        "another account of the customer has this number",
        reason="IDENTIFIER_TAKEN",
        field=field,
        metadata={"kind": "account", "type": "account", "id": holder},
    )


def _next(account: Account, at: datetime) -> Account:
    return replace(account, version=account.version + 1, update_time=following(account.update_time, at))


def _called(kind: Kind) -> str:
    return kind.replace("_", " ")
