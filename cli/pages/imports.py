"""What became of a bulk load."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from cli.importing.bulk import Tally
from cli.pages.frame import columns
from cli.pages.text import plain

MOST_PROBLEMS: Final = 20
COUNTS: Final = ("received", "created", "updated", "unchanged", "failed")


def summary(tallies: Mapping[str, Tally]) -> Table:
    """A row a kind of thing."""
    table = columns("", *COUNTS, right=COUNTS)
    for name, tally in tallies.items():
        failed = Text(f"{tally.failed:,}", style="bold red" if tally.failed else "")
        counts = (tally.received, tally.created, tally.updated, tally.unchanged)
        table.add_row(name, *(f"{count:,}" for count in counts), failed)
    return table


def problems(lines: Sequence[str], in_all: int) -> Text:
    """The first problems, a line each, and how many more there are."""
    shown = [plain(line) for line in lines[:MOST_PROBLEMS]]
    more = in_all - len(shown)
    if more > 0:
        shown.append(f"… and {more:,} more")
    return Text("\n".join(shown), style="red")
