"""What a customer is, and what may become of it. Pure: no I/O, no clock, no randomness."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from chassis import rules as refusals
from chassis.rules import Invalid, Refused
from services.customer_info import identifier_rules
from services.customer_info.identifier_rules import Key

# A legal structure deeper than this is a mistake in the data; it also bounds the walk that looks for cycles.
DEEPEST = 32


class Status(StrEnum):
    """Lifecycle of a customer (C1)."""

    PROSPECT = "prospect"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"
    ARCHIVED = "archived"


class Category(StrEnum):
    """How the operator deals with a customer."""

    RETAIL = "retail"
    WHOLESALE = "wholesale"
    PARTNER = "partner"


class MediumKind(StrEnum):
    """Kinds of address."""

    EMAIL = "email"
    PHONE = "phone"
    POST = "post"
    SOCIAL = "social"


class PaymentMethod(StrEnum):
    """Ways to pay."""

    ELECTRONIC_CHECK = "electronic_check"
    MAILED_CHECK = "mailed_check"
    BANK_TRANSFER = "bank_transfer"
    CREDIT_CARD = "credit_card"
    OTHER = "other"


TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.PROSPECT: frozenset({Status.ACTIVE, Status.CLOSED, Status.ARCHIVED}),
    Status.ACTIVE: frozenset({Status.SUSPENDED, Status.CLOSED}),
    Status.SUSPENDED: frozenset({Status.ACTIVE, Status.CLOSED}),
    # A customer that comes back is the same customer.
    Status.CLOSED: frozenset({Status.ACTIVE, Status.ARCHIVED}),
    Status.ARCHIVED: frozenset(),
}
# How an address is brought into the form it is kept in; what is not here can have any.
READ: Mapping[MediumKind, Callable[[str], str]] = {
    MediumKind.EMAIL: identifier_rules.email,
    MediumKind.PHONE: identifier_rules.e164,
}
FIRST = frozenset({Status.PROSPECT, Status.ACTIVE})
# What the store can tell apart: a version is never as old as the one before it.
TICK = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Individual:
    """A person."""

    given_name: str
    family_name: str


@dataclass(frozen=True, slots=True)
class Organization:
    """A company, authority or association."""

    trading_name: str
    registration_number: str = ""


@dataclass(frozen=True, slots=True)
class ExternalId:
    """An identifier that `issuer` gave."""

    issuer: str
    value: str


@dataclass(frozen=True, slots=True)
class ContactMedium:
    """A way to reach a customer, valid from `start` until before `end`."""

    kind: MediumKind
    value: str
    preferred: bool = False
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in millionths of the currency's unit."""

    currency: str
    micros: int


@dataclass(frozen=True, slots=True)
class Billing:
    """How a customer pays, and what billing reported of it."""

    payment_method: PaymentMethod | None = None
    paperless: bool = False


