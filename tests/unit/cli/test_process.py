"""Starting, recognising and ending processes."""

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from cli.console import CommandError
from cli.mesh import process
from cli.mesh.process import MARK, Record, alive, exit_code, kill, kill_strays, spawn, stop, usage

SLEEPER = "import time; time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
PARENT = (
    "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print(child.pid, flush=True); time.sleep(600)"
)


def wait_for(condition: Callable[[], object], seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "the condition did not come true"
        time.sleep(0.01)


def start(tmp_path: Path, code: str) -> Record:
    environment = {**os.environ, MARK: str(tmp_path)}
    return spawn([sys.executable, "-c", code], environment, tmp_path / "log", tmp_path)


def test_a_started_process_lives_in_a_session_of_its_own(tmp_path: Path) -> None:
    record = start(tmp_path, SLEEPER)
    try:
        assert alive(record)
        assert os.getsid(record.pid) == record.pid != os.getsid(0)
        used = usage(record)
        assert used
        assert used.memory > 0
    finally:
        kill(record)
    assert not alive(record)
    assert usage(record) is None
    assert exit_code(record) == -signal.SIGKILL


def test_a_recycled_process_id_is_neither_alive_nor_killed(tmp_path: Path) -> None:
    record = start(tmp_path, SLEEPER)
    try:
        earlier = replace(record, born="another boot/1")
        assert not alive(earlier)
        kill(earlier)
        assert stop(earlier, grace=0.1)
        assert alive(record)
    finally:
        kill(record)


def test_output_is_appended_to_the_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("before\n")
    record = start(tmp_path, "import sys; print('out'); print('err', file=sys.stderr)")
    wait_for(lambda: not alive(record))
    assert sorted((tmp_path / "log").read_text().split()) == ["before", "err", "out"]


def test_a_process_deaf_to_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    record = start(tmp_path, DEAF)
    wait_for(lambda: "ready" in (tmp_path / "log").read_text())
    assert not stop(record, grace=0.2)
    assert not alive(record)


def test_killing_takes_the_workers_along(tmp_path: Path) -> None:
    record = start(tmp_path, PARENT)
    wait_for(lambda: (tmp_path / "log").read_text().strip())
    worker = int((tmp_path / "log").read_text())
    kill(record)
    wait_for(lambda: not _runs(worker))


def test_a_worker_whose_parent_crashed_is_found_by_its_mark_and_killed(tmp_path: Path) -> None:
    record, other = start(tmp_path, PARENT), start(tmp_path, SLEEPER)
    try:
        wait_for(lambda: (tmp_path / "log").read_text().strip())
        worker = int((tmp_path / "log").read_text())
        os.kill(record.pid, signal.SIGKILL)
        wait_for(lambda: not alive(record))
        assert _runs(worker)
        assert kill_strays(str(tmp_path), keep={other.pid}) == [worker]
        assert alive(other)
        wait_for(lambda: not _runs(worker))
    finally:
        kill(other)


def test_a_program_that_does_not_exist_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"/no/such/program cannot be run: No such file"):
        spawn(["/no/such/program"], {}, tmp_path / "log", tmp_path)


def test_the_birth_of_a_process_that_ended_is_unknown(tmp_path: Path) -> None:
    record = start(tmp_path, "pass")
    wait_for(lambda: not alive(record))
    assert process._birth(record.pid) is None


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
