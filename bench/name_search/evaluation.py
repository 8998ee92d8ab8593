"""Searches for people known to be there, and counts who is found."""

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from time import process_time

from bench.name_search.crowds import CROWDS
from bench.name_search.index import Answer, Index, Names
from bench.name_search.queries import COMPANY, PERSON
from bench.population.people import MIXED, Population
from services.customer_info.search.ranking_rules import likeness

ALIKE = 0.065
"""Names that answer a query equally well differ by less: in how much longer than the query they are."""
COMPANIES = 0.1
"""The share of customers that are companies."""


@dataclass(frozen=True, slots=True)
class Finding:
    """How one kind of query did.

    `found`: the share of queries whose customer is among the first ten; `tied`: that, or even the tenth answers the
    query as well as the customer would, give or take what words that nobody asked for count. `seeks` and `fetched` are
    terms looked up and customers read among a million, median and 99th percentile.
    """

    kind: str
    queries: int
    found: float
    tied: float
    seeks: tuple[int, int]
    fetched: tuple[int, int]
    milliseconds: float


def people(count: int, seed: int, origins: dict[str, int] = MIXED) -> list[Names]:
    """Customers' names as they are indexed."""
    population = Population(seed, origins)
    companies = int(count * COMPANIES)
    return [(population.company(),) for _ in range(companies)] + [population.person() for _ in range(count - companies)]


def evaluate(index: Index, queries: int, seed: int, among: int | None = None) -> list[Finding]:
    """Every kind of query, each for `queries` customers drawn at random from the first `among` (None: from all)."""
    companies = [n for n, names in enumerate(index.people[:among]) if len(names) == 1]
    persons = [n for n, names in enumerate(index.people[:among]) if len(names) > 1]
    findings = []
    for kind, query in {**PERSON, **COMPANY}.items():
        rng = random.Random(f"{seed}/{kind}")
        whom = rng.sample(persons if kind in PERSON else companies, queries)
        findings.append(_finding(kind, index, [(n, query(index.people[n], rng)) for n in whom]))
    return findings


def evaluate_crowds(index: Index) -> list[Finding]:
    """Who is one of a crowd nearly, of each of `CROWDS`; the crowds are in the index."""
    return [_finding(c.kind, index, [(index.people.index(c.one), c.typed)]) for c in CROWDS]


def _finding(kind: str, index: Index, asked: Sequence[tuple[int, str]]) -> Finding:
    started = process_time()
    answers = [index.search(query) for _, query in asked]
    spent = process_time() - started
    found = sum(who in dict(answer.found) for (who, _), answer in zip(asked, answers, strict=True))
    tied = sum(_tied(index, who, query, answer) for (who, query), answer in zip(asked, answers, strict=True))
    count = len(asked)
    return Finding(
        kind,
        count,
        found / count,
        tied / count,
        _spread([a.seeks for a in answers]),
        _spread([a.fetched for a in answers]),
        1000 * spent / count,
    )


def _tied(index: Index, who: int, query: str, answer: Answer) -> bool:
    if who in dict(answer.found):
        return True
    return len(answer.found) >= 10 and answer.found[-1][1] >= likeness(query, index.people[who]) - ALIKE


def _spread(values: Sequence[int]) -> tuple[int, int]:
    return round(statistics.median(values)), sorted(values)[int(len(values) * 0.99)]
