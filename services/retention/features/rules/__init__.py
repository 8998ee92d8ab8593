"""The rules of features: the schema, the facts that feed it, the fold that keeps a customer's state, and the reading.

facts → `apply` → `State` → `vector` as of a moment → a model's score. A `Reading` is a vector kept for as long as it
holds, so that a score need not go back to the state.
"""

from services.retention.features.rules.facts import (
    CONTRACT_TYPES,
    PRODUCT_KINDS,
    ClockBreached,
    Fact,
    InteractionLogged,
    OutcomeRecorded,
    ProductChanged,
    ProfileChanged,
    TicketClosed,
    TicketOpened,
)
from services.retention.features.rules.fold import KEEP_DAYS, apply, combined, fold, merge, prune
from services.retention.features.rules.reading import Reading, read
from services.retention.features.rules.schema import (
    ADDONS,
    BY_NAME,
    FEATURES,
    NAMES,
    NOT_USED,
    SCHEMA_VERSION,
    Feature,
    Value,
    Vector,
)
from services.retention.features.rules.state import Day, State, Ticket, from_document, to_document
from services.retention.features.rules.vector import ages, currency, months_between, vector

__all__ = [
    "ADDONS",
    "BY_NAME",
    "CONTRACT_TYPES",
    "FEATURES",
    "KEEP_DAYS",
    "NAMES",
    "NOT_USED",
    "PRODUCT_KINDS",
    "SCHEMA_VERSION",
    "ClockBreached",
    "Day",
    "Fact",
    "Feature",
    "InteractionLogged",
    "OutcomeRecorded",
    "ProductChanged",
    "ProfileChanged",
    "Reading",
    "State",
    "Ticket",
    "TicketClosed",
    "TicketOpened",
    "Value",
    "Vector",
    "ages",
    "apply",
    "combined",
    "currency",
    "fold",
    "from_document",
    "merge",
    "months_between",
    "prune",
    "read",
    "to_document",
    "vector",
]
