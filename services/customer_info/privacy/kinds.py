"""The kinds of records that an export shows: where each is kept, and how one is read. A new kind is one more row."""

import functools
from collections.abc import Mapping
from typing import Any, Final

from chassis.exporting import Record
from chassis.vault.sealing import DataKey
from services.customer_info.accounts import documents as account_documents
from services.customer_info.accounts import wire as account_wire
from services.customer_info.accounts.store import ACCOUNT_REQUESTS
from services.customer_info.consents import store as consent_store
from services.customer_info.consents import wire as consent_wire
from services.customer_info.consents.store import CONSENTS
from services.customer_info.duplicates.store import DISTINCT
from services.customer_info.hierarchy import documents as node_documents
from services.customer_info.hierarchy import wire as node_wire
from services.customer_info.hierarchy.store import PLACEMENTS, TREES
from services.customer_info.history import kinds as records
from services.customer_info.history.store import HISTORY
from services.customer_info.merges.store import MERGES
from services.customer_info.privacy.exporting import Find, Read
from services.customer_info.privacy.store import Held, Holdings
from services.customer_info.profiles.store import PROFILE_FACTS
from services.customer_info.responsibilities import documents as assignment_documents
from services.customer_info.responsibilities import wire as assignment_wire
from services.customer_info.responsibilities.store import ASSIGNMENTS
from services.customer_info.verification.lock_rules import Whose
from services.customer_info.verification.store import ATTEMPTS, FACTORS, LOCKS, SEPARATOR, VERIFICATIONS

Document = dict[str, Any]
# A hash is nothing that a person could read, and all that somebody needs who wants to guess.
NEVER_SHOWN = frozenset({"hash", "sealed"})


def node_place(document: Document, key: DataKey | None) -> Record:
    """Where a node of a tree stood, for as long as it was so."""
    keys = {} if key is None else {document["customer_id"]: key}
    return node_wire.node_message(node_documents.from_document(document, keys))


def assignment(document: Document, key: DataKey | None) -> Record:
    """Who had a responsibility, where and when."""
    return assignment_wire.message(assignment_documents.assignment(document, key))


def account_request(document: Document, key: DataKey | None) -> Record:
    """What was asked of an account, and what became of it."""
    return account_wire.request_message(account_documents.request(document, key))


def consent(document: Document, key: DataKey | None) -> Record:
    """What was agreed to, withdrawn or asked not to be done."""
    return consent_wire.record(consent_store.from_document(document, key))


def former(document: Document, key: DataKey | None) -> Record:
    """What a record was before it changed."""
    read = records.READ[document["kind"]]
    was = read({"_id": document["subject"], **document["document"]}, key)
    return {"kind": document["kind"], "id": document["subject"], "version": document["version"], "was": was}


def told_apart(document: Document, _: DataKey | None) -> Record:
    """That somebody found the record to be another person's than one that resembles it, whose id is that person's."""
    return {"by": document["by"], "time": document["time"]}


def lock_id(customer_id: str) -> str:
    """Under which id a customer's failures are counted."""
    return f"{Whose.CUSTOMER}{SEPARATOR}{customer_id}"


def lock(document: Document, _: DataKey | None) -> Record:
    """How often a challenge failed of late, and until when no other is made."""
    return {name: document[name] for name in ("failures", "since", "until") if name in document}


def level(document: Document, _: DataKey | None) -> Record:
    """Which challenges were passed in a contact, and until when they count."""
    return {name: document[name] for name in ("customer_id", "contact_id", "passed", "expire_time")}


def plain(document: Document, _: DataKey | None) -> Record:
    """A record that holds nothing sealed, as it is kept, without what is nobody's to see."""
    shown = {name: value for name, value in document.items() if name not in NEVER_SHOWN}
    return {"id": str(shown.pop("_id")), **{n: v for n, v in shown.items() if not isinstance(v, bytes)}}


HELD: Final[Mapping[str, tuple[Held, Read]]] = {
    **{kind: (Held(kept.collection, kept.owner), records.READ[kind]) for kind, kept in records.KEPT.items()},
    "node_place": (Held(PLACEMENTS.name, "tree_id", through=TREES.name), node_place),
    "assignment": (Held(ASSIGNMENTS.name), assignment),
    # What the person answers for in an enterprise, which is the enterprise's record: who else does is not told.
    "held_assignment": (Held(ASSIGNMENTS.name, "holder_id"), assignment),
    "account_request": (Held(ACCOUNT_REQUESTS.name), account_request),
    "consent": (Held(CONSENTS.name), consent),
    "profile_fact": (Held(PROFILE_FACTS.name), plain),
    "verification_factor": (Held(FACTORS.name), plain),
    "verification_attempt": (Held(ATTEMPTS.name), plain),
    "verification_level": (Held(VERIFICATIONS.name), level),
    "verification_lock": (Held(LOCKS.name, "_id", named=lock_id), lock),
    "told_apart": (Held(DISTINCT.name, "customer_ids"), told_apart),
    "merged_into": (Held(MERGES.name, "duplicate_id"), plain),
    "merged_with": (Held(MERGES.name, "survivor_id"), plain),
    "former_version": (Held(HISTORY.name), former),
}


def kinds(holdings: Holdings) -> dict[str, tuple[Find, Read]]:
    """All kinds, each with its records in `holdings`."""
    return {name: (functools.partial(holdings.pages, held), read) for name, (held, read) in HELD.items()}
