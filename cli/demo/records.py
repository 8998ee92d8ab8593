"""Customers and products as messages."""

import random
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1.types_pb2 import Characteristic, Money, Period
from holdfast.customer_info.v1.customers_pb2 import (
    BilledTotals,
    BillingPreference,
    ContactMedium,
    Customer,
    CustomerCategory,
    CustomerStatus,
    ExternalId,
    Individual,
    Organization,
)
from holdfast.customer_info.v1.portfolio_pb2 import (
    ContractTerm,
    Product,
    ProductStatus,
    ProductStatusChange,
    ServiceIdentifier,
)

from cli.demo import names
from cli.demo.catalogue import Offer
from cli.demo.chance import DAY, MONTH, one_of, uuid_of
from cli.demo.members import Member

CURRENCY: Final = "EUR"
MICROS_PER_CENT: Final = 10_000
ISSUER: Final = "demo-billing"
EMAIL, PHONE, POST = (
    ContactMedium.Kind.KIND_EMAIL,
    ContactMedium.Kind.KIND_PHONE,
    ContactMedium.Kind.KIND_POST,
)
ORDER_TO_BUILD, BUILD_TO_USE = 4 * DAY, 5 * DAY


def money(cents: int) -> Money:
    """An amount in the operator's currency."""
    return Money(currency_code=CURRENCY, micros=cents * MICROS_PER_CENT)


def customer(member: Member, seed: str) -> Customer:
    """The record of a customer as it stands now."""
    rng, account = member.rng(seed, "record"), member.account
    months = account.tenure + rng.random() * 0.9
    record = Customer(
        id=member.id,
        status=CustomerStatus.CUSTOMER_STATUS_CLOSED if member.fate.left else CustomerStatus.CUSTOMER_STATUS_ACTIVE,
        category=CustomerCategory.CUSTOMER_CATEGORY_RETAIL,
        external_ids=[ExternalId(issuer=ISSUER, value=f"{'B' if account.tier else 'C'}-{seed}-{member.index:06}")],
        parent_id=member.parent_id,
        since=Timestamp(seconds=member.since),
        language=one_of(rng, names.LANGUAGES),
        billing=BillingPreference(payment_method=account.payment, paperless=account.paperless),
        billed=BilledTotals(monthly=money(account.cents), total=money(int(account.cents * months))),
    )
    if account.tier:
        _organization(record, member, rng)
    else:
        _person(record, member, rng)
    return record


def _organization(record: Customer, member: Member, rng: random.Random) -> None:
    number = f"HRB {rng.randint(10_000, 99_999)}" if member.level == 0 else ""
    record.organization.CopyFrom(Organization(trading_name=member.name, registration_number=number))
    record.contact_media.extend(_media(member, names.email(f"office.{member.name}", member.index), rng))
    record.characteristics.append(Characteristic(name="care_level", value=member.account.tier))


def _person(record: Customer, member: Member, rng: random.Random) -> None:
    given, family = names.person(rng)
    account = member.account
    record.individual.CopyFrom(Individual(given_name=given, family_name=family))
    record.contact_media.extend(_media(member, names.email(f"{given}.{family}", member.index), rng))
    known = (("senior", account.senior), ("partner", account.partner), ("dependents", account.dependents))
    record.characteristics.extend(Characteristic(name=name, value="yes" if value else "no") for name, value in known)


def _media(member: Member, email: str, rng: random.Random) -> list[ContactMedium]:
    phone = names.landline(member.index)
    media = [ContactMedium(kind=EMAIL, value=email, preferred=True)]
    if phone:
        media.append(ContactMedium(kind=PHONE, value=phone, preferred=True))
    if rng.random() < 0.5:
        address = f"{rng.randint(1, 140)} Example Street, {rng.randint(1, 99):02} Sampleton"
        media.append(ContactMedium(kind=POST, value=address))
    return media


def products(member: Member, seed: str) -> list[Product]:
    """The portfolio of a customer as it stands now; what a leaver had has ceased."""
    rng = member.rng(seed, "products")
    return [_product(member, offer, place, rng) for place, offer in enumerate(member.account.offers)]


def _product(member: Member, offer: Offer, place: int, rng: random.Random) -> Product:
    start = member.since if place == 0 or rng.random() < 0.6 else rng.randint(member.since, _settled(member))
    start -= start % 3600
    history = [
        _entered(ProductStatus.PRODUCT_STATUS_ORDERED, start - ORDER_TO_BUILD - BUILD_TO_USE),
        _entered(ProductStatus.PRODUCT_STATUS_PROVISIONING, start - BUILD_TO_USE),
        _entered(ProductStatus.PRODUCT_STATUS_ACTIVE, start),
    ]
    if member.departure is not None:
        history.append(_entered(ProductStatus.PRODUCT_STATUS_CEASED, member.departure))
    return Product(
        id=uuid_of(rng),
        customer_id=member.id,
        family=offer.family,
        name=offer.name,
        status=history[-1].status,
        monthly_price=money(offer.cents),
        term=_term(member, start),
        identifiers=_identifiers(offer, member, rng),
        characteristics=[Characteristic(name=name, value=value) for name, value in offer.characteristics],
        history=history,
    )


def _settled(member: Member) -> int:
    # Nothing is bought in the last hundred days: the portfolio that a model sees is the one the customer lived with.
    return max(member.since, member.end - 100 * DAY)


def _entered(status: ProductStatus.ValueType, time: int) -> ProductStatusChange:
    return ProductStatusChange(status=status, time=Timestamp(seconds=time))


def _term(member: Member, start: int) -> ContractTerm:
    months = member.account.term
    if not months:
        return ContractTerm()
    # Contracts renew themselves: the commitment is the one that holds at the story's end.
    begin = start + (member.end - start) // (months * MONTH) * months * MONTH
    commitment = Period(start=Timestamp(seconds=begin), end=Timestamp(seconds=begin + months * MONTH))
    return ContractTerm(months=months, commitment=commitment)


def _identifiers(offer: Offer, member: Member, rng: random.Random) -> list[ServiceIdentifier]:
    """What a product is known by.

    A circuit or a device is of one product alone, whatever operator is beside this one. Fictional numbers are few and
    come again, so they are not of the kind that only one product can have.
    """
    kind = {"landline": "e164", "msisdn": "e164"}.get(offer.identifier, offer.identifier)
    value = _identifier(offer.identifier, member.index, rng)
    return [ServiceIdentifier(kind=kind, value=value)] if value else []


def _identifier(kind: str, index: int, rng: random.Random) -> str:
    if kind == "landline":
        return names.landline(index)
    if kind == "msisdn":
        return names.mobile(index)
    if kind == "circuit":
        return f"CIR-{index:06}-{rng.randint(0, 99_999_999):08}"
    if kind == "imei":
        return names.imei(rng.randint(0, 10**13 - 1) // 10)
    return ""
