"""How the command speaks: results on standard output, progress and refusals on standard error."""

import sys
from typing import NoReturn

from rich.console import Console
from rich.markup import escape

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class CommandError(Exception):
    """A refusal for the user: one line that names the setting or file at fault. Exit code 1: failed, 2: misused."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(" ".join(message.split()))
        self.exit_code = exit_code


def refuse(error: CommandError) -> NoReturn:
    """Print the refusal on one line and leave with its exit code."""
    err.print(f"[bold red]holdfast:[/] {escape(str(error))}", soft_wrap=True)
    sys.exit(error.exit_code)
