"""Training in a process of its own."""

import contextlib

import psutil
import pytest

from chassis.rules import Invalid, Refused
from services.retention.models import trainer
from services.retention.models.encoding import encode
from services.retention.models.trainer import Result, Step, TrainingFailed
from services.retention.models.training import Options, train
from tests.support.polling import eventually
from tests.unit.services.retention.builders import made_up_customers

IDS, ROWS, LABELS, _ = made_up_customers(400)


def trainings() -> list[psutil.Process]:
    """The trainings that run below this process."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if trainer.WORKER in child.cmdline():
                found.append(child)
    return found


async def test_a_process_trains_the_very_model_that_would_be_trained_here() -> None:
    told = [one async for one in trainer.train(IDS, ROWS, LABELS, Options(seed=5))]
    steps = [one for one in told if isinstance(one, Step)]
    assert [one.done for one in steps] == list(range(7))
    assert {one.total for one in steps} == {6}
    result = told[-1]
    assert isinstance(result, Result)
    here = train(IDS, ROWS, LABELS, Options(seed=5))
    assert result.text == encode(here.model)
    assert result.model == here.model
    assert result.report.auc == here.report.auc
    assert not trainings()


async def test_refusals_come_back_as_they_were() -> None:
    with pytest.raises(Refused) as refused:
        async for _ in trainer.train(IDS[:50], ROWS[:50], LABELS[:50], Options()):
            pass
    assert refused.value.reason == "TOO_FEW_OUTCOMES"
    assert refused.value.metadata == {"rows": "50", "needed": "100"}
    with pytest.raises(Invalid) as invalid:
        async for _ in trainer.train([IDS[0], *IDS[1:399], IDS[0]], ROWS, LABELS, Options()):
            pass
    assert invalid.value.field == "ids[399]"


async def test_who_stops_listening_stops_the_process() -> None:
    steps = trainer.train(IDS, ROWS, LABELS, Options(repeats=20))
    await anext(steps)
    assert len(trainings()) == 1
    await steps.aclose()

    async def gone() -> bool:
        return not trainings()

    await eventually(gone, "the end of the training")


async def test_a_process_that_dies_is_told_as_a_fault() -> None:
    steps = trainer.train(IDS, ROWS, LABELS, Options(repeats=20))
    await anext(steps)
    (worker,) = trainings()
    worker.kill()
    with pytest.raises(TrainingFailed):
        async for _ in steps:
            pass


async def test_a_process_that_does_not_start_is_told_as_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "WORKER", "services.retention.models.no_such_module")
    with pytest.raises(TrainingFailed):
        async for _ in trainer.train(IDS, ROWS, LABELS, Options()):
            pass
