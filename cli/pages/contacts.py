"""What have we been through together?"""

from collections.abc import Sequence
from datetime import datetime

from holdfast.interaction.v1.interactions_pb2 import Channel, Direction, Interaction
from rich.console import RenderableType
from rich.text import Text

from cli.pages.frame import columns
from cli.pages.text import enum_words, minute, plain, words


def body(interactions: Sequence[Interaction], now: datetime) -> RenderableType:  # noqa: ARG001 - as all sections
    """A row a contact, newest first; a cross marks a complaint, an arrow who began."""
    if not interactions:
        return Text("None.")
    table = columns("when", "", "channel", "about", "mood", "note", flexible="note")
    for one in interactions:
        table.add_row(
            minute(one.occur_time),
            "→" if one.direction == Direction.DIRECTION_INBOUND else "←",
            enum_words(Channel.Name(one.channel), "CHANNEL_"),
            Text.assemble((words(one.category), ""), (" complaint" if one.complaint else "", "bold red")),
            _mood(one),
            Text(plain(one.note)),
        )
    return table


def _mood(interaction: Interaction) -> Text:
    if not interaction.HasField("sentiment"):
        return Text("")
    value = interaction.sentiment
    style = "red" if value < -0.25 else "green" if value > 0.25 else ""
    return Text(f"{round(value, 1) + 0.0:+.1f}", style=style)
