"""Customers between protobuf and the rules' dataclasses: part of the handlers' door, kept apart for its length."""

from collections.abc import Callable
from functools import partial

from google.protobuf.field_mask_pb2 import FieldMask
from holdfast.customer_info.v1 import customers_pb2 as pb

from chassis.etag import etag
from chassis.rules import Invalid
from chassis.times import moment, put
from services.customer_info.customers import characteristic_rules
from services.customer_info.customers.import_rules import PARTS, Row, untold_parts
from services.customer_info.customers.looking_up import CUSTOMER, Wanted
from services.customer_info.customers.rules import (
    UPDATABLE,
    Billed,
    Billing,
    Category,
    ContactMedium,
    Customer,
    ExternalId,
    Individual,
    MediumKind,
    Organization,
    PaymentMethod,
    Status,
)
from services.customer_info.identifier_rules import (
    ACCOUNT,
    EMAIL,
    ID,
    PHONE,
    VALUE,
    account_key,
    any_keys,
    e164,
    email,
    external_key,
)
from services.customer_info.portfolio.identifier_rules import ServiceIdentifier, any_service, key, normalised
from services.customer_info.wire import characteristics, masked, money, money_message, pairs, stamp, told_fields

PRODUCT = "product"
STATUSES = {s: pb.CustomerStatus.Value(f"CUSTOMER_STATUS_{s.name}") for s in Status}
CATEGORIES = {c: pb.CustomerCategory.Value(f"CUSTOMER_CATEGORY_{c.name}") for c in Category}
KINDS = {k: pb.ContactMedium.Kind.Value(f"KIND_{k.name}") for k in MediumKind}
METHODS = {m: pb.PaymentMethod.Value(f"PAYMENT_METHOD_{m.name}") for m in PaymentMethod}
_STATUS = {number: status for status, number in STATUSES.items()}
_CATEGORY = {number: category for category, number in CATEGORIES.items()}
_KIND = {number: kind for kind, number in KINDS.items()}
_METHOD = {number: method for method, number in METHODS.items()}
# What the contract calls the fields that a mask may name.
_MASKED = {name: name for name in UPDATABLE - {"party"}} | {"individual": "party", "organization": "party"}


def status(number: pb.CustomerStatus.ValueType) -> Status:
    """The status a message names; active where it names none."""
    return _STATUS.get(number, Status.ACTIVE)


def customer(message: pb.Customer) -> Customer:
    """The customer that a validated message describes.

    Raises:
        Invalid: one of its times is no time.
    """
    return Customer(
        id=message.id,
        party=_party(message),
        status=status(message.status),
        category=_CATEGORY.get(message.category, Category.RETAIL),
        external_ids=tuple(ExternalId(e.issuer, e.value) for e in message.external_ids),
        contact_media=tuple(_medium(m, n) for n, m in enumerate(message.contact_media)),
        parent_id=message.parent_id,
        since=moment(message, "since", "customer.since"),
        language=message.language,
        billing=Billing(_METHOD.get(message.billing.payment_method), message.billing.paperless)
        if message.HasField("billing")
        else None,
        billed=_billed(message.billed) if message.HasField("billed") else None,
        characteristics=pairs(message.characteristics),
    )


def row(message: pb.Customer, told: frozenset[str] | None = None) -> Row:
    """A row of a bulk load from a validated message; `told` are the fields that it is about, None: all.

    Raises:
        Invalid: one of its times is no time.
    """
    return Row(
        customer(message),
        says_status=message.status != pb.CUSTOMER_STATUS_UNSPECIFIED,
        says_party=message.WhichOneof("party") is not None,
        told=told,
    )


def reader(request: pb.ImportCustomersRequest) -> Callable[[pb.Customer], Row]:
    """What makes rows of the customers of a message.

    Raises:
        Invalid: it says that they tell of a field that there is not.
    """
    told = told_fields(request.fields, pb.Customer.DESCRIPTOR.fields_by_name, PARTS)
    return row if told is None else partial(row, told=told)


def untold(request: pb.ImportCustomersRequest) -> frozenset[str]:
    """The parts of fields that the customers of a message do not tell of, by their paths."""
    return untold_parts(request.fields)


def wanted(request: pb.LookupCustomerRequest) -> Wanted:
    """The keys that a look-up asks for, by the type of thing that may have them.

    Raises:
        Invalid: the telephone number or the address is none.
    """
    which = request.WhichOneof("identifier")
    if which == "external_id":
        external = request.external_id
        return {CUSTOMER: [external_key(external.issuer.strip(), external.value.strip())]}
    if which == "email":
        return {CUSTOMER: [(EMAIL, _read(email, request.email, which))]}
    if which == "phone":
        number = (PHONE, _read(e164, request.phone, which))
        return {CUSTOMER: [number], PRODUCT: [number]}
    if which == "service":
        asked = ServiceIdentifier(request.service.kind, request.service.value)
        return {PRODUCT: [key(normalised(asked, which))]}
    if which == "account_number":
        return {ACCOUNT: [account_key(request.account_number)]}
    keys = any_keys(request.any)
    return {
        CUSTOMER: [k for k in keys if k[0] in (VALUE, EMAIL, PHONE, ID)],
        PRODUCT: [*(k for k in keys if k[0] == PHONE), *any_service(request.any)],
        ACCOUNT: [k for k in keys if k[0] == ACCOUNT],
    }


