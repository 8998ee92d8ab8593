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
from tests.unit.services.customer_info.builders import NOON

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Times as the store keeps them: in whole milliseconds, from before there were computers on.
moments = st.integers(-2_000_000_000_000, 7_000_000_000_000).map(lambda ms: EPOCH + timedelta(milliseconds=ms))
words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
uuids = st.uuids().map(str)
monies = st.builds(Money, st.sampled_from(["EUR", "USD", "ZAR"]), st.integers(0, portfolio.HIGHEST_PRICE))
pairs = st.lists(st.tuples(words, st.text(max_size=8)), max_size=3).map(tuple)
spans = st.tuples(st.none() | moments, st.none() | moments).map(
    lambda s: (s[1], s[0]) if s[0] and s[1] and s[1] < s[0] else s
)
parties = st.builds(Individual, words, words) | st.builds(Organization, words, words)
media = st.builds(
    lambda kind, value, span: ContactMedium(kind, value.lower().strip() or "x", start=span[0], end=span[1]),
    st.sampled_from(MediumKind),
    words,
    spans,
)
customers = st.builds(
    Customer,
    id=uuids,
    party=parties,
    status=st.sampled_from(Status),
    category=st.sampled_from(Category),
    external_ids=st.lists(st.builds(ExternalId, words, words), max_size=3, unique=True).map(tuple),
    contact_media=st.lists(media, max_size=3).map(tuple),
    parent_id=st.just("") | uuids,
    since=st.none() | moments,
    language=st.sampled_from(["", "de", "en-ZA"]),
    billing=st.none() | st.builds(Billing, st.none() | st.sampled_from(PaymentMethod), st.booleans()),
    billed=st.none() | st.builds(Billed, st.none() | monies, st.none() | monies),
    characteristics=pairs,
)
histories = st.lists(
    st.builds(portfolio.StatusChange, st.sampled_from(portfolio.Status), moments), min_size=1, max_size=4
).map(tuple)
products = st.builds(
    portfolio.Product,
    id=uuids,
    customer_id=uuids,
    family=st.sampled_from(["voice", "mobile", "broadband"]),
    name=words,
    status=st.sampled_from(portfolio.Status),
    monthly_price=st.none() | monies,
    term=st.none() | st.builds(lambda m, s: portfolio.Term(m, s[0], s[1]), st.integers(0, 120), spans),
    identifiers=st.lists(st.builds(portfolio.ServiceIdentifier, words, words), max_size=3, unique=True).map(tuple),
    characteristics=pairs,
    history=histories,
)
kept_products = st.sampled_from(portfolio.Status).flatmap(
    lambda status: st.builds(
        lambda p: replace(p, status=status, history=(portfolio.StatusChange(status, NOON),)), products
    )
)
