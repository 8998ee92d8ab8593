"""Printing a page as a test sees it."""

import io

from rich.cells import cell_len
from rich.console import Console, RenderableType


def printed(page: RenderableType, width: int = 100) -> str:
    """The page as text, at a width; no line of it is wider."""
    console = Console(file=io.StringIO(), width=width, highlight=False, force_terminal=False, color_system=None)
    console.print(page)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(cell_len(line) <= width for line in text.splitlines())
    return str(text)


def flat(text: str) -> str:
    """The words of a page, without its lines and frames."""
    return " ".join(text.replace("│", " ").split())
