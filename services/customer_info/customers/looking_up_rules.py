"""What customers are looked up by, and whom an identifier leads to. Pure: time comes in as an argument."""

from collections.abc import Collection, Sequence
from datetime import datetime

from chassis.rules import Refused
from services.customer_info import identifier_rules
from services.customer_info.customers.rules import READ, ContactMedium, Customer, Status
from services.customer_info.identifier_rules import Key

# Whoever left is meant only where nobody else can be.
LEFT = frozenset({Status.CLOSED, Status.ARCHIVED})
# As many as somebody can choose from while the caller waits.
MOST_NAMED = 20


def keys(customer: Customer) -> set[Key]:
    """Everything that a customer can be looked up by, at whatever time."""
    return _external(customer) | {(m.kind.value, m.value) for m in customer.contact_media if m.kind in READ}


def leads(wanted: Collection[Key], customer: Customer, at: datetime) -> bool:
    """Whether any of the keys leads to the customer at `at`: an address does while it is valid."""
    valid = {(m.kind.value, m.value) for m in customer.contact_media if m.kind in READ and _valid(m, at)}
    return not (_external(customer) | valid).isdisjoint(wanted)


def meant(found: Sequence[Customer]) -> list[Customer]:
    """Those of the customers found who can be meant: who left only where nobody else is there."""
    staying = [customer for customer in found if customer.status not in LEFT]
    return staying or list(found)


def ambiguous(customer_ids: Sequence[str], *, more: bool) -> Refused:
    """The refusal of an identifier that leads to several customers; `more`: there may be others."""
    return Refused(
        "several customers answer to this identifier",
        reason="AMBIGUOUS",
        metadata={
            "type": "customer",
            "ids": ",".join(customer_ids[:MOST_NAMED]),
            "more": "true" if more or len(customer_ids) > MOST_NAMED else "false",
        },
    )


def _external(customer: Customer) -> set[Key]:
    found = {identifier_rules.external_key(e.issuer, e.value) for e in customer.external_ids}
    return found | {identifier_rules.external_key("", e.value) for e in customer.external_ids}


def _valid(medium: ContactMedium, at: datetime) -> bool:
    return (medium.start is None or medium.start <= at) and (medium.end is None or at < medium.end)
