"""Search by name over a blind index: which terms a customer is found under, and which to look for. Pure.

The store keeps a keyed hash of each term and nothing else, so it can test for equality only. Tolerance therefore lies
in the spelling of the terms (`names.rules.sound`) and in the question, which lists every spelling that may be meant: a
term in the index costs for each of a million customers, one more in a question a single seek.

Terms, where a word is folded, and its `sound` is cut at 8 letters:

    n:anna muller      all words, in the alphabet's order: who is called so, and no more
    w:muller           a word as it is written
    s:muler            its sound; none of its own where the word is written so
    p:mul p:mulle      its first 3 and 5 letters as they are written: type-ahead; other lengths, and other spellings of
                       the same sound, are listed by the question
    b:ana|mul          the sound of a word, and the first 3 letters of another word's of the same customer
    i:ana|mu           the same with 2 letters: initials, and type-ahead of the second word
    f:ana|mul          the first 3 letters of the sounds of two words, in the alphabet's order: type-ahead of both

A step fetches so many customers and no more. What is written as typed is therefore asked for by itself, before what
sounds like it: of a thousand Meiers and four Meyers, the Meyers. `bench/name_search` measures what each family finds
and costs.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial
from itertools import combinations
from typing import Final

from services.customer_info.names.rules import Words, parsed, sound, sounds
from services.customer_info.search.ranking_rules import FOUND, GOOD, NEARLY_FOUND, ranked
from services.customer_info.search.spelling_rules import alphabet, beginnings, continued, lengthened, slips

__all__ = ["CANDIDATES", "Reach", "SearchPlan", "Step", "index_terms", "plan", "ranked"]

WORD: Final = 8
"""Letters of a word that count: whoever typed so many has told it from all but a few others."""
PREFIXES: Final = (3, 5)
STEM: Final = 3
INITIALS: Final = 2
SHORTEST: Final = 2
"""Letters from which on there is anything to look for."""
SLIPPABLE: Final = 4
"""Letters from which on a slip is looked for: of three letters, two do not make a name."""
MOST_WORDS: Final = 32
"""Words of a customer that are indexed: more than a name of 256 letters has, the longest that the contract allows,
unless somebody wants it to."""
MOST_PAIRED: Final = 4
"""Words of a customer, or of a question, that are taken in pairs: pairs grow with the square."""
NEARLY: Final = 4
"""Letters of a sound from which on one or two more are tried: of fewer, too many words begin so."""
CANDIDATES: Final = 200
"""Customers to fetch for a step: what the ranking can read in a few milliseconds."""


class Reach(StrEnum):
    """How far from what was typed a step looks."""

    TYPED = "typed"
    """As it was typed, or as that sounds."""
    CROWDED = "crowded"
    """As it was typed, among those of whom a step before could not fetch all."""
    MISTYPED = "mistyped"
    OTHERS = "others"
    """Other words of those that were typed than the ones asked for before."""
    FEWER = "fewer"
    """Fewer words than were typed, or half a word mistyped."""


_REACHES: Final = {reach: n for n, reach in enumerate(Reach)}


@dataclass(frozen=True, slots=True)
class Step:
    """One question to the index: customers that hold any of `terms`, `CANDIDATES` of them at most."""

    spell: Callable[[], Iterable[str]]
    reach: Reach = Reach.TYPED
    narrow: Callable[[], Iterable[frozenset[str]]] = tuple

    @property
    def terms(self) -> frozenset[str]:
        """Spelled out only when it is asked: up to two thousand. None: there is nothing to ask."""
        return frozenset(self.spell())

    @property
    def within(self) -> tuple[frozenset[str], ...]:
        """Of each of these sets a customer must hold a term as well."""
        return tuple(self.narrow())

    def worth(self, scores: Sequence[float], wanted: int, *, crowded: bool) -> bool:
        """Whether to ask it.

        Args:
            scores: of the customers found so far (`ranked`).
            wanted: how many customers are asked for.
            crowded: a step before found as many as it may, so that others are left behind.
        """
        best = max(scores, default=0.0)
        match self.reach:
            case Reach.TYPED:
                return sum(score >= FOUND for score in scores) < wanted
            case Reach.CROWDED:
                return crowded and sum(score >= FOUND for score in scores) < wanted
            case Reach.MISTYPED:
                return best < NEARLY_FOUND
            case Reach.OTHERS:
                return best < (FOUND if crowded else GOOD)
            case Reach.FEWER:
                return best < GOOD


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """Questions in the order to ask them, the most selective first, each while it is `worth` asking."""

    steps: tuple[Step, ...]


def index_terms(names: Iterable[str]) -> frozenset[str]:
    """What a customer of these names is found under.

    Args:
        names: given and family name of a person each by itself (so that a family name such as Sá is not taken for a
        legal
            form), the trading name of an organisation, further names as they come.
    """
    parts = [parsed(name) for name in names]
    core = list(dict.fromkeys(w for part in parts for w in part.core))
    if not core:
        return frozenset()
    indexed = [*core[:MOST_WORDS], *(w for part in parts for w in part.joined)]
    weak = [w for part in parts for w in part.weak if w not in part.forms]
    terms = {_whole(core)}.union(*map(_word, indexed), *map(_prefixes, indexed), *map(_word, weak))
    paired = list(dict.fromkeys(map(_cut, core)))[:MOST_PAIRED]
    for a, b in combinations(paired, 2):
        terms.update((_pair(a, b), _pair(b, a), _initial(a, b), _initial(b, a), _stems(a, b)))
    return frozenset(terms)


def plan(query: str) -> SearchPlan:
    """How to look for what was typed so far; its last word may be half a word.

    The steps go from what was typed to slips in it, then to fewer of the words. None for less than two letters.
    """
    asked = parsed(query)
    if len("".join(asked.tokens)) < SHORTEST:
        return SearchPlan(())
    weak = [w for w in asked.weak if w not in asked.core]
    steps = [Step(lambda: _wholes(asked.core))]
    if weak or len(asked.core) > 1:
        steps += _for_several(asked, weak)
    if len(asked.core) == 1 and (not weak or asked.core[0] == asked.tokens[-1]):
        # What stands before it may be a name, or say no more than what its bearer is, as in `AB Volvo`; what stands
        # behind it is half a name, or the whole of a legal form.
        steps += _for_one(asked.core[0])
    return SearchPlan(tuple(sorted(steps, key=lambda step: _REACHES[step.reach])))


def _for_one(raw: str) -> Iterator[Step]:
    word = _cut(raw)
    short = len(raw) <= max(PREFIXES)
    yield Step(lambda: [f"w:{raw}"])
    yield Step(lambda: _written(raw) if short else ())
    yield Step(lambda: _alike([word]) - {f"w:{raw}"})
    yield Step(lambda: _begun(raw) - (_written(raw) if short else set()))
    if not short:
        yield Step(lambda: (f"w:{w}" for more in (1, 2) for w in lengthened(raw, more)), Reach.CROWDED)
        yield Step(lambda: _alike([word]) | _begun(raw), Reach.CROWDED, lambda: [_written(raw)])
    if len(raw) >= SLIPPABLE:
        yield Step(lambda: _alike(_near(raw)), Reach.MISTYPED)
        yield Step(lambda: (f"p:{w[:5]}" for w in slips(raw) if len(w) >= 5), Reach.FEWER)


def _for_several(asked: Words, weak: Sequence[str]) -> Iterator[Step]:
    # The longer the words, the fewer people have both; where two say who it is, what else was typed comes after them.
    raw = [*asked.core, *weak]
    longest = [w for words in (asked.core, weak) for w in sorted(words, key=len, reverse=True)][:MOST_PAIRED]
    pairs = sorted(combinations(longest, 2), key=lambda p: (not set(p).isdisjoint(weak), -len(p[0]) * len(p[1])))
    a, b = pairs[0]
    joined = (*asked.joined, "".join(raw[:2]), "".join(raw[-2:]))
    yield Step(lambda: {_pair(_cut(a), _cut(b)), *_alike(map(_cut, joined)), *(f"w:{w}" for w in joined)})
    yield Step(lambda: [_pair(_cut(b), _cut(a))])
    yield Step(lambda: _half_typed(a, b))
    yield Step(lambda: _together(a, b) | _half_typed(a, b), Reach.CROWDED, lambda: _as_written(a, b))
    yield Step(lambda: _nearly_typed(a, b), Reach.MISTYPED)
    # Half of two names, one of which looks like a particle, is asked for before those who have no more than the other.
    yield Step(lambda: [_stems(_cut(a), _cut(b))], Reach.MISTYPED if b in asked.core else Reach.TYPED)
    yield Step(lambda: _mistyped(a, b), Reach.MISTYPED)
    for x, y in pairs[1:]:
        yield Step(partial(_together, x, y), Reach.OTHERS)
    yield Step(lambda: _mistyped_stems(a, b), Reach.FEWER)
    for word in sorted(asked.core, key=len, reverse=True)[:3]:
        yield Step(partial(_alike, [_cut(word)]), Reach.FEWER)
    yield Step(lambda: _alike(_near(a)), Reach.FEWER)


def _wholes(core: Sequence[str]) -> set[str]:
    """All words, or all but the last: a legal form that is half-typed looks like one more word."""
    return {_whole(core)} | ({_whole(core[:-1])} if len(core) > 2 else set())


def _as_written(*words: str) -> list[frozenset[str]]:
    """For each word, the terms of customers who have it, or one that begins so, letter by letter."""
    return [_written(w) | {f"w:{w}"} for w in words if len(w) >= SHORTEST]


def _together(a: str, b: str) -> set[str]:
    a, b = _cut(a), _cut(b)
    return {_pair(a, b), _pair(b, a)}


def _half_typed(a: str, b: str) -> set[str]:
    """An initial, or the first two letters of a word."""
    a, b = _cut(a), _cut(b)
    return {_initial(x, end) for x, y in ((a, b), (b, a)) if len(y) <= INITIALS for end in _ends(y)}


def _ends(start: str) -> set[str]:
    return {start} if len(start) == INITIALS else {start} | continued(start, INITIALS - len(start))


def _nearly_typed(a: str, b: str) -> set[str]:
    """A word but for its last letter or two: of a crowd that begins alike, those that go on alike."""
    a, b = _cut(a), _cut(b)
    ways = [
        (x, y, more) for x, y in ((a, b), (b, a)) for more in range(1, min(2, WORD - len(x)) + 1) if len(x) >= NEARLY
    ]
    return {_pair(w, y) for x, y, more in ways for w in continued(x, more)}


def _mistyped(a: str, b: str) -> set[str]:
    """A slip in one of two words, the other with two slips beyond its beginning."""
    return {_pair(w, _cut(y)) for x, y in ((a, b), (b, a)) for w in _near(x)}


def _mistyped_stems(a: str, b: str) -> set[str]:
    """One word as typed, of the other no more than the beginning, with a slip."""
    return {_pair(_cut(x), stem) for x, y in ((a, b), (b, a)) for stem in {w[:STEM] for w in _near(y)}}


def _near(raw: str) -> set[str]:
    """The spellings, as indexed, from which one slip makes `raw`; none for a word too short for one."""
    return {w[:WORD] for w in sounds(slips(raw))} if len(raw) >= SLIPPABLE else set()


def _cut(word: str) -> str:
    return sound(word)[:WORD]


def _whole(core: Iterable[str]) -> str:
    return "n:" + " ".join(sorted(set(core)))


@lru_cache(maxsize=8192)
def _word(word: str) -> frozenset[str]:
    """The terms of a word itself: what is written as it sounds needs one only."""
    alike = _cut(word)
    return frozenset({f"w:{word}"} if alike == word else {f"w:{word}", f"s:{alike}"})


def _alike(words: Iterable[str]) -> set[str]:
    """The terms of words that sound like any of these sounds."""
    return {f"{family}:{w}" for w in words for family in "ws"}


@lru_cache(maxsize=8192)
def _prefixes(word: str) -> frozenset[str]:
    # Where there is no alphabet to continue with, every length is a term of its own.
    lengths = PREFIXES if alphabet(word) else range(1, max(PREFIXES) + 1)
    return frozenset(f"p:{word[:n]}" for n in lengths if len(word) >= n)


def _length(start: str) -> int:
    """Letters of the beginnings to ask for, when as many as `start` has are known."""
    return next((n for n in PREFIXES if len(start) <= n), max(PREFIXES))


def _written(start: str) -> frozenset[str]:
    """The terms of words that begin with `start` letter by letter, or with its first 5 letters."""
    if not alphabet(start):
        return frozenset({f"p:{start[: max(PREFIXES)]}"})
    length = _length(start)
    return frozenset(f"p:{w}" for w in lengthened(start[:length], length - len(start[:length])))


def _begun(raw: str) -> AbstractSet[str]:
    """The terms of words that sound like `raw` at their beginning; where that many spellings can be listed.

    The one that was typed is always among them: who writes k as qc stands in no list.
    """
    start = _cut(raw)
    if len(start) <= max(PREFIXES):
        return _written(raw).union(f"p:{w}" for w in beginnings(start, _length(start)))
    return _alike(w for more in range(1, WORD - len(start) + 1) for w in continued(start, more))


def _pair(word: str, other: str) -> str:
    return f"b:{word}|{other[:STEM]}"


def _initial(word: str, other: str) -> str:
    return f"i:{word}|{other[:INITIALS]}"


def _stems(a: str, b: str) -> str:
    return "f:" + "|".join(sorted((a[:STEM], b[:STEM])))
