"""Reading the members' log files."""

import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

MESSAGE_KEYS = ("msg", "message", "event")
TAIL_BYTES = 64 * 1024


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def tail(path: Path, lines: int) -> list[str]:
    """The last `lines` lines; none when the file does not exist."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", errors="replace") as file:
        return [line.rstrip("\n") for line in deque(file, maxlen=lines)]


def follow_all(files: Mapping[str, Path], running: Callable[[], bool] = lambda: True) -> Iterator[tuple[str, str]]:
    """Lines as they are written to any of the files from now on, with the name of the file, while `running()`."""
    positions = {name: size(path) for name, path in files.items()}
    while running():
        found = False
        for name, path in files.items():
            for line, end in _lines_after(path, positions[name]):
                found, positions[name] = True, end
                yield name, line
        if not found:
            time.sleep(0.1)


def _lines_after(path: Path, position: int) -> Iterator[tuple[str, int]]:
    """Complete lines from byte `position` on, each with the position behind it."""
    if size(path) <= position:
        return
    with path.open("rb") as file:
        file.seek(position)
        for line in file:
            if line.endswith(b"\n"):
                position += len(line)
                yield line.decode(errors="replace").rstrip("\n"), position


def reason(path: Path, since: int) -> str:
    """Why a process ended, as its log tells from byte `since` on: its last error, else its last line, in one line."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(since, path.stat().st_size - TAIL_BYTES))
        written = file.read().decode(errors="replace").splitlines()
    lines = [line for line in written if line.strip()]
    errors = [text for text in map(_error, lines) if text]
    return " ".join((errors or [_text(line) for line in lines] or [""])[-1].split())


def _error(line: str) -> str:
    entry = _json(line)
    severity = str(entry.get("s", entry.get("level", ""))).lower()
    return _text(line) if severity in ("f", "e", "error", "critical", "fatal") else ""


def _text(line: str) -> str:
    entry = _json(line)
    message = next((str(entry[key]) for key in MESSAGE_KEYS if key in entry), line)
    attributes = entry.get("attr")
    detail = attributes.get("error", entry.get("error", "")) if isinstance(attributes, dict) else entry.get("error", "")
    return f"{message}: {detail}" if detail else message


def _json(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
