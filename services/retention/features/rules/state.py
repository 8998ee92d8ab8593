"""What is kept per customer: compact, mergeable, and plain enough for any document store.

Every part is a join-semilattice (highest version, earliest or latest time), except the daily counts, which add up
(Shapiro et al. 2011, "Conflict-free Replicated Data Types"). So the order in which facts arrive does not matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from services.retention.features.rules.facts import OutcomeRecorded, ProductChanged, ProfileChanged, utc

SENTIMENT_SCALE = 1000
"""Sentiment is summed in whole thousandths: integers add up to the same total in any order, floats do not."""


class Day(NamedTuple):
    """Counts of one UTC day; `sentiment` is a sum in thousandths over `rated` interactions.

    A tuple, as a ticket is: a score builds them all, and a tuple is built three times as fast as a dataclass.
    """

    contacts: int = 0
    complaints: int = 0
    sentiment: int = 0
    rated: int = 0

    def plus(self, other: "Day") -> "Day":
        """Both days' counts together."""
        return Day(
            self.contacts + other.contacts,
            self.complaints + other.complaints,
            self.sentiment + other.sentiment,
            self.rated + other.rated,
        )


class Ticket(NamedTuple):
    """A ticket's first and last opening and its last closing; a part is None while its fact has not arrived."""

    first_opened: datetime | None = None
    last_opened: datetime | None = None
    last_closed: datetime | None = None

    def plus(self, other: "Ticket") -> "Ticket":
        """What is known after both have been seen."""
        return Ticket(
            earliest(self.first_opened, other.first_opened),
            latest(self.last_opened, other.last_opened),
            latest(self.last_closed, other.last_closed),
        )

    def open_at(self, moment: datetime) -> bool:
        """Whether somebody waits for it at that moment; a closing at the moment of an opening wins."""
        if self.first_opened is None or self.first_opened > moment:
            return False
        if self.last_closed is None or self.last_closed > moment:
            return True
        return self.last_opened is not None and self.last_closed < self.last_opened <= moment


@dataclass(frozen=True, slots=True)
class State:
    """Everything the features of one customer are computed from.

    Attributes:
        profile, products: the newest version of each.
        days: ISO date to the counts of that UTC day.
        tickets, breaches: by ticket id and clock id.
        last_contact: when the customer last began a contact.
        outcome: the latest known outcome.
        heard: per source, the time of the newest fact; the age of the features that come from it.
    """

    profile: ProfileChanged | None = None
    products: Mapping[str, ProductChanged] = field(default_factory=dict)
    days: Mapping[str, Day] = field(default_factory=dict)
    tickets: Mapping[str, Ticket] = field(default_factory=dict)
    breaches: Mapping[str, datetime] = field(default_factory=dict)
    last_contact: datetime | None = None
    outcome: OutcomeRecorded | None = None
    heard: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether anything was ever heard."""
        return bool(self.heard)


def earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two times; None stands for not known."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def latest(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two times; None stands for not known."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def to_document(state: State) -> dict[str, Any]:
    """The state as dicts, lists, text, numbers, None and datetimes; ids never become keys, for they may hold dots.

    Counts of zero and times that are not known are left out: a score reads this document each time.
    """
    return {
        "profile": _plain(state.profile) if state.profile else None,
        "products": [_plain(state.products[key]) for key in sorted(state.products)],
        "days": [_counted("day", key, state.days[key]) for key in sorted(state.days)],
        "tickets": [_counted("ticket_id", key, state.tickets[key]) for key in sorted(state.tickets)],
        "breaches": [{"clock_id": key, "at": state.breaches[key]} for key in sorted(state.breaches)],
        "last_contact": state.last_contact,
        "outcome": {"at": state.outcome.at, "churned": state.outcome.churned} if state.outcome else None,
        "heard": {key: state.heard[key] for key in sorted(state.heard)},
    }


def from_document(document: Mapping[str, Any]) -> State:
    """The state that `to_document` wrote; times without a zone are UTC, as document stores hand them out."""
    profile, outcome, last_contact = document.get("profile"), document.get("outcome"), document.get("last_contact")
    return State(
        profile=ProfileChanged(**_timed(profile)) if profile else None,
        products={one["product_id"]: ProductChanged(**_timed(one)) for one in document.get("products", ())},
        days={one["day"]: _day(one) for one in document.get("days", ())},
        tickets={one["ticket_id"]: _ticket(one) for one in document.get("tickets", ())},
        breaches={one["clock_id"]: _utc(one["at"]) for one in document.get("breaches", ())},
        last_contact=_utc(last_contact) if last_contact else None,
        outcome=OutcomeRecorded(**_timed(outcome)) if outcome else None,
        heard={source: _utc(at) for source, at in document.get("heard", {}).items()},
    )


def _plain(value: ProfileChanged | ProductChanged) -> dict[str, Any]:
    fields = value.__dataclass_fields__
    plain = {name: entry for name in fields if (entry := getattr(value, name)) is not None}
    if "customer_since" in plain:
        plain["customer_since"] = plain["customer_since"].isoformat()
    return plain


def _counted(name: str, key: str, value: Day | Ticket) -> dict[str, Any]:
    counted = {field_name: entry for field_name, entry in zip(value._fields, value, strict=True) if entry}
    return {name: key, **counted}


def _utc(moment: datetime) -> datetime:
    return utc(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _timed(entry: Mapping[str, Any]) -> dict[str, Any]:
    timed = {name: _utc(value) if isinstance(value, datetime) else value for name, value in entry.items()}
    if "customer_since" in timed:
        timed["customer_since"] = date.fromisoformat(entry["customer_since"])
    return timed


def _day(entry: Mapping[str, Any]) -> Day:
    read = entry.get
    return Day(read("contacts", 0), read("complaints", 0), read("sentiment", 0), read("rated", 0))


def _ticket(entry: Mapping[str, Any]) -> Ticket:
    times = (entry.get("first_opened"), entry.get("last_opened"), entry.get("last_closed"))
    return Ticket(*(None if at is None else _utc(at) for at in times))
