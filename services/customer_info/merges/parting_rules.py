"""What becomes of records when one of them turns out to be somebody else, and its merge is undone. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chassis.rules import Invalid, Refused
from services.customer_info.customers.rules import Customer, following
from services.customer_info.merges.list_rules import LISTS, Around, Keep, parted
from services.customer_info.merges.rules import FIELDS, Merge, merged


@dataclass(frozen=True, slots=True)
class Held:
    """A merge that holds: the survivor before it and after it, and the record that it took in, as it is kept."""

    merge: Merge
    before: Customer
    after: Customer
    duplicate: Customer


@dataclass(frozen=True, slots=True)
class Parting:
    """What is written when a merge is undone.

    The next versions of the survivor, in their order; that of the record which is on its own again; the merges that are
    made again, and the next versions of the records that these took in, where something was changed that is theirs.
    """

    survivor: tuple[Customer, ...]
    duplicate: Customer
    again: tuple[Merge, ...]
    others: tuple[Customer, ...]


def unmerged(undone: Held, later: Sequence[Held], survivor: Customer, at: datetime) -> Parting:
    """What becomes of all records when a merge of the `survivor` is undone, which the `later` ones followed.

    What nobody touched since the merge is as it was before it. What was changed since stays changed, with the record it
    belongs to: a value, or an entry of a list, that came from the duplicate and was changed or taken out since is
    changed or taken out there; everything else that was changed or added was so in the survivor, and stays with it.

    Only the last merge can be undone by itself, since those that follow start from what it made. So they are undone
    first, the last one first, and made again without it, with the choices that were made for them.

    Raises:
        Refused: one that followed cannot be made without it: a list would be too long.
    """
    current, taken = survivor, []
    for held in reversed(later):
        current, other = _undone(held, current)
        taken.append(other)
    current, left = _undone(undone, current)
    versions = [following(current, at)]
    again, others = [], []
    for held, other in zip(later, reversed(taken), strict=True):
        chosen = {o.field: o.keep for o in held.merge.outcomes if o.chosen}
        try:
            after, outcomes = merged(versions[-1], other, chosen, at)
        except Invalid as wrong:
            raise Refused(
                f"without it, a merge that followed cannot be: {wrong.message}; part that one first",
                field="duplicate_id",
                metadata={"state": "merged", "duplicate_id": other.id},
            ) from wrong
        before = versions[-1].version
        again.append(replace(held.merge, survivor_before=before, survivor_after=after.version, outcomes=outcomes))
        versions.append(after)
        if other != held.duplicate:
            others.append(following(other, at))
    return Parting(tuple(versions), following(left, at, merged_into=""), tuple(again), tuple(others))


def _undone(held: Held, survivor: Customer) -> tuple[Customer, Customer]:
    """The survivor without its last merge, and the record that was merged into it; neither is a new version yet."""
    duplicate = held.duplicate
    keeps = {o.field: o.keep for o in held.merge.outcomes}
    mine: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    for name in FIELDS:
        was, made, now = (getattr(c, name) for c in (held.before, held.after, survivor))
        if name in LISTS:
            mine[name], theirs[name] = parted(name, Around(was, made, now, getattr(duplicate, name), keeps.get(name)))
        elif now == made:
            mine[name] = was
        elif keeps.get(name) is Keep.DUPLICATE:
            mine[name], theirs[name] = was, now
        else:
            mine[name] = now
    leaving = {duplicate.id, *duplicate.sources}
    mine["sources"] = tuple(source for source in survivor.sources if source not in leaving)
    return replace(survivor, **mine), replace(duplicate, **theirs)
