"""Printing a page: as wide as it is made for where nobody looks on, as wide as is good to read elsewhere."""

from typing import Final

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from rich.console import Console, RenderableType

from cli.console import out

WIDTH: Final = 100
WIDEST: Final = 130


def show(*page: RenderableType) -> None:
    """Print on standard output."""
    wide = min(out.width, WIDEST) if out.is_terminal else WIDTH
    console = Console(width=wide, highlight=False)
    for part in page:
        console.print(part)


def show_answer(answer: Message, page: RenderableType, *, as_json: bool) -> None:
    """Print an answer on standard output: as a page or, for programs, as JSON, which is neither folded nor coloured."""
    if as_json:
        print(MessageToJson(answer, ensure_ascii=False))
    else:
        show(page)
