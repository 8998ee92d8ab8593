"""Customers as documents: what is personal sealed in one field, what must be found as blind tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from chassis.vault.joint import SEALED_WITH, joint, key_of, owners
from chassis.vault.sealing import DataKey
from chassis.vault.vault import Vault
from services.customer_info.customers.looking_up_rules import keys
from services.customer_info.customers.rules import (
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
    names,
)
from services.customer_info.duplicates.rules import blocking_keys
from services.customer_info.identifier_rules import external_key
from services.customer_info.search.rules import index_terms
from services.customer_info.store import money_of, trail, without_none

Document = dict[str, Any]
# What a record that was merged into another has in place of its status, which it keeps beside it: it is in no list.
MERGED = "merged"
# The kind of the tokens of search terms.
TERM = "n"
# The kind of the tokens that say which records are worth comparing.
BLOCK = "d"


# By what is kept of each: asking an enum for its member takes ten times as long, and every read asks for several.
_STATUS = {s.value: s for s in Status}
_CATEGORY = {c.value: c for c in Category}
_KIND = {k.value: k for k in MediumKind}
_METHOD = {m.value: m for m in PaymentMethod}


def to_document(customer: Customer, key: DataKey | None, vault: Vault) -> Document:
    """A customer as it is kept; `key` is that of all whose data it holds; who was erased has none, and needs none."""
    document: Document = {
        "_id": customer.id,
        "kind": "individual" if isinstance(customer.party, Individual) else "organization",
        "status": customer.status.value,
        "category": customer.category.value,
        "version": customer.version,
        "create_time": customer.create_time,
        "update_time": customer.update_time,
        **trail(),
    }
    if customer.parent_id:
        document["parent_id"] = customer.parent_id
    if customer.since:
        document["since"] = customer.since
    if customer.billing:
        document["billing"] = without_none(asdict(customer.billing))
    if customer.billed:
        document["billed"] = without_none(asdict(customer.billed))
    if customer.erase_time:
        return {**document, "erase_time": customer.erase_time}
    assert key is not None, "who is not erased has a key"
    document["sealed"] = key.seal(_context(customer.id), _personal(customer))
    if customer.sources:
        document[SEALED_WITH] = list(customer.sources)
    if customer.merged_into:
        # Nothing finds it any more but its id: what it was known by leads to its survivor.
        return {**document, "status": MERGED, "own_status": customer.status.value, "merged_into": customer.merged_into}
    if customer.external_ids:
        document["external_keys"] = [vault.token(*external_key(e.issuer, e.value)) for e in customer.external_ids]
    document["lookup"] = [vault.token(*key) for key in keys(customer)]
    document["terms"] = [
        *vault.shorts(TERM, index_terms(names(customer))),
        *vault.shorts(BLOCK, blocking_keys(customer)),
    ]
    return document


def from_document(document: Mapping[str, Any], key: DataKey | None) -> Customer:
    """A customer from what is kept; without its key, whatever is personal is empty."""
    sealed = document.get("sealed")
    personal = key.open(_context(document["_id"]), sealed) if key is not None and sealed is not None else {}
    party = personal.get("party", ("", ""))
    billing, billed = document.get("billing"), document.get("billed")
    return Customer(
        id=document["_id"],
        party=Individual(*party) if document["kind"] == "individual" else Organization(*party),
        status=_STATUS[document.get("own_status") or document["status"]],
        category=_CATEGORY[document["category"]],
        external_ids=tuple(ExternalId(*pair) for pair in personal.get("external_ids", ())),
        contact_media=tuple(_medium(m) for m in personal.get("contact_media", ())),
        parent_id=document.get("parent_id", ""),
        since=document.get("since"),
        language=personal.get("language", ""),
        billing=_billing(billing) if billing is not None else None,
        billed=Billed(money_of(billed, "monthly"), money_of(billed, "total")) if billed is not None else None,
        characteristics=tuple((n, v) for n, v in personal.get("characteristics", ())),
        version=document["version"],
        create_time=document["create_time"],
        update_time=document["update_time"],
        merged_into=document.get("merged_into", ""),
        sources=tuple(document.get(SEALED_WITH, ())),
        erase_time=document.get("erase_time"),
    )


async def all_opened(documents: Sequence[Document], vault: Vault) -> list[Customer]:
    """Customers from what is kept; whatever is personal is empty where a key that it takes was destroyed."""
    return [from_document(d, key) for d, key in await _with_keys(documents, vault)]


async def all_readable(documents: Sequence[Document], vault: Vault) -> list[Customer]:
    """The same, without those whose key was destroyed."""
    return [from_document(d, key) for d, key in await _with_keys(documents, vault) if key is not None]


async def all_sealed(customers: Sequence[Customer], vault: Vault) -> list[Document]:
    """Customers as they are kept. Whoever is erased has no key, and needs none.

    Raises:
        Refused: one of those whose data a customer holds was erased (ERASED).
    """
    keys = await vault.make({owner for c in customers if not c.erase_time for owner in (c.id, *c.sources)})
    return [to_document(c, joint((c.id, *c.sources), keys), vault) for c in customers]


async def _with_keys(documents: Sequence[Document], vault: Vault) -> list[tuple[Document, DataKey | None]]:
    keys = await vault.keys({owner for d in documents for owner in owners(d["_id"], d)})
    return [(d, key_of(d["_id"], d, keys)) for d in documents]


def _context(customer_id: str) -> str:
    return f"customers:{customer_id}"


def _personal(customer: Customer) -> Document:
    """What is sealed; in lists, since their names would cost more than what they hold."""
    party = customer.party
    names = (
        [party.given_name, party.family_name]
        if isinstance(party, Individual)
        else [party.trading_name, party.registration_number]
    )
    return {
        "party": names,
        "external_ids": [[e.issuer, e.value] for e in customer.external_ids],
        "contact_media": [[m.kind.value, m.value, m.preferred, m.start, m.end] for m in customer.contact_media],
        "language": customer.language,
        # Free text of a catalogue: nobody knows what it says of a person.
        "characteristics": [list(pair) for pair in customer.characteristics],
    }


def _medium(kept: Sequence[Any]) -> ContactMedium:
    kind, value, preferred, start, end = kept
    return ContactMedium(_KIND[kind], value, preferred, start, end)


def _billing(kept: Mapping[str, Any]) -> Billing:
    method = kept.get("payment_method")
    return Billing(_METHOD[method] if method else None, kept["paperless"])
