"""What a customer is, and what may become of it. Pure: no I/O, no clock, no randomness."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from chassis.rules import Invalid, Refused

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
FIRST = frozenset({Status.PROSPECT, Status.ACTIVE})
# No identifier holds this control character, so that keys made of two parts cannot run into each other.
SEPARATOR = "\x1f"


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
    """A customer of the operator. `version` counts its changes, from 1."""

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
        contact_media=tuple(normalised(m) for m in wish.contact_media),
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
        values["contact_media"] = tuple(normalised(m) for m in values["contact_media"])
    changed = frozenset(name for name, value in values.items() if value != getattr(customer, name))
    if not changed:
        return customer, changed
    if "party" in changed and type(wish.party) is not type(customer.party):
        kind = "organization" if isinstance(wish.party, Organization) else "individual"
        raise Invalid("a person stays a person, an organization an organization", field=f"customer.{kind}")
    after = replace(customer, **{n: values[n] for n in changed}, version=customer.version + 1, update_time=at)
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
        after = replace(after, status=status.status, version=status.version, update_time=at)
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
    return replace(customer, status=status, version=customer.version + 1, update_time=at)


def normalised(medium: ContactMedium) -> ContactMedium:
    """`medium` as it is kept: an email address has no case (RFC 5321 lets the local part have one; nobody uses it)."""
    if medium.kind is MediumKind.EMAIL:
        return replace(medium, value=medium.value.strip().lower())
    return medium


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


def external_key(issuer: str, value: str) -> str:
    """The look-up key of an external id; without its issuer, that of the value alone."""
    return SEPARATOR.join(("x", issuer, value) if issuer else ("v", value))


def medium_key(kind: MediumKind, value: str) -> str:
    """The look-up key of an email address (lower case) or an E.164 number."""
    return SEPARATOR.join((kind.value, value))
