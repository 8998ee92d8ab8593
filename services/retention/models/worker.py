"""The process that trains: a task as JSON on standard input, lines of JSON on standard output."""

import os
import sys
from typing import Any

import orjson

from chassis.rules import Refusal
from services.retention.features.rules import NAMES
from services.retention.models.encoding import encode
from services.retention.models.training import Options, train

NICENESS = 10
"""Whoever is being served comes first."""


def work(task: dict[str, Any]) -> dict[str, Any]:
    """Does the task; the last line to be told."""
    vectors = [dict(zip(NAMES, row, strict=True)) for row in task["rows"]]
    try:
        trained = train(task["ids"], vectors, task["labels"], Options(**task["options"]), _step)
    except Refusal as refusal:
        return {
            "refused": {
                "message": refusal.message,
                "reason": refusal.reason,
                "field": refusal.field,
                "metadata": refusal.metadata,
            }
        }
    return {"model": encode(trained.model).decode(), "report": trained.report.to_document()}


def _step(done: int, total: int, text: str) -> None:
    _tell({"done": done, "total": total, "step": text})


def _tell(message: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(message) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Reads the task, does it, answers. A reader that goes away ends the process at its next word."""
    os.nice(NICENESS)
    _tell(work(orjson.loads(sys.stdin.buffer.read())))


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        os._exit(1)
