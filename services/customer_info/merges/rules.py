"""What becomes of two records when they are merged, field by field. Pure."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from chassis.rules import Invalid, Refused
from services.customer_info.customers.rules import (
    UPDATABLE,
    ContactMedium,
    Customer,
    Status,
    check,
    following,
)

# As many ids as one customer may have; lineage bounds what a read asks for.
MOST_MEMBERS = 64
# As many entries as the contract lets a list have.
MOST_ENTRIES = {"external_ids": 32, "contact_media": 32, "characteristics": 64}


class Keep(StrEnum):
    """Whose value of a field is kept."""

    SURVIVOR = "survivor"
    DUPLICATE = "duplicate"
    LATEST = "latest"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one field in which two records differ; a `conflict` hides a value that neither record lacks."""

    field: str
    keep: Keep
    conflict: bool


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge, kept for ever.

    The versions of the survivor say what it was made from, and what it made: with them it can be undone. The duplicate
    has not changed since.
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


# By what two entries of a list are the same one.
Identify = Callable[[Any], Any]
LISTS: Mapping[str, Identify] = {
    "external_ids": lambda e: e,
    "contact_media": lambda m: (m.kind, m.value),
    "characteristics": lambda pair: pair[0],
}
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
        values[name] = _both(name, mine, theirs) if keep is Keep.BOTH else (mine if keep is Keep.SURVIVOR else theirs)
        outcomes.append(Outcome(name, keep, bool(mine and theirs) and keep is not Keep.BOTH))
    after = following(survivor, at, **values, sources=sources)
    check(after)
    return after, tuple(outcomes)


def swallowed(duplicate: Customer, survivor_id: str, at: datetime) -> Customer:
    """The next version of `duplicate`: it leads to its survivor."""
    return following(duplicate, at, merged_into=survivor_id)


@dataclass(frozen=True, slots=True)
class Around:
    """The survivor before a merge and after it, and what became of the fields in it."""

    before: Customer
    after: Customer
    outcomes: tuple[Outcome, ...]


def unmerged(
    merge: Around, survivor: Customer, duplicate: Customer, staying: Sequence[Customer], at: datetime
) -> tuple[Customer, Customer]:
    """The next versions of both records when a merge is undone.

    What nobody touched since the merge is as it was before it. What was changed since stays changed, with the record it
    belongs to: a value, or an entry of a list, that came from the duplicate and was changed or taken out since is
    changed or taken out there; everything else that was changed or added was so in the survivor, and stays with it.
    What leaves is made up for by `staying`, the other records that are one with the survivor, as in a merge with them.
    """
    mine: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    taken_over = {o.field for o in merge.outcomes if o.keep is Keep.DUPLICATE}
    for name in FIELDS:
        was, made, now = (getattr(c, name) for c in (merge.before, merge.after, survivor))
        if name in LISTS:
            mine[name], theirs[name] = _parted(name, was, made, now, getattr(duplicate, name))
            mine[name] = _made_up_for(name, mine[name], now, staying)
        elif now == made:
            mine[name] = was
        elif name in taken_over:
            mine[name], theirs[name] = was, now
        else:
            mine[name] = now
    leaving = {duplicate.id, *duplicate.sources}
    mine["sources"] = tuple(source for source in survivor.sources if source not in leaving)
    left = following(survivor, at, **mine)
    for other in (_without_parent(c, (survivor.id, *mine["sources"])) for c in staying):
        gone = [name for name in FIELDS if name not in LISTS and getattr(left, name) != getattr(survivor, name)]
        taken = [name for name in gone if _resolved(name, left, other, None) is Keep.DUPLICATE]
        left = replace(left, **{name: getattr(other, name) for name in taken})
    return left, following(duplicate, at, **theirs, merged_into="")


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


def _both(name: str, mine: tuple[Any, ...], theirs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The entries of both lists, each once; of a medium of each kind, one is preferred at most."""
    known = _keyed(name, mine)
    entries = (*mine, *(entry for key, entry in _keyed(name, theirs).items() if key not in known))
    if len(entries) > MOST_ENTRIES[name]:
        raise Invalid(f"together they have more than {MOST_ENTRIES[name]} {name}: choose one list", field="choices")
    return _settled(name, entries)


def _keyed(name: str, entries: tuple[Any, ...]) -> dict[Any, Any]:
    """Entries by what they are; the second of the same (a number with two spans of validity, say) is another one."""
    counted: Counter[Any] = Counter()
    keyed = {}
    for entry in entries:
        key = LISTS[name](entry)
        counted[key] += 1
        keyed[key, counted[key]] = entry
    return keyed


def _settled(name: str, entries: tuple[Any, ...]) -> tuple[Any, ...]:
    if name != "contact_media":
        return entries
    seen: set[str] = set()
    media: list[ContactMedium] = []
    for medium in entries:
        media.append(replace(medium, preferred=False) if medium.preferred and medium.kind in seen else medium)
        if medium.preferred:
            seen.add(medium.kind)
    return tuple(media)


def _made_up_for(
    name: str, mine: tuple[Any, ...], now: tuple[Any, ...], staying: Sequence[Customer]
) -> tuple[Any, ...]:
    """A list with those of its present entries that another record, which stays, has as well."""
    current, kept = _keyed(name, now), _keyed(name, mine)
    theirs = {key for other in staying for key in _keyed(name, getattr(other, name))}
    return _settled(name, (*mine, *(e for key, e in current.items() if key in theirs and key not in kept)))


def _parted(
    name: str, was: tuple[Any, ...], made: tuple[Any, ...], now: tuple[Any, ...], own: tuple[Any, ...]
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The list of the survivor and that of the duplicate after their merge was undone."""
    before, after, current = (_keyed(name, entries) for entries in (was, made, now))
    mine = []
    for key, entry in before.items():
        if key in current:
            mine.append(entry if current[key] == after.get(key) else current[key])
        elif key not in after:
            # The merge, not somebody since, took it out.
            mine.append(entry)
    mine += [entry for key, entry in current.items() if key not in before and key not in after]
    theirs = []
    for key, entry in _keyed(name, own).items():
        came = key in after and key not in before
        if not came:
            theirs.append(entry)
        elif key in current:
            theirs.append(entry if current[key] == after[key] else current[key])
    return _settled(name, tuple(mine)), _settled(name, tuple(theirs))
