"""Customers and products of every kind, as hypothesis makes them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from services.customer_info.customers.rules import (
    Billed,
    Billing,
    Category,
    ContactMedium,
    Customer,
    ExternalId,
    Individual,
    MediumKind,
    Money,
    Organization,
    PaymentMethod,
    Status,
)
from services.customer_info.portfolio import rules as portfolio
from services.customer_info.portfolio.identifier_rules import ServiceIdentifier, luhn_digit
from services.customer_info.portfolio.term_rules import Term
from tests.unit.services.customer_info.builders import NOON

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Times as the store keeps them: in whole milliseconds, from before there were computers on.
moments = st.integers(-2_000_000_000_000, 7_000_000_000_000).map(lambda ms: EPOCH + timedelta(milliseconds=ms))
words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
uuids = st.uuids().map(str)
monies = st.builds(Money, st.sampled_from(["EUR", "USD", "ZAR"]), st.integers(0, portfolio.HIGHEST_PRICE))
# As a customer's are kept: without blanks around them.
tidy = words.map(str.strip).filter(bool)
names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
traits = st.lists(st.tuples(names, st.text(max_size=8)), max_size=3, unique_by=lambda pair: pair[0]).map(tuple)
pairs = st.lists(st.tuples(words, st.text(max_size=8)), max_size=3).map(tuple)
spans = st.tuples(st.none() | moments, st.none() | moments).map(
    lambda s: (s[1], s[0]) if s[0] and s[1] and s[1] < s[0] else s
)
parties = st.builds(Individual, words, tidy) | st.builds(Organization, tidy, words)
addresses = st.from_regex(r"[a-z0-9]{1,8}@[a-z0-9]{1,8}\.example", fullmatch=True)
numbers = st.integers(10**6, 10**7 - 1).map(lambda n: f"+4930{n}")
handles = names.map(lambda name: f"network:{name}")
VALUES = {MediumKind.EMAIL: addresses, MediumKind.PHONE: numbers, MediumKind.POST: tidy, MediumKind.SOCIAL: handles}
media = st.sampled_from(MediumKind).flatmap(
    lambda kind: st.builds(
        lambda value, span: ContactMedium(kind, value, start=span[0], end=span[1]), VALUES[kind], spans
    )
)
customers = st.builds(
    Customer,
    id=uuids,
    party=parties,
    status=st.sampled_from(Status),
    category=st.sampled_from(Category),
    external_ids=st.lists(st.builds(ExternalId, tidy, tidy), max_size=3, unique=True).map(tuple),
    contact_media=st.lists(media, max_size=3, unique_by=lambda m: (m.kind, m.value)).map(tuple),
    parent_id=st.just("") | uuids,
    since=st.none() | moments,
    language=st.sampled_from(["", "de", "en-ZA"]),
    billing=st.none() | st.builds(Billing, st.none() | st.sampled_from(PaymentMethod), st.booleans()),
    billed=st.none() | st.builds(Billed, st.none() | monies, st.none() | monies),
    characteristics=traits,
)
histories = st.lists(
    st.builds(portfolio.StatusChange, st.sampled_from(portfolio.Status), moments), min_size=1, max_size=4
).map(tuple)
digits = st.text("0123456789", min_size=14, max_size=14)
identifiers = st.one_of(
    st.builds(ServiceIdentifier, st.just("e164"), numbers),
    st.builds(ServiceIdentifier, st.just("email"), addresses),
    st.builds(ServiceIdentifier, st.just("imsi"), digits),
    st.builds(lambda d: ServiceIdentifier("imei", d + luhn_digit(d)), digits),
    st.builds(
        ServiceIdentifier,
        st.sampled_from(["circuit", "pbx_slot"]),
        st.from_regex(r"[A-Za-z0-9-]{1,12}", fullmatch=True),
    ),
)
products = st.builds(
    portfolio.Product,
    id=uuids,
    customer_id=uuids,
    family=st.sampled_from(["voice", "mobile", "broadband"]),
    name=words,
    status=st.sampled_from(portfolio.Status),
    monthly_price=st.none() | monies,
    one_time_price=st.none() | monies,
    term=st.none() | st.builds(lambda m, s: Term(m, s[0], s[1]), st.integers(0, 120), spans),
    identifiers=st.lists(identifiers, max_size=3, unique=True).map(tuple),
    characteristics=pairs,
    history=histories,
    node_ids=st.lists(uuids, max_size=2, unique=True).map(tuple),
    account_id=st.just("") | uuids,
)
kept_products = st.sampled_from(portfolio.Status).flatmap(
    lambda status: st.builds(
        lambda p: replace(p, status=status, history=(portfolio.StatusChange(status, NOON),)), products
    )
)
