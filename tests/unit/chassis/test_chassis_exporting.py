"""Everything held on a customer, in parts that fit into messages."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from google.protobuf.struct_pb2 import Struct
from holdfast.interaction.v1 import interactions_pb2

from chassis import exporting
from chassis.exporting import Pages, Record, as_json, as_struct, parts, walk
from chassis.query.selection import Selection


async def pages(*several: Sequence[Record]) -> Pages:
    for one in several:
        yield one


async def told(**kinds: Pages) -> list[tuple[str, list[Struct]]]:
    return [part async for part in parts(kinds)]


async def test_each_kind_is_told_even_where_there_is_nothing() -> None:
    found = await told(first=pages([{"n": 1}, {"n": 2}], [{"n": 3}]), second=pages([]), third=pages())
    assert [(kind, [r["n"] for r in records]) for kind, records in found] == [
        ("first", [1, 2, 3]), ("second", []), ("third", []),
    ]  # fmt: skip


async def test_no_part_is_much_larger_than_the_bound() -> None:
    text = "x" * (exporting.MOST_BYTES // 3)
    records: list[Record] = [{"n": n, "text": text} for n in range(10)]
    found = await told(only=pages(records[:6], records[6:]))
    assert [r["n"] for _, part in found for r in part] == list(range(10))
    assert max(sum(r.ByteSize() for r in part) for _, part in found) < 2 * exporting.MOST_BYTES
    assert all(part for _, part in found)


async def test_a_list_is_walked_to_its_end() -> None:
    asked: list[Selection] = []

    async def page(selection: Selection) -> tuple[list[int], str]:
        asked.append(selection)
        start = int(selection.page_token or 0)
        return list(range(start, min(start + selection.page_size, 5))), str(start + 2) if start + 2 < 5 else ""

    wanted = Selection().where("customer_id", "a")
    assert [list(found) async for found in walk(page, wanted, 2)] == [[0, 1], [2, 3], [4]]
    assert {one.predicates for one in asked} == {wanted.predicates}


def test_records_are_json_with_the_names_of_the_contract_and_times_of_rfc_3339() -> None:
    entry = interactions_pb2.Interaction(customer_id="c", duration_seconds=7, channel=interactions_pb2.CHANNEL_CALL)
    entry.occur_time.FromJsonString("2026-03-02T12:00:00.5Z")
    assert json.loads(as_json(as_struct(entry))) == {
        "customer_id": "c", "duration_seconds": 7, "channel": "CHANNEL_CALL", "occur_time": "2026-03-02T12:00:00.500Z",
    }  # fmt: skip
    plain: dict[str, Any] = {
        "at": datetime(2026, 3, 2, 12, tzinfo=UTC), "of": ("ü", None, 1.5, True), "in": [{"deep": 0}],
    }  # fmt: skip
    assert json.loads(as_json(as_struct(plain))) == {
        "at": "2026-03-02T12:00:00Z", "of": ["ü", None, 1.5, True], "in": [{"deep": 0}],
    }  # fmt: skip
