"""Everything held on a customer, as a stream of JSON objects, kind by kind: complete, however much it is.

Read page by page and by key, so that neither side holds more than a page, and nothing breaks where the reader is slow.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from chassis.query.selection import Selection

T = TypeVar("T")
PAGE: Final = 100
"""Records read at once: some milliseconds of work between two turns of the event loop."""
MOST_BYTES: Final = 128 * 1024
"""A part larger than this is sent before the next record joins it; far below what a message may weigh."""

Record = Message | Mapping[str, Any]
Pages = AsyncIterator[Sequence[Record]]


async def walk(
    page: Callable[[Selection], Awaitable[tuple[Sequence[T], str]]], selection: Selection, size: int = PAGE
) -> AsyncIterator[Sequence[T]]:
    """All pages of a list, `size` items each; at least one, which may be empty."""
    token: str | None = ""
    while token is not None:
        found, following = await page(replace(selection, page_size=size, page_token=token))
        yield found
        token = following or None


async def parts(kinds: Mapping[str, Pages]) -> AsyncIterator[tuple[str, list[Struct]]]:
    """The records of each kind in turn, in parts that fit into messages; of each kind at least one part."""
    for kind, pages in kinds.items():
        part: list[Struct] = []
        told, weight = False, 0
        async for page in pages:
            for record in page:
                part.append(as_struct(record))
                weight += part[-1].ByteSize()
                if weight > MOST_BYTES:
                    yield kind, part
                    part, told, weight = [], True, 0
        if part or not told:
            yield kind, part


def as_struct(record: Record) -> Struct:
    """A record as a JSON object: protobuf in its JSON form with the names of the contract, times in RFC 3339."""
    if isinstance(record, Message):
        content: Mapping[str, Any] = json_format.MessageToDict(record, preserving_proto_field_name=True)
    else:
        content = record
    made = Struct()
    made.update(_plain(content))
    return made


def as_json(record: Struct) -> bytes:
    """A record as JSON text."""
    return json.dumps(json_format.MessageToDict(record), ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    """What JSON knows: a store's values without dates and tuples."""
    if isinstance(value, Mapping):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value
