"""Progress of `up` and `down`: a live line for each member on a terminal, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from cli.console import err
from cli.mesh.starting import Phase, Report

DONE = ("serving", "stopped")


@contextmanager
def shown(console: Console = err) -> Iterator[Report]:
    """A report to hand to `Mesh.up` or `Mesh.down`."""
    if not console.is_terminal:
        yield lambda member, phase: console.print(f"{member}: {phase}")
        return
    columns = (SpinnerColumn(finished_text="[green]✓[/]"), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield _Lines(progress)


class _Lines:
    """One line for each member, finished when it serves or has stopped."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, member: str, phase: Phase) -> None:
        if member not in self._tasks:
            self._tasks[member] = self._progress.add_task(member, total=1)
        done = phase in DONE
        self._progress.update(self._tasks[member], description=f"{member:<14}{phase}", completed=int(done))
