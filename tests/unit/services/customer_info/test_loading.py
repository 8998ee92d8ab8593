"""Bulk loads: fast while all goes well, exact when something does not."""

from collections.abc import Sequence

import pytest
from holdfast.customer_info.v1 import customers_pb2 as pb

from chassis.bulk import Outcome, Tally
from chassis.rules import AlreadyExists, Conflict, Invalid, Refusal
from services.customer_info.loading import ATTEMPTS, Outcomes, each_once, in_row, note
from tests.unit.services.customer_info.builders import new_uuid


class Loader:
    """Loads numbers, all or none; the bad ones refuse with `refusal`."""

    def __init__(self, refusal: Refusal, *bad: int) -> None:
        self.refusal, self.bad = refusal, bad
        self.calls: list[Sequence[int]] = []

    async def __call__(self, rows: Sequence[int]) -> Outcomes:
        self.calls.append(rows)
        if set(rows) & set(self.bad):
            raise self.refusal
        return [Outcome.CREATED for _ in rows]


async def load(loader: Loader, rows: Sequence[int]) -> Outcomes:
    return await each_once(rows, [str(row) for row in rows], loader)


async def test_a_good_batch_is_loaded_at_once() -> None:
    loader = Loader(Conflict("never"))
    assert await load(loader, range(1000)) == [Outcome.CREATED] * 1000
    assert len(loader.calls) == 1


async def test_one_bad_row_among_a_thousand_costs_some_twenty_loads() -> None:
    taken = AlreadyExists("taken", reason="EXTERNAL_ID_TAKEN")
    loader = Loader(taken, 321)
    outcomes = await load(loader, range(1000))
    assert [n for n, outcome in enumerate(outcomes) if outcome is taken] == [321]
    assert outcomes.count(Outcome.CREATED) == 999
    assert len(loader.calls) <= 21


async def test_who_stays_in_the_way_is_given_up_after_some_attempts() -> None:
    busy = Conflict("busy")
    loader = Loader(busy, 1)
    assert await load(loader, [1]) == [busy]
    assert len(loader.calls) == ATTEMPTS


async def test_only_conflicts_divide_a_batch() -> None:
    loader = Loader(Invalid("all wrong", field="x"), 1)
    with pytest.raises(Invalid):
        await load(loader, [1, 2])
    assert len(loader.calls) == 1


async def test_rows_are_counted_checked_and_converted_one_by_one() -> None:
    good = pb.Customer(id=new_uuid(), individual=pb.Individual(family_name="Example"))
    nameless = pb.Customer(individual=pb.Individual(family_name="Example"))
    wrong = pb.Customer(id=new_uuid(), individual=pb.Individual())
    timeless = pb.Customer(id=new_uuid(), individual=pb.Individual(family_name="Timeless"))

    def convert(message: pb.Customer) -> str:
        if message.individual.family_name == "Timeless":
            raise Invalid("no time", field="customer.since")
        return message.id

    async def loader(rows: Sequence[str]) -> Outcomes:
        assert rows == [good.id, good.id]
        return [Outcome.UPDATED, AlreadyExists("taken", field="customer.external_ids")]

    tally = Tally()
    await note(tally, [nameless, good, wrong, timeless, good], convert, loader)
    summary = tally.summary()
    assert (summary.received, summary.updated, summary.failed) == (5, 1, 4)
    errors = [(e.row, e.field) for e in summary.errors]
    assert errors == [(1, "id"), (3, "individual.family_name"), (4, "since"), (5, "external_ids")]


def test_a_field_is_named_as_it_stands_in_the_row() -> None:
    assert in_row(Invalid("", field="product.history[1].time")).field == "history[1].time"
    assert in_row(Invalid("", field="id")).field == "id"
    assert in_row(Conflict("")).field is None
