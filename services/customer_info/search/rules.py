"""Search by name over a blind index: which terms a customer is found under, and which to look for. Pure.

The store keeps a keyed hash of each term and nothing else, so it can test for equality only. Tolerance therefore lies
in the spelling of the terms (`names.rules.sound`) and in the question, which lists every spelling that may be meant: a
term in the index costs for each of a million customers, one more in a question a single seek.

Terms, where `sound` cuts a word at 8 letters:

    w:muler            a word
    p:mul p:muler      its first 3 and 5 letters: type-ahead; other lengths are asked for with every continuation
    b:ana|mul          a word, and the first 3 letters of another word of the same customer
    i:ana|mu           the same with 2 letters: initials, and type-ahead of the second word
    f:ana|mul          the first 3 letters of two words, in the alphabet's order: type-ahead of both

`bench/name_search` measures what each family finds and costs.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import combinations, permutations
from typing import Final

from services.customer_info.names.rules import Words, parsed, sound, sounds
from services.customer_info.search.ranking_rules import FOUND, GOOD, ranked
from services.customer_info.search.spelling_rules import alphabet, continued, slips

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
MOST_WORDS: Final = 6
"""Words of a customer that are indexed."""
MOST_PAIRED: Final = 4
"""Words of a customer that are indexed in pairs: pairs grow with the square."""
CANDIDATES: Final = 200
"""Customers to fetch for a step: what the ranking can read in a few milliseconds."""


class Reach(StrEnum):
    """How far from what was typed a step looks."""

    TYPED = "typed"
    MISTYPED = "mistyped"
    FEWER = "fewer"
    """Fewer words than were typed, or half a word mistyped."""


@dataclass(frozen=True, slots=True)
class Step:
    """One question to the index: customers that hold any of `terms`, `CANDIDATES` of them at most."""

    spell: Callable[[], Iterable[str]]
    reach: Reach = Reach.TYPED

    @property
    def terms(self) -> frozenset[str]:
        """Spelled out only when it is asked: up to a thousand. None: there is nothing to ask."""
        return frozenset(self.spell())

    def worth(self, scores: Sequence[float], wanted: int) -> bool:
        """Whether to ask it, when the customers found so far have these `scores` (`ranked`) and `wanted` are wanted."""
        if self.reach is Reach.TYPED:
            return sum(score >= GOOD for score in scores) < wanted
        return max(scores, default=0.0) < (FOUND if self.reach is Reach.MISTYPED else GOOD)


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
    core = list(dict.fromkeys(_cut(w) for part in parts for w in part.core))[:MOST_WORDS]
    terms = {f"w:{w}" for w in core}
    terms |= {f"w:{_cut(w)}" for part in parts for w in part.weak if w not in part.forms}
    joined = {_cut(w) for part in parts for w in part.joined}
    terms |= {f"w:{w}" for w in joined} | {p for w in {*core, *joined} for p in _prefixes(w)}
    for a, b in permutations(core[:MOST_PAIRED], 2):
        terms |= {_pair(a, b), _initial(a, b)}
    return frozenset(terms | {_stems(a, b) for a, b in combinations(core[:MOST_PAIRED], 2)})


def plan(query: str) -> SearchPlan:
    """How to look for what was typed so far; its last word may be half a word.

    The steps go from what was typed to slips in it, then to fewer of the words. None for less than two letters.
    """
    asked = parsed(query)
    raw = [*asked.core, *(w for w in asked.weak if w not in asked.core)]
    if len("".join(raw)) < SHORTEST:
        return SearchPlan(())
    return SearchPlan(tuple(_for_one(raw[0]) if len(raw) == 1 else _for_several(asked, raw)))


def _for_one(raw: str) -> Iterator[Step]:
    word = _cut(raw)
    yield Step(lambda: [f"w:{word}"])
    yield Step(lambda: _begun(word))
    if len(raw) >= SLIPPABLE:
        yield Step(lambda: (f"w:{w}" for w in _near(raw)), Reach.MISTYPED)
        yield Step(lambda: (f"p:{w[:5]}" for w in _near(raw) if len(w) >= 5), Reach.FEWER)


def _for_several(asked: Words, raw: Sequence[str]) -> Iterator[Step]:
    # The longer the words, the fewer people have both.
    pairs = sorted(combinations(sorted(raw, key=len, reverse=True), 2), key=lambda p: -len(p[0]) * len(p[1]))[:3]
    a, b = pairs[0]
    joined = [f"w:{_cut(w)}" for w in (*asked.joined, "".join(raw[:2]), "".join(raw[-2:]))]
    yield Step(lambda: [_pair(_cut(a), _cut(b)), *joined])
    yield Step(lambda: [_pair(_cut(b), _cut(a))])
    yield Step(lambda: _half_typed(a, b))
    yield Step(lambda: _nearly_typed(a, b), Reach.MISTYPED)
    yield Step(lambda: [_stems(_cut(a), _cut(b))], Reach.MISTYPED)
    yield Step(lambda: _mistyped(a, b), Reach.MISTYPED)
    yield Step(lambda: _mistyped_stems(a, b), Reach.FEWER)
    for x, y in pairs[1:]:
        yield Step(partial(_together, x, y), Reach.FEWER)
    for word in sorted(asked.core, key=len, reverse=True)[:3]:
        yield Step(partial(list, [f"w:{_cut(word)}"]), Reach.FEWER)
    yield Step(lambda: (f"w:{w}" for w in _near(a)), Reach.FEWER)


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
    ways = [(x, y, more) for x, y in ((a, b), (b, a)) for more in range(1, WORD - len(x) + 1) if len(x) >= WORD - 2]
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


def _prefixes(word: str) -> set[str]:
    # Where there is no alphabet to continue with, every length is a term of its own.
    lengths = PREFIXES if alphabet(word) else range(1, max(PREFIXES) + 1)
    return {f"p:{word[:n]}" for n in lengths if len(word) >= n}


def _begun(word: str) -> Iterable[str]:
    """The terms of words that begin with `word`; of a few letters more, where that many spellings can be listed."""
    if not alphabet(word) or len(word) in PREFIXES:
        return [f"p:{word}"]
    for length in PREFIXES:
        if len(word) < length:
            return (f"p:{w}" for w in continued(word, length - len(word)))
    return (f"w:{w}" for more in range(1, WORD - len(word) + 1) for w in continued(word, more))


def _pair(word: str, other: str) -> str:
    return f"b:{word}|{other[:STEM]}"


def _initial(word: str, other: str) -> str:
    return f"i:{word}|{other[:INITIALS]}"


def _stems(a: str, b: str) -> str:
    return "f:" + "|".join(sorted((a[:STEM], b[:STEM])))
