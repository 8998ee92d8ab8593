"""Progress of what takes longer than a second: bars on a terminal, a line a task elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from cli.console import err


class Bar(Protocol):
    """One task."""

    def done(self, completed: float, note: str = "") -> None:
        """So much of it is done now; `note` stands beside it."""


class Bars(Protocol):
    """Some tasks, one below the other."""

    def task(self, name: str, total: float) -> Bar:
        """A new one; it ends when `total` is done."""


@contextmanager
def shown(console: Console = err) -> Iterator[Bars]:
    """Bars for the time of the block."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    columns = (
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[note]}[/]"),
    )
    with Progress(*columns, console=console) as progress:
        yield _Live(progress)


class _Live:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def task(self, name: str, total: float) -> "_LiveBar":
        return _LiveBar(self._progress, self._progress.add_task(f"{name:<28}", total=total or 1.0, note=""), total)


class _LiveBar:
    def __init__(self, progress: Progress, task: TaskID, total: float) -> None:
        self._progress = progress
        self._task = task
        self._empty = not total

    def done(self, completed: float, note: str = "") -> None:
        self._progress.update(self._task, completed=1.0 if self._empty else completed, note=note)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console

    def task(self, name: str, total: float) -> "_LineBar":
        return _LineBar(self._console, name, total)


class _LineBar:
    """Says that a task is finished, once."""

    def __init__(self, console: Console, name: str, total: float) -> None:
        self._console = console
        self._name = name
        self._total = total
        self._said = False

    def done(self, completed: float, note: str = "") -> None:
        if completed >= self._total and not self._said:
            self._said = True
            self._console.print(f"{self._name}: done{f' ({note})' if note else ''}")
