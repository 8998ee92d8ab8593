"""Who is responsible, and where nobody is."""

from typing import Final

from holdfast.customer_info.v1.responsibilities_pb2 import (
    Gap,
    GapKind,
    GapReportResponse,
    Holder,
    Holders,
    HolderStanding,
    WhoIsResponse,
)
from rich.console import Group, RenderableType
from rich.text import Text

from cli.pages.frame import columns
from cli.pages.text import DASH, day, enum_words, minute, plain, words

STANDING_STYLE: Final = {
    HolderStanding.HOLDER_STANDING_REACHABLE: "green",
    HolderStanding.HOLDER_STANDING_UNREACHABLE: "yellow",
    HolderStanding.HOLDER_STANDING_LEFT: "red",
}


def holders(answer: WhoIsResponse) -> RenderableType:
    """Who has the responsibility asked about, and those it depends on."""
    table = columns("responsibility", "who", "reached by", "standing", "at", "since", flexible="reached by")
    for group in (answer.answer, *answer.dependencies):
        if not group.holders:
            table.add_row(words(group.responsibility), Text("nobody", style="bold red"), DASH, DASH, DASH, DASH)
        for holder in group.holders:
            table.add_row(*_holder(group, holder))
    return table


def gaps(report: GapReportResponse) -> RenderableType:
    """A row a gap, and how much was looked at."""
    looked = Text(f"{report.node_count:,} nodes looked at, as of {minute(report.as_of)} UTC", style="dim")
    if not report.gap_count:
        return Group(Text("No gap.", style="green"), looked)
    table = columns("responsibility", "gap", "where", "needed by", "nodes", right=("nodes",), flexible="where")
    for gap in report.gaps:
        table.add_row(*_gap(gap))
    more = report.gap_count - len(report.gaps)
    return Group(table, Text(f"and {more:,} more", style="dim"), looked) if more > 0 else Group(table, looked)


def _holder(group: Holders, holder: Holder) -> tuple[RenderableType, ...]:
    standing = enum_words(HolderStanding.Name(holder.standing), "HOLDER_STANDING_")
    contact = holder.contact
    return (
        words(group.responsibility),
        plain(contact.name) or plain(holder.assignment.holder_id) or DASH,
        " · ".join(filter(None, (plain(contact.email), plain(contact.phone)))) or DASH,
        Text(standing, style=STANDING_STYLE.get(holder.standing, "")),
        plain(group.node_name) or "the whole tree",
        day(holder.assignment.start) if holder.assignment.HasField("start") else DASH,
    )


def _gap(gap: Gap) -> tuple[RenderableType, ...]:
    kind = enum_words(GapKind.Name(gap.kind), "GAP_KIND_")
    where = " > ".join(map(plain, (gap.tree_name, *gap.path)))
    needed = "required" if gap.required else ", ".join(map(words, gap.needed_by)) or "assigned"
    return words(gap.responsibility), Text(kind, style="red"), where, needed, f"{gap.nodes:,}"
