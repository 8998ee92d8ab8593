"""What becomes of lists when the records that have them are merged, and parted again. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from chassis.rules import Invalid
from services.customer_info.customers.rules import ContactMedium, same_then

# The entries of a list, and by what one is known: what it is, and the how-manieth of these it is.
Entries = tuple[Any, ...]
Key = tuple[Any, int]
# By what two entries of a list are the same one.
Identify = Callable[[Any], Any]
LISTS: Mapping[str, Identify] = {
    "external_ids": lambda e: e,
    "contact_media": lambda m: (m.kind, m.value),
    "characteristics": lambda pair: pair[0],
}
# As many entries as the contract lets a list have.
MOST_ENTRIES = {"external_ids": 32, "contact_media": 32, "characteristics": 64}


class Keep(StrEnum):
    """Whose value of a field is kept."""

    SURVIVOR = "survivor"
    DUPLICATE = "duplicate"
    LATEST = "latest"
    BOTH = "both"


def both(name: str, mine: Entries, theirs: Entries) -> Entries:
    """The entries of both lists, each once; of a medium of each kind, one is preferred at most."""
    places = _places(name, mine, theirs, Keep.BOTH)
    joined = _keyed(name, mine)
    joined |= {places[key]: entry for key, entry in _keyed(name, theirs).items() if places[key] not in joined}
    if len(joined) > MOST_ENTRIES[name]:
        raise Invalid(f"together they have more than {MOST_ENTRIES[name]} {name}: choose one list", field="choices")
    return _settled(name, joined.values())


def shows_all(joined: Entries, theirs: Entries) -> bool:
    """Whether a list made of both tells all that `theirs` does."""
    told = {_plain(entry) for entry in joined}
    return all(_plain(entry) in told for entry in theirs)


def _keyed(name: str, entries: Entries) -> dict[Key, Any]:
    """Entries by what they are; the second of the same (a number with two spans of validity, say) is another one."""
    counted: Counter[Any] = Counter()
    keyed = {}
    for entry in entries:
        key = LISTS[name](entry)
        counted[key] += 1
        keyed[key, counted[key]] = entry
    return keyed


def _places(name: str, mine: Entries, theirs: Entries, keep: Keep | None) -> dict[Key, Key]:
    """Under which key each entry of `theirs` is found in the list that a merge made of both.

    Of an address that both have at one time, the survivor's entry is kept; of one that went and came back, both are.
    """
    own, kept = _keyed(name, theirs), _keyed(name, mine)
    if keep is Keep.SURVIVOR:
        return {}
    if keep is not Keep.BOTH:
        return {key: key for key in own}
    counted = Counter(what for what, _ in kept)
    places: dict[Key, Key] = {}
    for (what, n), entry in own.items():
        same = (key for key, other in kept.items() if key[0] == what and _same(entry, other))
        if (place := next(same, None)) is None:
            counted[what] += 1
            place = (what, counted[what])
        places[what, n] = place
    return places


def _same(one: Any, other: Any) -> bool:
    """Whether two entries of one key are the same one: media only where they are valid at the same time."""
    return not isinstance(one, ContactMedium) or same_then(one, other)


def _plain(entry: Any) -> Any:
    """An entry without the mark of being preferred, which only one of a kind can have."""
    return replace(entry, preferred=False) if isinstance(entry, ContactMedium) else entry


def _settled(name: str, entries: Iterable[Any]) -> Entries:
    if name != "contact_media":
        return tuple(entries)
    seen: set[str] = set()
    media: list[ContactMedium] = []
    for medium in entries:
        media.append(replace(medium, preferred=False) if medium.preferred and medium.kind in seen else medium)
        if medium.preferred:
            seen.add(medium.kind)
    return tuple(media)


@dataclass(frozen=True, slots=True)
class Around:
    """A list of the survivor before a merge, after it and now, and the duplicate's own; and whose the merge kept."""

    was: Entries
    made: Entries
    now: Entries
    own: Entries
    keep: Keep | None


def parted(name: str, around: Around) -> tuple[Entries, Entries]:
    """The list of the survivor and that of the duplicate after their merge was undone."""
    before, after, current, theirs = (
        _keyed(name, entries) for entries in (around.was, around.made, around.now, around.own)
    )
    places = _places(name, around.was, around.own, around.keep)
    # What the merge showed was the duplicate's.
    came = {
        place: key
        for key, place in places.items()
        if place in after and _plain(after[place]) == _plain(theirs[key]) and before.get(place) != after[place]
    }
    mine = []
    for key, entry in before.items():
        if key in current and key not in came:
            mine.append(entry if current[key] == after.get(key) else current[key])
        elif key in came or key not in after:
            # The merge, not somebody since, took it out.
            mine.append(entry)
    mine += [entry for key, entry in current.items() if key not in before and key not in after]
    left = []
    for key, entry in theirs.items():
        place = places.get(key)
        if place is None or came.get(place) != key:
            left.append(entry)
        elif place in current:
            left.append(entry if current[place] == after[place] else current[place])
    return _settled(name, mine), _settled(name, left)
