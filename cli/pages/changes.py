"""What was changed of a customer."""

from collections.abc import Sequence
from typing import Final

from google.protobuf.json_format import MessageToJson
from google.protobuf.struct_pb2 import Value
from holdfast.customer_info.v1.history_pb2 import Change, FieldChange
from rich.table import Table
from rich.text import Text

from cli.pages.frame import columns
from cli.pages.text import DASH, minute, plain, words

LONGEST: Final = 32
MOST_FIELDS: Final = 4


def table(changes: Sequence[Change]) -> Table:
    """A row a change, the latest first."""
    found = columns("when", "what", "version", "by", "changed", right=("version",), flexible="changed")
    for change in changes:
        by = plain(change.by) + (f" ({words(change.channel)})" if change.channel else "")
        found.add_row(minute(change.time), words(change.kind), str(change.version), by, _fields(change))
    return found


def _fields(change: Change) -> Text:
    if change.erased:
        return Text("the person was erased", style="italic")
    if change.version == 1:
        return Text("made", style="green")
    said = [_field(field) for field in change.fields[:MOST_FIELDS]]
    if change.unreadable:
        said.append("what cannot be read any more")
    if len(change.fields) > MOST_FIELDS:
        said.append(f"and {len(change.fields) - MOST_FIELDS} more")
    return Text("; ".join(said) or DASH)


def _field(change: FieldChange) -> str:
    if change.masked:
        return f"{words(change.name)} (not shown)"
    before, after = (_value(getattr(change, side)) if change.HasField(side) else DASH for side in ("before", "after"))
    return f"{words(change.name)}: {before} → {after}"


def _value(value: Value) -> str:
    text = plain(MessageToJson(value, indent=None, ensure_ascii=False))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
