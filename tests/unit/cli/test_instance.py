"""Choosing a data directory, and refusing one that cannot be used."""

import json
import threading
from pathlib import Path

import pytest

from cli.console import CommandError
from cli.mesh import state as states
from cli.mesh.instance import FORMAT, Instance, claim_for_mongod, find, locked, prepare
from cli.mesh.process import Record
from cli.mesh.state import EdgeOptions, State


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    made = Instance(tmp_path / "data")
    prepare(made)
    return made


def test_without_options_the_instance_is_named_default_in_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    assert find().data == tmp_path / ".holdfast" / "default"
    assert find(name="two").data == tmp_path / ".holdfast" / "two"


@pytest.mark.parametrize("name", ["../evil", "UPPER", "-x", "a" * 41])
def test_a_name_that_is_no_folder_name_is_refused(name: str) -> None:
    with pytest.raises(CommandError, match="--name"):
        find(name=name)


def test_preparing_twice_changes_nothing(instance: Instance) -> None:
    before = instance.version_file.read_text()
    prepare(instance)
    assert instance.version_file.read_text() == before


def test_secrets_and_tokens_are_the_users_alone(instance: Instance) -> None:
    assert {folder.stat().st_mode & 0o777 for folder in (instance.secrets, instance.tokens)} == {0o700}


def test_a_directory_with_foreign_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(CommandError, match="was not made by holdfast"):
        prepare(Instance(tmp_path))
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_directory_of_another_format_is_refused_with_both_formats(instance: Instance) -> None:
    instance.version_file.write_text(json.dumps({"format": 99, "mongod": "6.0.5"}))
    with pytest.raises(CommandError, match=f"has format 99, and this Holdfast reads format {FORMAT}"):
        prepare(instance)


def test_data_of_another_release_series_of_mongod_are_refused(instance: Instance) -> None:
    claim_for_mongod(instance, "6.0.5")
    claim_for_mongod(instance, "6.0.9")
    with pytest.raises(CommandError, match=r"made by mongod 6\.0\.5, and this is mongod 7\.0\.1"):
        claim_for_mongod(instance, "7.0.1")


def test_a_damaged_version_file_is_refused(instance: Instance) -> None:
    instance.version_file.write_text("six")
    with pytest.raises(CommandError, match="VERSION is damaged"):
        prepare(instance)


def test_a_directory_that_cannot_be_written_is_named_with_the_systems_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match=r"file/data is not writable: Not a directory"):
        prepare(Instance(tmp_path / "file" / "data"))


def test_state_survives_the_disk(instance: Instance) -> None:
    state = State(base=7400, edge=EdgeOptions(allowed_origins=("https://a.example",)))
    state = state.with_process("sla", Record(12, "boot/3", 1.5))
    states.save(instance, state)
    assert states.load(instance) == state
    assert states.load(instance).without_process("sla").processes == {}


def test_a_damaged_state_is_refused_with_its_path(instance: Instance) -> None:
    instance.state_file.write_text('{"base": "x"')
    with pytest.raises(CommandError, match=r"state\.json is damaged"):
        states.load(instance)


def test_a_second_command_waits_for_the_first_and_then_goes_on(instance: Instance) -> None:
    order: list[str] = []
    inside = threading.Event()

    def second() -> None:
        inside.wait(5)
        with locked(instance):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with locked(instance):
        inside.set()
        with pytest.raises(CommandError, match="another holdfast command"), locked(instance, wait=0.0):
            order.append("never")
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]
