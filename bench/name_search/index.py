"""The name index in memory, cut short as the store's is among a million customers."""

import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from services.customer_info.search.rules import CANDIDATES, index_terms, plan, ranked

MILLION = 1_000_000
FEWEST = 40
"""Customers that a step fetches at least, of however few people: of fewer, ten good ones would be luck."""
Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found, and what a store of a million customers would have done for it."""

    found: list[tuple[int, float]]
    seeks: int
    fetched: int
    steps: int


class Index:
    """Terms and who holds them.

    A step fetches as many customers of `people` as `CANDIDATES` are of a million, so that what a crowded term loses
    there is lost here too.
    """

    def __init__(self, people: Sequence[Names], without: str = "") -> None:
        self.people = people
        self._without = tuple(f"{family}:" for family in without)
        self._held: dict[str, array[int]] = {}
        self.terms = 0
        self.scale = MILLION / len(people)
        for which, names in enumerate(people):
            for term in index_terms(names):
                if not term.startswith(self._without or ("\0",)):
                    self.terms += 1
                    self._held.setdefault(term, array("I")).append(which)

    def search(self, query: str, wanted: int = 10) -> Answer:
        """The best for a query, step by step as the rules have it."""
        limit = max(FEWEST, round(CANDIDATES / self.scale))
        candidates: dict[int, Names] = {}
        best: list[tuple[int, float]] = []
        seeks = fetched = steps = 0
        crowded = False
        for step in plan(query).steps:
            if not step.worth([score for _, score in best], wanted, crowded=crowded):
                continue
            if not (terms := step.terms):
                continue
            holders = self._holders(terms, step.within, limit)
            crowded = crowded or len(holders) >= limit
            seeks, fetched, steps = seeks + len(terms), fetched + len(holders), steps + 1
            candidates |= {which: self.people[which] for which in holders}
            best = ranked(query, candidates.items())
        return Answer(best[:wanted], seeks, round(min(fetched * self.scale, CANDIDATES * steps)), steps)

    def _holders(self, terms: frozenset[str], within: Sequence[frozenset[str]], limit: int) -> list[int]:
        also = [{which for term in some for which in self._held.get(term, ())} for some in within]
        found: dict[int, None] = {}
        # The index is in the order of the hashes: whichever comes first.
        for term in sorted((t for t in terms if t in self._held), key=lambda t: zlib.crc32(t.encode())):
            for which in self._held[term]:
                if all(which in holders for holders in also):
                    found[which] = None
                    if len(found) >= limit:
                        return list(found)
        return list(found)
