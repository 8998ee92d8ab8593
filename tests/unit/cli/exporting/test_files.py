"""Files that are written whole or not at all, also when the stream breaks in between."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from holdfast.customer_info.v1 import customers_pb2, customers_pb2_grpc

from cli.client import Client
from cli.console import CommandError
from cli.exporting import records
from cli.exporting.files import written


class Breaking(customers_pb2_grpc.CustomersServiceServicer):
    """Sends a piece for each letter, and breaks after each of `breaks`."""

    def __init__(self, letters: str, *breaks: str, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> None:
        self.letters, self.breaks, self.code = letters, list(breaks), code
        self.asked: list[str] = []

    async def ExportCustomers(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.asked.append(request.after)
        for letter in self.letters[self.letters.find(request.after) + 1 if request.after else 0 :]:
            yield customers_pb2.ExportCustomersResponse(data=letter.encode(), rows=1, position=letter)
            if letter in self.breaks:
                self.breaks.remove(letter)
                await context.abort(self.code, "broken")


async def export(mesh: Breaking, out: io.BytesIO) -> int:
    server = grpc.aio.server()
    customers_pb2_grpc.add_CustomersServiceServicer_to_server(mesh, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with Client(f"127.0.0.1:{port}", "token") as client:
            return await records.write(client, records.request_of("customers", "csv", [], []), out, lambda _: None)
    finally:
        await server.stop(None)


async def test_a_stream_that_breaks_is_gone_on_with_where_it_broke(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "PAUSE", 0.0)
    mesh, out = Breaking("abcdef", "b", "e"), io.BytesIO()  # type: ignore[abstract]
    assert await export(mesh, out) == 6
    assert out.getvalue() == b"abcdef"
    assert mesh.asked == ["", "b", "e"]


async def test_a_refusal_is_not_tried_again() -> None:
    mesh, out = Breaking("abc", "a", code=grpc.StatusCode.INVALID_ARGUMENT), io.BytesIO()  # type: ignore[abstract]
    with pytest.raises(grpc.aio.AioRpcError):
        await export(mesh, out)
    assert mesh.asked == [""]


def test_what_is_asked_for_is_named_as_in_the_contract() -> None:
    request = records.request_of("products", "ndjson", ["active", "Suspended"], ["name"])
    assert list(request.predicates[0].values) == ["PRODUCT_STATUS_ACTIVE", "PRODUCT_STATUS_SUSPENDED"]
    assert list(request.fields) == ["name"]


def test_a_file_is_for_its_owners_eyes_and_in_place_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")

    class StoppedError(Exception):
        pass

    with pytest.raises(StoppedError), written(path) as file:
        file.write(b"half")
        raise StoppedError
    assert path.read_text() == "before"
    with written(path) as file:
        file.write(b"whole")
    assert path.read_bytes() == b"whole"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"), written(tmp_path / "missing" / "out.csv"):
        pass
