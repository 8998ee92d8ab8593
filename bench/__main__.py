"""Measures every row, prints the table, writes `bench/results/latest.json`.

    python -m bench [--full] [NAME …]

`--full` adds the rows that need a million records. Names pick rows. Exit code 1: a bound does not hold.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.result import Result
from bench.rows import calls, figuring, importing, ingest, million
from bench.stand import Stand, quiet, stand

# A row may have several results, where one stand serves them all.
Row = Callable[[Stand], Result | list[Result]]
ROWS: dict[str, Row] = {
    "read": calls.read_one_customer,
    "log": calls.log_one_interaction,
    "ingest": ingest.bulk_ingest,
    "import": importing.bulk_import,
    "score": figuring.batch_scoring,
    "replay": figuring.replay,
}
FULL: dict[str, Row] = {"million": million.among_a_million}
# Wide enough that no row wraps, whatever the terminal is.
WIDTH = 130
RESULTS = Path(__file__).parent / "results" / "latest.json"


def main() -> int:
    """Runs the rows asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="measure every path beside its floor")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"rows: {', '.join([*ROWS, *FULL])}")
    parser.add_argument("--full", action="store_true", help="add the rows that need a million records")
    asked = parser.parse_args()
    rows = {**ROWS, **FULL} if asked.full or set(asked.names) & set(FULL) else ROWS
    unknown = set(asked.names) - set(rows)
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    console = Console(width=WIDTH)
    if not quiet():
        console.print("[yellow]the machine is busy: ratios are steadier than figures, but not by much[/yellow]")
    results: list[Result] = []
    with stand() as ready:
        for name, row in rows.items():
            if asked.names and name not in asked.names:
                continue
            with console.status(f"measuring {name}"):
                found = row(ready)
                results += found if isinstance(found, list) else [found]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps([r.document() for r in results], indent=2) + "\n")
    console.print(table(results))
    return 0 if all(r.holds for r in results) else 1


def table(results: list[Result]) -> Table:
    """The table as it is printed."""
    out = Table("path", "figure", "floor", "ratio", "bound", "holds")
    for r in results:
        verdict = "[green]yes[/green]" if r.holds else "[red]no[/red]"
        out.add_row(
            r.path,
            f"{r.figure:,.0f} {r.unit}",
            f"{r.floor:,.0f} {r.unit}",
            f"{r.ratio:.2f}",
            f"{r.sense} {r.limit:g}",
            verdict,
        )
    return out


if __name__ == "__main__":
    sys.exit(main())
