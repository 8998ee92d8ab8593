"""Trains in a process of its own, so that serving goes on; the process ends with whoever waits for it.

The bound on threads that training needs is one of the whole process, and its work holds the interpreter: neither has a
place beside a server. What goes over the pipe is JSON, both ways.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from chassis.rules import Invalid, Refusal, Refused
from services.retention.features.rules import NAMES, Vector
from services.retention.models.encoding import decode
from services.retention.models.report import Report, report_from_document
from services.retention.models.rules import Model
from services.retention.models.training import Options

WORKER = "services.retention.models.worker"
LONGEST_LINE = 8 << 20


@dataclass(frozen=True, slots=True)
class Step:
    """How far a training is: steps done, steps there are, and what comes next."""

    done: int
    total: int
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a training made: the model, its canonical text, and the report."""

    model: Model
    text: bytes
    report: Report


class TrainingFailed(RuntimeError):
    """The process ended without an answer."""


async def train(
    ids: Sequence[str], vectors: Sequence[Vector], labels: Sequence[int], options: Options
) -> AsyncGenerator[Step | Result, None]:
    """Trains, and tells of each step; the last thing told is the result.

    Raises:
        Invalid, Refused: as `training.train`; TrainingFailed: the process died.
    """
    task = {
        "ids": list(ids),
        "rows": [[vector.get(name) for name in NAMES] for vector in vectors],
        "labels": list(labels),
        "options": asdict(options),
    }
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", WORKER, stdin=pipe, stdout=pipe, limit=LONGEST_LINE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(orjson.dumps(task))
        # A process that ends before it has read everything says why on its standard error.
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
            process.stdin.close()
        async for line in process.stdout:
            yield _told(orjson.loads(line))
        if await process.wait() != 0:
            raise TrainingFailed(f"training ended with exit code {process.returncode}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _told(message: Mapping[str, Any]) -> Step | Result:
    if "refused" in message:
        raise _refusal(message["refused"])
    if "step" in message:
        return Step(message["done"], message["total"], message["step"])
    text = message["model"].encode()
    # The pipe is believed as little as any other source: the model is read as strictly as one from the store.
    return Result(decode(text), text, report_from_document(message["report"]))


def _refusal(told: Mapping[str, Any]) -> Refusal:
    if told["field"]:
        return Invalid(told["message"], field=told["field"], reason=told["reason"], metadata=told["metadata"])
    return Refused(told["message"], reason=told["reason"], metadata=told["metadata"])
