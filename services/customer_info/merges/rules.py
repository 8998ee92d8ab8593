"""What becomes of two records when they are merged, field by field. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chassis.rules import Invalid, Refused
from services.customer_info.customers.rules import (
    UPDATABLE,
    Customer,
    Status,
    check,
    following,
)
from services.customer_info.merges.list_rules import LISTS, Keep, both, shows_all

# As many ids as one customer may have; lineage bounds what a read asks for.
MOST_MEMBERS = 64


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one field in which two records differ; a `conflict` hides a value that neither record lacks.

    `chosen`: somebody chose so; else it is the rule of the field.
    """

    field: str
    keep: Keep
    conflict: bool
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge, kept for ever.

    The versions of the survivor say what it was made from, and what it made: with them it can be undone. The duplicate
    changes only when another merge of the survivor is undone, by what was changed in the survivor and is its own.
    """

    id: str
    survivor_id: str
    duplicate_id: str
    survivor_before: int
    survivor_after: int
    merge_time: datetime
    merged_by: str
    outcomes: tuple[Outcome, ...] = ()
    unmerge_time: datetime | None = None
    unmerged_by: str = ""


FIELDS = tuple(sorted(UPDATABLE | {"status"}))
# Who is a customer still is one, whichever record says so.
LIVELIEST = (Status.ACTIVE, Status.SUSPENDED, Status.PROSPECT, Status.CLOSED, Status.ARCHIVED)


def merged(
    survivor: Customer, duplicate: Customer, choices: Mapping[str, Keep], at: datetime
) -> tuple[Customer, tuple[Outcome, ...]]:
    """The next version of `survivor` with what it takes over from `duplicate`, and what became of each field.

    Without a choice, lists hold the entries of both (the survivor's first, and its own version of what both have), a
    status is the livelier one, the customer's begin is the earlier one, and every other field is the survivor's unless
    that is empty. A parent that is one of the two is none: nobody is above itself.

    Raises:
        Invalid: a choice names no field, or both of what can only be one; a list would be too long.
        Refused: a person cannot be an organization.
    """
    if type(survivor.party) is not type(duplicate.party):
        raise Refused("a person and an organization are not one customer", field="duplicate_id")
    values: dict[str, Any] = {}
    outcomes = []
    _check_choices(choices)
    sources = (*survivor.sources, duplicate.id, *duplicate.sources)
    survivor, duplicate = (_without_parent(c, (survivor.id, *sources)) for c in (survivor, duplicate))
    for name in FIELDS:
        mine, theirs = getattr(survivor, name), getattr(duplicate, name)
        if mine == theirs:
            continue
        keep = _resolved(name, survivor, duplicate, choices.get(name))
        conflict = bool(mine and theirs)
        if keep is Keep.BOTH:
            values[name] = both(name, mine, theirs)
            conflict = not shows_all(values[name], theirs)
        else:
            values[name] = mine if keep is Keep.SURVIVOR else theirs
        outcomes.append(Outcome(name, keep, conflict, chosen=name in choices))
    after = following(survivor, at, **values, sources=sources)
    check(after)
    return after, tuple(outcomes)


def swallowed(duplicate: Customer, survivor_id: str, at: datetime) -> Customer:
    """The next version of `duplicate`: it leads to its survivor."""
    return following(duplicate, at, merged_into=survivor_id)


def check_group(members: Iterable[str]) -> None:
    """Passes when so many ids may be one customer.

    Raises:
        Refused: they are too many.
    """
    if len(list(members)) > MOST_MEMBERS:
        raise Refused(f"one customer would have more than {MOST_MEMBERS} records", field="duplicate_id")


def groups(members: Iterable[str], into: Mapping[str, str], parted: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The ids of a customer that stay together, and those that leave with `parted`; each survivor first.

    `into` says for each id which record it was merged into.
    """
    leaving: list[str] = [parted]
    staying: list[str] = []
    for member in members:
        at = member
        while at != parted and into.get(at):
            at = into[at]
        if member != parted:
            (leaving if at == parted else staying).append(member)
    return tuple(staying), tuple(leaving)


def _without_parent(customer: Customer, ids: Collection[str]) -> Customer:
    """`customer`, without a parent that is one of these ids."""
    return replace(customer, parent_id="") if customer.parent_id in ids else customer


def _check_choices(choices: Mapping[str, Keep]) -> None:
    for name, keep in choices.items():
        if name not in FIELDS:
            raise Invalid(f"there is no field {name} to choose; there are {', '.join(FIELDS)}", field="choices")
        if keep is Keep.BOTH and name not in LISTS:
            raise Invalid(f"{name} is one value: it cannot be both", field="choices")


def _resolved(name: str, survivor: Customer, duplicate: Customer, choice: Keep | None) -> Keep:
    """Whose value it is in the end."""
    if choice is Keep.LATEST:
        return Keep.DUPLICATE if _changed(duplicate) > _changed(survivor) else Keep.SURVIVOR
    if choice is not None:
        return choice
    if name in LISTS:
        return Keep.BOTH
    mine, theirs = getattr(survivor, name), getattr(duplicate, name)
    if name == "status":
        return Keep.SURVIVOR if LIVELIEST.index(mine) < LIVELIEST.index(theirs) else Keep.DUPLICATE
    if name == "since" and mine and theirs:
        return Keep.SURVIVOR if mine < theirs else Keep.DUPLICATE
    return Keep.SURVIVOR if mine else Keep.DUPLICATE


def _changed(customer: Customer) -> datetime:
    assert customer.update_time is not None, "a stored customer has one"
    return customer.update_time
