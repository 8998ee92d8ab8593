"""What responsibilities are, and how they are given to somebody. Pure: no I/O, no clock, no randomness."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chassis.rules import AlreadyExists, Invalid, Refused
from services.customer_info import identifier_rules
from services.customer_info.customers.rules import Customer, Individual, MediumKind, Organization
from services.customer_info.customers.rules import Status as CustomerStatus
from services.customer_info.hierarchy.rules import FOREVER, Placement

# The store keeps milliseconds; two changes within one still happened one after the other.
TICK = timedelta(milliseconds=1)
# What a responsibility itself is called among the kinds of records.
DEFINITION = "responsibility"
# Customers of these states are with us no more: they look after nothing.
LEFT = frozenset({CustomerStatus.CLOSED, CustomerStatus.ARCHIVED})


class Standing(StrEnum):
    """Whether a holder is there."""

    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Responsibility:
    """Something that somebody has to do (C5). `version` counts its changes, from 1."""

    name: str
    description: str
    depends_on: tuple[str, ...] = ()
    required: bool = False
    several: bool = False
    version: int = 1
    update_time: datetime | None = None


Catalogue = Mapping[str, Responsibility]
# What there is when an installation starts; an operator changes it and adds to it.
DEFAULTS: Sequence[Responsibility] = (
    Responsibility("portfolio_manager", "Decides which products and services are had.", required=True),
    Responsibility("invoice_collector", "Takes in the invoices.", required=True),
    Responsibility("invoice_sorter", "Sorts the invoices by cost centre.", ("invoice_collector",)),
    Responsibility("invoice_distributor", "Passes the invoices on to whom they concern.", ("invoice_sorter",)),
    Responsibility("cost_centre_owner", "Answers for what a cost centre spends.", ("invoice_distributor",)),
    Responsibility("report_recipient", "Gets the service reports.", required=True, several=True),
    Responsibility("auditor", "Checks that what was promised is kept.", ("report_recipient",)),
    Responsibility("technical_contact", "Reports faults and is called back.", several=True),
    Responsibility("order_approver", "Approves orders of products and services.", ("portfolio_manager",)),
)


@dataclass(frozen=True, slots=True)
class Contact:
    """Who somebody is and how to reach them."""

    name: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """That somebody has a responsibility at a node from `start` until before `end`.

    The holder is a customer or a party of ours (`holder_id`), or somebody else (`contact`). `version` counts its
    changes, from 1; `update_time` grows with each.
    """

    id: str
    customer_id: str
    tree_id: str
    node_id: str
    responsibility: str
    start: datetime
    create_time: datetime
    update_time: datetime
    end: datetime = FOREVER
    holder_id: str = ""
    contact: Contact | None = None
    version: int = 1

    def holds(self, at: datetime) -> bool:
        """Whether it is so at `at`."""
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Wish:
    """An assignment that somebody wants; without a start, from now on; without an end, for good."""

    customer_id: str
    node_id: str
    responsibility: str
    id: str = ""
    start: datetime | None = None
    end: datetime | None = None
    holder_id: str = ""
    contact: Contact | None = None


def defined(before: Responsibility | None, wish: Responsibility, catalogue: Catalogue, at: datetime) -> Responsibility:
    """The responsibility as `wish` describes it; `before` itself where it is so already.

    Raises:
        Invalid: it depends on what there is not, or on itself, by whatever way.
    """
    for n, name in enumerate(wish.depends_on):
        path = f"responsibility.depends_on[{n}]"
        if name == wish.name or wish.name in dependencies(name, catalogue):
            raise Invalid(f"{name} depends on {wish.name}, which would depend on itself", field=path)
        if name not in catalogue:
            raise Invalid("there is no such responsibility", field=path)
    if before is None:
        return replace(wish, version=1, update_time=at)
    after = replace(wish, version=before.version, update_time=before.update_time)
    if after == before:
        return before
    assert before.update_time is not None, "a stored responsibility has one"
    return replace(after, version=before.version + 1, update_time=following(before.update_time, at))


def undated(first: Responsibility) -> Responsibility:
    """A responsibility before it was defined for the `first` time: assignments that were taken over from elsewhere may
    be older than it, and mean what it says; but nobody asked for it then.
    """
    return replace(first, required=False)


def dependencies(name: str, catalogue: Catalogue) -> tuple[str, ...]:
    """The names of all that a responsibility depends on, by whatever way; the nearest first, each once."""
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        nearest = [d for n in waiting if n in catalogue for d in catalogue[n].depends_on]
        waiting = list(dict.fromkeys(d for d in nearest if d not in found))
        found.update(dict.fromkeys(waiting))
    return tuple(found)


def assigned(wish: Wish, assignment_id: str, place: Placement, at: datetime) -> Assignment:
    """A new assignment at `place`, as `wish` describes it.

    It belongs to the record that the place belongs to: of records that were merged, each keeps its own map when they
    are parted.

    Raises:
        Invalid: it ends before it starts, lies at the end of all times, or its contact is none.
    """
    start, end = wish.start or at, FOREVER if wish.end is None else wish.end
    if start >= FOREVER:
        raise Invalid("lies at the end of all times", field="assignment.start")
    if end <= start:
        raise Invalid("must lie after the start", field="assignment.end")
    return Assignment(
        id=assignment_id,
        customer_id=place.customer_id,
        tree_id=place.tree_id,
        node_id=place.node_id,
        responsibility=wish.responsibility,
        start=start,
        end=end,
        create_time=at,
        update_time=at,
        holder_id=wish.holder_id,
        contact=None if wish.contact is None else read_contact(wish.contact),
    )


def ended(assignment: Assignment, end: datetime | None, at: datetime) -> Assignment:
    """`assignment` with another end, now unless one is given; itself if it ends just then.

    One that has not begun yet and ends now, never was. What is over stays so: only an end that is given moves it.

    Raises:
        Invalid: it would end before it starts.
    """
    if end is None:
        if assignment.end <= max(at, assignment.start):
            return assignment
        end = max(at, assignment.start)
    if end < assignment.start:
        raise Invalid("lies before the start", field="end")
    if end == assignment.end:
        return assignment
    stamp = following(assignment.update_time, at)
    return replace(assignment, end=end, version=assignment.version + 1, update_time=stamp)


def check_room(assignment: Assignment, others: Iterable[Assignment], *, several: bool) -> None:
    """Passes an assignment that gets in the way of none of `others`, those of its responsibility at its node.

    Raises:
        AlreadyExists: somebody has it at the same time, or, where several may, the same customer has.
    """
    for other in others:
        together = other.id != assignment.id and max(other.start, assignment.start) < min(other.end, assignment.end)
        same = bool(assignment.holder_id) and other.holder_id == assignment.holder_id
        if together and (same or not several):
            whose = "the holder has it" if same else "somebody has it"
            raise AlreadyExists(
                f"{whose} at this node at the same time: end that first",
                field="assignment.start",
                metadata={"type": "assignment", "id": other.id},
            )


def check_holder(customer: Customer) -> None:
    """Passes a customer or party that can look after something.

    Raises:
        Refused: it has left (its state says how), or was merged into another one.
    """
    if customer.merged_into:
        raise Refused(
            "the holder was merged into another customer: name that one",
            reason="MERGED",
            field="assignment.holder_id",
            metadata={"survivor_id": customer.merged_into},
        )
    if customer.erase_time or customer.status in LEFT:
        state = "erased" if customer.erase_time else customer.status.value
        raise Refused("the holder has left", field="assignment.holder_id", metadata={"state": state})


def read_contact(contact: Contact) -> Contact:
    """`contact` as it is kept: address and number in the one form that each has.

    Raises:
        Invalid: it has no name, or its address or number is none.
    """
    if not contact.name.strip():
        raise Invalid("is blank", field="assignment.contact.name")
    email = _read(identifier_rules.email, contact.email, "assignment.contact.email")
    phone = _read(identifier_rules.e164, contact.phone, "assignment.contact.phone")
    return Contact(contact.name, email, phone)


def contact_of(customer: Customer, at: datetime) -> Contact:
    """Who a customer is, and the address and number at which it is best reached at `at`."""
    return Contact(
        _name(customer.party), _medium(customer, MediumKind.EMAIL, at), _medium(customer, MediumKind.PHONE, at)
    )


def standing_of(customer: Customer | None, contact: Contact | None) -> Standing:
    """Whether a holder is there: `customer` is its record where it is one of ours, `contact` what is known of it."""
    if customer is not None and (customer.erase_time or customer.status in LEFT):
        return Standing.LEFT
    return Standing.REACHABLE if contact and (contact.email or contact.phone) else Standing.UNREACHABLE


def following(before: datetime, at: datetime) -> datetime:
    """The time of a change made at `at` to a thing that last changed at `before`: later, also when clocks differ."""
    return max(at, before + TICK)


def _read(read: Callable[[str], str], value: str, field: str) -> str:
    if not value:
        return ""
    try:
        return read(value)
    except ValueError as error:
        raise Invalid(str(error), field=field) from error


def _name(party: Individual | Organization) -> str:
    if isinstance(party, Organization):
        return party.trading_name
    return f"{party.given_name} {party.family_name}".strip()


def _medium(customer: Customer, kind: MediumKind, at: datetime) -> str:
    """The medium of a kind that is valid at `at`, the preferred one first; empty: there is none."""
    valid = [
        m
        for m in customer.contact_media
        if m.kind is kind and (m.start is None or m.start <= at) and (m.end is None or at < m.end)
    ]
    return min(valid, key=lambda m: not m.preferred).value if valid else ""
