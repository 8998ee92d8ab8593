"""Models are trained, kept once, promoted and believed only with their signature: on a store in memory."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from holdfast.retention.v1 import models_pb2

from chassis.query.selection import Selection
from chassis.rules import Invalid, NotFound, Refused
from chassis.serve import StartError
from services.retention.features.rules import Value, Vector
from services.retention.models import wire
from services.retention.models.champions import MOST_OPEN, Champions
from services.retention.models.encoding import decode, encode
from services.retention.models.keys import Signer, signer
from services.retention.models.registry import Entry, Stage
from services.retention.models.rules import Model
from services.retention.models.signing import generate_key, private_pem, sign
from services.retention.models.trainer import Result, Step
from services.retention.models.training import Options
from services.retention.models.usecases import ModelUseCases, Stride
from tests.support.fakes.models import FakeModels
from tests.unit.services.retention.builders import NOON, entry_of, hand_made_model, restless_customer

SIGNER = Signer(generate_key())
OLD, NEW = hand_made_model(), replace(hand_made_model(), intercept=-2.0)


class Trainer:
    """Answers with a model as quickly as nobody trains; remembers what it was given."""

    def __init__(self, model: Model = OLD) -> None:
        self.model = model
        self.given: tuple[list[str], list[int], Options] | None = None
        self.closed = False

    async def __call__(
        self, ids: Sequence[str], vectors: Sequence[Vector], labels: Sequence[int], options: Options
    ) -> AsyncGenerator[Step | Result, None]:
        self.given = (list(ids), list(labels), options)
        try:
            yield Step(0, 2, "fold 1 of 1")
            yield Step(1, 2, "the final model")
            text = encode(self.model)
            yield Result(decode(text), text, entry_of(self.model, SIGNER, NOON).report)
        finally:
            self.closed = True


class Customers:
    """Three customers whose outcome is known."""

    async def outcome_count(self) -> int:
        return 3

    async def labelled(self) -> AsyncIterator[list[tuple[str, dict[str, Value], bool]]]:
        yield [("ann", restless_customer(), True), ("ben", {}, False)]
        yield [("cat", {}, True)]


class House:
    """Models, with what stands around them."""

    def __init__(self, model: Model = OLD) -> None:
        self.store = FakeModels()
        self.trainer = Trainer(model)
        self.models = ModelUseCases(self.store, Customers(), self.trainer, SIGNER, 6)
        self.champions = Champions(self.store, SIGNER)

    def keep(self, *entries: Entry) -> None:
        self.store.kept |= {one.id: one for one in entries}

    async def train(self, seed: int = 1, *, promote: bool = False) -> tuple[list[Stride], Entry]:
        strides = [one async for one in self.models.train(seed, promote=promote)]
        entry = strides[-1].entry
        assert entry is not None
        return strides, entry


async def test_a_training_tells_of_each_step_and_ends_with_a_candidate() -> None:
    house = House()
    strides, entry = await house.train(seed=9)
    gathering = ["gathering customers"] * 3
    assert [one.stage for one in strides] == [*gathering, "fold 1 of 1", "the final model", "storing", "done"]
    assert [one.progress for one in strides] == sorted(one.progress for one in strides)
    assert all(one.entry is None for one in strides[:-1])
    assert house.trainer.given == (["ann", "ben", "cat"], [1, 0, 1], Options(horizon_months=6, seed=9))
    assert house.store.kept == {entry.id: entry}
    assert (entry.stage, entry.version) == (Stage.CANDIDATE, 1)
    assert SIGNER.open(entry) == OLD
    assert entry.card.startswith(f"# Churn model {entry.digest[:12]}")


async def test_the_same_model_is_kept_once() -> None:
    house = House()
    _, first = await house.train()
    _, second = await house.train(promote=True)
    _, third = await house.train()
    assert second == third == replace(first, stage=Stage.CHAMPION, version=2)
    assert len(house.store.kept) == 1


async def test_a_seed_beyond_what_folds_take_is_refused_before_anything_is_read() -> None:
    house = House()
    with pytest.raises(Invalid) as refused:
        await house.train(seed=2**40)
    assert refused.value.field == "seed"
    assert house.trainer.given is None


async def test_a_caller_who_goes_away_ends_the_training() -> None:
    house = House()
    strides = house.models.train(1, promote=False)
    async for one in strides:
        if one.stage == "the final model":
            break
    await strides.aclose()
    assert house.trainer.closed
    assert not house.store.kept
    assert (await house.train())[1].stage is Stage.CANDIDATE


async def test_of_two_champions_the_one_before_steps_back_and_may_come_again() -> None:
    house = House()
    old, new = entry_of(OLD, SIGNER, NOON), entry_of(NEW, SIGNER, NOON)
    house.keep(old, new)
    for one in (old, new, new, old):
        assert (await house.models.promote(one.id)).stage is Stage.CHAMPION
    assert {one.id: one.stage for one in house.store.kept.values()} == {old.id: Stage.CHAMPION, new.id: Stage.RETIRED}
    told = [one.data for one in house.store.events]
    assert [one.model.id for one in told if isinstance(one, models_pb2.ChampionChanged)] == [old.id, new.id, old.id]
    assert [one.sequence for one in house.store.events] == [2, 2, 4]
    assert (await house.models.get("champion")).id == old.id
    assert len((await house.models.page(Selection()))[0]) == 2


async def test_a_model_that_is_not_there_is_not_found() -> None:
    house = House()
    for asked in ("champion", "churn-none"):
        with pytest.raises(NotFound) as refused:
            await house.models.get(asked)
        assert refused.value.metadata == {"type": "model", "id": asked}
    with pytest.raises(NotFound):
        await house.models.promote("churn-none")


def forgeries() -> list[Entry]:
    """Models that nobody should believe: changed, signed by another, or under another's id."""
    genuine = entry_of(OLD, SIGNER, NOON)
    return [
        replace(genuine, text=encode(NEW)),
        replace(genuine, signature=sign(genuine.text, generate_key())),
        replace(entry_of(NEW, SIGNER, NOON), id=genuine.id),
    ]


