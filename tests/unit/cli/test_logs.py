"""Reading logs: the reason of an end, tails, following."""

import itertools
from pathlib import Path

from cli.mesh.logs import follow_all, reason, tail


def test_the_reason_is_the_last_error_of_a_structured_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        '{"s":"E","msg":"Failed to unlink","attr":{"error":"Permission denied"}}\n{"s":"I","msg":"Now exiting"}\n'
    )
    assert reason(log, 0) == "Failed to unlink: Permission denied"


def test_the_reason_of_a_plain_log_is_its_last_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("Traceback (most recent call last):\n  File x\nModuleNotFoundError: No module named 'x'\n\n")
    assert reason(log, 0) == "ModuleNotFoundError: No module named 'x'"


def test_what_an_earlier_start_wrote_is_no_reason(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old trouble\n")
    assert reason(log, log.stat().st_size) == ""
    assert reason(tmp_path / "none", 0) == ""


def test_the_tail_has_the_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("1\n2\n3\n")
    assert tail(log, 2) == ["2", "3"]
    assert tail(tmp_path / "none", 2) == []


def test_following_gives_whole_lines_of_every_file_as_they_come(tmp_path: Path) -> None:
    files = {"a": tmp_path / "a", "b": tmp_path / "b"}
    files["a"].write_text("before\n")
    turns = itertools.count()

    def running() -> bool:
        turn = next(turns)
        if turn == 0:
            files["b"].write_text("whole\nhal")
        if turn == 1:
            with files["b"].open("a") as file:
                file.write("f\n")
        return turn < 3

    assert list(follow_all(files, running)) == [("b", "whole"), ("b", "half")]
