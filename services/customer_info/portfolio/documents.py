"""Products as documents: identifiers, and what no family knows, sealed; blind tokens for what must be found."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from chassis.vault.blind import Blind
from chassis.vault.sealing import DataKey
from services.customer_info.portfolio.identifier_rules import EXCLUSIVE, ServiceIdentifier, key
from services.customer_info.portfolio.rules import CURRENT, MOST, Product, Status, StatusChange
from services.customer_info.portfolio.term_rules import Term
from services.customer_info.store import money_document, money_of, trail, without_none

Document = dict[str, Any]


def to_document(product: Product, data_key: DataKey | None, blind: Blind) -> Document:
    """A product as it is kept; `data_key` is its customer's, which one with nothing to seal does not need."""
    document: Document = {
        "_id": product.id,
        "customer_id": product.customer_id,
        "family": product.family,
        "name": product.name,
        "status": product.status.value,
        "characteristics": [list(pair) for pair in product.characteristics if pair[0] not in product.unlisted],
        "history": [{"status": c.status.value, "time": c.time} for c in product.history],
        "version": product.version,
        "update_time": product.update_time,
        **trail(),
    }
    if product.monthly_price:
        document["monthly_price"] = money_document(product.monthly_price)
    if product.one_time_price:
        document["one_time_price"] = money_document(product.one_time_price)
    if product.term:
        document["term"] = without_none(asdict(product.term))
        # Not told by the term alone, and asked for by how soon it is.
        end = product.commitment[1]
        if end is not None:
            document["commitment_end"] = end
    if product.node_ids:
        document["node_ids"] = list(product.node_ids)
    if product.account_id:
        document["account_id"] = product.account_id
    if personal := _personal(product):
        assert data_key is not None, "whoever writes something personal has made the key"
        document["sealed"] = data_key.seal(_context(product.id), personal)
    # A number that somebody gave up leads to its next holder, not to the last one.
    if product.identifiers and product.status in CURRENT:
        document |= _found_by(product, blind)
    return document


def from_document(document: Mapping[str, Any], data_key: DataKey | None) -> Product:
    """A product from what is kept; without its customer's key, without what is personal."""
    personal = _opened(document, data_key)
    unlisted = personal.get("characteristics", ())
    term: dict[str, Any] | None = document.get("term")
    return Product(
        id=document["_id"],
        customer_id=document["customer_id"],
        family=document["family"],
        name=document["name"],
        status=Status(document["status"]),
        monthly_price=money_of(document, "monthly_price"),
        one_time_price=money_of(document, "one_time_price"),
        term=Term(**term) if term is not None else None,
        identifiers=tuple(ServiceIdentifier(kind, value) for kind, value in personal.get("identifiers", ())),
        characteristics=_together(document.get("characteristics", ()), unlisted),
        unlisted=frozenset(name for _, name, _ in unlisted),
        history=tuple(StatusChange(Status(c["status"]), c["time"]) for c in document["history"]),
        node_ids=tuple(document.get("node_ids", ())),
        account_id=document.get("account_id", ""),
        version=document["version"],
        update_time=document["update_time"],
    )


def token(identifier: ServiceIdentifier, blind: Blind) -> bytes:
    """The blind token of an identifier."""
    return blind.token(*key(identifier))


def _found_by(product: Product, blind: Blind) -> Document:
    tokens = {i: token(i, blind) for i in product.identifiers}
    own = [t for i, t in tokens.items() if i.kind in EXCLUSIVE]
    found = {"lookup": list(tokens.values())}
    return {**found, "identifier_keys": own} if own else found


def is_sealed(product: Product) -> bool:
    """Whether there is something to seal in a product."""
    return bool(product.identifiers or product.unlisted)


def _personal(product: Product) -> Document:
    content: Document = {}
    if product.identifiers:
        content["identifiers"] = [[i.kind, i.value] for i in product.identifiers]
    if product.unlisted:
        pairs = enumerate(product.characteristics)
        content["characteristics"] = [[n, name, value] for n, (name, value) in pairs if name in product.unlisted]
    return content


def _together(listed: Iterable[Sequence[str]], unlisted: Iterable[tuple[int, str, str]]) -> tuple[tuple[str, str], ...]:
    """All characteristics in the order in which they were told: the sealed ones say at which place each stood."""
    found = [(name, value) for name, value in listed]
    for place, name, value in unlisted:
        found.insert(place, (name, value))
    return tuple(found)


def _opened(document: Mapping[str, Any], data_key: DataKey | None) -> Document:
    sealed = document.get("sealed")
    return data_key.open(_context(document["_id"]), sealed) if sealed is not None and data_key is not None else {}


def _context(product_id: str) -> str:
    return f"products:{product_id}"


def first_of_each(documents: Iterable[Document]) -> list[Document]:
    """The first 1000 documents of each customer."""
    counts: dict[str, int] = {}
    kept = []
    for document in documents:
        place = counts[document["customer_id"]] = counts.get(document["customer_id"], 0) + 1
        if place <= MOST:
            kept.append(document)
    return kept
