"""An export is complete: a collection is shown in it, or somebody said here why it holds nothing of a person's."""

from services.customer_info.build import COLLECTIONS
from services.customer_info.privacy.kinds import HELD

NOTHING_OF_A_PERSON = {
    "applied_events": "ids of events of other services",
    "families": "what the operator sells",
    "dead_letters": "events of other services that could not be applied, which carry nothing personal",
    "erasures": "who is erased is shown nothing any more",
    "leases": "which replica does what",
    "lineage": "ids that are one customer, which the merges show",
    "load_faults": "rows that were refused: their number, the field and the reason, without what stood in it",
    "loads": "how far a bulk load is",
    "outbox": "events, which carry nothing personal",
    "positions": "how far a listener is",
    "requests": "answers kept for three days for whoever asks again: what the records themselves show",
    "responsibilities": "the operator's words for roles",
    "responsibility_places": "marks that keep two from taking one place",
    "verification_codes": "hashes of codes that are good for minutes",
}


def test_everything_held_on_a_person_is_in_the_export() -> None:
    shown = {held.collection for held, _ in HELD.values()}
    kept = {collection.name for collection in COLLECTIONS}
    assert shown <= kept
    assert kept - shown == set(NOTHING_OF_A_PERSON) & kept
    assert set(NOTHING_OF_A_PERSON) <= kept
