"""What became of a bulk load."""

from collections.abc import Mapping, Sequence
from typing import Final

from holdfast.common.v1.rows_pb2 import RowError
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.importing.bulk import Tally
from cli.importing.records import Report
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


def records(report: Report, kind: str) -> list[RenderableType]:
    """What became of a file of customers or products."""
    tally = Tally()
    tally.add(report.summary)
    page: list[RenderableType] = []
    if report.finished:
        page.append(f"All {report.began_after:,} rows were loaded before.")
    elif report.began_after:
        page.append(f"Went on after row {report.began_after:,}; the figures are of the whole file.")
    return [*page, summary({kind: tally})]


def line(error: RowError) -> str:
    """A refused row in one line: its number, the field, why."""
    said = f"{error.field}: {error.message}" if error.field else error.message
    return f"row {error.row:,}: {said} ({error.reason})"


def problems(lines: Sequence[str], in_all: int) -> Text:
    """The first problems, a line each, and how many more there are."""
    shown = [plain(line) for line in lines[:MOST_PROBLEMS]]
    more = in_all - len(shown)
    if more > 0:
        shown.append(f"… and {more:,} more")
    return Text("\n".join(shown), style="red")