@dataclass(frozen=True, slots=True)
class Billed:
    """What billing reported: for a month, and in all."""

    monthly: Money | None = None
    total: Money | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer of the operator. `version` counts its changes, from 1.

    `merged_into` is the customer that this record was found to be a duplicate of; an erased person has an `erase_time`
    and nothing that is personal.
    """

    id: str
    party: Individual | Organization
    status: Status = Status.ACTIVE
    category: Category = Category.RETAIL
    external_ids: tuple[ExternalId, ...] = ()
    contact_media: tuple[ContactMedium, ...] = ()
    parent_id: str = ""
    since: datetime | None = None
    language: str = ""
    billing: Billing | None = None
    billed: Billed | None = None
    characteristics: tuple[tuple[str, str], ...] = ()
    version: int = 1
    create_time: datetime | None = None
    update_time: datetime | None = None
    merged_into: str = ""
    erase_time: datetime | None = None


UPDATABLE = frozenset(
    {
        "category",
        "party",
        "external_ids",
        "contact_media",
        "parent_id",
        "since",
        "language",
        "billing",
        "billed",
        "characteristics",
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    """A customer as a row of a bulk load tells of it; a row that says no status leaves the one there is."""

    wish: Customer
    says_status: bool = True


def created(wish: Customer, customer_id: str, at: datetime) -> Customer:
    """A new customer as `wish` describes it.

    Raises:
        Invalid: it cannot begin in that status, or is inconsistent.
    """
    if wish.status not in FIRST:
        raise Invalid("a new customer starts as prospect or active", field="customer.status")
    return loaded(wish, customer_id, at)


def loaded(wish: Customer, customer_id: str, at: datetime) -> Customer:
    """A customer new to the record, but not to the operator: it may be in any state of its lifecycle.

    Raises:
        Invalid: it is inconsistent.
    """
    customer = replace(
        wish,
        id=customer_id,
        version=1,
        since=wish.since or at,
        create_time=at,
        update_time=at,
        contact_media=normalised(wish.contact_media),
        merged_into="",
        erase_time=None,
    )
    check(customer)
    return customer


def updated(customer: Customer, wish: Customer, names: Iterable[str], at: datetime) -> tuple[Customer, frozenset[str]]:
    """`customer` with the fields `names` of `wish`, and the names of those that differ; itself if none does.

    Raises:
        Invalid: it would be inconsistent, or a person would become an organisation or the other way around.
    """
    values = {name: getattr(wish, name) for name in names}
    if "contact_media" in values:
        values["contact_media"] = normalised(values["contact_media"])
    changed = frozenset(name for name, value in values.items() if value != getattr(customer, name))
    if not changed:
        return customer, changed
    if "party" in changed and type(wish.party) is not type(customer.party):
        kind = "organization" if isinstance(wish.party, Organization) else "individual"
        raise Invalid("a person stays a person, an organization an organization", field=f"customer.{kind}")
    after = following(customer, at, **{n: values[n] for n in changed})
    check(after)
    return after, changed


def imported(customer: Customer, row: Row, at: datetime) -> tuple[Customer, frozenset[str]]:
    """`customer` as a row of a bulk load wants it: every field it may update, and `since` only where it was unknown.

    A status in the row counts only where its lifecycle has an arrow for it.

    Raises:
        Invalid: it would be inconsistent.
        Refused: the lifecycle has no arrow for the status.
    """
    names = UPDATABLE - ({"since"} if customer.since else set())
    after, changed = updated(customer, row.wish, names, at)
    if row.says_status and row.wish.status is not customer.status:
        status = moved(customer, row.wish.status, at)
        after = replace(after, status=status.status, version=status.version, update_time=status.update_time)
        changed |= {"status"}
    return after, changed


def moved(customer: Customer, status: Status, at: datetime) -> Customer:
    """`customer` in another status; itself if it has it already.

    Raises:
        Refused: its lifecycle has no such arrow (FORBIDDEN_TRANSITION); the metadata names those there are.
    """
    if status is customer.status:
        return customer
    allowed = TRANSITIONS[customer.status]
    if status not in allowed:
        names = ", ".join(sorted(allowed)) or "none"
        raise Refused(
            f"a customer that is {customer.status} cannot become {status}; it can become {names}",
            reason="FORBIDDEN_TRANSITION",
            field="status",
            metadata={"from": customer.status, "to": status, "allowed": names},
        )
    return following(customer, at, status=status)


def following(customer: Customer, at: datetime, **values: Any) -> Customer:
    """The next version of `customer`, made at `at` or, whatever the clocks say, right after the one before."""
    if customer.update_time:
        at = max(at, customer.update_time + TICK)
    return replace(customer, **values, version=customer.version + 1, update_time=at)


def normalised(media: Iterable[ContactMedium]) -> tuple[ContactMedium, ...]:
    """`media` as they are kept: addresses and numbers in the one form that each has.

    Raises:
        Invalid: an email address or a telephone number is none.
    """
    return tuple(_normalised(m, f"customer.contact_media[{n}].value") for n, m in enumerate(media))


def _normalised(medium: ContactMedium, path: str) -> ContactMedium:
    read = READ.get(medium.kind)
    if read is None:
        return medium
    try:
        value = read(medium.value)
    except ValueError as error:
        raise Invalid(str(error), field=path) from error
    return medium if value == medium.value else replace(medium, value=value)


def check(customer: Customer) -> None:
    """Passes a consistent customer.

    Raises:
        Invalid: an external id twice, two preferred media of a kind, a medium that ends before it starts, a parent that
            is the customer itself.
    """
    if isinstance(customer.party, Individual) and not customer.party.family_name:
        raise Invalid("a customer is an individual or an organization", field="customer.party")
    if len(set(customer.external_ids)) < len(customer.external_ids):
        raise Invalid("the same external id stands there twice", field="customer.external_ids")
    preferred = [m.kind for m in customer.contact_media if m.preferred]
    if len(set(preferred)) < len(preferred):
        raise Invalid("only one medium of a kind can be the preferred one", field="customer.contact_media")
    for n, medium in enumerate(customer.contact_media):
        if medium.start and medium.end and medium.end < medium.start:
            raise Invalid("its validity ends before it starts", field=f"customer.contact_media[{n}].valid")
    if customer.parent_id and customer.parent_id == customer.id:
        raise Invalid("a customer cannot be its own parent", field="customer.parent_id")


def erased(customer: Customer, at: datetime) -> Customer:
    """The next version of `customer`, of whom nothing is left but that there was a customer, and when."""
    return following(
        customer,
        at,
        party=Individual("", "") if isinstance(customer.party, Individual) else Organization(""),
        status=Status.ARCHIVED,
        external_ids=(),
        contact_media=(),
        since=None,
        language="",
        billing=None,
        billed=None,
        characteristics=(),
        erase_time=at,
    )


def check_open(customer: Customer) -> None:
    """Passes when the record may be changed.

    Raises:
        Refused: it was merged into another, which is the one to change (MERGED), or the person was erased (ERASED).
    """
    if customer.merged_into:
        raise Refused(
            "the customer was merged into another one: change that one",
            reason="MERGED",
            metadata={"survivor_id": customer.merged_into},
        )
    if customer.erase_time:
        raise refusals.erased(customer.id)


def check_parents(customer: Customer, chain: Iterable[Customer]) -> None:
    """Passes when `chain`, the parents of `customer` from the nearest up, makes sense.

    Raises:
        Invalid: the nearest is a person, the customer is among them, or they are more than 32.
    """
    for depth, parent in enumerate(chain, 1):
        if isinstance(parent.party, Individual) and depth == 1:
            raise Invalid("a parent must be an organization", field="customer.parent_id")
        if parent.id == customer.id:
            raise Invalid("the customer would be above itself", field="customer.parent_id")
        if depth >= DEEPEST:
            raise Invalid(f"the structure would be deeper than {DEEPEST} levels", field="customer.parent_id")


def names(customer: Customer) -> tuple[str, ...]:
    """What a customer is called: a person's given and family name each by itself, an organisation's trading name."""
    party = customer.party
    called = (party.given_name, party.family_name) if isinstance(party, Individual) else (party.trading_name,)
    return tuple(name for name in called if name)


def keys(customer: Customer) -> set[Key]:
    """Everything that a customer can be looked up by."""
    found = {identifier_rules.external_key(e.issuer, e.value) for e in customer.external_ids}
    found |= {identifier_rules.external_key("", e.value) for e in customer.external_ids}
    return found | {(m.kind.value, m.value) for m in customer.contact_media if m.kind in READ}
