"""Prints how well duplicates are found.

python -m bench.duplicates [--records N] [--seed N] [--levels] [--without KEYS]

The weights were set with seed 1; judge them with any other. `--without na` blocks without the keys `n:` and `a:`.
"""

import argparse
import sys
from time import process_time

from rich.console import Console
from rich.table import Table

from bench.duplicates.evaluation import Outcome, evaluate, levels
from bench.duplicates.labelled import labelled
from services.customer_info.duplicates.rules import POSSIBLE, SAME

PRECISION, RECALL = 0.98, 0.90


def main() -> int:
    """Evaluates and prints; exit code 1: precision or recall is too low."""
    parser = argparse.ArgumentParser(prog="python -m bench.duplicates", description="how well duplicates are found")
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--levels", action="store_true", help="print how often each level of agreement occurs")
    parser.add_argument("--without", default="", metavar="KEYS", help="families of blocking keys to do without")
    asked = parser.parse_args()
    records = labelled(asked.records, asked.seed)
    started = process_time()
    outcome = evaluate(records, asked.without)
    spent = process_time() - started
    console = Console(width=110)
    console.print(_kinds(outcome))
    if asked.levels:
        out = Table("field", "level", "m, counted", "among blocked strangers")
        for field, code, m, u in levels(records, outcome):
            out.add_row(field, code, f"{m:.4f}", f"{u:.4f}")
        console.print(out)
    console.print(_thresholds(outcome))
    console.print(
        f"{outcome.records:,} records, {len(outcome.truth):,} true pairs; {outcome.keys:.2f} keys a record, "
        f"{len(outcome.pairs) / outcome.records:.2f} comparisons a record, "
        f"{1e6 * spent / len(outcome.pairs):.0f} µs CPU each"
    )
    return 0 if outcome.precision() >= PRECISION and outcome.recall() >= RECALL else 1


def _kinds(outcome: Outcome) -> Table:
    out = Table("what went wrong", "pairs", "share a key", "same or possible", "same")
    for kind, count, keyed, seen, same in outcome.by_kind():
        out.add_row(kind, f"{count:,}", f"{keyed:.3f}", f"{seen:.3f}", f"{same:.3f}")
    return out


def _thresholds(outcome: Outcome) -> Table:
    out = Table("score from", "precision", "recall")
    for score in (POSSIBLE, 0.5, 0.8, SAME, 0.99, 0.999):
        out.add_row(f"{score:g}", f"{outcome.precision(score):.4f}", f"{outcome.recall(score):.4f}")
    out.add_row("blocking alone", f"{outcome.precision(0):.4f}", f"{outcome.blocked:.4f}")
    return out


if __name__ == "__main__":
    sys.exit(main())
