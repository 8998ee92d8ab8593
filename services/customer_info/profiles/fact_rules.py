"""How facts add up, whatever the order in which they are told. Pure: no I/O, no clock, no randomness.

Adding is commutative and associative for each kind of fact: what comes late counts as if it had come in time, and the
facts of several records that turn out to be one customer add up as those of one do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.customer_info.customers.rules import Money

# What a fact shows in the end.
Shown = int | float | str | datetime | Money
# As many things that are over as are remembered, lest news of them that come late open them again.
MOST_OVER = 100


@dataclass(frozen=True, slots=True)
class Sum:
    """How many."""

    count: int = 1


@dataclass(frozen=True, slots=True)
class Last:
    """What was so most lately, and since when."""

    value: Shown
    at: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    """How often each word was said; it shows the one said most."""

    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that begins and ends: what its version `sequence` says. `at`: since when it is open, or over."""

    sequence: int
    is_open: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Things:
    """Things by their ids; it shows how many are open, and since when the oldest is."""

    things: Mapping[str, Thing] = field(default_factory=dict)


Fact = Sum | Last | Tally | Things
Facts = Mapping[str, Fact]


def added(facts: Facts, more: Facts) -> dict[str, Fact]:
    """Both together."""
    return {**facts, **{name: _added(facts[name], fact) if name in facts else fact for name, fact in more.items()}}


def together(all_facts: Iterable[Facts]) -> dict[str, Fact]:
    """The facts of several records of one customer."""
    sums: dict[str, Fact] = {}
    for facts in all_facts:
        sums = added(sums, facts)
    return sums


def shown(facts: Facts) -> dict[str, Shown]:
    """What the facts come to, by name."""
    found: dict[str, Shown] = {}
    for name, fact in facts.items():
        found.update(_shown(name, fact))
    return found


def _added(one: Fact, other: Fact) -> Fact:
    if isinstance(one, Sum) and isinstance(other, Sum):
        return Sum(one.count + other.count)
    if isinstance(one, Last) and isinstance(other, Last):
        return max(one, other, key=_rank)
    if isinstance(one, Tally) and isinstance(other, Tally):
        words = one.counts.keys() | other.counts.keys()
        return Tally({word: one.counts.get(word, 0) + other.counts.get(word, 0) for word in sorted(words)})
    if isinstance(one, Things) and isinstance(other, Things):
        return Things(_trimmed(_newest(one.things, other.things)))
    raise TypeError(f"{type(one).__name__} and {type(other).__name__} do not add up")


def _rank(last: Last) -> tuple[datetime, str]:
    """Of two things that are said of the same instant, one is chosen, the same one whoever comes first."""
    return last.at, repr(last.value)


def _newest(one: Mapping[str, Thing], other: Mapping[str, Thing]) -> dict[str, Thing]:
    found = dict(one)
    for key, thing in other.items():
        known = found.get(key)
        if known is None or _age(thing) > _age(known):
            found[key] = thing
    return found


def _age(thing: Thing) -> tuple[int, datetime, bool]:
    return thing.sequence, thing.at, thing.is_open


def _trimmed(things: Mapping[str, Thing]) -> dict[str, Thing]:
    over = sorted((key for key, t in things.items() if not t.is_open), key=lambda key: (things[key].at, key))
    forgotten = frozenset(over[:-MOST_OVER])
    return {key: thing for key, thing in things.items() if key not in forgotten}


def _shown(name: str, fact: Fact) -> dict[str, Any]:
    if isinstance(fact, Sum):
        return {name: fact.count}
    if isinstance(fact, Last):
        return {name: fact.value}
    if isinstance(fact, Tally):
        return {name: max(fact.counts, key=lambda word: (fact.counts[word], word))} if fact.counts else {}
    since = [thing.at for thing in fact.things.values() if thing.is_open]
    return {name: len(since), **({f"oldest_{name}_time": min(since)} if since else {})}
