"""The frame around a section of the 360 view: its title, and how far it can be trusted."""

from datetime import datetime
from typing import Final

from holdfast.gateway.v1.experience_pb2 import SectionStatus
from rich import box
from rich.console import Group, JustifyMethod, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.pages.text import ago, minute, plain, words

Freshness = SectionStatus.Freshness
SAYS: Final = {
    "NO_CHAMPION": "no model is in use yet: run `holdfast model train`",
    "NOT_FOUND": "nothing is known of this customer there",
    "PERMISSION_DENIED": "this role may not see it",
    "NOT_OWN_CUSTOMER": "this role may not see it",
    "UNAVAILABLE": "its service does not answer",
    "DEADLINE_EXCEEDED": "its service did not answer in time",
}


def section(title: str, status: SectionStatus, body: RenderableType, now: datetime) -> Panel:
    """A section. What is stale keeps its body under a warning; what is missing or absent has the reason instead."""
    has_body = status.freshness in (Freshness.FRESHNESS_FRESH, Freshness.FRESHNESS_STALE)
    inside = body if has_body else Text(_why(status), style="italic")
    if status.freshness == Freshness.FRESHNESS_STALE:
        inside = Group(Text(f"Not current: {_why(status)}.", style="yellow"), inside)
    return Panel(
        inside,
        title=Text.assemble(" ", (title, "bold"), " "),
        title_align="left",
        subtitle=_mark(status, now),
        subtitle_align="right",
        border_style=_COLOUR.get(status.freshness, "red"),
        box=box.ROUNDED,
        padding=(0, 1),
    )


def columns(*names: str, right: tuple[str, ...] = (), flexible: str = "") -> Table:
    """A table without lines. The flexible column takes what the others leave, and is the first to be cut."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=bool(flexible))
    for name in names:
        justify: JustifyMethod = "right" if name in right else "left"
        ratio = 1 if name == flexible else None
        table.add_column(name, justify=justify, overflow="ellipsis", no_wrap=True, ratio=ratio)
    return table


_COLOUR: Final = {
    Freshness.FRESHNESS_FRESH: "green",
    Freshness.FRESHNESS_STALE: "yellow",
    Freshness.FRESHNESS_ABSENT: "bright_black",
}


def _mark(status: SectionStatus, now: datetime) -> Text:
    took = f" · {status.milliseconds:.0f} ms" if status.milliseconds else ""
    if status.freshness == Freshness.FRESHNESS_FRESH:
        return Text(f" fresh{took} ", style="green")
    if status.freshness == Freshness.FRESHNESS_STALE:
        return Text(f" STALE · as of {minute(status.as_of)}, {ago(status.as_of, now)} ", style="bold yellow")
    if status.freshness == Freshness.FRESHNESS_ABSENT:
        return Text(f" nothing to show{took} ", style="bright_black")
    return Text(" MISSING ", style="bold red")


def _why(status: SectionStatus) -> str:
    reason = plain(status.reason)
    return SAYS.get(reason, words(reason.lower()) or "its service did not answer")