def _read(read: Callable[[str], str], text: str, path: str) -> str:
    try:
        return read(text)
    except ValueError as error:
        raise Invalid(str(error), field=path) from error


def names(mask: FieldMask, message: pb.Customer) -> frozenset[str]:
    """The fields that an update is about: those of the mask or, without one, those that are set.

    Raises:
        Invalid: the mask names a field that cannot be updated, or the kind of party that is not set.
    """
    paths = masked(mask, message, _MASKED)
    for path in ("individual", "organization"):
        if path in paths and message.WhichOneof("party") != path:
            raise Invalid(f"the mask names {path}, but it is not set", field=f"customer.{path}")
    return frozenset(_MASKED[p] for p in paths)


def message(kept: Customer) -> pb.Customer:
    """A customer as it goes to a caller; written in place, since every message of its own is copied into its owner."""
    out = pb.Customer(
        id=kept.id,
        etag=etag(kept.version),
        status=STATUSES[kept.status],
        category=CATEGORIES[kept.category],
        parent_id=kept.parent_id,
        language=kept.language,
        merged_into=kept.merged_into,
    )
    party = kept.party
    if isinstance(party, Individual):
        out.individual.given_name, out.individual.family_name = party.given_name, party.family_name
    else:
        out.organization.trading_name = party.trading_name
        out.organization.registration_number = party.registration_number
    for external in kept.external_ids:
        out.external_ids.add(issuer=external.issuer, value=external.value)
    for medium in kept.contact_media:
        _put_medium(out, medium)
    for name, value in kept.characteristics:
        out.characteristics.add(name=name, value=value)
    if kept.billing:
        out.billing.CopyFrom(billing_message(kept.billing))
    if kept.billed:
        out.billed.CopyFrom(billed_message(kept.billed))
    put(out.since, kept.since)
    put(out.create_time, kept.create_time)
    put(out.update_time, kept.update_time)
    put(out.erase_time, kept.erase_time)
    return out


def facts(kept: Customer) -> pb.CustomerFacts:
    """What events tell of a customer: nothing personal, of characteristics flags and counts."""
    return pb.CustomerFacts(
        id=kept.id,
        status=STATUSES[kept.status],
        category=CATEGORIES[kept.category],
        is_individual=isinstance(kept.party, Individual),
        parent_id=kept.parent_id,
        since=stamp(kept.since),
        billing=billing_message(kept.billing) if kept.billing else None,
        characteristics=characteristics(characteristic_rules.told(kept.characteristics)),
        billed=billed_message(kept.billed) if kept.billed else None,
    )


def billing_message(billing: Billing) -> pb.BillingPreference:
    """How a customer pays, as a message."""
    method = METHODS[billing.payment_method] if billing.payment_method else pb.PAYMENT_METHOD_UNSPECIFIED
    return pb.BillingPreference(payment_method=method, paperless=billing.paperless)


def billed_message(billed: Billed) -> pb.BilledTotals:
    """What billing reported, as a message."""
    return pb.BilledTotals(monthly=money_message(billed.monthly), total=money_message(billed.total))


def _party(message: pb.Customer) -> Individual | Organization:
    if message.WhichOneof("party") == "organization":
        return Organization(message.organization.trading_name, message.organization.registration_number)
    return Individual(message.individual.given_name, message.individual.family_name)


def _medium(message: pb.ContactMedium, place: int) -> ContactMedium:
    if not message.HasField("valid"):
        return ContactMedium(_KIND[message.kind], message.value, message.preferred)
    valid, path = message.valid, f"customer.contact_media[{place}].valid"
    start, end = moment(valid, "start", f"{path}.start"), moment(valid, "end", f"{path}.end")
    return ContactMedium(_KIND[message.kind], message.value, message.preferred, start, end)


def _put_medium(out: pb.Customer, medium: ContactMedium) -> None:
    to = out.contact_media.add(kind=KINDS[medium.kind], value=medium.value, preferred=medium.preferred)
    if medium.start or medium.end:
        put(to.valid.start, medium.start)
        put(to.valid.end, medium.end)


def _billed(message: pb.BilledTotals) -> Billed:
    return Billed(
        money(message.monthly) if message.HasField("monthly") else None,
        money(message.total) if message.HasField("total") else None,
    )