@pytest.mark.parametrize("forged", forgeries())
async def test_a_forged_model_is_neither_promoted_nor_scored_with(forged: Entry) -> None:
    house = House()
    house.keep(forged)
    with pytest.raises(Refused):
        await house.models.promote(forged.id)
    house.keep(replace(forged, stage=Stage.CHAMPION))
    await house.champions.refresh()
    assert house.champions.current() is None
    assert await house.champions.of(None) is None
    assert await house.champions.model(forged.id) is None


async def test_the_champion_in_memory_follows_the_registry() -> None:
    house = House()
    await house.champions.refresh()
    assert house.champions.current() is None
    old, new = entry_of(OLD, SIGNER, NOON), entry_of(NEW, SIGNER, NOON)
    house.keep(old, new)
    for entry, model in ((old, OLD), (new, NEW)):
        await house.models.promote(entry.id)
        seen = await house.champions.of(None)
        assert seen is not None
        assert (seen.id, seen.model) == (entry.id, model)
        await house.champions.refresh()
        assert house.champions.current() == seen


async def test_a_model_is_opened_once_and_only_so_many_are_held() -> None:
    house = House()
    entries = [entry_of(replace(OLD, intercept=-float(n)), SIGNER, NOON) for n in range(1, MOST_OPEN + 3)]
    house.keep(*entries)
    for one in entries:
        assert await house.champions.model(one.id) is not None
    newest = await house.champions.model(entries[-1].id)
    house.store.kept.clear()
    assert await house.champions.model(entries[-1].id) is newest
    assert await house.champions.model(entries[0].id) is None


async def test_the_key_is_the_operators_or_one_that_the_store_keeps(tmp_path: Path) -> None:
    store, file = FakeModels(), tmp_path / "key.pem"
    kept = await signer("", store)
    assert (await signer("", store)).key.private_bytes_raw() == kept.key.private_bytes_raw()
    key = generate_key()
    file.write_bytes(private_pem(key))
    assert (await signer(str(file), store)).key.private_bytes_raw() == key.private_bytes_raw()
    for wrong in (tmp_path / "absent.pem", tmp_path):
        with pytest.raises(StartError, match=r"HOLDFAST_MODEL_KEY_FILE .* cannot be read"):
            await signer(str(wrong), store)
    file.write_text("no key")
    with pytest.raises(StartError, match="is not an unencrypted PEM private key"):
        await signer(str(file), store)


def test_a_model_goes_over_the_wire_with_its_signature_and_figures() -> None:
    entry = entry_of(OLD, SIGNER, NOON, Stage.CHAMPION)
    message = wire.message(entry)
    assert message.stage == models_pb2.MODEL_STAGE_CHAMPION
    assert (message.figures.rows, message.figures.lift_top_decile) == (200, 2.5)
    assert len(message.signature) == 88
