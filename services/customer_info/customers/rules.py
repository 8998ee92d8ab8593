"""What a customer is, and what may become of it. Pure: no I/O, no clock, no randomness."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from chassis import rules as refusals
from chassis.rules import Invalid, Refused
from services.customer_info import identifier_rules
from services.customer_info.customers import characteristic_rules


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
    # What came there by mistake, or comes back to life, is closed first.
    Status.ARCHIVED: frozenset({Status.CLOSED}),
}
# How what a customer can be looked up by is brought into the form it is kept in.
READ: Mapping[MediumKind, Callable[[str], str]] = {
    MediumKind.EMAIL: identifier_rules.email,
    MediumKind.PHONE: identifier_rules.e164,
}
# The same of every address.
KEPT: Mapping[MediumKind, Callable[[str], str]] = {
    **READ,
    MediumKind.POST: identifier_rules.lines,
    MediumKind.SOCIAL: identifier_rules.social,
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

    `merged_into` is the customer that this record was found to be a duplicate of, `sources` are the records that were
    merged into this one, whose data it holds; an erased person has an `erase_time` and nothing that is personal.
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
    sources: tuple[str, ...] = ()
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
        external_ids=identified(wish.external_ids),
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
    if "external_ids" in values:
        values["external_ids"] = identified(values["external_ids"])
    changed = frozenset(name for name, value in values.items() if value != getattr(customer, name))
    if not changed:
        return customer, changed
    if "party" in changed and type(wish.party) is not type(customer.party):
        kind = "organization" if isinstance(wish.party, Organization) else "individual"
        raise Invalid("a person stays a person, an organization an organization", field=f"customer.{kind}")
    after = following(customer, at, **{n: values[n] for n in changed})
    check(after)
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
        Invalid: an address is none of its kind.
    """
    return tuple(_normalised(m, f"customer.contact_media[{n}].value") for n, m in enumerate(media))


def _normalised(medium: ContactMedium, path: str) -> ContactMedium:
    try:
        value = KEPT[medium.kind](medium.value)
    except ValueError as error:
        raise Invalid(str(error), field=path) from error
    return medium if value == medium.value else replace(medium, value=value)


def identified(ids: Iterable[ExternalId]) -> tuple[ExternalId, ...]:
    """`ids` as they are kept and looked up: without blanks around them.

    Raises:
        Invalid: nothing else is in one.
    """
    return tuple(_identified(e, f"customer.external_ids[{n}]") for n, e in enumerate(ids))


def _identified(external: ExternalId, path: str) -> ExternalId:
    issuer, value = external.issuer.strip(), external.value.strip()
    for name, text in (("issuer", issuer), ("value", value)):
        if not text:
            raise Invalid("must not be blank", field=f"{path}.{name}")
    return external if (issuer, value) == (external.issuer, external.value) else ExternalId(issuer, value)


def check(customer: Customer) -> None:
    """Passes a consistent customer.

    Raises:
        Invalid: a name that is blank, an external id twice, two preferred media of a kind, a medium that ends before it
            starts or stands there twice, a characteristic that has no name or another's, a parent that is the
            customer itself.
    """
    _check_party(customer.party)
    if len(set(customer.external_ids)) < len(customer.external_ids):
        raise Invalid("the same external id stands there twice", field="customer.external_ids")
    preferred = [m.kind for m in customer.contact_media if m.preferred]
    if len(set(preferred)) < len(preferred):
        raise Invalid("only one medium of a kind can be the preferred one", field="customer.contact_media")
    for n, medium in enumerate(customer.contact_media):
        if medium.start and medium.end and medium.end < medium.start:
            raise Invalid("its validity ends before it starts", field=f"customer.contact_media[{n}].valid")
        if any(same_then(medium, other) for other in customer.contact_media[:n]):
            raise Invalid("the same address stands there twice", field=f"customer.contact_media[{n}].value")
    characteristic_rules.check(customer.characteristics)
    if customer.parent_id and customer.parent_id == customer.id:
        raise Invalid("a customer cannot be its own parent", field="customer.parent_id")


def _check_party(party: Individual | Organization) -> None:
    if isinstance(party, Organization):
        if not party.trading_name.strip():
            raise Invalid("must not be blank", field="customer.organization.trading_name")
    elif not party.family_name and not party.given_name:
        raise Invalid("a customer is an individual or an organization", field="customer.party")
    elif not party.family_name.strip():
        raise Invalid("must not be blank", field="customer.individual.family_name")


def same_then(one: ContactMedium, other: ContactMedium) -> bool:
    """Whether two entries are one address at one time: a number may go, and come back."""
    if (one.kind, one.value) != (other.kind, other.value):
        return False
    apart = (one.end and other.start and one.end <= other.start) or (other.end and one.start and other.end <= one.start)
    return not apart


def erased(customer: Customer, at: datetime) -> Customer:
    """The next version of `customer`, of whom nothing is left but that there was a customer, and when."""
    return following(
        without_personal(customer),
        at,
        status=Status.ARCHIVED,
        since=None,
        billing=None,
        billed=None,
        sources=(),
        erase_time=at,
    )


def without_personal(customer: Customer) -> Customer:
    """`customer` as it is read without its key."""
    return replace(
        customer,
        party=Individual("", "") if isinstance(customer.party, Individual) else Organization(""),
        external_ids=(),
        contact_media=(),
        language="",
        characteristics=(),
    )


def check_open(customer: Customer, field: str | None = None) -> None:
    """Passes when the record may be changed; `field` named it.

    Raises:
        Refused: it was merged into another, which is the one to change (MERGED), or the person was erased (ERASED).
    """
    if customer.merged_into:
        raise Refused(
            "the customer was merged into another one: change that one",
            reason="MERGED",
            field=field,
            metadata={"survivor_id": customer.merged_into},
        )
    if customer.erase_time:
        raise refusals.erased(customer.id)


def names(customer: Customer) -> tuple[str, ...]:
    """What a customer is called: a person's given and family name each by itself, an organisation's trading name."""
    party = customer.party
    called = (party.given_name, party.family_name) if isinstance(party, Individual) else (party.trading_name,)
    return tuple(name for name in called if name)
