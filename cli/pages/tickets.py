"""What is open?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from holdfast.interaction.v1.tickets_pb2 import Ticket, TicketPriority, TicketState
from rich.console import RenderableType
from rich.text import Text

from cli.pages.frame import columns
from cli.pages.text import ago, enum_words, plain, words

PRIORITY_STYLE: Final = {
    TicketPriority.TICKET_PRIORITY_CRITICAL: "bold red",
    TicketPriority.TICKET_PRIORITY_HIGH: "dark_orange",
}


def body(tickets: Sequence[Ticket], now: datetime) -> RenderableType:
    """A row a ticket, newest first."""
    if not tickets:
        return Text("None.")
    table = columns("ticket", "opened", "state", "priority", "category", "title", flexible="title")
    for ticket in tickets:
        priority = enum_words(TicketPriority.Name(ticket.priority), "TICKET_PRIORITY_")
        table.add_row(
            ticket.id[:8],
            ago(ticket.open_time, now),
            enum_words(TicketState.Name(ticket.state), "TICKET_STATE_"),
            Text(priority, style=PRIORITY_STYLE.get(ticket.priority, "")),
            Text(words(ticket.category)),
            Text(plain(ticket.title)),
        )
    return table
