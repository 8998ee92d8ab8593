"""An instance: the data directory of one mesh on this machine, and where everything lies in it."""

import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.console import CommandError
from cli.mesh.files import write_atomically

FORMAT: Final = 2
"""Version of the layout of the data directory; raised when an older one can no longer be read."""

LOCK_SECONDS: Final = 180.0
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Instance:
    """Paths of one mesh. Making the object touches nothing."""

    data: Path

    @property
    def version_file(self) -> Path:
        return self.data / "VERSION"

    @property
    def state_file(self) -> Path:
        return self.data / "state.json"

    @property
    def lock_file(self) -> Path:
        return self.data / "lock"

    @property
    def secrets(self) -> Path:
        return self.data / "secrets"

    @property
    def master_key(self) -> Path:
        return self.secrets / "master.key"

    @property
    def tokens(self) -> Path:
        return self.data / "tokens"

    @property
    def jwks(self) -> Path:
        return self.data / "jwks.json"

    @property
    def database(self) -> Path:
        return self.data / "mongod"

    @property
    def edge_config(self) -> Path:
        return self.data / "edge.json"

    def log(self, member: str) -> Path:
        return self.data / "logs" / f"{member}.log"

    def token(self, service: str) -> Path:
        return self.tokens / f"{service}.jwt"

    @property
    def exists(self) -> bool:
        return self.version_file.is_file()

    def require(self) -> "Instance":
        """Raises CommandError unless `up` has made this instance before."""
        if not self.exists:
            raise CommandError(f"there is no mesh in {self.data}: run `holdfast up`")
        return self


def find(data: Path | None = None, name: str | None = None) -> Instance:
    """The instance at `data`, else the one called `name` (`default`) of the project around the working folder."""
    if data is not None:
        return Instance(data.expanduser().absolute())
    name = name or "default"
    if not NAME.fullmatch(name):
        raise CommandError(f"--name must be lower-case letters, digits, - and _, at most 40, not {name!r}", exit_code=2)
    return Instance(project() / ".holdfast" / name)


def project() -> Path:
    """The nearest folder upwards that is a project or holds instances; else the working folder."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / ".holdfast").is_dir() or (folder / "pyproject.toml").is_file():
            return folder
    return here


def prepare(instance: Instance) -> None:
    """Make the folders, or refuse a directory that is not writable, not ours, or of another format."""
    try:
        instance.data.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(instance)
        for folder in (instance.secrets, instance.tokens):
            folder.mkdir(mode=0o700, exist_ok=True)
        for folder in (instance.log("any").parent, instance.database):
            folder.mkdir(exist_ok=True)
        if not instance.exists:
            write_version(instance, None)
        _probe_writable(instance.data)
    except OSError as error:
        raise CommandError(f"data directory {instance.data} is not writable: {error.strerror}") from None


def read_version(instance: Instance) -> tuple[object, object]:
    """Format and mongod version the directory was made by, as they stand in VERSION."""
    try:
        version = json.loads(instance.version_file.read_text(encoding="utf-8"))
        return version["format"], version["mongod"]
    except (ValueError, KeyError, TypeError):
        raise CommandError(f"{instance.version_file} is damaged: not a version of Holdfast") from None


def write_version(instance: Instance, mongod: str | None) -> None:
    write_atomically(instance.version_file, json.dumps({"format": FORMAT, "mongod": mongod}) + "\n")


def claim_for_mongod(instance: Instance, running: str) -> None:
    """Note the first mongod's version; refuse when data files are of another release series than `running`."""
    _, made_by = read_version(instance)
    if made_by is None:
        write_version(instance, running)
    elif str(made_by).split(".")[:2] != running.split(".")[:2]:
        raise CommandError(
            f"data directory {instance.data} was made by mongod {made_by}, and this is mongod {running}: "
            "choose another with --data, or restore a backup into a new one"
        )


def _refuse_foreign(instance: Instance) -> None:
    if instance.exists:
        made_by, _ = read_version(instance)
        if made_by != FORMAT:
            raise CommandError(
                f"data directory {instance.data} has format {made_by}, and this Holdfast reads format {FORMAT}: "
                "choose another with --data"
            )
    elif any(entry.name != instance.lock_file.name for entry in instance.data.iterdir()):
        raise CommandError(f"data directory {instance.data} is not empty and was not made by holdfast: choose another")


def _probe_writable(folder: Path) -> None:
    probe = folder / f".writable-{os.getpid()}"
    probe.touch()
    probe.unlink()


@contextmanager
def locked(instance: Instance, wait: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the instance for one `up` or `down`; a second one waits up to `wait` seconds, then CommandError."""
    try:
        instance.data.mkdir(parents=True, exist_ok=True)
        handle = os.open(instance.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CommandError(f"data directory {instance.data} is not writable: {error.strerror}") from None
    try:
        _acquire(handle, instance, time.monotonic() + wait)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, instance: Instance, until: float) -> None:
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise CommandError(f"another holdfast command is at work on {instance.data}") from None
            time.sleep(0.05)
