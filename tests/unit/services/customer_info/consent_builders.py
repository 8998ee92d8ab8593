"""Records of consent to try things on."""

from typing import Any

from services.customer_info.consents.contact_rules import Question
from services.customer_info.consents.rules import Basis, Change, Channel, DoNotContact, Given, Record, Source, Withdrawn
from tests.unit.services.customer_info.builders import later, new_uuid

SHOP = Source("store", ("document", "form-7"))
MARKETING = Given("marketing", Basis.CONSENT)
STOP = Withdrawn("marketing")


def record(change: Change, minute: int = 0, customer_id: str = "c", **changes: Any) -> Record:
    """A record made so many minutes after noon; its id sorts by that time, as ids do."""
    usual: dict[str, Any] = {"id": f"{minute + 10**6}-{new_uuid()}", "source": SHOP, "by": "agent-1"}
    return Record(customer_id=customer_id, change=change, time=later(minute), **{**usual, **changes})


def question(purpose: str = "marketing", channel: Channel | None = Channel.EMAIL, minute: int = 100) -> Question:
    return Question(purpose, channel, later(minute))


def silence(**changes: Any) -> DoNotContact:
    return DoNotContact(**changes)
