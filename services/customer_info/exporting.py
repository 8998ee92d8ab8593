"""Files of all records of a noun: part of the handlers' door.

Records are read a batch at a time in the order of their ids, and written in pieces that a caller can put one after the
other. What is at hand is one batch, however long the file is: whoever reads slowly is waited for.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Generic, Protocol, TypeVar

import orjson
from google.protobuf.descriptor import Descriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from holdfast.common.v1 import query_pb2, rows_pb2

from chassis.cells import guarded
from chassis.query.selection import Selection, selection
from chassis.rules import Invalid

M = TypeVar("M", bound=Message)
BATCH = 500
# Far below the 4 MiB that a message may have; a single row is smaller.
PIECE_BYTES = 256 * 1024
# Rows that are written before others get their turn.
AT_ONCE = 64
# At most `most` records of a selection, as messages, from the one after this id.
Read = Callable[[Selection, str, int], Awaitable[Sequence[M]]]


@dataclass(frozen=True, slots=True)
class Column(Generic[M]):
    """A column of a CSV file: its name, the field of the message that it tells of, and its text for a record."""

    name: str
    field: str
    text: Callable[[M], str]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a file: whole rows, and the position at which it ends."""

    data: bytes
    rows: int
    position: str


class Request(Protocol):
    """What both nouns ask with."""

    format: rows_pb2.RowFormat.ValueType
    after: str

    @property
    def predicates(self) -> Sequence[query_pb2.Predicate]: ...

    @property
    def fields(self) -> Sequence[str]: ...


class _Writer(Protocol):
    """How rows are written."""

    header: bytes

    def row(self, message: Any) -> bytes: ...


class _Json:
    def __init__(self, fields: Sequence[str]) -> None:
        self.header = b""
        self._fields = fields

    def row(self, message: Any) -> bytes:
        whole = MessageToDict(message, preserving_proto_field_name=True)
        return orjson.dumps({f: whole[f] for f in self._fields if f in whole} if self._fields else whole) + b"\n"


class _Csv:
    def __init__(self, columns: Sequence[Column[Any]], fields: Sequence[str]) -> None:
        self._columns = [c for c in columns if not fields or c.field in fields]
        self.header = _line(c.name for c in self._columns)

    def row(self, message: Any) -> bytes:
        return _line(guarded(c.text(message)) for c in self._columns)


def _line(cells: Any) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().encode()


async def pieces(
    request: Request, read: Read[M], columns: Sequence[Column[M]], descriptor: Descriptor
) -> AsyncIterator[Piece]:
    """The file that `request` asks for, from where it wants to go on.

    Raises:
        Invalid: it asks for a field that there is not, or its position is of another file.
    """
    fields = _fields(request.fields, descriptor)
    writer: _Writer = _Csv(columns, fields) if request.format == rows_pb2.ROW_FORMAT_CSV else _Json(fields)
    mark = _mark(request)
    after = _after(request.after, mark)
    chosen = selection(query_pb2.Query(predicates=request.predicates))
    data, rows = bytearray(b"" if after else writer.header), 0
    while batch := await _batch(read, chosen, after):
        for n, message in enumerate(batch):
            if n % AT_ONCE == 0:
                await asyncio.sleep(0)
            data += writer.row(message)
            rows, after = rows + 1, str(getattr(message, "id", ""))
            if len(data) >= PIECE_BYTES:
                yield Piece(bytes(data), rows, f"{mark}{after}")
                data, rows = bytearray(), 0
        if len(batch) < BATCH:
            break
    if data:
        yield Piece(bytes(data), rows, f"{mark}{after}" if after else "")


async def _batch(read: Read[M], chosen: Selection, after: str) -> Sequence[M]:
    try:
        return await read(chosen, after, BATCH)
    except Invalid as refusal:
        # Lists say it of their query; here the predicates stand by themselves.
        refusal.field = (refusal.field or "").removeprefix("query.")
        raise


def _fields(asked: Sequence[str], descriptor: Descriptor) -> list[str]:
    known = list(descriptor.fields_by_name)
    for n, name in enumerate(asked):
        if name not in known:
            allowed = ", ".join(known)
            raise Invalid(
                f"there is no such field; there are {allowed}",
                field=f"fields[{n}]",
                reason="INVALID_QUERY",
                metadata={"allowed": allowed},
            )
    return [name for name in known if name in asked or name == "id"] if asked else []


def _mark(request: Request) -> str:
    """What a position and the request that it is for have in common."""
    predicates = (p.SerializeToString(deterministic=True).hex() for p in request.predicates)
    parts = [str(request.format), *request.fields, "", *predicates]
    return blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()


def _after(position: str, mark: str) -> str:
    if position and not position.startswith(mark):
        raise Invalid(
            "the position is not one of this file, or is for another request",
            field="after",
            reason="INVALID_PAGE_TOKEN",
        )
    return position.removeprefix(mark)
