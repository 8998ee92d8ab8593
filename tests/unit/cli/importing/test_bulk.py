"""Bulk streams: batches, tallies, acknowledgements."""

from holdfast.customer_info.v1.customers_pb2 import Customer
from holdfast.interaction.v1.interactions_pb2 import Interaction

from cli.importing import bulk
from tests.unit.cli.importing.fake_mesh import fake_mesh, serving


def test_rows_are_read_no_further_ahead_than_a_batch() -> None:
    read: list[int] = []

    def rows() -> object:
        for n in range(10):
            read.append(n)
            yield n

    batches = bulk.batches(rows(), 4)  # type: ignore[var-annotated, arg-type]
    assert next(batches) == [0, 1, 2, 3]
    assert read == [0, 1, 2, 3]


async def test_errors_are_numbered_over_all_batches() -> None:
    mesh = fake_mesh()
    mesh.customers.refused.add("c-700")
    rows = [Customer(id=f"c-{n}") for n in range(1, 1_101)]
    seen: list[int] = []
    async with serving(mesh) as client:
        tally = await bulk.load(bulk.customers, client, rows, seen.append)
    assert (tally.received, tally.created, tally.failed) == (1_100, 1_099, 1)
    assert tally.errors[0].row == 700
    assert seen == [0, 500, 1_000, 1_100]


async def test_interactions_are_acknowledged_and_a_second_time_duplicates() -> None:
    mesh = fake_mesh()
    rows = [Interaction(message_id=str(n)) for n in range(3_600)]
    seen: list[int] = []
    async with serving(mesh) as client:
        first = await bulk.interactions(client, rows, seen.append)
        second = await bulk.interactions(client, rows, lambda _: None)
    assert (first.received, first.created, first.unchanged) == (3_600, 3_600, 0)
    assert (second.received, second.created, second.unchanged) == (3_600, 0, 3_600)
    assert seen[-1] == 3_600
    assert len(seen) == 9
