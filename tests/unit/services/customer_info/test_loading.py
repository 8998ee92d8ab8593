"""Batches of bulk loads: fast while all goes well, exact when something does not."""

from collections.abc import Sequence
from typing import Any

import pytest

from chassis.bulk import Outcome
from chassis.rules import AlreadyExists, Conflict, Invalid, Refusal, Refused
from services.customer_info.loading import ATTEMPTS, Keep, Outcomes, each_once, in_row
from services.customer_info.loads.rules import Overtaken, overtaken


class Loader:
    """Loads numbers, all or none; the bad ones refuse with `refusal`."""

    def __init__(self, refusal: Refusal, *bad: int) -> None:
        self.refusal, self.bad = refusal, bad
        self.calls: list[Sequence[int]] = []
        self.keeps: list[Keep | None] = []

    async def __call__(self, rows: Sequence[int], keep: Keep | None) -> Outcomes:
        self.calls.append(rows)
        self.keeps.append(keep)
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


class Kept:
    """Remembers what a batch was told."""

    def __init__(self) -> None:
        self.turns = 0
        self.noted: list[Outcomes] = []

    async def turn(self) -> None:
        self.turns += 1

    async def note(self, transaction: Any, outcomes: Outcomes) -> None:
        self.noted.append(outcomes)


async def test_only_the_whole_batch_is_kept_with_what_writes_it() -> None:
    loader, keep = Loader(AlreadyExists("taken", reason="EXTERNAL_ID_TAKEN"), 3), Kept()
    await each_once([1, 2, 3, 4], list("1234"), loader, keep)
    assert loader.keeps[0] is keep
    assert set(loader.keeps[1:]) == {None}
    assert keep.turns == 1


async def test_what_is_kept_tells_of_repeated_rows_too() -> None:
    keep = Kept()

    async def loader(rows: Sequence[int], kept: Keep | None) -> Outcomes:
        outcomes: Outcomes = [Outcome.CREATED for _ in rows]
        assert kept is not None
        await kept.note(None, outcomes)
        return outcomes

    outcomes = await each_once([1, 1, 2], ["1", "1", "2"], loader, keep)
    for told in (outcomes, *keep.noted):
        assert [isinstance(o, Refusal) for o in told] == [False, True, False]
    assert len(keep.noted) == 1


async def test_a_load_that_another_stream_goes_on_with_is_not_divided() -> None:
    loader = Loader(overtaken(), 1)
    with pytest.raises(Overtaken):
        await load(loader, [1, 2])
    assert len(loader.calls) == 1


async def test_of_people_who_were_erased_each_row_is_told_apart() -> None:
    gone = Refused("erased", reason="ERASED")
    loader = Loader(gone, 2)
    assert await load(loader, [1, 2, 3]) == [Outcome.CREATED, gone, Outcome.CREATED]


def test_a_field_is_named_as_it_stands_in_the_row() -> None:
    assert in_row(Invalid("", field="product.history[1].time")).field == "history[1].time"
    assert in_row(Invalid("", field="id")).field == "id"
    assert in_row(Conflict("")).field is None
