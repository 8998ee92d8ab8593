"""Processes that outlive the command that started them, told apart from strangers with a recycled id."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from cli.console import CommandError

MARK: Final = "HOLDFAST_INSTANCE"
"""Environment variable that every process of an instance carries: the instance's data directory."""

POLL_SECONDS: Final = 0.02
_children: Final[dict[int, "subprocess.Popen[bytes]"]] = {}


@dataclass(frozen=True, slots=True)
class Record:
    """A started process. `born` tells it from a later one with the same id; `started_at` is Unix time in seconds."""

    pid: int
    born: str
    started_at: float


@dataclass(frozen=True, slots=True)
class Usage:
    """Resident memory in bytes of the process and its children, and age in seconds."""

    memory: int
    uptime: float


def spawn(command: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path) -> Record:
    """Start `command` in its own session, its output appended to `log`. Raises CommandError if it cannot be run."""
    with log.open("ab") as output:
        try:
            child = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise CommandError(f"{command[0]} cannot be run: {error.strerror}") from None
    _children[child.pid] = child
    return Record(child.pid, _birth(child.pid) or "never seen", time.time())


def alive(record: Record) -> bool:
    """Whether that very process still runs (a zombie does not)."""
    _reap(record.pid)
    return _birth(record.pid) == record.born


def exit_code(record: Record) -> int | None:
    """How it ended, as far as this command is its parent; negative: by that signal."""
    child = _children.get(record.pid)
    return child.poll() if child else None


def usage(record: Record) -> Usage | None:
    """None when it does not run."""
    if not alive(record):
        return None
    try:
        process = psutil.Process(record.pid)
        family = [process, *process.children(recursive=True)]
        return Usage(sum(member.memory_info().rss for member in family), time.time() - record.started_at)
    except psutil.Error:
        return None


def stop(record: Record, grace: float) -> bool:
    """SIGTERM, `grace` seconds, SIGKILL to the whole session. Tells whether it ended within the grace."""
    if alive(record):
        os.kill(record.pid, signal.SIGTERM)
    graceful = _wait_gone(record, grace)
    if not graceful:
        kill(record)
    return graceful


def kill(record: Record) -> None:
    """SIGKILL the process and whatever it started in its session, and wait until it is gone."""
    if alive(record):
        os.killpg(record.pid, signal.SIGKILL)
        _wait_gone(record, 10.0)


def kill_strays(mark: str, keep: set[int]) -> list[int]:
    """SIGKILL processes of the instance `mark` whose session is led by none of `keep`; returns their ids.

    Such are worker processes whose parent was killed, and a process started by a command that was killed before it
    could note it down. They hold ports, so a restart needs them gone.
    """
    strays = [process for process in _marked(mark) if _session(process.pid) not in keep]
    for process in strays:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(strays, timeout=10.0)
    return [process.pid for process in strays]


def _marked(mark: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                yield process
        except psutil.Error:
            continue


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def _birth(pid: int) -> str | None:
    """Boot and clock tick of the process's start; None when there is no such process, or only its zombie.

    psutil's create_time is wall-clock and moves when the clock is set; the ticks since boot do not.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    state, start_tick = fields[0], fields[19]
    return None if state in ("Z", "X") else f"{boot}/{start_tick}"


def _wait_gone(record: Record, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while alive(record):
        if time.monotonic() > until:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _reap(pid: int) -> None:
    child = _children.get(pid)
    if child is not None:
        child.poll()
