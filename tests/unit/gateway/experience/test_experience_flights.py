"""Callers who want the same at the same time share one call."""

import asyncio
from collections.abc import Awaitable

import pytest

from gateway.experience.flights import Flights
from tests.support.polling import until

PATIENT = 30.0


class Work:
    """A call that ends when told to, and counts how often it was begun and cancelled."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0
        self.result: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> str:
        self.begun += 1
        try:
            return await asyncio.shield(self.result)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


def waiting(flights: Flights[str], work: Work, *, key: str = "k", seconds: float = PATIENT) -> "asyncio.Task[str]":
    return asyncio.create_task(flights.share(key, seconds, work))


async def cancelled(task: Awaitable[object]) -> None:
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_same_question_is_asked_once_and_answered_to_all() -> None:
    flights, work = Flights[str](), Work()
    tasks = [waiting(flights, work) for _ in range(5)]
    await until(lambda: work.begun == 1)
    work.result.set_result("told")
    assert await asyncio.gather(*tasks) == ["told"] * 5
    assert work.begun == 1


async def test_different_questions_are_asked_apart() -> None:
    flights, work = Flights[str](), Work()
    tasks = [waiting(flights, work, key=key) for key in ("a", "b")]
    await until(lambda: work.begun == 2)
    work.result.set_result("told")
    assert await asyncio.gather(*tasks) == ["told"] * 2


async def test_a_question_asked_after_the_answer_is_asked_anew() -> None:
    flights, work = Flights[str](), Work()
    work.result.set_result("told")
    assert [await waiting(flights, work) for _ in range(2)] == ["told"] * 2
    assert work.begun == 2


async def test_the_first_caller_may_leave_without_a_loss_to_the_others() -> None:
    flights, work = Flights[str](), Work()
    first = waiting(flights, work)
    await until(lambda: work.begun == 1)
    second = waiting(flights, work)
    await asyncio.sleep(0)
    first.cancel()
    await cancelled(first)
    work.result.set_result("told")
    assert await second == "told"
    assert (work.begun, work.cancelled) == (1, 0)


async def test_the_call_is_cancelled_when_the_last_caller_leaves_and_the_next_one_begins_anew() -> None:
    flights, work = Flights[str](), Work()
    tasks = [waiting(flights, work) for _ in range(2)]
    await until(lambda: work.begun == 1)
    for task in tasks:
        task.cancel()
        await cancelled(task)
    late = waiting(flights, work)
    await until(lambda: (work.begun, work.cancelled) == (2, 1))
    work.result.set_result("told")
    assert await late == "told"


async def test_an_error_reaches_every_caller() -> None:
    flights, work = Flights[str](), Work()
    tasks = [waiting(flights, work) for _ in range(3)]
    await until(lambda: work.begun == 1)
    work.result.set_exception(LookupError("gone"))
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [LookupError] * 3


async def test_an_impatient_caller_leaves_alone() -> None:
    flights, work = Flights[str](), Work()
    patient = waiting(flights, work)
    await until(lambda: work.begun == 1)
    with pytest.raises(TimeoutError):
        await waiting(flights, work, seconds=0.01)
    work.result.set_result("told")
    assert await patient == "told"
    assert work.cancelled == 0


async def test_a_call_that_is_about_to_give_up_is_not_joined() -> None:
    flights, hasty, work = Flights[str](), Work(), Work()
    impatient = waiting(flights, hasty, seconds=0.05)
    await until(lambda: hasty.begun == 1)
    patient = waiting(flights, work)
    await until(lambda: work.begun == 1)
    with pytest.raises(TimeoutError):
        await impatient
    joined = waiting(flights, hasty)
    await asyncio.sleep(0)
    work.result.set_result("told")
    assert [await patient, await joined] == ["told"] * 2
    assert hasty.begun == 1
