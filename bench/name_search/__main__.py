"""Prints what name search finds, by kind of query.

python -m bench.name_search [--people N] [--queries N] [--seed N] [--country de] [--without FAMILIES]

`--without pb` leaves the terms `p:` and `b:` out of the index.
"""

import argparse
from collections import Counter

from rich.console import Console
from rich.table import Table

from bench.name_search.crowds import CROWDS
from bench.name_search.evaluation import evaluate, evaluate_crowds, people
from bench.name_search.index import Index
from bench.population.people import MIXED
from services.customer_info.search.rules import index_terms


def main() -> None:
    """Evaluates and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.name_search", description="what name search finds and costs")
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--queries", type=int, default=500, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--country", choices=sorted(MIXED), help="all names from one country")
    parser.add_argument("--without", default="", metavar="FAMILIES", help="families of terms to leave out")
    asked = parser.parse_args()
    customers = people(asked.people, asked.seed, {asked.country: 1} if asked.country else MIXED)
    index = Index([*customers, *(names for crowd in CROWDS for names in crowd.names())], asked.without)
    out = Table("query", "in first 10", "or ties", "terms p50 / p99", "fetched p50 / p99", "ms CPU")
    for f in [*evaluate(index, asked.queries, asked.seed, among=len(customers)), *evaluate_crowds(index)]:
        seeks, fetched = f"{f.seeks[0]:,} / {f.seeks[1]:,}", f"{f.fetched[0]:,} / {f.fetched[1]:,}"
        out.add_row(f.kind, f"{f.found:.3f}", f"{f.tied:.3f}", seeks, fetched, f"{f.milliseconds:.1f}")
    console = Console(width=120)
    console.print(out)
    families = Counter(term[0] for names in customers for term in index_terms(names))
    each = ", ".join(f"{family}: {count / len(customers):.2f}" for family, count in sorted(families.items()))
    total = sum(families.values()) / len(customers)
    console.print(f"terms of a customer: {total:.2f}; by family: {each}")


if __name__ == "__main__":
    main()
